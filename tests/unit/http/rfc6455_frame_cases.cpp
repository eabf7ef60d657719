#include <string>
#include <utility>
#include <vector>

#include "http/rfc6455_cases.h"
#include "http/rfc6455_server.h"

namespace offhook::testing {
namespace {

using Case = Rfc6455Case;
using Answers = std::vector<Case::Answer>;

constexpr int kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;
constexpr std::size_t kLimit = 65'536;

std::string letters(std::size_t count) {
    std::string text(count, 'a');
    for (std::size_t i = 0; i < count; ++i) text[i] = static_cast<char>('a' + i % 26);
    return text;
}

/// No UTF-8, so that it comes back as binary.
std::string octets(std::size_t count) {
    std::string text(count, '\xFE');
    for (std::size_t i = 1; i < count; ++i) text[i] = static_cast<char>(i);
    return text;
}

std::string piece(int opcode, std::string_view payload) {
    return client_frame(opcode, payload, {.is_final = false});
}

std::string number(std::size_t n) {
    return std::to_string(n);
}

}  // namespace

std::vector<Rfc6455Case> framing_cases() {
    std::vector<Case> cases;
    const auto add = [&](std::string name, std::string bytes, Answers answers, int ends) {
        cases.push_back({std::move(name), std::move(bytes), std::move(answers), ends});
    };
    for (const std::size_t size :
         {0UL, 1UL, 124UL, 125UL, 126UL, 127UL, 128UL, 1'000UL, 65'534UL, 65'535UL, kLimit}) {
        add("Text" + number(size),
            client_frame(kText, letters(size)),
            {{kText, letters(size)}},
            Case::kOpen);
        if (size == 0) continue;
        add("Binary" + number(size),
            client_frame(kBinary, octets(size)),
            {{kBinary, octets(size)}},
            Case::kOpen);
    }
    add("EmptyBinary",
        client_frame(kBinary),
        {{kText, ""}},
        Case::kOpen);  // the echo knows no kinds
    add("OverTheLimit", client_frame(kText, letters(kLimit + 1)), {}, 1009);
    add("BinaryOverTheLimit", client_frame(kBinary, octets(kLimit + 1)), {}, 1009);
    // The length alone is enough, the payload need not come.
    for (const std::uint64_t says : {std::uint64_t{kLimit + 1},
                                     std::uint64_t{1} << 31U,
                                     std::uint64_t{1} << 32U,
                                     std::uint64_t{1} << 62U,
                                     ~std::uint64_t{0}}) {
        add("Says" + std::to_string(says),
            client_frame(kText, "", {.length_bytes = 8, .says = says}),
            {},
            1009);
    }
    for (const std::size_t size : {0UL, 1UL, 125UL})
        add("LongLength16Of" + number(size),
            client_frame(kText, letters(size), {.length_bytes = 2}),
            {},
            1002);
    for (const std::size_t size : {0UL, 125UL, 126UL, 65'535UL})
        add("LongLength64Of" + number(size),
            client_frame(kText, letters(size), {.length_bytes = 8}),
            {},
            1002);
    // RFC 6455 §5.2: no extension is agreed on, so that no bit has a meaning. RSV1 would be a
    // compressed message.
    for (const int opcode : {kText, kBinary, kPing, kPong, kClose}) {
        for (int bits = 1; bits <= 7; ++bits) {
            const std::string frame = client_frame(
                opcode, opcode == kClose ? close_payload(1000) : "x", {.reserved = bits});
            add("Reserved" + number(static_cast<std::size_t>(bits)) + "Opcode" +
                    std::to_string(opcode),
                frame,
                {},
                1002);
            add("Reserved" + number(static_cast<std::size_t>(bits)) + "Opcode" +
                    std::to_string(opcode) + "AfterText",
                client_frame(kText, "first") + frame,
                {{kText, "first"}},
                1002);
        }
    }
    for (int bits = 1; bits <= 7; ++bits) {
        add("Reserved" + std::to_string(bits) + "Continuation",
            piece(kText, "a") + client_frame(kContinuation, "b", {.reserved = bits}),
            {},
            1002);
    }
    for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
        const std::string name = "Opcode" + std::to_string(opcode);
        add(name, client_frame(opcode), {}, 1002);
        add(name + "WithPayload", client_frame(opcode, "payload"), {}, 1002);
        add(name + "AfterText",
            client_frame(kText, "first") + client_frame(opcode) + client_frame(kPing),
            {{kText, "first"}},
            1002);
        add(name + "InsideAMessage", piece(kText, "first") + client_frame(opcode), {}, 1002);
    }
    // RFC 6455 §5.1
    for (const int opcode : {kText, kBinary, kPing, kPong, kClose})
        add("UnmaskedOpcode" + std::to_string(opcode),
            client_frame(opcode, "", {.is_masked = false}),
            {},
            1002);
    add("UnmaskedPayload", client_frame(kText, "hello", {.is_masked = false}), {}, 1002);
    add("UnmaskedContinuation",
        piece(kText, "a") + client_frame(kContinuation, "b", {.is_masked = false}),
        {},
        1002);
    for (const std::string& mask : {std::string(4, '\0'),
                                    std::string(4, '\xFF'),
                                    std::string("\x00\xFF\x00\xFF", 4),
                                    std::string("\x80\x40\x20\x10", 4)}) {
        for (const std::size_t size : {1UL, 3UL, 9UL, 1'001UL}) {
            add("Mask" + number(cases.size()),
                client_frame(kText, letters(size), {.mask = mask}),
                {{kText, letters(size)}},
                Case::kOpen);
        }
    }
    std::string many;
    Answers echoes;
    for (std::size_t i = 0; i < 300; ++i) {
        many += client_frame(kText, letters(i));
        echoes.push_back({kText, letters(i)});
    }
    add("ThreeHundredInOne", many, echoes, Case::kOpen);
    return cases;
}

std::vector<Rfc6455Case> control_cases() {
    std::vector<Case> cases;
    const auto add = [&](std::string name, std::string bytes, Answers answers, int ends) {
        cases.push_back({std::move(name), std::move(bytes), std::move(answers), ends});
    };
    add("Ping", client_frame(kPing), {{kPong, ""}}, Case::kOpen);
    for (const std::size_t size : {1UL, 5UL, 124UL, 125UL}) {
        add("Ping" + number(size),
            client_frame(kPing, letters(size)),
            {{kPong, letters(size)}},
            Case::kOpen);
        add("PingOfOctets" + number(size),
            client_frame(kPing, octets(size)),
            {{kPong, octets(size)}},
            Case::kOpen);
    }
    add("PingOfZeros",
        client_frame(kPing, std::string(8, '\0')),
        {{kPong, std::string(8, '\0')}},
        Case::kOpen);
    for (const int opcode : {kPing, kPong, kClose}) {
        const std::string name = "Opcode" + std::to_string(opcode);
        const std::string code = opcode == kClose ? close_payload(1000) : "";
        add(name + "Of126", client_frame(opcode, code + letters(126 - code.size())), {}, 1002);
        add(name + "Of65536", client_frame(opcode, code + letters(65'536 - code.size())), {}, 1002);
        add(name + "InPieces", piece(opcode, code), {}, 1002);
        add(name + "InPiecesAfterText",
            client_frame(kText, "first") + piece(opcode, code) + client_frame(kContinuation),
            {{kText, "first"}},
            1002);
        add(name + "WithALongLength", client_frame(opcode, code, {.length_bytes = 2}), {}, 1002);
    }
    // A pong that nobody asked for says nothing (RFC 6455 §5.5.3).
    add("UnsolicitedPong", client_frame(kPong), {}, Case::kOpen);
    add("UnsolicitedPongOf125", client_frame(kPong, octets(125)), {}, Case::kOpen);
    add("PongThenPing",
        client_frame(kPong, "mine") + client_frame(kPing, "yours"),
        {{kPong, "yours"}},
        Case::kOpen);
    std::string pings;
    Answers pongs;
    for (std::size_t i = 0; i < 100; ++i) {
        pings += client_frame(kPing, "ping " + number(i));
        pongs.push_back({kPong, "ping " + number(i)});
    }
    add("AHundredPings", pings, pongs, Case::kOpen);
    add("PingBetweenMessages",
        client_frame(kText, "a") + client_frame(kPing, "p") + client_frame(kText, "b"),
        {{kText, "a"}, {kPong, "p"}, {kText, "b"}},
        Case::kOpen);
    return cases;
}

std::vector<Rfc6455Case> fragment_cases() {
    std::vector<Case> cases;
    const auto add = [&](std::string name, std::string bytes, Answers answers, int ends) {
        cases.push_back({std::move(name), std::move(bytes), std::move(answers), ends});
    };
    const auto last = [](std::string_view payload) { return client_frame(kContinuation, payload); };
    const auto more = [](std::string_view payload) { return piece(kContinuation, payload); };
    add("Two", piece(kText, "two ") + last("pieces"), {{kText, "two pieces"}}, Case::kOpen);
    add("TwoOfBinary", piece(kBinary, "\xFE") + last("\xFF"), {{kBinary, "\xFE\xFF"}}, Case::kOpen);
    add("Three", piece(kText, "a") + more("b") + last("c"), {{kText, "abc"}}, Case::kOpen);
    add("AllEmpty", piece(kText, "") + more("") + last(""), {{kText, ""}}, Case::kOpen);
    add("EmptyAround",
        piece(kText, "") + more("middle") + last(""),
        {{kText, "middle"}},
        Case::kOpen);
    add("EmptyLast", piece(kText, "first") + last(""), {{kText, "first"}}, Case::kOpen);
    add("TwoMessages",
        piece(kText, "a") + last("b") + piece(kText, "c") + last("d"),
        {{kText, "ab"}, {kText, "cd"}},
        Case::kOpen);
    add("PingInside",
        piece(kText, "a") + client_frame(kPing, "p") + last("b"),
        {{kPong, "p"}, {kText, "ab"}},
        Case::kOpen);
    add("PingsAfterEach",
        piece(kText, "a") + client_frame(kPing, "1") + more("b") + client_frame(kPing, "2") +
            more("c") + client_frame(kPing, "3") + last("d"),
        {{kPong, "1"}, {kPong, "2"}, {kPong, "3"}, {kText, "abcd"}},
        Case::kOpen);
    add("PongInside",
        piece(kText, "a") + client_frame(kPong, "p") + last("b"),
        {{kText, "ab"}},
        Case::kOpen);
    add("CloseInside",
        piece(kText, "a") + client_frame(kClose, close_payload(1000)) + last("b"),
        {},
        1000);
    for (const bool is_final : {true, false}) {
        const std::string name = is_final ? "Last" : "More";
        const std::string stray = client_frame(kContinuation, "stray", {.is_final = is_final});
        add("Stray" + name, stray, {}, 1002);
        add("StrayEmpty" + name, client_frame(kContinuation, "", {.is_final = is_final}), {}, 1002);
        add("StrayAfterText" + name, client_frame(kText, "a") + stray, {{kText, "a"}}, 1002);
        add("StrayAfterPieces" + name,
            piece(kText, "a") + last("b") + stray,
            {{kText, "ab"}},
            1002);
        add("StrayAfterPing" + name, client_frame(kPing, "p") + stray, {{kPong, "p"}}, 1002);
        for (const int opcode : {kText, kBinary}) {
            add("NewInside" + name + std::to_string(opcode),
                piece(kText, "a") + client_frame(opcode, "b", {.is_final = is_final}),
                {},
                1002);
            add("NewInsideLate" + name + std::to_string(opcode),
                piece(kBinary, "a") + more("b") + client_frame(opcode, "c", {.is_final = is_final}),
                {},
                1002);
        }
    }
    for (const std::size_t size : {1UL, 64UL, 256UL, 1'024UL, 4'096UL, 32'768UL}) {
        const std::string whole = letters(size < 64 ? 2'000 : kLimit);
        std::string frames = piece(kText, whole.substr(0, size));
        for (std::size_t at = size; at < whole.size(); at += size) {
            const std::string part = whole.substr(at, size);
            frames += at + size >= whole.size() ? last(part) : more(part);
        }
        add("PiecesOf" + number(size), frames, {{kText, whole}}, Case::kOpen);
        frames = piece(kBinary, whole.substr(0, size));
        for (std::size_t at = size; at < whole.size() + size; at += size)
            frames += more(whole.substr(0, size));
        frames += last("x");
        if (size >= 64) add("PiecesOf" + number(size) + "OverTheLimit", frames, {}, 1009);
    }
    // As a client did to libsoup 3.2, which joined them: 61 pieces, each within the bound.
    std::string pieces = piece(kText, letters(1'100));
    for (int i = 0; i < 60; ++i) pieces += more(letters(1'100));
    add("SixtyOnePiecesOverTheLimit", pieces, {}, 1009);
    std::string zeros = piece(kText, "");
    for (int i = 0; i < 2'000; ++i) zeros += more("");
    add("TwoThousandEmptyPieces", zeros + last("end"), {{kText, "end"}}, Case::kOpen);
    for (int i = 0; i < 6'000; ++i) zeros += more("");
    add("EightThousandEmptyPieces", zeros + last("end"), {}, 1008);
    return cases;
}

}  // namespace offhook::testing

#include <string>
#include <utility>
#include <vector>

#include "http/rfc6455_cases.h"
#include "http/rfc6455_server.h"

namespace offhook::testing {
namespace {

using Case = Rfc6455Case;
using Answers = std::vector<Case::Answer>;

constexpr int kContinuation = 0, kText = 1, kClose = 8, kPing = 9, kPong = 10;

std::string piece(int opcode, std::string_view payload) {
    return client_frame(opcode, payload, {.is_final = false});
}

/// Whole characters: the ends of each length, and around what is left out (RFC 3629 §3).
std::vector<std::string> good_texts() {
    return {std::string(1, '\0'),
            std::string("a\0b", 3),
            "\x7F",
            "\xC2\x80",
            "\xDF\xBF",
            "\xE0\xA0\x80",
            "\xEF\xBF\xBF",
            "\xEF\xBF\xBE",
            "\xEF\xBF\xBD",
            "\xED\x9F\xBF",
            "\xEE\x80\x80",
            "\xEF\xB7\x90",
            "\xEF\xBB\xBFwith a mark",
            "\xF0\x90\x80\x80",
            "\xF0\x9F\xBF\xBE",
            "\xF3\xB0\x80\x80",
            "\xF4\x8F\xBF\xBF",
            "Hello-\xC2\xB5@\xC3\x9F\xC3\xB6\xC3\xA4\xC3\xBC\xC3\xA0\xC3\xA1-UTF-8!!",
            "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5",
            "\xF0\x9F\x93\x9E off the hook"};
}

std::vector<std::string> bad_texts() {
    return {"\x80",                      // a continuation alone
            "\xBF",                      //
            "\x80\xBF\x80",              //
            "\xC3",                      // the end is missing
            "\xE2\x82",                  //
            "\xF0\x9F\x93",              //
            "\xC3(",                     // another byte instead of it
            "\xE2\x28\xA1",              //
            "\xE2\x82\x28",              //
            "\xF0\x28\x8C\xBC",          //
            "\xF0\x90\x28\xBC",          //
            "\xF0\x90\x8C\x28",          //
            "\xC0\x80",                  // not the shortest form
            "\xC0\xAF",                  //
            "\xC1\xBF",                  //
            "\xE0\x80\x80",              //
            "\xE0\x9F\xBF",              //
            "\xF0\x80\x80\x80",          //
            "\xF0\x8F\xBF\xBF",          //
            "\xED\xA0\x80",              // surrogates
            "\xED\xAD\xBF",              //
            "\xED\xBF\xBF",              //
            "\xED\xA0\x80\xED\xB0\x80",  //
            "\xF4\x90\x80\x80",          // above U+10FFFF
            "\xF5\x80\x80\x80",          //
            "\xF7\xBF\xBF\xBF",          //
            "\xF8\x88\x80\x80\x80",      // five and six bytes
            "\xFB\xBF\xBF\xBF\xBF",      //
            "\xFC\x84\x80\x80\x80\x80",  //
            "\xFD\xBF\xBF\xBF\xBF\xBF",  //
            "\xFE",                      // never
            "\xFF",                      //
            "\xFE\xFE\xFF\xFF",          //
            "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80"
            "edited"};
}

}  // namespace

std::vector<Rfc6455Case> utf8_cases() {
    std::vector<Case> cases;
    const auto add = [&](std::string name, std::string bytes, Answers answers, int ends) {
        cases.push_back({std::move(name), std::move(bytes), std::move(answers), ends});
    };
    std::size_t n = 0;
    for (const std::string& text : good_texts()) {
        const std::string name = "Good" + std::to_string(++n);
        add(name, client_frame(kText, text), {{kText, text}}, Case::kOpen);
        for (std::size_t cut = 1; cut < text.size(); ++cut) {
            add(name + "CutAt" + std::to_string(cut),
                piece(kText, text.substr(0, cut)) + client_frame(kPing, "p") +
                    client_frame(kContinuation, text.substr(cut)),
                {{kPong, "p"}, {kText, text}},
                Case::kOpen);
        }
        std::string frames = piece(kText, "");
        for (const char c : text) frames += piece(kContinuation, std::string(1, c));
        add(name + "InBytes", frames + client_frame(kContinuation), {{kText, text}}, Case::kOpen);
    }
    n = 0;
    for (const std::string& text : bad_texts()) {
        const std::string name = "Bad" + std::to_string(++n);
        add(name, client_frame(kText, text), {}, 1007);
        add(name + "AfterAscii",
            client_frame(kText, "eight characters and more " + text),
            {},
            1007);
        add(name + "BeforeAscii",
            client_frame(kText, text + " eight characters and more"),
            {},
            1007);
        for (std::size_t cut = 1; cut < text.size(); ++cut)
            add(name + "CutAt" + std::to_string(cut),
                piece(kText, text.substr(0, cut)) + client_frame(kContinuation, text.substr(cut)),
                {},
                1007);
        add(name + "InTheLastPiece",
            piece(kText, "good so far") + client_frame(kContinuation, text),
            {},
            1007);
        // Anything may be in a binary message; what comes back is binary, because it is no text.
        add(name + "AsBinary", client_frame(2, text), {{2, text}}, Case::kOpen);
    }
    // It is refused as soon as it cannot become text: the end never comes (RFC 6455 §8.1).
    add("EarlyInAPiece", piece(kText, "\xCE\xBA\xE1\xBD\xB9\xF4\x90\x80\x80"), {}, 1007);
    add("EarlyInTheSecondPiece",
        piece(kText, "\xCE\xBA") + piece(kContinuation, "\xF4\x90"),
        {},
        1007);
    add("EarlyInsideACharacter",
        piece(kText, "\xCE\xBA\xF4") + piece(kContinuation, "\x90"),
        {},
        1007);
    add("EarlyInTheMiddleOfAFrame",
        client_frame(kText, "\xED\xA0", {.length_bytes = 2, .says = 1'000}),
        {},
        1007);
    add("EarlySurrogate", piece(kText, "\xED") + piece(kContinuation, "\xA0"), {}, 1007);
    // A text that ends inside a character.
    add("HalfACharacterAtTheEnd",
        piece(kText, "a\xE2") + piece(kContinuation, "\x82") + client_frame(kContinuation),
        {},
        1007);
    return cases;
}

std::vector<Rfc6455Case> close_cases() {
    std::vector<Case> cases;
    const auto add = [&](std::string name, std::string bytes, Answers answers, int ends) {
        cases.push_back({std::move(name), std::move(bytes), std::move(answers), ends});
    };
    const auto close = [](int code, std::string_view reason = {}) {
        return client_frame(kClose, close_payload(code, reason));
    };
    add("Empty", client_frame(kClose), {}, Case::kNoCode);
    add("OneByte", client_frame(kClose, "\x03"), {}, 1002);
    // 1012 to 1014 came to the registry of RFC 6455 §11.7 later.
    for (const int code : {1000,
                           1001,
                           1002,
                           1003,
                           1007,
                           1008,
                           1009,
                           1010,
                           1011,
                           1012,
                           1013,
                           1014,
                           3000,
                           3999,
                           4000,
                           4999}) {
        add("Code" + std::to_string(code), close(code), {}, code);
        add("Code" + std::to_string(code) + "WithReason", close(code, "because"), {}, code);
    }
    for (const int code :
         {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 10'000, 65'535}) {
        add("Code" + std::to_string(code), close(code), {}, 1002);
        add("Code" + std::to_string(code) + "WithReason", close(code, "because"), {}, 1002);
    }
    add("LongestReason", close(1000, std::string(123, 'r')), {}, 1000);
    add("ReasonTooLong", close(1000, std::string(124, 'r')), {}, 1002);
    std::size_t n = 0;
    for (const std::string& text : good_texts())
        add("Reason" + std::to_string(++n), close(1000, text), {}, 1000);
    n = 0;
    for (const std::string& text : bad_texts())
        add("BadReason" + std::to_string(++n), close(1000, text), {}, 1007);
    // Nothing counts after it (RFC 6455 §5.5.1).
    add("TextAfterIt", close(1000) + client_frame(kText, "late"), {}, 1000);
    add("PingAfterIt", close(1000) + client_frame(kPing, "late"), {}, 1000);
    add("NonsenseAfterIt", close(1000) + std::string(3'000, '\xFF'), {}, 1000);
    add("Twice", close(1000) + close(1001), {}, 1000);
    add("AfterText",
        client_frame(kText, "last words") + close(1001),
        {{kText, "last words"}},
        1001);
    add("AfterPing", client_frame(kPing, "p") + close(1000), {{kPong, "p"}}, 1000);
    add("AfterALargeText",
        client_frame(kText, std::string(60'000, 'x')) + close(1000),
        {{kText, std::string(60'000, 'x')}},
        1000);
    add("TextAfterAnError", client_frame(3) + client_frame(kText, "late"), {}, 1002);
    return cases;
}

}  // namespace offhook::testing

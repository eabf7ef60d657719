#include "socket/frame_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace offhook::socket {
namespace {

using Kind = FrameReader::Event::Kind;
using Bytes = std::vector<std::byte>;

constexpr MaskKey kKey{0x37, 0xFA, 0x21, 0x3D};

Bytes bytes(std::initializer_list<int> values) {
    Bytes result;
    for (const int value : values) result.push_back(static_cast<std::byte>(value));
    return result;
}

void frame(Bytes& out,
           Opcode opcode,
           std::string_view payload,
           bool is_final = true,
           const MaskKey* key = &kKey) {
    const std::size_t begin = out.size();
    append_frame(out, opcode, std::as_bytes(std::span(payload)), key);
    if (!is_final) out[begin] &= std::byte{0x7F};
}

/// All that `stream` says to `role`, handed in in pieces of `piece` bytes: "T:text", "B:", "ping:",
/// "pong:", "close 1000:", and "broken 1002" last.
std::vector<std::string> read_all(Role role,
                                  Bytes stream,
                                  std::size_t piece,
                                  std::size_t max = 1U << 20U) {
    std::vector<std::string> story;
    Bytes assembled;
    FrameReader reader(role, max, assembled);
    for (std::size_t at = 0; at < stream.size(); at += piece) {
        // A copy of exactly that size, so that a read beyond it is found.
        const auto first = stream.begin() + static_cast<std::ptrdiff_t>(at);
        Bytes part(first, first + static_cast<std::ptrdiff_t>(std::min(piece, stream.size() - at)));
        std::span<std::byte> rest(part);
        for (;;) {
            const FrameReader::Event event = reader.next(rest);
            if (event.kind == Kind::None) {
                EXPECT_TRUE(rest.empty());
                break;
            }
            const std::string payload(reinterpret_cast<const char*>(event.payload.data()),
                                      event.payload.size());
            switch (event.kind) {
                case Kind::Text:
                    story.push_back("T:" + payload);
                    break;
                case Kind::Binary:
                    story.push_back("B:" + payload);
                    break;
                case Kind::Ping:
                    story.push_back("ping:" + payload);
                    break;
                case Kind::Pong:
                    story.push_back("pong:" + payload);
                    break;
                case Kind::Close:
                    story.push_back("close " + std::to_string(event.code) + ":" + payload);
                    return story;
                case Kind::Broken:
                    EXPECT_FALSE(event.why.empty());
                    story.push_back("broken " + std::to_string(event.code));
                    return story;
                case Kind::None:
                    break;
            }
        }
    }
    return story;
}

using Story = std::vector<std::string>;

TEST(FrameCodec, writes_the_examples_of_rfc_6455) {
    // §5.7
    Bytes out;
    frame(out, Opcode::Text, "Hello", true, nullptr);
    EXPECT_EQ(out, bytes({0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}));
    out.clear();
    frame(out, Opcode::Text, "Hello");
    EXPECT_EQ(out, bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}));
    out.clear();
    frame(out, Opcode::Binary, std::string(256, 'x'), true, nullptr);
    EXPECT_EQ(Bytes(out.begin(), out.begin() + 4), bytes({0x82, 0x7E, 0x01, 0x00}));
    out.clear();
    frame(out, Opcode::Binary, std::string(65536, 'x'), true, nullptr);
    EXPECT_EQ(Bytes(out.begin(), out.begin() + 10), bytes({0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0}));
}

TEST(FrameCodec, masks_at_every_offset_and_length_as_byte_by_byte) {
    std::mt19937 random(1);
    for (std::size_t length = 0; length < 70; ++length) {
        for (std::size_t offset = 0; offset < 9; ++offset) {
            Bytes from(length), to(length);
            for (std::byte& one : from) one = static_cast<std::byte>(random());
            copy_masked(from, to.data(), kKey, offset);
            for (std::size_t i = 0; i < length; ++i) {
                ASSERT_EQ(to[i], from[i] ^ static_cast<std::byte>(kKey[(offset + i) % 4]));
            }
        }
    }
}

TEST(FrameCodec, reads_all_lengths_cut_anywhere_for_both_roles) {
    for (const Role role : {Role::Client, Role::Server}) {
        const MaskKey* const key = role == Role::Server ? &kKey : nullptr;
        Bytes stream;
        Story expected;
        for (const std::size_t size : {0U, 1U, 124U, 125U, 126U, 127U, 65535U, 65536U, 70000U}) {
            std::string payload(size, 'a');
            for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>('a' + i % 26);
            frame(stream, Opcode::Text, payload, true, key);
            frame(stream, Opcode::Binary, payload, true, key);
            expected.push_back("T:" + payload);
            expected.push_back("B:" + payload);
        }
        for (const std::size_t piece : {1UL, 2UL, 3UL, 7UL, 1000UL, 65536UL, stream.size()}) {
            EXPECT_TRUE(read_all(role, stream, piece) == expected) << piece;
        }
    }
}

TEST(FrameCodec, puts_pieces_together_with_control_frames_between_them) {
    Bytes stream;
    frame(stream, Opcode::Text, "", false);
    frame(stream, Opcode::Ping, "1");
    frame(stream, Opcode::Continuation, "a\xC3", false);
    frame(stream, Opcode::Pong, "");
    frame(stream, Opcode::Continuation, "", false);
    frame(stream, Opcode::Continuation, "\xA9z");
    frame(stream, Opcode::Binary, "next");
    frame(stream,
          Opcode::Close,
          "\x03\xE8"
          "bye");
    frame(stream, Opcode::Text, "never read");
    const Story expected{"ping:1", "pong:", "T:a\xC3\xA9z", "B:next", "close 1000:bye"};
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
        EXPECT_EQ(read_all(Role::Server, stream, piece), expected) << piece;
    }
}

TEST(FrameCodec, refuses_what_rfc_6455_does_not_know) {
    const auto broken = [](Role role, const Bytes& stream, int code) {
        const Story expected{"broken " + std::to_string(code)};
        EXPECT_EQ(read_all(role, stream, 1), expected);
        EXPECT_EQ(read_all(role, stream, stream.size()), expected);
    };
    for (const int reserved : {0x40, 0x20, 0x10}) {
        broken(Role::Client, bytes({0x81 | reserved, 0x00}), 1002);
    }
    for (const int opcode : {3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF}) {
        broken(Role::Client, bytes({0x80 | opcode, 0x00}), 1002);
    }
    broken(Role::Client, bytes({0x81, 0x80, 1, 2, 3, 4}), 1002);  // masked by a server
    broken(Role::Server, bytes({0x81, 0x00}), 1002);              // not masked by a client
    broken(Role::Client, bytes({0x80, 0x00}), 1002);              // continues nothing
    broken(Role::Client, bytes({0x01, 0x00, 0x81, 0x00}), 1002);  // begins inside another
    broken(Role::Client, bytes({0x09, 0x00}), 1002);              // a ping in pieces
    broken(Role::Client, bytes({0x89, 0x7E, 0x00, 0x7E}), 1002);  // a ping of 126 bytes
    broken(Role::Client, bytes({0x81, 0x7E, 0x00, 0x7D}), 1002);  // 125 in two bytes
    broken(Role::Client, bytes({0x81, 0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}), 1002);
    broken(Role::Client, bytes({0x81, 0x7F, 0xFF, 0, 0, 0, 0, 0, 0, 0}), 1009);
    broken(Role::Client, bytes({0x88, 0x01, 0x03}), 1002);  // half a code
    for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535}) {
        broken(Role::Client, bytes({0x88, 0x02, code >> 8, code & 0xFF}), 1002);
    }
    broken(Role::Client, bytes({0x88, 0x04, 0x03, 0xE8, 0xC3, 0x28}), 1007);
}

TEST(FrameCodec, reads_close_frames) {
    EXPECT_EQ(read_all(Role::Client, bytes({0x88, 0x00}), 1), Story{"close 1005:"});
    for (const int code : {1000, 1001, 1003, 1007, 1014, 3000, 4999}) {
        EXPECT_EQ(read_all(Role::Client, bytes({0x88, 0x02, code >> 8, code & 0xFF}), 2),
                  Story{"close " + std::to_string(code) + ":"});
    }
}

TEST(FrameCodec, bounds_a_message_over_all_its_pieces) {
    Bytes stream;
    frame(stream, Opcode::Binary, std::string(60, 'x'), false);
    frame(stream, Opcode::Continuation, std::string(40, 'x'));
    EXPECT_EQ(read_all(Role::Server, stream, 7, 100), Story{"B:" + std::string(100, 'x')});
    EXPECT_EQ(read_all(Role::Server, stream, 7, 99), Story{"broken 1009"});
    Bytes large;
    frame(large, Opcode::Binary, std::string(101, 'x'));
    EXPECT_EQ(read_all(Role::Server, large, 1, 100), Story{"broken 1009"});
    // Control frames are none of it.
    Bytes ping;
    frame(ping, Opcode::Ping, std::string(125, 'x'));
    EXPECT_EQ(read_all(Role::Server, ping, 1, 100), Story{"ping:" + std::string(125, 'x')});
}

TEST(FrameCodec, checks_utf8) {
    const auto check = [](std::string_view text) {
        return is_utf8(std::as_bytes(std::span(text)));
    };
    EXPECT_TRUE(check(""));
    EXPECT_TRUE(check("plain text of more than eight characters"));
    EXPECT_TRUE(check("12345678\xC3\xA9 12345 \xE2\x82\xAC \xF0\x9F\x94\x94 tail of text"));
    for (const char* const bad : {"\xFF",
                                  "\xC3",
                                  "1234567\xC3",
                                  "\xC0\x80",
                                  "\xED\xA0\x80",
                                  "\xF4\x90\x80\x80",
                                  "12345678\x80",
                                  "\xE2\x82"}) {
        EXPECT_FALSE(check(bad)) << bad;
    }
    Bytes stream;
    frame(stream, Opcode::Text, "a\xC3", false);
    frame(stream, Opcode::Continuation, "b");
    EXPECT_EQ(read_all(Role::Server, stream, 1), Story{"broken 1007"});
}

TEST(FrameCodec, survives_20000_mutations_the_same_however_they_are_cut) {
    std::mt19937 random(20260605);
    const auto below = [&](std::size_t limit) {
        return static_cast<std::size_t>(random()) % limit;
    };
    Bytes good[2];
    for (const Role role : {Role::Client, Role::Server}) {
        const MaskKey* const key = role == Role::Server ? &kKey : nullptr;
        Bytes& stream = good[static_cast<std::size_t>(role)];
        frame(
            stream, Opcode::Text, "{\"event\": \"connected\", \"protocol\": \"Call\"}", true, key);
        frame(stream, Opcode::Binary, std::string(160, '\x55'), true, key);
        frame(stream, Opcode::Text, "in \xC3\xA9", false, key);
        frame(stream, Opcode::Ping, "p", true, key);
        frame(stream, Opcode::Continuation, " pieces", true, key);
        frame(stream, Opcode::Binary, std::string(640, '\x2A'), true, key);
        frame(stream,
              Opcode::Close,
              "\x03\xE9"
              "away",
              true,
              key);
    }
    std::size_t refused = 0, messages = 0;
    for (int i = 0; i < 20'000; ++i) {
        const Role role = i % 2 == 0 ? Role::Client : Role::Server;
        Bytes stream = good[static_cast<std::size_t>(role)];
        for (std::size_t change = below(4) + 1; change > 0 && !stream.empty(); --change) {
            const std::size_t at = below(stream.size());
            const auto place = stream.begin() + static_cast<std::ptrdiff_t>(at);
            switch (below(5)) {
                case 0:
                    stream[at] ^= static_cast<std::byte>(1U << below(8));
                    break;
                case 1:
                    stream[at] = static_cast<std::byte>(random());
                    break;
                case 2:
                    stream.erase(place);
                    break;
                case 3:
                    stream.insert(place, static_cast<std::byte>(random()));
                    break;
                case 4:
                    stream.resize(at + 1);
                    break;
            }
        }
        if (stream.empty()) continue;
        const Story whole = read_all(role, stream, stream.size(), 4096);
        const Story pieces = read_all(role, stream, below(40) + 1, 4096);
        ASSERT_EQ(whole, pieces) << i;
        messages += whole.size();
        refused += !whole.empty() && whole.back().starts_with("broken") ? 1U : 0U;
    }
    // The mutations reach both, refusals and messages that still stand.
    EXPECT_GT(refused, 5'000U);
    EXPECT_GT(messages, 20'000U);
}

}  // namespace
}  // namespace offhook::socket

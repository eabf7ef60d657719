// Each rule of RFC 6455 that a conformance suite tries, as bytes against the server; in one piece,
// and cut as small as may be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <utility>

#include "http/rfc6455_cases.h"
#include "http/rfc6455_server.h"
#include "socket/frame_codec.h"

namespace offhook::testing {
namespace {

using http::WebSocketEnd;
using ::testing::HasSubstr;

/// One server for all cases: what one client did must not touch the next.
class Rfc6455 : public ::testing::TestWithParam<Rfc6455Case> {
protected:
    static void SetUpTestSuite() { server_ = new EchoServer(); }
    static void TearDownTestSuite() { delete std::exchange(server_, nullptr); }

    static void run(const Rfc6455Case& test, std::size_t piece) {
        RawWebSocket client(server_->address(), "/ws");
        ASSERT_TRUE(client.is_open());
        for (std::size_t at = 0; at < test.bytes.size(); at += piece)
            client.send_bytes(std::string_view(test.bytes).substr(at, piece));
        for (const Rfc6455Case::Answer& answer : test.answers) {
            const RawFrame frame = client.read();
            ASSERT_EQ(frame.opcode, answer.opcode);
            ASSERT_TRUE(frame.payload == answer.payload)
                << frame.payload.size() << " bytes instead of " << answer.payload.size();
            ASSERT_TRUE(frame.is_plain);
        }
        if (test.ends == Rfc6455Case::kOpen) {
            client.send("still there?", 9);
            EXPECT_EQ(client.read().opcode, 10);
            client.send(close_payload(1000), 8);
            EXPECT_EQ(client.read().code(), 1000);
        } else {
            const RawFrame goodbye = client.read();
            ASSERT_EQ(goodbye.opcode, 8);
            EXPECT_TRUE(goodbye.is_plain);
            EXPECT_EQ(goodbye.payload.empty() ? Rfc6455Case::kNoCode : goodbye.code(), test.ends);
        }
        EXPECT_TRUE(client.ended());
    }
    static inline EchoServer* server_ = nullptr;
};

TEST_P(Rfc6455, InOnePiece) {
    run(GetParam(), GetParam().bytes.size() + 1);
}

TEST_P(Rfc6455, InSmallPieces) {
    run(GetParam(), GetParam().bytes.size() <= 4'096 ? 1 : 997);
}

std::string name_of(const ::testing::TestParamInfo<Rfc6455Case>& info) {
    return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Framing, Rfc6455, ::testing::ValuesIn(framing_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Control, Rfc6455, ::testing::ValuesIn(control_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Fragments, Rfc6455, ::testing::ValuesIn(fragment_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Utf8, Rfc6455, ::testing::ValuesIn(utf8_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Close, Rfc6455, ::testing::ValuesIn(close_cases()), name_of);

// The opening handshake (RFC 6455 §4)

struct Head {
    const char* name;
    const char* request;  ///< %H stands for the address
    int status;
};
void PrintTo(const Head& head, std::ostream* out) {
    *out << head.name;
}

class Rfc6455Handshake : public ::testing::TestWithParam<Head> {
protected:
    static RawAnswer ask(const std::string& address, std::string request) {
        for (std::size_t at = 0; (at = request.find("%H")) != std::string::npos;)
            request.replace(at, 2, address);
        RawClient client(address);
        client.send(request + "\r\n");
        return client.read();
    }
};

TEST_P(Rfc6455Handshake, Is) {
    EchoServer server;
    const RawAnswer answer = ask(server.address(), GetParam().request);
    EXPECT_EQ(answer.status, GetParam().status);
    if (answer.status == 101) {
        EXPECT_EQ(answer.headers.at("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        EXPECT_EQ(answer.headers.count("sec-websocket-extensions"), 0U);
    }
    if (answer.status == 426) {
        EXPECT_EQ(answer.headers.at("sec-websocket-version"), "13");
        EXPECT_EQ(answer.headers.at("upgrade"), "websocket");
    }
    EXPECT_EQ(testing::ask(server.address(), "GET", "/plain").status, 200);
}

#define HOST "Host: %H\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define GET_WS "GET /ws HTTP/1.1\r\n"
const Head kHeads[] = {
    {"Good", GET_WS HOST UPGRADE VERSION KEY, 101},
    {"NamesInAnyCase",
     GET_WS "hOST: %H\r\nUPGRADE: WebSocket\r\nconnection: upgrade\r\nsec-websocket-version: "
            "13\r\nSEC-WEBSOCKET-KEY: dGhlIHNhbXBsZSBub25jZQ==\r\n",
     101},
    {"ConnectionIsAList",
     GET_WS HOST "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" VERSION KEY,
     101},
    {"WithAQuery", "GET /ws?a=b HTTP/1.1\r\n" HOST UPGRADE VERSION KEY, 101},
    {"Deflate",
     GET_WS HOST UPGRADE VERSION KEY
     "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
     101},
    {"Post", "POST /ws HTTP/1.1\r\n" HOST UPGRADE VERSION KEY "Content-Length: 0\r\n", 405},
    {"Http10", "GET /ws HTTP/1.0\r\n" HOST UPGRADE VERSION KEY, 426},
    {"NoHost", GET_WS UPGRADE VERSION KEY, 400},
    {"TwoHosts", GET_WS HOST HOST UPGRADE VERSION KEY, 400},
    {"NoUpgrade", GET_WS HOST "Connection: Upgrade\r\n" VERSION KEY, 426},
    {"OtherUpgrade", GET_WS HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n" VERSION KEY, 426},
    {"NoConnection", GET_WS HOST "Upgrade: websocket\r\n" VERSION KEY, 426},
    {"OtherConnection",
     GET_WS HOST "Upgrade: websocket\r\nConnection: keep-alive\r\n" VERSION KEY,
     426},
    {"NoVersion", GET_WS HOST UPGRADE KEY, 400},
    {"Version8", GET_WS HOST UPGRADE KEY "Sec-WebSocket-Version: 8\r\n", 426},
    {"Version0", GET_WS HOST UPGRADE KEY "Sec-WebSocket-Version: 0\r\n", 426},
    {"Version14", GET_WS HOST UPGRADE KEY "Sec-WebSocket-Version: 14\r\n", 426},
    {"VersionIsAWord", GET_WS HOST UPGRADE KEY "Sec-WebSocket-Version: new\r\n", 426},
    {"TwoVersions", GET_WS HOST UPGRADE KEY VERSION VERSION, 426},
    {"NoKey", GET_WS HOST UPGRADE VERSION, 400},
    {"EmptyKey", GET_WS HOST UPGRADE VERSION "Sec-WebSocket-Key: \r\n", 400},
    {"KeyOf15Bytes",
     GET_WS HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n",
     400},
    {"KeyOf17Bytes",
     GET_WS HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWU=\r\n",
     400},
    {"KeyIsNoBase64",
     GET_WS HOST UPGRADE VERSION "Sec-WebSocket-Key: ????????????????????????\r\n",
     400},
    {"TwoKeys", GET_WS HOST UPGRADE VERSION KEY KEY, 400},
};
std::string name_of_head(const ::testing::TestParamInfo<Head>& head) {
    return head.param.name;
}
INSTANTIATE_TEST_SUITE_P(Opening, Rfc6455Handshake, ::testing::ValuesIn(kHeads), name_of_head);

TEST(Rfc6455Subprotocol, IsTheFirstOfOurs) {
    EchoServer server;
    const auto agreed = [&](const std::string& lines) {
        const RawWebSocket client(server.address(), "/ws", lines);
        if (!client.is_open()) return std::string("refused");
        const auto found = client.answer().headers.find("sec-websocket-protocol");
        return found == client.answer().headers.end() ? std::string() : found->second;
    };
    EXPECT_EQ(agreed(""), "");
    EXPECT_EQ(agreed("Sec-WebSocket-Protocol: chat\r\n"), "");
    EXPECT_EQ(agreed("Sec-WebSocket-Protocol: offhook.v0\r\n"), "offhook.v0");
    EXPECT_EQ(agreed("Sec-WebSocket-Protocol: chat, offhook.v0 ,offhook.v1\r\n"), "offhook.v1");
    EXPECT_EQ(agreed("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: offhook.v1\r\n"),
              "offhook.v1");
    EXPECT_EQ(agreed("Sec-WebSocket-Protocol: OFFHOOK.V1\r\n"), "");
}

// How it ended, and what it carried

TEST(WebSocketFigures, TellHowItEnded) {
    const auto end_after = [](const std::string& bytes, bool finishes) {
        EchoServer server;
        RawWebSocket client(server.address(), "/ws");
        client.send_bytes(bytes);
        if (finishes) client.finish();
        return server.first_end();
    };
    EXPECT_EQ(end_after(client_frame(8, close_payload(1000)), false), WebSocketEnd::Closed);
    EXPECT_EQ(end_after(client_frame(8), false), WebSocketEnd::Closed);
    EXPECT_EQ(end_after("", true), WebSocketEnd::Broken);
    EXPECT_EQ(end_after(client_frame(1, "half", {.says = 100}), true), WebSocketEnd::Broken);
    EXPECT_EQ(end_after(client_frame(5), false), WebSocketEnd::Broken);
    EXPECT_EQ(end_after(client_frame(1, "", {.length_bytes = 8, .says = 100'000}), false),
              WebSocketEnd::TooLarge);
}

TEST(WebSocketFigures, ASlowReaderIsToldWhy) {
    EchoServer server({.max_queue_bytes = 64 * 1024});
    RawWebSocket client(server.address(), "/ws");
    const std::string block(16 * 1024, 'x');
    int sent = 0;
    while (sent < 10'000 && server.send(block)) ++sent;
    EXPECT_LT(sent, 10'000);
    EXPECT_EQ(server.first_end(), WebSocketEnd::Slow);
    int whole = 0;
    RawFrame frame = client.read();
    for (; frame.opcode == 1; frame = client.read()) {
        ASSERT_EQ(frame.payload, block);
        ++whole;
    }
    EXPECT_LE(whole, sent);
    EXPECT_EQ(frame.code(), 4002);
    EXPECT_TRUE(client.ended());
}

TEST(WebSocketFigures, CountBothWaysAndTheRoundTrip) {
    EchoServer server({.ping = std::chrono::seconds(1)});
    RawWebSocket client(server.address(), "/ws");
    client.send("one");
    EXPECT_EQ(client.read().payload, "one");
    client.send("three", 1);
    EXPECT_EQ(client.read().payload, "three");
    EXPECT_LT(server.traffic().rtt_ms, 0);
    const RawFrame ping = client.read();
    ASSERT_EQ(ping.opcode, 9);
    client.send("not this one", 10);
    client.send(ping.payload, 10);
    client.send("after it");
    EXPECT_EQ(client.read().payload, "after it");
    const http::WebSocketTraffic traffic = server.traffic();
    EXPECT_EQ(traffic.received_messages, 3U);
    EXPECT_EQ(traffic.sent_messages, 3U);
    EXPECT_EQ(traffic.received_bytes, 16U);
    EXPECT_EQ(traffic.sent_bytes, 16U);
    EXPECT_EQ(traffic.queue_bytes, 0U);
    EXPECT_GE(traffic.rtt_ms, 0);
    EXPECT_GT(traffic.last_pong_ns, 0);
    EXPECT_GE(traffic.last_heard_ns, traffic.last_pong_ns);
}

TEST(WebSocketFigures, ASilentOneIsToldWhy) {
    EchoServer server(
        {.ping = std::chrono::seconds(1), .pong_timeout = std::chrono::milliseconds(200)});
    RawWebSocket client(server.address(), "/ws");
    EXPECT_EQ(client.read().opcode, 9);
    EXPECT_EQ(client.read().code(), 4001);
    EXPECT_EQ(server.first_end(), WebSocketEnd::Silent);
    EXPECT_TRUE(client.ended());
}

// What libsoup 3.2 lets through: a frame that is small only while it is compressed, and a message in
// pieces without an end.

/// Peak of resident memory since the last call, above what was resident then.
class PeakMemory {
public:
    PeakMemory() {
        std::ofstream("/proc/self/clear_refs") << "5";
        before_kib_ = status("VmHWM:");
    }
    [[nodiscard]] double grown_mib() const {
        return static_cast<double>(status("VmHWM:") - before_kib_) / 1024;
    }

private:
    static long status(const std::string& name) {
        std::ifstream file("/proc/self/status");
        for (std::string word; file >> word;) {
            long kib = 0;
            if (word == name && file >> kib) return kib;
        }
        return 0;
    }
    long before_kib_ = 0;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kBombMib = 512;  // they keep what was freed
#else
constexpr double kBombMib = 8;
#endif

TEST(Rfc6455Bombs, ACompressedFrameIsNotTaken) {
    EchoServer server;
    const std::string packed(58'000, '\x55');  // would be 60 MB, were it ever unpacked
    const PeakMemory memory;
    for (int i = 0; i < 20; ++i) {
        RawWebSocket client(
            server.address(), "/ws", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
        ASSERT_TRUE(client.is_open());
        EXPECT_EQ(client.answer().headers.count("sec-websocket-extensions"), 0U);
        client.send_bytes(client_frame(1, packed, {.reserved = 4}));
        EXPECT_EQ(client.read().code(), 1002);
    }
    EXPECT_LT(memory.grown_mib(), kBombMib);
}

TEST(Rfc6455Bombs, PiecesWithoutEndAreNotKept) {
    EchoServer server;
    const std::string first = client_frame(2, std::string(60'000, 'x'), {.is_final = false});
    const std::string more = client_frame(0, std::string(60'000, 'x'), {.is_final = false});
    const PeakMemory memory;
    for (int i = 0; i < 20; ++i) {
        RawWebSocket client(server.address(), "/ws");
        client.send_bytes(first);
        for (int piece = 0; piece < 60; ++piece) client.send_bytes(more);
        EXPECT_EQ(client.read().code(), 1009);
    }
    EXPECT_LT(memory.grown_mib(), kBombMib);
}

TEST(Rfc6455Bombs, HalfMessagesOfManyAreBounded) {
    EchoServer server;
    std::vector<std::unique_ptr<RawWebSocket>> clients;
    const PeakMemory memory;
    for (int i = 0; i < 50; ++i) {
        clients.push_back(std::make_unique<RawWebSocket>(server.address(), "/ws"));
        clients.back()->send_bytes(client_frame(2, std::string(60'000, 'x'), {.says = 65'000}));
    }
    EXPECT_LT(memory.grown_mib(), 2 * kBombMib);
    RawWebSocket good(server.address(), "/ws");
    good.send("hello");
    EXPECT_EQ(good.read().payload, "hello");
}

// Streams of frames with bytes changed, lost, doubled and cut: nothing breaks, nothing grows, and
// whatever ends ends by the rules.
TEST(Rfc6455Mutations, TenThousandStreams) {
    std::vector<std::string> seeds;
    for (const auto& cases :
         {framing_cases(), control_cases(), fragment_cases(), utf8_cases(), close_cases()})
        for (const Rfc6455Case& test : cases)
            if (test.bytes.size() <= 4'096) seeds.push_back(test.bytes);
    std::mt19937 random(20261121);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
    std::size_t broken = 0;
    for (int round = 0; round < 10'000; ++round) {
        std::string bytes;
        for (std::size_t i = 0; i < 1 + below(4); ++i) bytes += seeds[below(seeds.size())];
        for (std::size_t i = 0; i < 1 + below(6) && !bytes.empty(); ++i) {
            const std::size_t at = below(bytes.size());
            switch (below(4)) {
                case 0:
                    bytes[at] = static_cast<char>(random());
                    break;
                case 1:
                    bytes.erase(at, 1 + below(8));
                    break;
                case 2:
                    bytes.insert(at, bytes.substr(at, 1 + below(16)));
                    break;
                default:
                    bytes.resize(at);
            }
        }
        if (bytes.empty()) continue;
        std::vector<std::byte> assembled;
        socket::FrameReader reader(socket::Role::Server, 2'000, assembled);
        std::vector<std::byte> stream(bytes.size());
        std::memcpy(stream.data(), bytes.data(), bytes.size());
        bool is_over = false;
        for (std::span<std::byte> rest(stream); !rest.empty() && !is_over;) {
            std::span<std::byte> piece = rest.first(1 + below(rest.size()));
            rest = rest.subspan(piece.size());
            for (;;) {
                const auto event = reader.next(piece);
                if (event.kind == socket::FrameReader::Event::Kind::None) break;
                EXPECT_LE(event.payload.size(), 2'000U);
                is_over = event.kind == socket::FrameReader::Event::Kind::Broken;
                if (!is_over) continue;
                ++broken;
                EXPECT_THAT((std::vector<int>{1002, 1007, 1009}), ::testing::Contains(event.code));
                break;
            }
        }
    }
    EXPECT_GT(broken, 1'000U);
}

TEST(Rfc6455Mutations, TheServerGoesOn) {
    EchoServer server;
    std::mt19937 random(20261121);
    const std::vector<Rfc6455Case> seeds = fragment_cases();
    for (int round = 0; round < 300; ++round) {
        RawWebSocket client(server.address(), "/ws");
        ASSERT_TRUE(client.is_open());
        std::string bytes = seeds[random() % seeds.size()].bytes.substr(0, 8'192);
        for (int i = 0; i < 4; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
        client.send_bytes(bytes);
    }
    RawWebSocket good(server.address(), "/ws");
    good.send("hello");
    EXPECT_EQ(good.read().payload, "hello");
}

}  // namespace
}  // namespace offhook::testing

// Client flows over WS and WSS, against libsoup's server and servers that say what they like.
#include "http/certificates.h"
#include "http/scripted_server.h"
#include "signalling/client_flow_bench.h"
#include "signalling/sip_server.h"

namespace offhook::test {
namespace {

using signalling::sip::FlowTarget;
using signalling::sip::Transport;
using testing::ScriptedServer;

bool says(const std::string& sentence, std::string_view what) {
    return sentence.find(what) != std::string::npos;
}

class WsClientFlow : public ClientFlowBench, public ::testing::WithParamInterface<Transport> {
protected:
    WsClientFlow() {
        if (GetParam() == Transport::Wss) {
            certificates_.emplace();
            pem_ = certificates_->issue("server", "DNS:pbx.test");
        }
    }
    void serve(const std::string& subprotocol = "sip") {
        server_.emplace(
            SipServer::Options{.transport = GetParam(), .pem = pem_, .subprotocol = subprotocol});
    }
    FlowTarget to_server() const { return to_port(server_->port()); }
    FlowTarget to_port(unsigned port) const {
        return target(GetParam(),
                      static_cast<std::uint16_t>(port),
                      certificates_ ? certificates_->ca_file() : "");
    }

    std::optional<testing::Certificates> certificates_;
    std::string pem_;
    std::optional<SipServer> server_;
};

TEST_P(WsClientFlow, OpensWithTheSubprotocolAndNoExtension) {
    serve();
    FlowTarget to = to_server();
    to.websocket_path = "/sip?v=1";
    ASSERT_EQ(open(to), "");
    ASSERT_TRUE(server_->wait_connected());
    EXPECT_EQ(server_->path(), "/sip");
    EXPECT_EQ(server_->header("Host"), "pbx.test:" + std::to_string(server_->port()));
    EXPECT_EQ(server_->header("Sec-WebSocket-Protocol"), "sip");
    EXPECT_EQ(server_->header("Sec-WebSocket-Extensions"), "") << "permessage-deflate is a bomb";
    EXPECT_EQ(server_->header("Origin"), "");
    EXPECT_EQ(flow_->local().host(), "127.0.0.1");
    EXPECT_NE(flow_->local().port(), 0);
    EXPECT_FALSE(flow_->is_insecure());
}

TEST_P(WsClientFlow, ItsNameIsOneThatNobodyResolvesAndStays) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    const std::string alias(flow_->host_alias());
    EXPECT_TRUE(alias.ends_with(".invalid")) << alias;
    EXPECT_GT(alias.size(), 15U);
    EXPECT_EQ(flow_->host_alias(), alias);
    const SipServer other(SipServer::Options{.transport = GetParam(), .pem = pem_});
    ASSERT_EQ(open(to_port(other.port())), "");
    EXPECT_NE(flow_->host_alias(), alias);
}

TEST_P(WsClientFlow, OneFrameIsOneMessageBothWays) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    ASSERT_TRUE(flow_->send(sip_message("out", 60'000), {}));
    ASSERT_TRUE(flow_->send("not UTF-8: \xff", {}));
    std::vector<std::string> heard;
    ASSERT_TRUE(pump([&] {
        const std::string next = server_->receive(0ms);
        if (!next.empty()) heard.push_back(next);
        return heard.size() == 2;
    }));
    EXPECT_TRUE(heard[0] == sip_message("out", 60'000));
    EXPECT_EQ(heard[1], "not UTF-8: \xff") << "in a binary frame";
    server_->send(sip_message("text"));
    server_->send_binary(sip_message("binary"));
    ASSERT_TRUE(pump([&] { return messages.size() == 2; }));
    EXPECT_EQ(messages, (std::vector{sip_message("text"), sip_message("binary")}));
    EXPECT_EQ(message_flow_, flow_);
}

TEST_P(WsClientFlow, FramesOfLineEndsAreKeepAlives) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    server_->send("\r\n");
    server_->send("\r\n\r\n");
    server_->send(sip_message("after"));
    ASSERT_TRUE(pump([&] { return !messages.empty(); }));
    EXPECT_EQ(messages, std::vector{sip_message("after")});
    std::string pong;
    ASSERT_TRUE(pump([&] { return !(pong = server_->receive(0ms)).empty(); }));
    EXPECT_EQ(pong, "\r\n");
}

TEST_P(WsClientFlow, AFrameOverTheBoundEndsTheFlow) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    server_->send(sip_message("fits", 65'000));
    ASSERT_TRUE(pump([&] { return messages.size() == 1; }));
    server_->send(sip_message("too-long", 66'000));
    ASSERT_TRUE(pump([&] { return !closed.empty(); }));
    EXPECT_TRUE(says(closed[0], "more than 64 KiB")) << closed[0];
    EXPECT_EQ(messages.size(), 1U);
}

TEST_P(WsClientFlow, AServerThatClosesIsQuoted) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    server_->close(1001, "going \"away\"");
    ASSERT_TRUE(pump([&] { return !closed.empty(); }));
    EXPECT_TRUE(says(closed[0], "closed the WebSocket with code 1001")) << closed[0];
}

TEST_P(WsClientFlow, CloseSaysGoodbyeAndIsNotReported) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    when_message = [this] { flows_->close(*flow_); };
    server_->send(sip_message("one"));
    server_->send(sip_message("two"));
    ASSERT_TRUE(pump([&] { return server_->wait_closed(0ms); }));
    EXPECT_EQ(server_->close_code(), 1000);
    EXPECT_EQ(messages.size(), 1U);
    EXPECT_TRUE(closed.empty());
}

TEST_P(WsClientFlow, ASilentServerIsLostWithinPingAndDeadline) {
    serve();
    FlowTarget to = to_server();
    to.keepalive = 2s;
    to.keepalive_timeout = 500ms;
    ASSERT_EQ(open(to), "");
    pump([] { return false; }, 3500ms);
    ASSERT_TRUE(closed.empty()) << "pongs keep it";
    server_->freeze();
    const std::int64_t frozen_ns = base::monotonic_ns();
    ASSERT_TRUE(pump([&] { return !closed.empty(); }));
    EXPECT_TRUE(says(closed[0], "no answer to a ping")) << closed[0];
    EXPECT_LT(base::monotonic_ns() - frozen_ns, 4 * base::kNsPerS);
}

TEST_P(WsClientFlow, ASlowReaderIsLetGoAtTheBoundOfItsQueue) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    server_->freeze();
    const std::int64_t frozen_ns = base::monotonic_ns();
    const std::string message = sip_message("big", 30'000);
    std::size_t taken = 0;
    while (taken < 64 * 1024 * 1024 && flow_->send(message, {})) {
        taken += message.size();
        for (int i = 0; i < 4; ++i) g_main_context_iteration(context_.get(), FALSE);
    }
    EXPECT_GT(taken, 256U * 1024) << "the socket buffers beside our queue";
    EXPECT_LT(taken, 64U * 1024 * 1024);
    EXPECT_FALSE(flow_->is_open());
    ASSERT_TRUE(pump([&] { return !closed.empty(); }));
    EXPECT_TRUE(says(closed[0], "too slowly")) << closed[0];
    EXPECT_LT(base::monotonic_ns() - frozen_ns, 3 * base::kNsPerS) << "its end was waited for";
}

TEST_P(WsClientFlow, AnotherSubprotocolIsRefused) {
    serve("chat");
    const std::string why = open(to_server());
    EXPECT_FALSE(why.empty());
    EXPECT_EQ(opened, 0);
}

/// What a server may answer to the request, and what the sentence has to say.
struct Answer {
    const char* name;
    const char* bytes;
    const char* sentence;
};

class WsAnswers : public ClientFlowBench, public ::testing::WithParamInterface<Answer> {};

TEST_P(WsAnswers, HaveASentence) {
    ScriptedServer server("", [](const std::string&) {
        return ScriptedServer::Reply{GetParam().bytes, false};
    });
    const FlowTarget to = target(Transport::Ws, static_cast<std::uint16_t>(server.port()));
    const std::string why = open(to);
    EXPECT_TRUE(says(why, GetParam().sentence)) << why;
    EXPECT_EQ(opened, 0);
}

constexpr Answer kAnswers[] = {
    {"NotFound",
     "HTTP/1.1 404 Not Found\r\n\r\n",
     "with HTTP 404 Not Found: check the WebSocket path"},
    {"Forbidden", "HTTP/1.1 403 No\r\n\r\n", "does not let us in"},
    {"Moved", "HTTP/1.1 302 Moved\r\nLocation: /x\r\n\r\n", "redirections are not followed"},
    {"Trouble", "HTTP/1.1 502 Bad Gateway\r\n\r\n", "the server is in trouble"},
    {"Ok", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP 200 OK: check the path"},
    {"Escaped", "HTTP/1.1 404 \x1b[31mred\r\n\r\n", "404 \\x1B[31mred"},
    {"NoHttp", "SIP/2.0 400 Bad Request\r\n\r\n", "does not speak HTTP"},
    {"Nothing", "", "closed the connection instead of answering"},
    {"WrongAccept",
     "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Accept: AAAA\r\nSec-WebSocket-Protocol: sip\r\n\r\n",
     "no WebSocket server"},
};

INSTANTIATE_TEST_SUITE_P(Of, WsAnswers, ::testing::ValuesIn(kAnswers), [](const auto& which) {
    return std::string(which.param.name);
});

/// A 101 that is right but for `lines`, then `frames`.
std::string upgrade(const std::string& request,
                    const std::string& lines,
                    const std::string& frames) {
    const std::string name = "Sec-WebSocket-Key: ";
    const auto begin = request.find(name) + name.size();
    const std::string text = request.substr(begin, request.find("\r\n", begin) - begin) +
                             "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<guint8, 20> digest{};
    gsize size = digest.size();
    GChecksum* sum = g_checksum_new(G_CHECKSUM_SHA1);
    g_checksum_update(
        sum, reinterpret_cast<const guchar*>(text.data()), static_cast<gssize>(text.size()));
    g_checksum_get_digest(sum, digest.data(), &size);
    g_checksum_free(sum);
    const glib::UniqueString accept(g_base64_encode(digest.data(), size));
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n"
           "Sec-WebSocket-Accept: " +
           std::string(accept.get()) + "\r\n" + lines + "\r\n" + frames;
}

/// An unmasked frame of a server (RFC 6455 §5.2).
std::string frame(int opcode, const std::string& payload, bool is_final = true) {
    std::string bytes{static_cast<char>((is_final ? 0x80 : 0) | opcode)};
    if (payload.size() < 126) {
        bytes += static_cast<char>(payload.size());
    } else {
        bytes += static_cast<char>(126);
        bytes += static_cast<char>(payload.size() >> 8);
        bytes += static_cast<char>(payload.size() & 0xff);
    }
    return bytes + payload;
}

class WsScripted : public ClientFlowBench {
protected:
    // The scripted server says no goodbye; its destructor waits until our patience for one ends.
    void TearDown() override {
        flows_.reset();
        if (server_ && opened > 0) pump([] { return false; }, 1100ms);
    }
    std::string open_after(const std::string& lines, const std::string& frames, bool tls = false) {
        if (tls) certificates_.emplace();
        const std::string pem = tls ? certificates_->issue("server", "DNS:pbx.test") : "";
        server_ = std::make_unique<ScriptedServer>(pem, [=](const std::string& request) {
            return ScriptedServer::Reply{upgrade(request, lines, frames), true};
        });
        return open(target(tls ? Transport::Wss : Transport::Ws,
                           static_cast<std::uint16_t>(server_->port()),
                           tls ? certificates_->ca_file() : ""));
    }
    static inline const std::string kSip = "Sec-WebSocket-Protocol: sip\r\n";
    std::optional<testing::Certificates> certificates_;
    std::unique_ptr<ScriptedServer> server_;
};

TEST_F(WsScripted, FramesRightBehindTheAnswerAreNotLost) {
    ASSERT_EQ(open_after(kSip, frame(1, sip_message("a")) + frame(1, sip_message("b"))), "");
    ASSERT_TRUE(pump([&] { return messages.size() == 2; }));
    EXPECT_EQ(messages, (std::vector{sip_message("a"), sip_message("b")}));
}

TEST_F(WsScripted, FramesRightBehindTheAnswerAreNotLostInTls) {
    ASSERT_EQ(
        open_after(kSip, frame(1, sip_message("a")) + frame(1, sip_message("b", 5'000)), true), "");
    ASSERT_TRUE(pump([&] { return messages.size() == 2; }));
    EXPECT_EQ(messages, (std::vector{sip_message("a"), sip_message("b", 5'000)}));
}

TEST_F(WsScripted, AMessageInFragmentsIsJoined) {
    const std::string message = sip_message("whole", 3'000);
    ASSERT_EQ(open_after(kSip,
                         frame(1, message.substr(0, 100), false) +
                             frame(0, message.substr(100, 1'000), false) + frame(9, "ping") +
                             frame(0, message.substr(1'100))),
              "");
    ASSERT_TRUE(pump([&] { return !messages.empty(); }));
    EXPECT_EQ(messages[0], message);
}

TEST_F(WsScripted, FragmentsWithoutEndAreBounded) {
    std::string frames = frame(1, std::string(60'000, 'x'), false);
    for (int i = 0; i < 40; ++i) frames += frame(0, std::string(60'000, 'x'), false);
    (void)open_after(kSip, frames);
    ASSERT_TRUE(pump([&] { return !closed.empty(); }));
    EXPECT_TRUE(says(closed[0], "more than 64 KiB")) << closed[0];
    EXPECT_TRUE(messages.empty());
}

TEST_F(WsScripted, NoSubprotocolIsRefused) {
    const std::string why = open_after("", "");
    EXPECT_TRUE(says(why, "did not accept the subprotocol \"sip\"")) << why;
}

TEST_F(WsScripted, ASubprotocolThatWasNotOfferedIsRefused) {
    const std::string why = open_after("Sec-WebSocket-Protocol: mqtt\r\n", "");
    EXPECT_TRUE(says(why, "chose the subprotocol \"mqtt\"")) << why;
}

TEST_F(WsScripted, AnExtensionThatWasNotOfferedIsRefused) {
    const std::string why =
        open_after(kSip + "Sec-WebSocket-Extensions: permessage-deflate\r\n", "");
    EXPECT_TRUE(says(why, "a WebSocket extension")) << why;
}

TEST_F(WsScripted, APathThatCannotStandInARequestIsRefused) {
    const SipServer server(SipServer::Options{.transport = Transport::Ws});
    FlowTarget to = target(Transport::Ws, server.port());
    for (const char* path : {"sip", "", "/a b", "/a\r\nX: y"}) {
        closed.clear();
        to.websocket_path = path;
        EXPECT_TRUE(says(open(to), "needs a path")) << path;
    }
}

TEST_F(WsScripted, NoAnswerHasASentence) {
    const SipServer mute(SipServer::Options{.transport = Transport::Tcp});
    const std::string why = open(target(Transport::Ws, mute.port()));
    EXPECT_TRUE(says(why, "no answer to the WebSocket request")) << why;
}

TEST_F(WsScripted, WssChecksNameAndAuthority) {
    certificates_.emplace();
    const testing::Certificates others;
    const SipServer server(SipServer::Options{
        .transport = Transport::Wss, .pem = certificates_->issue("other", "DNS:other.test")});
    FlowTarget to = target(Transport::Wss, server.port(), certificates_->ca_file());
    EXPECT_TRUE(says(open(to), "it is for other.test and not for \"pbx.test\""));
    closed.clear();
    to.tls.server_name = "other.test";
    to.tls.ca_file = others.ca_file();
    EXPECT_TRUE(says(open(to), "not trusted here"));
    closed.clear();
    to.tls.ca_file = certificates_->ca_file();
    EXPECT_EQ(open(to), "");
    flows_->close(*flow_);
    to.tls.server_name.clear();
    to.tls.insecure = true;
    EXPECT_EQ(open(to), "");
    EXPECT_TRUE(flow_->is_insecure());
}

TEST_F(WsScripted, TheContextMayEndWithAGoodbyeOnItsWay) {
    const SipServer server(SipServer::Options{.transport = Transport::Ws});
    ASSERT_EQ(open(target(Transport::Ws, server.port())), "");
    flows_->close(*flow_);
    flows_->close(*flow_);
}

INSTANTIATE_TEST_SUITE_P(Transports,
                         WsClientFlow,
                         ::testing::Values(Transport::Ws, Transport::Wss),
                         [](const auto& which) {
                             return std::string(signalling::sip::name_of(which.param));
                         });

}  // namespace
}  // namespace offhook::test

// What can go wrong until a link is open, by a server that says exactly what it is told to.
#include <algorithm>
#include <thread>

#include "recorder.h"
#include "scripted_server.h"
#include "socket/address.h"
#include "socket/resolver.h"

namespace offhook::socket {
namespace {

constexpr std::int64_t kMs = base::kNsPerMs;
using Connection = ScriptedServer::Connection;

class Dial : public ::testing::Test {
protected:
    void SetUp() override { loop = std::move(EventLoop::create().value()); }
    void TearDown() override {
        peer.link.reset();
        server.reset();
    }
    void serve(ScriptedServer::Script script) {
        server = std::make_unique<ScriptedServer>(*loop, std::move(script));
    }
    /// Answers a whole request once.
    void answer(std::function<std::string(const Connection&)> make, bool closes = false) {
        serve([make = std::move(make), closes](Connection& connection) {
            if (!connection.has_head() || connection.step++ > 0) return;
            connection.send(make(connection));
            if (closes) connection.close();
        });
    }
    void dial(const std::string& url) {
        peer.link.reset();
        peer = {};
        settings.url = url;
        auto link = socket::dial(*loop, settings, peer);
        ASSERT_TRUE(link) << link.error().text();
        EXPECT_FALSE(peer.end) << "told from inside dial()";
        peer.link = std::move(*link);
    }
    std::string ending() {
        EXPECT_TRUE(until([&] { return peer.end.has_value(); }));
        return peer.ending();
    }
    bool until(const std::function<bool()>& done) { return turn_until(*loop, done); }
    base::Error refused() {
        const auto link = socket::dial(*loop, settings, peer);
        EXPECT_FALSE(link);
        return link ? base::Error{} : link.error();
    }

    std::unique_ptr<EventLoop> loop;
    std::unique_ptr<ScriptedServer> server;
    DialSettings settings;
    Recorder peer;
};

TEST_F(Dial, takes_an_answer_that_dribbles_and_a_message_behind_it) {
    std::string answer;
    std::unique_ptr<EventLoop::Timer> timer;
    serve([&](Connection& connection) {
        if (!connection.has_head() || connection.step++ > 0) return;
        answer = connection.good_answer() + "\x81\x02hi\x82\x01";
        timer = loop->after(0, [&] {
            connection.send(answer.substr(0, 1));
            answer.erase(0, 1);
            if (!answer.empty()) timer->restart(0);
        });
    });
    dial(server->url("ws"));
    ASSERT_TRUE(until([&] { return peer.messages.size() == 1 || peer.end; })) << peer.ending();
    EXPECT_EQ(peer.messages, std::vector<std::string>{"thi"});
}

TEST_F(Dial, reads_messages_that_came_with_the_answer_after_it_told_of_the_opening) {
    answer(
        [](const Connection& from) { return from.good_answer() + "\x81\x02hi\x88\x02\x03\xE9"; });
    dial(server->url("ws"));
    EXPECT_EQ(ending(), "closed-by-peer 1001");
    EXPECT_TRUE(peer.is_opened);
    EXPECT_EQ(peer.messages, std::vector<std::string>{"thi"});
}

TEST_F(Dial, may_end_in_on_open_with_messages_waiting) {
    answer([](const Connection& from) { return from.good_answer() + "\x81\x02hi"; });
    for (const bool destroys : {true, false}) {
        dial(server->url("ws"));
        bool was_opened = false;
        peer.when_open = [&] {
            was_opened = true;
            if (destroys) peer.link.reset();
            if (!destroys) peer.link->close(1000, {});
        };
        ASSERT_TRUE(until([&] { return destroys ? was_opened : peer.end.has_value(); }));
        EXPECT_TRUE(peer.messages.empty());
    }
}

TEST_F(Dial, refuses_a_101_that_is_none) {
    const auto expect_bad = [&](const char* what,
                                std::function<std::string(const Connection&)> make) {
        SCOPED_TRACE(what);
        answer(std::move(make), true);
        dial(server->url("ws"));
        EXPECT_EQ(ending(), "bad-handshake 0") << peer.end->detail;
        EXPECT_FALSE(peer.end->detail.empty());
        EXPECT_FALSE(peer.is_opened);
    };
    const auto without = [](std::string text, const std::string& part, const std::string& instead) {
        const std::size_t at = text.find(part);
        EXPECT_NE(at, std::string::npos);
        return text.replace(at, part.size(), instead);
    };
    expect_bad("no accept", [&](const Connection& from) {
        return without(from.good_answer(), "Sec-WebSocket-Accept", "X");
    });
    expect_bad("another accept", [&](const Connection& from) {
        return without(from.good_answer(), "Accept: ", "Accept: A");
    });
    expect_bad("no upgrade", [&](const Connection& from) {
        return without(from.good_answer(), "WebSocket", "h2c");
    });
    expect_bad("no connection", [&](const Connection& from) {
        return without(from.good_answer(), "x, upgrade", "close");
    });
    expect_bad("an extension", [](const Connection& from) {
        return from.good_answer("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    });
    expect_bad("a subprotocol nobody asked for", [](const Connection& from) {
        return from.good_answer("Sec-WebSocket-Protocol: media\r\n");
    });
    expect_bad("not HTTP", [](const Connection&) { return "SSH-2.0-OpenSSH_9.2\r\n\r\n"; });
    expect_bad("malformed", [](const Connection&) { return "HTTP/1.1 101 X\r\nno colon\r\n\r\n"; });
    expect_bad("half a head", [](const Connection&) { return "HTTP/1.1 101 X\r\nUpgrade: web"; });
    expect_bad("a head without end", [](const Connection&) {
        return "HTTP/1.1 101 X\r\nX: " + std::string(17'000, 'x');
    });
    expect_bad("a head that is too long", [](const Connection& from) {
        return from.good_answer("X: " + std::string(17'000, 'x') + "\r\n");
    });
    settings.subprotocol = "media";
    expect_bad("another subprotocol", [](const Connection& from) {
        return from.good_answer("Sec-WebSocket-Protocol: audio\r\n");
    });
}

TEST_F(Dial, agrees_on_the_subprotocol_or_on_none) {
    settings.subprotocol = "media";
    for (const char* const header : {"Sec-WebSocket-Protocol: media\r\n", ""}) {
        answer([&](const Connection& from) { return from.good_answer(header); });
        dial(server->url("ws"));
        ASSERT_TRUE(until([&] { return peer.is_opened || peer.end; }));
        EXPECT_TRUE(peer.is_opened) << peer.ending();
        peer.link.reset();
    }
}

TEST_F(Dial, tells_a_refusal_escaped_and_a_server_that_leaves) {
    answer(
        [](const Connection&) { return "HTTP/1.1 503 \x1B[31mno\xFF\r\nRetry-After: 1\r\n\r\n"; });
    dial(server->url("ws"));
    EXPECT_EQ(ending(), "refused 503");
    EXPECT_EQ(peer.end->detail, "503 \\x1B[31mno\\xFF");
    answer([](const Connection&) { return ""; }, true);
    dial(server->url("ws"));
    EXPECT_EQ(ending(), "reset 0");
    answer([](const Connection&) { return "HTTP/1.1 302 Found\r\n\r\n"; });
    dial(server->url("ws"));
    EXPECT_EQ(ending(), "refused 302") << "without a Location";
}

TEST_F(Dial, asks_again_after_a_redirect_with_another_key) {
    std::vector<std::string> asked;
    serve([&](Connection& connection) {
        if (!connection.has_head() || connection.step++ > 0) return;
        asked.push_back(connection.received);
        const bool is_first = asked.size() == 1;
        connection.send(is_first ? "HTTP/1.1 307 Over there\r\nLocation: /there?x\r\n\r\n"
                                 : connection.good_answer());
    });
    settings.secret_headers = {{"Authorization", base::Secret("Bearer x")}};
    dial(server->url("ws", "/here"));
    ASSERT_TRUE(until([&] { return peer.is_opened || peer.end; }));
    ASSERT_EQ(asked.size(), 2U);
    EXPECT_TRUE(asked[0].starts_with("GET /here HTTP/1.1\r\nHost: 127.0.0.1:"));
    EXPECT_TRUE(asked[1].starts_with("GET /there?x HTTP/1.1\r\n"));
    EXPECT_NE(asked[1].find("Authorization: Bearer x\r\n"), std::string::npos);
    const auto key = [](const std::string& text) {
        return text.substr(text.find("Key: ") + 5, 24);
    };
    EXPECT_NE(key(asked[0]), key(asked[1]));
}

TEST_F(Dial, one_deadline_is_over_all_of_it) {
    settings.limits.connect_timeout_ns = 50 * kMs;
    serve([](Connection&) {});
    dial(server->url("ws"));
    EXPECT_EQ(ending(), "timeout 0");
    EXPECT_NE(peer.end->detail.find("upgrade"), std::string::npos) << peer.end->detail;
    settings.ca_file.clear();
    dial(server->url("wss"));
    EXPECT_EQ(ending(), "timeout 0");
    EXPECT_NE(peer.end->detail.find("TLS"), std::string::npos) << peer.end->detail;
    settings.proxy = server->url("http");
    dial("ws://elsewhere.invalid/");
    EXPECT_EQ(ending(), "timeout 0");
    EXPECT_NE(peer.end->detail.find("proxy"), std::string::npos) << peer.end->detail;
}

TEST_F(Dial, tells_when_nobody_listens) {
    serve([](Connection&) {});
    const std::string url = server->url("ws");
    server.reset();
    dial(url);
    EXPECT_EQ(ending(), "unreachable 0");
    EXPECT_NE(peer.end->detail.find("127.0.0.1:"), std::string::npos) << peer.end->detail;
}

TEST_F(Dial, does_not_dial_private_addresses_unless_allowed) {
    for (const char* const url : {"ws://10.0.0.1/",
                                  "ws://[fd00::1]/",
                                  "tcp://169.254.169.254:80",
                                  "wss://[::ffff:192.168.1.1]/"}) {
        dial(url);
        EXPECT_EQ(ending(), "not-allowed 0") << url;
    }
    // Through a proxy as well, when the address is written down.
    serve([](Connection&) {});
    settings.proxy = server->url("http");
    dial("ws://10.0.0.1/");
    EXPECT_EQ(ending(), "not-allowed 0");
    EXPECT_EQ(server->accepted(), 0U);
}

TEST_F(Dial, looks_up_names_beside_the_loop) {
    answer([](const Connection& from) { return from.good_answer(); });
    dial("ws://LocalHost:" + std::to_string(server->port()) + "/");
    ASSERT_TRUE(until([&] { return peer.is_opened || peer.end; }));
    EXPECT_TRUE(peer.is_opened) << peer.ending();
    // A name that no name server has to be asked about.
    dial("ws://no..name/");
    EXPECT_EQ(ending(), "unresolved 0") << peer.end->detail;
}

TEST_F(Dial, a_link_and_its_loop_may_go_while_a_name_is_looked_up) {
    for (int i = 0; i < 20; ++i) {
        dial("ws://localhost:1/");
        loop->turn(0);
        peer.link.reset();
        if (i % 2 == 0) continue;
        loop = std::move(EventLoop::create().value());
    }
    EXPECT_FALSE(peer.end);
}

TEST_F(Dial, many_share_one_lookup) {
    Resolver resolver(*loop);
    std::vector<std::unique_ptr<Resolver::Lookup>> lookups(200);
    int answered = 0;
    for (std::size_t i = 0; i < lookups.size(); ++i) {
        lookups[i] =
            resolver.look_up("localhost", static_cast<std::uint16_t>(i + 1), [&, i](auto found) {
                ++answered;
                ASSERT_TRUE(found) << found.error().text();
                ASSERT_FALSE(found->empty());
                EXPECT_EQ(found->front().port(), i + 1);
                EXPECT_TRUE(is_loopback(found->front()));
                // Each takes its neighbour with it.
                if (i % 2 == 0) lookups[i + 1].reset();
                lookups[i].reset();
            });
        ASSERT_TRUE(lookups[i]);
    }
    ASSERT_TRUE(until([&] { return answered == 100; }));
    loop->turn(0);
    EXPECT_EQ(answered, 100);
}

TEST_F(Dial, bounds_how_many_names_wait) {
    Resolver resolver(*loop);
    std::vector<std::unique_ptr<Resolver::Lookup>> lookups;
    std::size_t refused = 0, answered = 0;
    for (int i = 0; i < 500; ++i) {
        // Names without an answer, and without a question to a name server.
        auto lookup = resolver.look_up("no.." + std::to_string(i), 1, [&](const auto& found) {
            EXPECT_FALSE(found);
            ++answered;
        });
        if (!lookup) ++refused;
        lookups.push_back(std::move(lookup));
    }
    ASSERT_TRUE(until([&] { return answered + refused == lookups.size(); }));
    EXPECT_GT(answered, 60U);
}

TEST_F(Dial, refuses_settings_that_cannot_work) {
    using base::ErrorCode;
    settings.url = "ws://127.0.0.1/";
    for (const std::string value : {"a\r\nX: y", "a\nb", "a\rb", "\x01", "\x7F"}) {
        settings.headers = {{"X-Call", value}};
        EXPECT_EQ(refused().code, ErrorCode::InvalidArgument);
        settings.headers = {{value, "x"}};
        EXPECT_EQ(refused().code, ErrorCode::InvalidArgument);
        settings.headers.clear();
        settings.secret_headers = {{"Authorization", base::Secret(value + "quiet")}};
        EXPECT_EQ(refused().code, ErrorCode::InvalidArgument);
        EXPECT_EQ(refused().text().find("quiet"), std::string::npos);
        settings.secret_headers.clear();
        settings.proxy_authorization = base::Secret(value);
        EXPECT_EQ(refused().code, ErrorCode::InvalidArgument);
        settings.proxy_authorization = {};
    }
    for (const char* const name : {"", "Host", "upgrade", "Sec-WebSocket-Key", "X Y", "X:"}) {
        settings.headers = {{name, "x"}};
        EXPECT_EQ(refused().code, ErrorCode::InvalidArgument) << name;
    }
    settings.headers.clear();
    settings.subprotocol = "a, b";
    EXPECT_EQ(refused().code, ErrorCode::InvalidArgument);
    settings.subprotocol.clear();
    settings.proxy = "proxy:80";
    EXPECT_EQ(refused().code, ErrorCode::InvalidArgument);
    settings.proxy.clear();
    settings.url = "wss://127.0.0.1/";
    settings.ca_file = "/nonexistent/ca.pem";
    EXPECT_EQ(refused().code, ErrorCode::Io);
    settings.ca_file = "/dev/null";
    EXPECT_EQ(refused().code, ErrorCode::Io);
    settings.url = "http://127.0.0.1/";
    EXPECT_EQ(refused().code, ErrorCode::InvalidArgument);
}

TEST_F(Dial, answers_pings_and_notices_silence) {
    std::string heard;
    serve([&](Connection& connection) {
        if (!connection.has_head()) return;
        if (connection.step++ == 0) {
            connection.send(connection.good_answer() + "\x89\x02yo");
            connection.received = "\r\n\r\n";
            return;
        }
        heard = connection.received.substr(4);
    });
    settings.limits.ping_every_ns = 100 * kMs;
    settings.limits.pong_within_ns = 100 * kMs;
    dial(server->url("ws"));
    ASSERT_TRUE(until([&] { return heard.size() >= 8; }));
    EXPECT_EQ(heard.substr(0, 2), "\x8A\x82") << "a pong of two bytes, masked";
    EXPECT_EQ(heard[6] ^ heard[2], 'y');
    EXPECT_EQ(heard[7] ^ heard[3], 'o');
    EXPECT_EQ(ending(), "silent 0");
}

TEST_F(Dial, closes_with_1002_what_breaks_the_protocol) {
    std::string heard;
    serve([&](Connection& connection) {
        if (!connection.has_head()) return;
        if (connection.step++ == 0) {
            connection.send(connection.good_answer() + "\x83\x01x");
            connection.received = "\r\n\r\n";
            return;
        }
        heard = connection.received.substr(4);
    });
    dial(server->url("ws"));
    EXPECT_EQ(ending(), "protocol 1002");
    ASSERT_TRUE(until([&] { return heard.size() >= 8; }));
    EXPECT_EQ(heard[0], '\x88');
    EXPECT_EQ(heard[6] ^ heard[2], '\x03');
    EXPECT_EQ(heard[7] ^ heard[3], '\xEA');
}

TEST_F(Dial, ends_a_close_that_is_not_answered_after_two_seconds) {
    answer([](const Connection& from) { return from.good_answer(); });
    dial(server->url("ws"));
    ASSERT_TRUE(until([&] { return peer.is_opened; }));
    const std::int64_t begin_ns = base::monotonic_ns();
    peer.link->close(1000, "bye");
    EXPECT_EQ(ending(), "closed-by-us 1000");
    EXPECT_GE(base::monotonic_ns() - begin_ns, 1900 * kMs);
}

TEST_F(Dial, carries_bytes_over_tcp) {
    std::string heard;
    bool has_ended = false;
    serve([&](Connection& connection) {
        heard = connection.received;
        has_ended = connection.has_ended;
        if (heard == "hello" && connection.step++ == 0) connection.send("welcome");
        if (has_ended) connection.close();
    });
    dial(server->url("tcp", ""));
    ASSERT_TRUE(until([&] { return peer.is_opened || peer.end; })) << peer.ending();
    EXPECT_FALSE(peer.link->send_text("hello"));
    EXPECT_TRUE(peer.link->send_binary(bytes_of("hello")));
    ASSERT_TRUE(until([&] { return peer.bytes() == "welcome"; }));
    EXPECT_TRUE(peer.link->send_binary(bytes_of(" and goodbye")));
    peer.link->close(1000, {});
    EXPECT_EQ(ending(), "closed-by-us 1000");
    ASSERT_TRUE(until([&] { return has_ended; }));
    EXPECT_EQ(heard, "hello and goodbye");
}

TEST_F(Dial, tells_that_a_tcp_peer_left_after_its_last_bytes) {
    serve([](Connection& connection) {
        connection.send("bye");
        connection.close();
    });
    dial(server->url("tcp", ""));
    ASSERT_TRUE(until([&] { return peer.is_opened; }));
    ASSERT_TRUE(peer.link->send_binary(bytes_of("x")));
    EXPECT_EQ(ending(), "closed-by-peer 0");
    EXPECT_EQ(peer.bytes(), "bye");
}

}  // namespace
}  // namespace offhook::socket

// Our links against peers in other languages: Node's ws, Python's websockets, a proxy.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/process.h"
#include "http/certificates.h"
#include "socket/recorder.h"
#include "socket/web_socket_listener.h"

namespace offhook::socket {
namespace {

using harness::Process;
using std::chrono::seconds;
using testing::Certificates;

constexpr std::int64_t kS = base::kNsPerS;
const std::vector<std::size_t> kSizes{0, 1, 125, 126, 65535, 65536, 1U << 20U};

std::string script(const char* name) {
    return std::string(std::getenv("OFFHOOK_SOCKET_PEERS")) + "/" + name;
}
std::string modules() {
    return std::filesystem::absolute(std::getenv("OFFHOOK_BROWSER_MODULES")).string();
}

/// A server in another language, and its port.
struct Peer {
    explicit Peer(const std::vector<std::string>& argv)
        : process(argv, {.folder = {}, .env = {}, .input = {}, .has_ready_fd = true}),
          port(process.ready_line(seconds(20))) {
        EXPECT_FALSE(port.empty()) << process.output();
        while (!port.empty() && port.back() == '\n') port.pop_back();
    }
    Process process;
    std::string port;
};

std::vector<std::string> node_server(const std::string& pem = {}) {
    std::vector<std::string> argv{"node", script("ws_server.mjs"), modules()};
    if (!pem.empty()) argv.push_back(pem);
    return argv;
}
std::vector<std::string> python_server(const std::string& pem = {}) {
    std::vector<std::string> argv{"/usr/bin/python3", script("websockets_server.py")};
    if (!pem.empty()) argv.push_back(pem);
    return argv;
}

class Socket : public ::testing::Test {
protected:
    void SetUp() override {
        if (!std::filesystem::exists(modules() + "/node_modules/ws")) {
            GTEST_SKIP() << "the npm package ws is missing: scripts/browser fetches it";
        }
        if (std::system("/usr/bin/python3 -c 'import websockets' 2>/dev/null") != 0) {
            GTEST_SKIP() << "python3-websockets is missing: scripts/setup test installs it";
        }
        auto made = EventLoop::create();
        ASSERT_TRUE(made);
        loop = std::move(*made);
    }
    void TearDown() override { peer.link.reset(); }

    void dial(const std::string& url) {
        settings.url = url;
        peer.link.reset();
        peer = {};
        auto link = socket::dial(*loop, settings, peer);
        ASSERT_TRUE(link) << link.error().text();
        peer.link = std::move(*link);
    }
    bool until(const std::function<bool()>& done) { return turn_until(*loop, done); }
    bool opens() {
        return until([&] { return peer.is_opened || peer.end; }) && peer.is_opened;
    }
    std::string ending() {
        EXPECT_TRUE(until([&] { return peer.end.has_value(); }));
        return peer.ending();
    }
    /// Turns the loop until the process has ended. @return its output
    std::string finish(Process& process) {
        EXPECT_TRUE(until([&] { return !process.is_running(); })) << process.output();
        EXPECT_EQ(process.wait(seconds(1)), 0) << process.output();
        return process.output();
    }

    void expect_echoes() {
        settings.limits.max_queued_bytes = 8U << 20U;
        ASSERT_TRUE(opens()) << peer.ending() << " " << peer.end->detail;
        std::vector<std::string> expected;
        for (const std::size_t size : kSizes) {
            std::string text, bytes;
            for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 31 % 251);
            for (std::size_t i = 0; i < size / 2; ++i) text += "\xC3\xA9";
            if (size % 2 == 1) text += 'x';
            ASSERT_TRUE(peer.link->send_text(text));
            ASSERT_TRUE(peer.link->send_binary(bytes_of(bytes)));
            expected.push_back("t" + text);
            expected.push_back("b" + bytes);
        }
        ASSERT_TRUE(until([&] { return peer.end || peer.messages.size() == expected.size(); }));
        EXPECT_TRUE(peer.messages == expected) << peer.ending();
    }

    /// Serves echoes on `/media/1` under the subprotocol `media`, 404 elsewhere and 409 on `/media/2`.
    void serve() {
        WebSocketListener::Settings listening;
        listening.limits.max_queued_bytes = 8U << 20U;
        listening.limits.max_message_bytes = 2U << 20U;
        auto opened =
            WebSocketListener::open(*loop, listening, [this](const UpgradeRequest& asked) {
                UpgradeAnswer answer;
                if (asked.path != "/media/1") {
                    answer.status = asked.path == "/media/2" ? 409 : 404;
                    answer.text = "No.";
                    return answer;
                }
                answer.subprotocol = "media";
                answer.events = &peer;
                answer.take = [this](std::unique_ptr<Link> link) { peer.link = std::move(link); };
                return answer;
            });
        ASSERT_TRUE(opened);
        listener = std::move(*opened);
        peer.when_message = [this] {
            const std::string& last = peer.messages.back();
            const std::string_view payload = std::string_view(last).substr(1);
            EXPECT_TRUE(last[0] == 't' ? peer.link->send_text(payload)
                                       : peer.link->send_binary(bytes_of(payload)));
        };
    }
    [[nodiscard]] std::string own_url(const std::string& path) const {
        return "ws://127.0.0.1:" + std::to_string(listener->port()) + path;
    }

    std::unique_ptr<EventLoop> loop;
    DialSettings settings;
    Recorder peer;
    std::unique_ptr<WebSocketListener> listener;
};

TEST_F(Socket, echoes_of_all_lengths_by_node_ws) {
    settings.limits.max_queued_bytes = 8U << 20U;
    Peer server(node_server());
    dial("ws://127.0.0.1:" + server.port + "/echo");
    expect_echoes();
    peer.link->close(1000, "done");
    EXPECT_EQ(ending(), "closed-by-us 1000");
    EXPECT_TRUE(server.process.wait_output("closed 1000 done", seconds(10)));
}

TEST_F(Socket, echoes_of_all_lengths_by_python_websockets) {
    settings.limits.max_queued_bytes = 8U << 20U;
    Peer server(python_server());
    dial("ws://127.0.0.1:" + server.port + "/echo");
    expect_echoes();
    peer.link->close(4000, "done");
    EXPECT_EQ(ending(), "closed-by-us 4000");
    EXPECT_TRUE(server.process.wait_output("closed 4000 done", seconds(10)));
}

TEST_F(Socket, fragments_with_pings_between_them_are_one_message) {
    const std::string text =
        "a text in many p\xC3\xAD"
        "eces";
    Peer node(node_server());
    dial("ws://127.0.0.1:" + node.port + "/fragments");
    ASSERT_TRUE(opens());
    ASSERT_TRUE(peer.link->send_text(text));
    ASSERT_TRUE(until([&] { return peer.end || !peer.messages.empty(); }));
    EXPECT_EQ(peer.messages, std::vector<std::string>{"t" + text});
    EXPECT_TRUE(
        until([&] { return node.process.output().find("pong between") != std::string::npos; }));

    Peer python(python_server());
    dial("ws://127.0.0.1:" + python.port + "/fragments");
    ASSERT_TRUE(opens());
    ASSERT_TRUE(peer.link->send_binary(bytes_of(text)));
    ASSERT_TRUE(until([&] { return peer.end || !peer.messages.empty(); }));
    EXPECT_EQ(peer.messages, std::vector<std::string>{"b" + text});
}

TEST_F(Socket, tells_how_the_peer_ended) {
    Peer node(node_server());
    Peer python(python_server());
    for (const std::string& port : {node.port, python.port}) {
        for (const char* const code : {"1000", "1001", "4000"}) {
            dial("ws://127.0.0.1:" + port + "/close/" + code);
            EXPECT_EQ(ending(), std::string("closed-by-peer ") + code);
            EXPECT_EQ(peer.end->detail, "that is all");
        }
    }
    dial("ws://127.0.0.1:" + node.port + "/close");
    EXPECT_EQ(ending(), "closed-by-peer 1005");
    dial("ws://127.0.0.1:" + node.port + "/cut");
    EXPECT_EQ(ending(), "reset 0");
    settings.limits.max_message_bytes = 999;
    dial("ws://127.0.0.1:" + node.port + "/flood");
    EXPECT_EQ(ending(), "protocol 1009");
}

TEST_F(Socket, tells_what_http_answered) {
    Peer node(node_server());
    const std::string origin = "ws://127.0.0.1:" + node.port;
    dial(origin + "/status/401");
    EXPECT_EQ(ending(), "refused 401");
    EXPECT_EQ(peer.end->detail, "401 Because");
    dial(origin + "/status/404");
    EXPECT_EQ(ending(), "refused 404");
    Peer python(python_server());
    dial("ws://127.0.0.1:" + python.port + "/nothing");
    EXPECT_EQ(ending(), "refused 404");

    dial(origin + "/to/%2Fecho");
    EXPECT_TRUE(opens()) << peer.ending();
    dial(origin + "/to/http%3A%2F%2F127.0.0.1:" + node.port + "%2Fecho");
    EXPECT_TRUE(opens()) << peer.ending();
    dial(origin + "/to/http%3A%2F%2F127.0.0.1:" + python.port + "%2Fecho");
    EXPECT_EQ(ending(), "not-allowed 302");
    dial(origin + "/to/to");  // to /to/to, without end
    EXPECT_EQ(ending(), "refused 302");
}

TEST_F(Socket, sends_headers_and_agrees_on_a_subprotocol) {
    Peer node(node_server());
    settings.headers = {{"X-Call-Id", "7"}};
    settings.secret_headers = {{"Authorization", base::Secret("Bearer quiet")}};
    settings.subprotocol = "media";
    dial("ws://127.0.0.1:" + node.port + "/headers?call=7");
    ASSERT_TRUE(until([&] { return peer.end || !peer.messages.empty(); }));
    ASSERT_FALSE(peer.messages.empty()) << peer.ending();
    const std::string& seen = peer.messages[0];
    for (const char* const part : {R"("x-call-id":"7")",
                                   R"("authorization":"Bearer quiet")",
                                   R"("sec-websocket-protocol":"media")",
                                   R"("user-agent":"offhook/)"}) {
        EXPECT_NE(seen.find(part), std::string::npos) << part << " is not in " << seen;
    }
    // A server that knows none of what was asked answers none, and is taken.
    settings.subprotocol = "unknown";
    dial("ws://127.0.0.1:" + node.port + "/headers");
    EXPECT_TRUE(opens()) << peer.ending();
}

TEST_F(Socket, trusts_who_can_prove_the_name_and_nobody_else) {
    const Certificates certificates;
    const std::string good = certificates.issue("good", "DNS:localhost,IP:127.0.0.1");
    settings.limits.max_queued_bytes = 8U << 20U;
    {
        Peer node(node_server(good));
        settings.ca_file = certificates.ca_file();
        dial("wss://localhost:" + node.port + "/echo");
        expect_echoes();
        dial("wss://127.0.0.1:" + node.port + "/echo");
        expect_echoes();
        peer.link->close(1001, {});
        EXPECT_EQ(ending(), "closed-by-us 1001");
        settings.ca_file.clear();
        dial("wss://localhost:" + node.port + "/echo");
        EXPECT_EQ(ending(), "untrusted 0") << "the system does not know this authority";
        // No TLS where TLS is spoken, and TLS where none is.
        dial("ws://localhost:" + node.port + "/echo");
        EXPECT_FALSE(opens());
        Peer clear(node_server());
        dial("wss://localhost:" + clear.port + "/echo");
        EXPECT_EQ(ending(), "untrusted 0");
    }
    settings.ca_file = certificates.ca_file();
    {
        Peer python(python_server(good));
        dial("wss://localhost:" + python.port + "/echo");
        expect_echoes();
    }
    const std::map<std::string, std::string> bad{
        {certificates.issue("name", "DNS:elsewhere.example"), "mismatch"},
        {certificates.issue("address", "DNS:localhost"), "mismatch"},
        {certificates.issue("expired", "IP:127.0.0.1", -1), "expired"},
        {certificates.self_signed("self", "IP:127.0.0.1"), "self"}};
    for (const auto& [pem, reason] : bad) {
        Peer node(node_server(pem));
        dial("wss://127.0.0.1:" + node.port + "/echo");
        EXPECT_EQ(ending(), "untrusted 0") << pem;
        EXPECT_NE(peer.end->detail.find(reason), std::string::npos) << peer.end->detail;
    }
}

TEST_F(Socket, goes_through_a_proxy) {
    const Certificates certificates;
    settings.ca_file = certificates.ca_file();
    settings.limits.max_queued_bytes = 8U << 20U;
    Peer clear(node_server());
    Peer secure(node_server(certificates.issue("good", "DNS:localhost")));
    Peer proxy({"/usr/bin/python3", script("proxy.py"), "Basic c2VjcmV0"});
    settings.proxy = "http://127.0.0.1:" + proxy.port;
    dial("ws://localhost:" + clear.port + "/echo");
    EXPECT_EQ(ending(), "unreachable 407");
    settings.proxy_authorization = base::Secret("Basic c2VjcmV0");
    dial("ws://localhost:" + clear.port + "/echo");
    expect_echoes();
    dial("wss://localhost:" + secure.port + "/echo");
    expect_echoes();
    EXPECT_TRUE(
        proxy.process.wait_output("CONNECT localhost:" + secure.port + " HTTP/1.1", seconds(1)));
}

TEST_F(Socket, gives_up_a_peer_that_reads_a_byte_a_second) {
    Peer server({"/usr/bin/python3", script("slow_reader.py")});
    settings.limits.slow_timeout_ns = 3 * kS;
    settings.limits.ping_every_ns = 0;
    dial("ws://127.0.0.1:" + server.port + "/");
    ASSERT_TRUE(opens());
    const std::string frame(32'000, 'x');
    std::unique_ptr<EventLoop::Timer> tick;
    tick = loop->after(0, [&] {
        if (peer.link->is_open()) peer.link->send_binary(bytes_of(frame));
        tick->restart(kS / 100);
    });
    EXPECT_EQ(ending(), "slow 0");
    EXPECT_GT(peer.link->counters().refused_messages, 0U);
    EXPECT_LT(peer.link->counters().sent_bytes, 1'000'000U) << "queued where nobody sees it";
}

TEST_F(Socket, notices_a_peer_that_stands_still) {
    Peer server(node_server());
    settings.limits.ping_every_ns = kS / 5;
    settings.limits.pong_within_ns = kS;
    dial("ws://127.0.0.1:" + server.port + "/echo");
    ASSERT_TRUE(opens());
    ASSERT_TRUE(until([&] { return peer.link->counters().round_trip_ns >= 0; }));
    server.process.signal(SIGSTOP);
    EXPECT_EQ(ending(), "silent 0");
    server.process.signal(SIGCONT);
}

TEST_F(Socket, notices_a_peer_that_was_killed) {
    Peer server(node_server());
    dial("ws://127.0.0.1:" + server.port + "/echo");
    ASSERT_TRUE(opens());
    server.process.signal(SIGKILL);
    EXPECT_EQ(ending(), "reset 0");
    ASSERT_TRUE(until([&] { return !server.process.is_running(); }));
    dial("ws://127.0.0.1:" + server.port + "/echo");
    EXPECT_EQ(ending(), "unreachable 0");
}

TEST_F(Socket, serves_node_ws_and_python_websockets) {
    serve();
    Process node({"node", script("ws_client.mjs"), modules(), own_url("/media/1"), "media"});
    EXPECT_NE(finish(node).find("closed 4001"), std::string::npos);
    EXPECT_EQ(ending(), "closed-by-peer 4001");
    EXPECT_EQ(peer.end->detail, "thanks");
    peer.link.reset();
    const auto echo = peer.when_message;
    peer = {};
    peer.when_message = echo;
    Process python(
        {"/usr/bin/python3", script("websockets_client.py"), own_url("/media/1"), "media"});
    EXPECT_NE(finish(python).find("closed 4001"), std::string::npos);
    EXPECT_EQ(ending(), "closed-by-peer 4001");
}

TEST_F(Socket, refuses_node_ws_with_status_and_words) {
    serve();
    Process missing({"node", script("ws_client.mjs"), modules(), own_url("/media/3"), "--status"});
    EXPECT_EQ(finish(missing), "404 No.\n");
    Process taken({"node", script("ws_client.mjs"), modules(), own_url("/media/2"), "--status"});
    EXPECT_EQ(finish(taken), "409 No.\n");
}

}  // namespace
}  // namespace offhook::socket

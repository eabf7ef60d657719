// Requests of strangers to our listener, byte by byte.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "recorder.h"
#include "socket/address.h"
#include "socket/web_socket_listener.h"

namespace offhook::socket {
namespace {

constexpr std::int64_t kMs = base::kNsPerMs;

std::string request(const std::string& line = "GET /media/1 HTTP/1.1",
                    const std::string& headers =
                        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") {
    return line + "\r\nHost: h\r\n" + headers + "\r\n";
}

class Listener : public ::testing::Test {
protected:
    void SetUp() override { loop = std::move(EventLoop::create().value()); }
    void TearDown() override {
        for (const int fd : fds) ::close(fd);
        peer.link.reset();
    }
    void listen() {
        auto opened = WebSocketListener::open(*loop, settings, [this](const UpgradeRequest& asked) {
            ++decided;
            path = asked.path;
            UpgradeAnswer answer;
            answer.events = &peer;
            answer.take = [this](std::unique_ptr<Link> link) { peer.link = std::move(link); };
            return answer;
        });
        ASSERT_TRUE(opened) << opened.error().text();
        listener = std::move(*opened);
    }
    int connect() {
        const auto address = parse_ip("127.0.0.1", listener->port()).value();
        fds.push_back(::socket(AF_INET, SOCK_STREAM, 0));
        EXPECT_EQ(::connect(fds.back(), address.get(), address.length), 0);
        return fds.back();
    }
    static void say(int fd, std::string_view text) {
        EXPECT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
    }
    /// What has come when `done`, or the end of the stream.
    std::string hear(int fd, const std::function<bool(const std::string&)>& done) {
        std::string heard;
        bool has_ended = false;
        EXPECT_TRUE(turn_until(*loop, [&] {
            std::array<char, 4096> buffer;
            const auto got = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (got > 0) heard.append(buffer.data(), static_cast<std::size_t>(got));
            has_ended = got == 0 || (got < 0 && errno != EAGAIN);
            return has_ended || done(heard);
        })) << heard;
        return heard;
    }
    std::string answer(const std::string& text) {
        const int fd = connect();
        say(fd, text);
        return hear(fd, [](const std::string& heard) { return heard.starts_with("HTTP/1.1 101"); });
    }

    std::unique_ptr<EventLoop> loop;
    WebSocketListener::Settings settings;
    std::unique_ptr<WebSocketListener> listener;
    Recorder peer;
    std::vector<int> fds;
    int decided = 0;
    std::string path;
};

TEST_F(Listener, answers_as_rfc_6455_has_it) {
    listen();
    const std::string heard = answer(request());
    EXPECT_NE(heard.find("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
              std::string::npos)
        << heard;
    EXPECT_EQ(heard.find("Sec-WebSocket-Protocol"), std::string::npos);
    EXPECT_EQ(path, "/media/1");
    EXPECT_TRUE(turn_until(*loop, [&] { return peer.is_opened; }));
}

TEST_F(Listener, takes_a_request_that_dribbles_with_a_frame_behind_it) {
    listen();
    const int fd = connect();
    // "Hello", masked: RFC 6455 §5.7
    for (const char one : request() + "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58") {
        say(fd, std::string_view(&one, 1));
        loop->turn(0);
    }
    ASSERT_TRUE(turn_until(*loop, [&] { return !peer.messages.empty(); }));
    EXPECT_EQ(peer.messages[0], "tHello");
}

TEST_F(Listener, refuses_what_is_no_upgrade_without_asking) {
    listen();
    const auto status = [&](const std::string& text) { return answer(text).substr(0, 12); };
    EXPECT_EQ(status(request("GET / HTTP/1.1", "")), "HTTP/1.1 426");
    EXPECT_EQ(status(request("POST / HTTP/1.1")), "HTTP/1.1 405");
    EXPECT_EQ(status(request("GET / HTTP/1.0")), "HTTP/1.1 400");
    EXPECT_EQ(status(request("GET /")), "HTTP/1.1 400");
    EXPECT_EQ(status(request("GET media HTTP/1.1")), "HTTP/1.1 400");
    EXPECT_EQ(status(request("GET /%zz HTTP/1.1")), "HTTP/1.1 400");
    EXPECT_EQ(status(request("GET /% HTTP/1.1")), "HTTP/1.1 400");
    EXPECT_EQ(status("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"), "HTTP/1.1 400");
    EXPECT_EQ(status("rubbish\r\n\r\n"), "HTTP/1.1 400");
    EXPECT_EQ(status("GET / HTTP/1.1\r\nno colon\r\n\r\n"), "HTTP/1.1 400");
    const std::string upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
    EXPECT_EQ(status(request("GET / HTTP/1.1", upgrade + "Sec-WebSocket-Version: 8\r\n")),
              "HTTP/1.1 426");
    EXPECT_EQ(status(request("GET / HTTP/1.1", upgrade + "Sec-WebSocket-Version: 13\r\n")),
              "HTTP/1.1 400");
    for (const char* const key :
         {"short", "dGhlIHNhbXBsZSBub25jZQ=.", "dGhlIHNhbXBsZSBub25jZSEh"}) {
        EXPECT_EQ(status(request(
                      "GET / HTTP/1.1",
                      upgrade + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n")),
                  "HTTP/1.1 400");
    }
    EXPECT_EQ(status("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x')), "HTTP/1.1 431");
    EXPECT_EQ(decided, 0);
    EXPECT_NE(answer(request("GET / HTTP/1.1", "")).find("\r\nSec-WebSocket-Version: 13\r\n"),
              std::string::npos);
}

TEST_F(Listener, does_not_wait_for_a_request_longer_than_allowed) {
    settings.limits.connect_timeout_ns = 50 * kMs;
    listen();
    EXPECT_EQ(answer("GET / HTTP/1.1\r\n").substr(0, 12), "HTTP/1.1 408");
}

TEST_F(Listener, bounds_how_many_it_waits_for) {
    settings.max_pending = 2;
    listen();
    const int first = connect();
    const int second = connect();
    const int third = connect();
    EXPECT_EQ(hear(third, [](const std::string&) { return false; }), "") << "closed at once";
    say(first, request());
    EXPECT_TRUE(hear(first, [](const std::string& heard) {
                    return !heard.empty();
                }).starts_with("HTTP/1.1 101"));
    // There is room again.
    const int fourth = connect();
    say(fourth, "GET / HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(hear(fourth, [](const std::string&) { return false; }).starts_with("HTTP/1.1 400"));
    say(second, "x\r\n\r\n");
    EXPECT_TRUE(hear(second, [](const std::string&) { return false; }).starts_with("HTTP/1.1 400"));
}

TEST_F(Listener, closes_with_1002_on_a_frame_without_a_mask) {
    listen();
    const int fd = connect();
    say(fd, request() + "\x81\x01x");
    const std::string heard = hear(fd, [](const std::string&) { return false; });
    const std::string close = heard.substr(heard.find("\r\n\r\n") + 4);
    EXPECT_TRUE(close.starts_with("\x88")) << "not masked by a server";
    EXPECT_EQ(close.substr(2, 2), "\x03\xEA");
    EXPECT_TRUE(turn_until(*loop, [&] { return peer.end.has_value(); }));
    EXPECT_EQ(peer.ending(), "protocol 1002");
}

TEST_F(Listener, may_go_with_requests_half_read) {
    listen();
    const int fd = connect();
    say(fd, "GET / HT");
    loop->turn(0);
    loop->turn(0);
    listener.reset();
    EXPECT_EQ(hear(fd, [](const std::string&) { return false; }), "");
}

TEST_F(Listener, tells_why_it_cannot_listen) {
    settings.address = "localhost";
    auto opened = WebSocketListener::open(*loop, settings, {});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, base::ErrorCode::InvalidArgument);
    settings.address = "127.0.0.1";
    listen();
    settings.port = listener->port();
    opened = WebSocketListener::open(*loop, settings, {});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, base::ErrorCode::Io);
}

}  // namespace
}  // namespace offhook::socket

#include "cli/http_get.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace offhook::cli {
namespace {

/// Answers one connection with given bytes, on a port of the kernel's choice.
class OneAnswer {
public:
    explicit OneAnswer(std::string answer) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(address);
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
        EXPECT_EQ(::listen(listener_, 1), 0);
        EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this, answer = std::move(answer)] {
            const int peer = ::accept(listener_, nullptr, nullptr);
            std::array<char, 4096> bytes;
            const ssize_t got = ::recv(peer, bytes.data(), bytes.size(), 0);
            if (got > 0) request_.assign(bytes.data(), static_cast<std::size_t>(got));
            (void)!::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
            ::close(peer);
        });
    }
    ~OneAnswer() {
        if (thread_.joinable()) thread_.join();
        ::close(listener_);
    }
    OneAnswer(const OneAnswer&) = delete;
    OneAnswer& operator=(const OneAnswer&) = delete;

    [[nodiscard]] ApiAddress address() const { return {"127.0.0.1", port_}; }
    const std::string& request() {
        thread_.join();
        return request_;
    }

private:
    int listener_;
    std::uint16_t port_ = 0;
    std::string request_;
    std::thread thread_;
};

TEST(HttpGetTest, AsksAndReads) {
    OneAnswer server(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 2\r\n\r\n{}and more");
    const auto reply = http_get(server.address(), "/health");
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body, "{}");
    EXPECT_EQ(server.request(),
              "GET /health HTTP/1.1\r\nHost: " + server.address().text().substr(7) +
                  "\r\nConnection: close\r\n\r\n");
}

TEST(HttpGetTest, NobodyThereIsUnavailable) {
    ApiAddress address;
    {
        OneAnswer server("HTTP/1.1 204 No\r\n\r\n");
        address = server.address();
        EXPECT_EQ(http_get(address, "/")->status, 204);
    }
    const auto reply = http_get(address, "/");
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, base::ErrorCode::Unavailable);
    EXPECT_EQ(reply.error().text(), "cannot reach " + address.text() + ": Connection refused");
}

TEST(HttpGetTest, RefusesWhatIsNoAnswer) {
    EXPECT_FALSE(parse_http_reply(""));
    EXPECT_FALSE(parse_http_reply("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
    EXPECT_FALSE(parse_http_reply("HTTP/1.1 2x0 OK\r\n\r\n"));
    EXPECT_FALSE(parse_http_reply("HTTP/1.\r\n\r\n"));
    EXPECT_FALSE(parse_http_reply("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour"));
    EXPECT_FALSE(parse_http_reply("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"));
    EXPECT_FALSE(
        parse_http_reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
    const auto until_close = parse_http_reply("HTTP/1.1 503 No\r\nX: y\r\n\r\nbody");
    ASSERT_TRUE(until_close);
    EXPECT_EQ(until_close->status, 503);
    EXPECT_EQ(until_close->body, "body");
}

TEST(ApiAddressTest, ReadsWhatPeopleWrite) {
    EXPECT_EQ(parse_api_address("http://127.0.0.1:5001")->text(), "http://127.0.0.1:5001");
    EXPECT_EQ(parse_api_address("localhost")->text(), "http://localhost:5000");
    EXPECT_EQ(parse_api_address("HTTP://pbx:80/")->text(), "http://pbx:80");
    EXPECT_EQ(parse_api_address("http://[::1]:5001/")->text(), "http://[::1]:5001");
    EXPECT_EQ(parse_api_address("[::1]")->port, 5000);
    for (const char* bad : {"",
                            "http://",
                            "https://a",
                            "a:0",
                            "a:65536",
                            "a:x",
                            "a/b",
                            "[::1",
                            "[::1]5",
                            "u@h",
                            "a b"}) {
        const auto parsed = parse_api_address(bad);
        ASSERT_FALSE(parsed) << bad;
        EXPECT_EQ(parsed.error().code, base::ErrorCode::InvalidArgument);
    }
}

}  // namespace
}  // namespace offhook::cli

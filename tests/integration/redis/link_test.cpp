// How a Redis is reached, and what is not one.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>

#include "two_daemons.h"

namespace offhook::connection {
namespace {

using harness::RedisServer;
using harness::TempDir;
using Status = model::HealthCheck::Status;

constexpr const char* kPassword = "a-secret-of-the-test";

class Link : public ::testing::Test {
protected:
    void SetUp() override {
        if (!RedisServer::is_unpacked()) GTEST_SKIP() << "no redis-server: run scripts/peers";
    }
    [[nodiscard]] static RedisLeases::Settings towards(const std::string& url) {
        RedisLeases::Settings settings;
        settings.link.url = *config::parse_redis_url(url);
        return settings;
    }
    std::string why_away(const RedisLeases::Settings& settings) {
        Holder holder(world, loop, settings);
        EXPECT_TRUE(loop.until(seconds(10), [&] {
            return holder.health().detail.find("is away") != std::string::npos;
        })) << holder.health().detail;
        return holder.health().detail;
    }
    bool is_reached(const RedisLeases::Settings& settings) {
        Holder holder(world, loop, settings);
        const bool is_so = loop.until(seconds(10), [&] { return holder.is_ok(); });
        EXPECT_TRUE(is_so) << holder.health().detail;
        EXPECT_NE(holder.health().detail.find(" answers in "), std::string::npos);
        return is_so;
    }

    Loop loop;
    World world;
};

TEST_F(Link, APasswordAndADatabase) {
    RedisServer server({.arguments = {"--requirepass", kPassword}});
    auto settings = towards("redis://127.0.0.1:" + std::to_string(server.port()) + "/3");
    for (const char* wrong : {"", "wrong"}) {
        settings.link.password = base::Secret(wrong);
        const std::string why = why_away(settings);
        EXPECT_NE(why.find("user or password"), std::string::npos) << why;
    }
    settings.link.password = base::Secret(kPassword);
    ASSERT_TRUE(is_reached(settings));
    EXPECT_NE(server.ask({"-a", kPassword, "--no-auth-warning", "INFO", "keyspace"}).find("db3:"),
              std::string::npos);
}

TEST_F(Link, AUserOfAnAcl) {
    RedisServer server;
    server.ask({"ACL",
                "SETUSER",
                "offhook",
                "on",
                std::string(">") + kPassword,
                "~offhook:*",
                "&offhook:*",
                "-@all",
                "+@connection",
                "+@scripting",
                "+@hash",
                "+@string",
                "+@keyspace",
                "+@pubsub",
                "+time"});
    auto settings = towards("redis://offhook@127.0.0.1:" + std::to_string(server.port()));
    settings.link.password = base::Secret(kPassword);
    EXPECT_TRUE(is_reached(settings));
}

TEST_F(Link, AName) {
    RedisServer server;
    EXPECT_TRUE(is_reached(towards("redis://localhost:" + std::to_string(server.port()))));
    const std::string why = why_away(towards("redis://nobody.invalid:6379"));
    EXPECT_NE(why.find("name is not found"), std::string::npos) << why;
}

TEST_F(Link, TlsIsCheckedAgainstItsAuthority) {
    TempDir folder;
    const std::string ca = (folder / "ca.pem").string(), cert = (folder / "cert.pem").string();
    harness::run({"openssl",
                  "req",
                  "-x509",
                  "-newkey",
                  "ec",
                  "-pkeyopt",
                  "ec_paramgen_curve:prime256v1",
                  "-nodes",
                  "-days",
                  "2",
                  "-subj",
                  "/CN=localhost",
                  "-addext",
                  "subjectAltName=DNS:localhost",
                  "-keyout",
                  (folder / "key.pem").string(),
                  "-out",
                  cert});
    std::filesystem::copy(cert, ca);
    RedisServer server({.tls_folder = folder.path().string()});
    auto settings = towards("rediss://localhost:" + std::to_string(server.tls_port()));
    const std::string why = why_away(settings);
    EXPECT_NE(why.find("certificate"), std::string::npos) << why;
    settings.link.ca_file = ca;
    EXPECT_TRUE(is_reached(settings));
}

TEST_F(Link, NobodyThere) {
    TempDir folder;
    const std::string why = why_away(towards("unix:" + (folder / "none.sock").string()));
    EXPECT_NE(why.find("nobody listens"), std::string::npos) << why;
}

/// Somebody on a unix socket who says the same to everybody.
class Stranger {
public:
    Stranger(const std::string& path, std::string words) : words_(std::move(words)) {
        fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        if (bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
            listen(fd_, 8) != 0)
            throw std::runtime_error("no unix socket for the test");
        thread_ = std::thread([this] {
            for (int peer = 0; (peer = accept(fd_, nullptr, nullptr)) >= 0; close(peer)) {
                const ssize_t sent = ::send(peer, words_.data(), words_.size(), MSG_NOSIGNAL);
                if (sent < 0) continue;
                std::array<char, 4096> heard{};
                while (recv(peer, heard.data(), heard.size(), 0) > 0) {
                }
            }
        });
    }
    ~Stranger() {
        shutdown(fd_, SHUT_RDWR);
        thread_.join();
        close(fd_);
    }
    Stranger(const Stranger&) = delete;
    Stranger& operator=(const Stranger&) = delete;

private:
    std::string words_;
    int fd_;
    std::thread thread_;
};

TEST(Strangers, WhateverTheySayIsNoRedisAndNoHarm) {
    const std::vector<std::string> all{
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "*2000000000\r\n",
        "*-7\r\n",
        "$999999999\r\nabc",
        "*8\r\n*8\r\n*8\r\n*8\r\n*8\r\n*8\r\n*8\r\n*8\r\n*8\r\n*8\r\n",
        "+OK\r\n+PONG\r\n+more\r\n+than\r\n+was\r\n+asked\r\n",
        "+OK\r\n+PONG\r\n*2\r\n:1\r\n:2\r\n",
        "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$20\r\nlost 18446744073709551615 k\r\n",
        "-ERR max number of clients reached\r\n",
        "+OK\r\n+PONG\r\n-READONLY You can't write against a read only replica.\r\n",
        std::string("\x16\x03\x01\x00\xff\0\0\0", 8),
        std::string(200'000, 'x'),
        ":" + std::string(100'000, '9') + "\r\n",
    };
    for (const std::string& words : all) {
        TempDir folder;
        const std::string path = (folder / "s").string();
        const Stranger stranger(path, words);
        Loop loop;
        World world;
        RedisLeases::Settings settings;
        settings.link.url = *config::parse_redis_url("unix:" + path);
        settings.link.answer_timeout = milliseconds(200);
        settings.link.first_pause = settings.link.longest_pause = milliseconds(20);
        settings.when_away = RedisLeases::WhenAway::Refuse;
        Holder holder(world, loop, settings);
        holder.ask({.user = "u", .channel = "c"});
        EXPECT_TRUE(loop.until(seconds(5), [&] { return holder.answered == 1; })) << words;
        EXPECT_EQ(holder.refused[base::ErrorCode::Unavailable], 1) << words.substr(0, 60);
        EXPECT_EQ(holder.health().status, Status::Degraded);
        loop.pass(milliseconds(60));  // it is tried again
    }
}

}  // namespace
}  // namespace offhook::connection

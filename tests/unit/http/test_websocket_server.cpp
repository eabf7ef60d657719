#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <random>

#include "http/loop_thread.h"
#include "http/raw_websocket.h"
#include "http/server.h"

namespace offhook::http {
namespace {

using ::testing::HasSubstr;
using testing::RawAnswer;
using testing::RawFrame;
using testing::RawWebSocket;

constexpr std::chrono::seconds kPatience{10};

/// Echoes texts; "close" closes, "flood" sends until it may not.
class WebSocketServer : public ::testing::Test, private ServerWebSocket::Listener {
protected:
    void start(WebSocketLimits limits = {}, ServerOptions options = {}) {
        loop_.run([&] {
            auto server = Server::listen(options);
            ASSERT_TRUE(server) << server.error().text();
            server_ = *std::move(server);
            server_->websocket(
                "/ws/{name}",
                {.admit = [](const Request& r) -> std::optional<Response> {
                     if (r.params.at("name") == "secret") return Response{401, "", "", {}};
                     return std::nullopt;
                 },
                 .open =
                     [this](const Request& r, std::unique_ptr<ServerWebSocket> socket) {
                         socket_ = std::move(socket);
                         socket_->listen(*this);
                         socket_->send("hello " + r.params.at("name") + r.protocol);
                     }},
                {.origins = {"https://app.example.com"},
                 .websocket = limits,
                 .protocols = {"test.v2", "test.v1"}});
            address_ = server_->address();
        });
    }
    void TearDown() override {
        loop_.run([&] {
            socket_.reset();
            server_.reset();
        });
    }
    void on_websocket_message(std::string_view message) override {
        if (message == "close") {
            socket_->close(4001, "enough");
            socket_.reset();
        } else if (message == "flood") {
            const std::string block(16 * 1024, 'x');
            for (int i = 0; i < 10'000 && socket_->send(block); ++i) ++flooded_;
        } else {
            socket_->send(message);
        }
    }
    void on_websocket_closed(base::Error why, int code) override {
        const std::lock_guard lock(mutex_);
        closed_.emplace_back(why.text() + " " + std::to_string(code));
        changed_.notify_all();
    }
    std::string wait_for_end() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, kPatience, [&] { return !closed_.empty(); });
        return closed_.empty() ? "it did not end" : closed_.front();
    }

    testing::LoopThread loop_;
    std::unique_ptr<Server> server_;
    std::unique_ptr<ServerWebSocket> socket_;
    std::string address_;
    int flooded_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> closed_;
};

TEST_F(WebSocketServer, OpensEchoesAndCloses) {
    start();
    RawWebSocket client(address_, "/ws/a");
    ASSERT_TRUE(client.is_open());
    EXPECT_EQ(client.answer().headers.at("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_EQ(client.read().payload, "hello a");
    client.send("one");
    EXPECT_EQ(client.read().payload, "one");
    client.send("close");
    const RawFrame goodbye = client.read();
    EXPECT_EQ(goodbye.code(), 4001);
    client.send(std::string("\x0f\xa1", 2), 8);
    EXPECT_TRUE(client.ended());
}

TEST_F(WebSocketServer, AgreesOnTheFirstOfOursThatIsOffered) {
    start();
    for (const auto& [offered, agreed] : {std::pair{"other, test.v1", "test.v1"},
                                          std::pair{"test.v1 ,test.v2,", "test.v2"},
                                          std::pair{"test.v", ""},
                                          std::pair{",", ""}}) {
        RawWebSocket client(
            address_, "/ws/a", std::string("Sec-WebSocket-Protocol: ") + offered + "\r\n");
        ASSERT_TRUE(client.is_open()) << offered;
        const auto& headers = client.answer().headers;
        const auto answered = headers.find("sec-websocket-protocol");
        EXPECT_EQ(answered == headers.end() ? "" : answered->second, agreed) << offered;
        EXPECT_EQ(client.read().payload, std::string("hello a") + agreed);
    }
}

TEST_F(WebSocketServer, TellsWhyTheClientLeft) {
    start();
    RawWebSocket client(address_, "/ws/a");
    client.send(std::string("\x03\xe8 bye", 6), 8);
    EXPECT_THAT(wait_for_end(), HasSubstr("1000"));
    EXPECT_EQ(client.read().payload, "hello a");
    EXPECT_EQ(client.read().code(), 1000);
}

TEST_F(WebSocketServer, OutlivesTheIdleLimitOfHttp) {
    start({},
          {.request_timeout = std::chrono::milliseconds(50),
           .idle_timeout = std::chrono::milliseconds(50)});
    RawWebSocket client(address_, "/ws/a");
    EXPECT_EQ(client.read().payload, "hello a");
    testing::RawClient silent(address_);
    EXPECT_TRUE(silent.ended());  // its time was the same
    client.send("still there");
    EXPECT_EQ(client.read().payload, "still there");
}

TEST_F(WebSocketServer, AgreesOnNoExtension) {
    start();
    RawWebSocket client(address_,
                        "/ws/a",
                        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
    ASSERT_TRUE(client.is_open());
    EXPECT_EQ(client.answer().headers.count("sec-websocket-extensions"), 0U);
}

TEST_F(WebSocketServer, ForeignPagesAreRefused) {
    start();
    for (const char* origin : {"https://evil.example", "null", "http://app.example.com"}) {
        const RawWebSocket client(address_, "/ws/a", "Origin: " + std::string(origin) + "\r\n");
        EXPECT_EQ(client.answer().status, 403) << origin;
    }
    EXPECT_TRUE(RawWebSocket(address_, "/ws/a", "Origin: https://app.example.com\r\n").is_open());
    EXPECT_TRUE(RawWebSocket(address_, "/ws/a", "Origin: http://" + address_ + "\r\n").is_open());
}

TEST_F(WebSocketServer, RefusesBeforeItOpens) {
    start();
    EXPECT_EQ(RawWebSocket(address_, "/ws/secret").answer().status, 401);
    const RawAnswer plain = testing::ask(address_, "GET", "/ws/a");
    EXPECT_EQ(plain.status, 426);
    EXPECT_EQ(plain.headers.at("upgrade"), "websocket");
    EXPECT_EQ(
        testing::ask(address_, "GET", "/ws/a", "Upgrade: websocket\r\nConnection: Upgrade\r\n")
            .status,
        400);
}

TEST_F(WebSocketServer, MessagesAreBoundedWhole) {
    start({.max_message_bytes = 1000});
    RawWebSocket good(address_, "/ws/a");
    EXPECT_EQ(good.read().payload, "hello a");
    good.send(std::string(1000, 'a'));
    EXPECT_EQ(good.read().payload.size(), 1000U);
    good.send(std::string(1001, 'a'));
    EXPECT_THAT(wait_for_end(), HasSubstr("message of more than"));
    EXPECT_TRUE(good.ended());
}

TEST_F(WebSocketServer, FragmentsAreBoundedTogether) {
    start({.max_message_bytes = 1000});
    RawWebSocket client(address_, "/ws/a");
    EXPECT_EQ(client.read().payload, "hello a");
    client.send("two ", 1, false);
    client.send("parts", 0, true);
    EXPECT_EQ(client.read().payload, "two parts");
    client.send(std::string(900, 'a'), 1, false);
    client.send(std::string(900, 'a'), 0, true);
    EXPECT_THAT(wait_for_end(), HasSubstr("message of more than"));
    EXPECT_TRUE(client.ended());
}

TEST_F(WebSocketServer, AMessageWithoutAnEndIsCut) {
    start({.max_message_bytes = 1000});
    RawWebSocket client(address_, "/ws/a");
    for (int i = 0; i < 1000; ++i) client.send(std::string(900, 'a'), i == 0 ? 1 : 0, false);
    EXPECT_THAT(wait_for_end(), HasSubstr("message of more than"));
    EXPECT_TRUE(client.ended());
}

TEST_F(WebSocketServer, AClientThatTakesNothingIsCut) {
    start({.max_queue_bytes = 64 * 1024});
    RawWebSocket client(address_, "/ws/a");
    client.send("flood");
    EXPECT_THAT(wait_for_end(), HasSubstr("too slowly"));
    EXPECT_LT(flooded_, 10'000);
}

TEST_F(WebSocketServer, AClientThatAnswersNoPingIsCut) {
    start({.ping = std::chrono::seconds(2), .pong_timeout = std::chrono::milliseconds(200)});
    RawWebSocket client(address_, "/ws/a");
    EXPECT_EQ(client.read().payload, "hello a");
    EXPECT_EQ(client.read().opcode, 9);
    EXPECT_THAT(wait_for_end(), HasSubstr("no answer to a ping"));
}

TEST_F(WebSocketServer, UnmaskedFramesEndIt) {
    start();
    RawWebSocket client(address_, "/ws/a");
    client.send_bytes(std::string("\x81\x02hi", 4));
    EXPECT_NE(wait_for_end(), "it did not end");
}

// Headers of every kind and length, cut anywhere: the server goes on.
TEST_F(WebSocketServer, NonsenseHurtsNobody) {
    start({.max_message_bytes = 1000});
    std::mt19937 random(20261121);
    for (int round = 0; round < 200; ++round) {
        RawWebSocket client(address_, "/ws/a");
        ASSERT_TRUE(client.is_open());
        std::string bytes;
        for (unsigned i = 0; i < 2 + random() % 64; ++i) bytes += static_cast<char>(random());
        if (round % 2 == 0) bytes[1] = static_cast<char>(bytes[1] | 0x80);  // masked, as it must be
        client.send_bytes(bytes);
        if (round % 3 == 0) client.send("after it");
    }
    RawWebSocket good(address_, "/ws/a");
    EXPECT_EQ(good.read_message().payload, "hello a");
}

TEST_F(WebSocketServer, GoesWithItsOwner) {
    start();
    RawWebSocket client(address_, "/ws/a");
    EXPECT_EQ(client.read().payload, "hello a");
    loop_.run([&] { socket_.reset(); });
    EXPECT_EQ(client.read().code(), 1001);
    client.send(std::string("\x03\xe9", 2), 8);
    EXPECT_TRUE(client.ended());
}

}  // namespace
}  // namespace offhook::http

// Answers that go on: chunks, clients that leave or do not read, and paths with several ways.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "http/loop_thread.h"
#include "http/raw_client.h"
#include "http/server.h"

namespace offhook::http {
namespace {

using testing::ask;
using ::testing::HasSubstr;
using testing::RawAnswer;
using testing::RawClient;

constexpr std::chrono::seconds kPatience{10};

class Streams : public ::testing::Test {
protected:
    void start(ServerOptions options = {}) {
        loop_.run([&] {
            auto server = Server::listen(options);
            ASSERT_TRUE(server) << server.error().text();
            server_ = *std::move(server);
            server_->choice(
                "/events",
                [](const Request&) {
                    return Response{200, "application/json", "{}", {}};
                },
                {.admit = [](const Request& r) -> std::optional<Response> {
                     if (r.query.count("no") == 0) return std::nullopt;
                     return Response{403, "application/json", "{}", {}};
                 },
                 .open = [this](const Request&, auto stream) { opened(std::move(stream)); }},
                {.admit = [](const Request&) { return std::optional<Response>(); },
                 .open = [](const Request&, auto) {}});
            address_ = server_->address();
        });
    }
    void TearDown() override {
        loop_.run([&] {
            if (streams_outlive_) server_.reset();
            streams_.clear();
            server_.reset();
        });
    }
    // On the loop's thread.
    void opened(std::unique_ptr<ServerStream> stream) {
        const std::lock_guard lock(mutex_);
        stream->on_ended([this](StreamEnd how) {
            const std::lock_guard inner(mutex_);
            ended_.push_back(how);
            changed_.notify_all();
        });
        streams_.push_back(std::move(stream));
        changed_.notify_all();
    }
    bool wait_for(const std::function<bool()>& is_so) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kPatience, is_so);
    }
    void wait_for_streams(std::size_t count) {
        ASSERT_TRUE(wait_for([&] { return streams_.size() >= count; }));
    }
    static std::string get(const std::string& accept = "text/event-stream") {
        return "GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: " + accept + "\r\n\r\n";
    }
    bool write(std::size_t at, const std::string& text) {
        return loop_.run([&] { return streams_.at(at)->write(text); });
    }

    testing::LoopThread loop_;
    std::unique_ptr<Server> server_;
    std::string address_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::unique_ptr<ServerStream>> streams_;
    std::vector<StreamEnd> ended_;
    bool streams_outlive_ = false;
};

std::string chunk(const std::string& text) {
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", text.size());
    return size + text + "\r\n";
}

// Everything up to and with the empty line behind the headers.
std::string head_of(RawClient& client) {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
        const std::string byte = client.bytes(1);
        if (byte.empty()) break;
        head += byte;
    }
    return head;
}

TEST_F(Streams, PiecesArriveAsTheyAreWritten) {
    start();
    RawClient client(address_);
    client.send(get());
    wait_for_streams(1);
    for (const std::string piece : {"id: 1\n\n", "id: 2\n\n"}) {
        ASSERT_TRUE(write(0, piece));
        if (piece.find('1') != std::string::npos) {
            const std::string head = head_of(client);
            EXPECT_THAT(head, HasSubstr("HTTP/1.1 200"));
            EXPECT_THAT(head, HasSubstr("Content-Type: text/event-stream\r\n"));
            EXPECT_THAT(head, HasSubstr("Transfer-Encoding: chunked\r\n"));
            EXPECT_THAT(head, HasSubstr("Cache-Control: no-store\r\n"));
        }
        EXPECT_EQ(client.bytes(chunk(piece).size()), chunk(piece));
    }
    EXPECT_EQ(loop_.run([&] { return streams_[0]->queue_bytes(); }), 0U);
    EXPECT_EQ(loop_.run([&] { return server_->streams().open; }), 1U);
    loop_.run([&] { streams_.clear(); });
    EXPECT_EQ(client.bytes(5), "0\r\n\r\n");
    client.send(get("application/json"));  // the connection goes on
    EXPECT_EQ(client.read().body, "{}");
    EXPECT_TRUE(ended_.empty());
}

TEST_F(Streams, TheHeadComesBeforeTheFirstPiece) {
    start();
    RawClient client(address_);
    client.send(get());
    EXPECT_THAT(head_of(client), HasSubstr("HTTP/1.1 200"));
}

TEST_F(Streams, ThePathAnswersInTheWayThatIsAskedFor) {
    start();
    EXPECT_EQ(ask(address_, "GET", "/events").body, "{}");
    EXPECT_EQ(ask(address_, "GET", "/events", "Accept: */*\r\n").body, "{}");
    EXPECT_EQ(ask(address_, "GET", "/events?no=1", "Accept: text/event-stream\r\n").status, 403);
    const RawAnswer upgraded =
        ask(address_,
            "GET",
            "/events",
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    EXPECT_EQ(upgraded.status, 101);
    RawClient head(address_);
    head.send("HEAD /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    const RawAnswer answer = head.read(true);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at("content-type"), "text/event-stream");
    EXPECT_TRUE(streams_.empty());
}

TEST_F(Streams, AClientThatLeavesIsNoticedWithoutAWrite) {
    start();
    {
        RawClient client(address_);
        client.send(get());
        wait_for_streams(1);
    }
    ASSERT_TRUE(wait_for([&] { return !ended_.empty(); }));
    EXPECT_EQ(ended_[0], StreamEnd::Gone);
    EXPECT_FALSE(write(0, "late"));
    EXPECT_EQ(loop_.run([&] { return server_->streams().open; }), 0U);
}

TEST_F(Streams, OneThatReadsNothingIsBoundedAndEnds) {
    start();
    RawClient client(address_);
    client.send(get());
    wait_for_streams(1);
    const std::string piece(16 * 1024, 'x');
    std::size_t written = 0;
    while (write(0, piece)) {
        written += piece.size();
        ASSERT_LT(written, 64U << 20) << "there is no bound";
    }
    EXPECT_LE(loop_.run([&] { return streams_[0]->queue_bytes(); }), kMaxStreamQueueBytes);
    ASSERT_TRUE(wait_for([&] { return !ended_.empty(); }));
    EXPECT_EQ(ended_[0], StreamEnd::Slow);
    EXPECT_EQ(loop_.run([&] { return server_->streams().slow; }), 1U);
    while (!client.bytes(64 * 1024).empty()) {
    }
    EXPECT_TRUE(client.ended());
}

TEST_F(Streams, OneThatTakesNothingForTooLongEndsThoughItsQueueIsNotFull) {
    start({.request_timeout = std::chrono::milliseconds(300)});
    RawClient client(address_);
    client.send(get());
    wait_for_streams(1);
    const std::string piece(16 * 1024, 'x');
    while (loop_.run([&] { return streams_[0]->queue_bytes(); }) < kMaxStreamQueueBytes / 2) {
        ASSERT_TRUE(write(0, piece));
    }
    ASSERT_TRUE(wait_for([&] { return !ended_.empty(); }));
    EXPECT_EQ(ended_[0], StreamEnd::Slow);
}

TEST_F(Streams, LastLongerThanARequestMay) {
    start({.request_timeout = std::chrono::milliseconds(100),
           .idle_timeout = std::chrono::milliseconds(100)});
    RawClient client(address_);
    client.send(get());
    wait_for_streams(1);
    std::unique_lock lock(mutex_);
    EXPECT_FALSE(
        changed_.wait_for(lock, std::chrono::milliseconds(600), [&] { return !ended_.empty(); }));
    lock.unlock();
    ASSERT_TRUE(write(0, "still"));
    EXPECT_THAT(head_of(client), HasSubstr("200"));
    EXPECT_EQ(client.bytes(10), chunk("still"));
}

TEST_F(Streams, TooManyAreRefusedAndAPlaceIsFreeAgain) {
    start({.max_streams = 2});
    auto first = std::make_unique<RawClient>(address_);
    RawClient second(address_);
    first->send(get());
    second.send(get());
    wait_for_streams(2);
    const RawAnswer full = ask(address_, "GET", "/events", "Accept: text/event-stream\r\n");
    EXPECT_EQ(full.status, 503);
    EXPECT_THAT(full.body, HasSubstr("too-many-streams"));
    EXPECT_EQ(full.headers.count("retry-after"), 1U);
    first.reset();
    ASSERT_TRUE(wait_for([&] { return !ended_.empty(); }));
    RawClient third(address_);
    third.send(get());
    wait_for_streams(3);
}

TEST_F(Streams, TwoHundredReadersGetEveryPieceInOrder) {
    constexpr std::size_t kReaders = 200;
    constexpr int kPieces = 20;
    start();
    std::vector<std::unique_ptr<RawClient>> clients;
    for (std::size_t i = 0; i < kReaders; ++i) {
        clients.push_back(std::make_unique<RawClient>(address_));
        clients.back()->send(get());
    }
    wait_for_streams(kReaders);
    std::string expected;
    for (int piece = 0; piece < kPieces; ++piece) {
        const std::string text = "id: " + std::to_string(piece) + "\n\n";
        expected += chunk(text);
        loop_.run([&] {
            for (const auto& stream : streams_) EXPECT_TRUE(stream->write(text));
        });
    }
    for (const auto& client : clients) {
        EXPECT_THAT(head_of(*client), HasSubstr("200"));
        EXPECT_EQ(client->bytes(expected.size()), expected);
    }
}

TEST_F(Streams, MayOutliveTheServer) {
    start();
    streams_outlive_ = true;
    RawClient client(address_);
    client.send(get());
    wait_for_streams(1);
}

}  // namespace
}  // namespace offhook::http

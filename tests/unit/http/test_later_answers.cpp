// Answers that come later, methods and types beside JSON, pages of other origins.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <optional>

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

class LaterAnswers : public ::testing::Test {
protected:
    void start(std::chrono::milliseconds limit = std::chrono::seconds(10),
               ServerOptions options = {}) {
        loop_.run([&] {
            auto server = Server::listen(options);
            ASSERT_TRUE(server) << server.error().text();
            server_ = *std::move(server);
            const RouteRules rules{.content_types = {"application/sdp"},
                                   .origins = {"https://app.example.com"},
                                   .answer_limit = limit};
            server_->route_later(
                "POST",
                "/later",
                [this](const Request& request, Responder responder) {
                    responder.on_gone([this] { note("gone"); });
                    const std::lock_guard lock(mutex_);
                    body_ = request.body;
                    waiting_.push_back(std::move(responder));
                    changed_.notify_all();
                },
                rules);
            server_->route_later(
                "PATCH",
                "/later",
                [](const Request& r, Responder responder) {
                    responder.send({204, "", "", {{"ETag", std::string(r.header("if-match"))}}});
                    responder.send({500, "", "", {}});  // it has answered already
                },
                rules);
            server_->route_later(
                "DELETE", "/later", [](const Request&, Responder) {}, rules);
            server_->route(
                "OPTIONS",
                "/later",
                [](const Request&) {
                    return Response{204, "", "", {{"Accept-Post", "application/sdp"}}};
                },
                rules);
            server_->route("GET", "/plain", [](const Request&) { return Response{}; });
            address_ = server_->address();
        });
    }
    void TearDown() override {
        loop_.run([&] {
            server_.reset();
            waiting_.clear();
        });
    }
    void note(const std::string& what) {
        const std::lock_guard lock(mutex_);
        noted_.push_back(what);
        changed_.notify_all();
    }
    bool wait_for(const std::function<bool()>& is_so) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kPatience, is_so);
    }
    void wait_for_request(std::size_t count = 1) {
        ASSERT_TRUE(wait_for([&] { return waiting_.size() >= count; }));
    }
    static std::string post(const std::string& body = "v=0") {
        return "POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\n"
               "Content-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    testing::LoopThread loop_;
    std::unique_ptr<Server> server_;
    std::string address_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Responder> waiting_;
    std::vector<std::string> noted_;
    std::string body_;
};

TEST_F(LaterAnswers, ComeWhenTheHandlerHasThem) {
    start();
    RawClient client(address_);
    client.send(post("v=0 offer"));
    wait_for_request();
    EXPECT_EQ(ask(address_, "GET", "/plain").status, 200);  // others do not wait
    loop_.run([&] {
        EXPECT_EQ(body_, "v=0 offer");
        EXPECT_TRUE(waiting_[0].is_waiting());
        waiting_[0].send({201, "application/sdp", "v=0 answer", {{"Location", "/x"}}});
        EXPECT_FALSE(waiting_[0].is_waiting());
    });
    const RawAnswer answer = client.read();
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.body, "v=0 answer");
    EXPECT_EQ(answer.headers.at("location"), "/x");
    EXPECT_EQ(answer.headers.count("request-id"), 1U);
    client.send(post());  // the connection goes on
    wait_for_request(2);
    EXPECT_TRUE(noted_.empty());
}

TEST_F(LaterAnswers, AClientThatLeavesIsNoticed) {
    start();
    {
        RawClient client(address_);
        client.send(post());
        wait_for_request();
    }
    EXPECT_TRUE(wait_for([&] { return !noted_.empty(); }));
    loop_.run([&] {
        EXPECT_FALSE(waiting_[0].is_waiting());
        waiting_[0].send({});  // hurts nobody
    });
}

TEST_F(LaterAnswers, HaveALimit) {
    start(std::chrono::milliseconds(50));
    RawClient client(address_);
    client.send(post());
    const RawAnswer answer = client.read();
    EXPECT_EQ(answer.status, 504);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"timeout\""));
    EXPECT_TRUE(wait_for([&] { return !noted_.empty(); }));
}

TEST_F(LaterAnswers, MayTakeLongerThanARequestMay) {
    start(std::chrono::seconds(10), {.request_timeout = std::chrono::milliseconds(50)});
    RawClient client(address_);
    client.send(post());
    wait_for_request();
    RawClient silent(address_);
    EXPECT_TRUE(silent.ended());  // cut for its silence, in the same time
    loop_.run([&] { waiting_[0].send({200, "application/sdp", "late", {}}); });
    EXPECT_EQ(client.read().body, "late");
}

TEST_F(LaterAnswers, AForgottenOneIsA500) {
    start();
    EXPECT_EQ(ask(address_, "DELETE", "/later").status, 500);
}

TEST_F(LaterAnswers, TheServerMayGoBefore) {
    start();
    RawClient client(address_);
    client.send(post());
    wait_for_request();
    loop_.run([&] { server_.reset(); });
    EXPECT_TRUE(client.ended());
    loop_.run([&] {
        EXPECT_FALSE(waiting_[0].is_waiting());
        waiting_.clear();
    });
    EXPECT_TRUE(noted_.empty());
}

TEST_F(LaterAnswers, RoutesHaveTheirOwnContentTypes) {
    start();
    EXPECT_EQ(ask(address_,
                  "PATCH",
                  "/later",
                  "Content-Type: application/sdp\r\nIf-Match: \"g\"\r\n",
                  "x")
                  .headers.at("etag"),
              "\"g\"");
    const RawAnswer json =
        ask(address_, "PATCH", "/later", "Content-Type: application/json\r\n", "{}");
    EXPECT_EQ(json.status, 415);
    EXPECT_THAT(json.body, HasSubstr("application/sdp"));
}

TEST_F(LaterAnswers, ListedPagesMayReadTheAnswer) {
    start();
    const std::string listed = "Origin: https://APP.example.com\r\n";
    const RawAnswer preflight =
        ask(address_, "OPTIONS", "/later", listed + "Access-Control-Request-Method: POST\r\n");
    EXPECT_EQ(preflight.status, 204);
    EXPECT_EQ(preflight.headers.at("access-control-allow-origin"), "https://APP.example.com");
    EXPECT_THAT(preflight.headers.at("access-control-allow-methods"), HasSubstr("PATCH"));
    EXPECT_THAT(preflight.headers.at("access-control-allow-headers"), HasSubstr("If-Match"));
    EXPECT_EQ(preflight.headers.at("accept-post"), "application/sdp");
    const RawAnswer answer = ask(address_, "PATCH", "/later", listed);
    EXPECT_EQ(answer.status, 204);
    for (const char* name : {"Location", "Link", "ETag", "Accept-Patch"})
        EXPECT_THAT(answer.headers.at("access-control-expose-headers"), HasSubstr(name));
    EXPECT_EQ(answer.headers.count("access-control-allow-methods"), 0U);
    EXPECT_EQ(answer.headers.at("vary"), "Origin");
}

TEST_F(LaterAnswers, OtherPagesMayNot) {
    start();
    for (const char* origin : {"https://evil.example",
                               "https://app.example.com.evil.example",
                               "null",
                               "http://app.example.com"}) {
        const std::string extra = "Origin: " + std::string(origin) + "\r\n";
        EXPECT_EQ(ask(address_, "PATCH", "/later", extra).status, 403) << origin;
        EXPECT_EQ(
            ask(address_, "OPTIONS", "/later", extra + "Access-Control-Request-Method: POST\r\n")
                .headers.count("access-control-allow-origin"),
            0U)
            << origin;
    }
    EXPECT_EQ(ask(address_, "GET", "/plain", "Origin: https://app.example.com\r\n")
                  .headers.count("access-control-allow-origin"),
              0U);
}

}  // namespace
}  // namespace offhook::http

#include "http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>

#include "http/certificates.h"
#include "http/loop_thread.h"
#include "http/scripted_server.h"
#include "http/server.h"

namespace offhook::http {
namespace {

using base::ErrorCode;
using testing::Certificates;
using ::testing::HasSubstr;
using testing::ScriptedServer;

std::string ok(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class ClientTest : public ::testing::Test {
protected:
    void SetUp() override { make_client({}); }
    void TearDown() override {
        loop_.run([this] {
            client_.reset();
            server_.reset();
        });
    }
    void make_client(const ClientOptions& options) {
        loop_.run([&] {
            auto client = Client::create(options);
            ASSERT_TRUE(client) << client.error().text();
            client_ = *std::move(client);
        });
    }
    // Sends and waits for the result.
    base::Result<HttpReply> ask(HttpRequest request) {
        auto promise = std::make_shared<std::promise<base::Result<HttpReply>>>();
        auto future = promise->get_future();
        Client::Exchange exchange;
        loop_.run([&] {
            exchange = client_->send(std::move(request), [promise](base::Result<HttpReply> reply) {
                promise->set_value(std::move(reply));
            });
        });
        if (future.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
            ADD_FAILURE() << "no result";
            loop_.run([&] { exchange.cancel(); });
            return base::fail(ErrorCode::Internal, "none");
        }
        auto result = future.get();
        loop_.run([&] { exchange.cancel(); });
        return result;
    }
    base::Result<HttpReply> get(const std::string& url) { return ask({.url = url}); }

    static Certificates& certificates() {
        static Certificates made;
        return made;
    }
    static std::string good_pem() {
        static const std::string pem = certificates().issue("good", "DNS:localhost,IP:127.0.0.1");
        return pem;
    }
    static std::string url(const ScriptedServer& server, const std::string& scheme = "http") {
        return scheme + "://127.0.0.1:" + std::to_string(server.port()) + "/";
    }

    testing::LoopThread loop_;
    std::unique_ptr<Client> client_;
    std::unique_ptr<Server> server_;
};

TEST_F(ClientTest, SpeaksWithOurOwnServer) {
    std::string address;
    loop_.run([&] {
        auto server = Server::listen({});
        ASSERT_TRUE(server);
        server_ = *std::move(server);
        server_->route("POST", "/things", [](const Request& r) {
            return Response{201, "application/json", r.body + r.request_id, {{"X-Two", "a"}}};
        });
        address = server_->address();
    });
    const auto reply = ask({.method = "POST",
                            .url = "http://" + address + "/things",
                            .headers = {{"Request-Id", "mine"}},
                            .content_type = "application/json",
                            .body = "{}"});
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(reply->status, 201);
    EXPECT_EQ(reply->body, "{}mine");
    EXPECT_EQ(reply->header("x-two"), "a");
    EXPECT_EQ(reply->header("no-such"), "");
    const auto missing = get("http://" + address + "/nothing");
    ASSERT_TRUE(missing);
    EXPECT_EQ(missing->status, 404);
}

TEST_F(ClientTest, SendsWhatItWasToldAndNothingThatAsksForCompression) {
    std::string seen;
    const ScriptedServer server("", [&](const std::string& request) {
        seen = request;
        return ScriptedServer::Reply{ok("x")};
    });
    ASSERT_TRUE(ask({.method = "POST",
                     .url = url(server),
                     .headers = {{"Authorization", "Basic abc"}},
                     .content_type = "application/x-www-form-urlencoded",
                     .body = "a=b&c=d"}));
    EXPECT_THAT(seen, HasSubstr("POST / HTTP/1.1\r\n"));
    EXPECT_THAT(seen, HasSubstr("Authorization: Basic abc\r\n"));
    EXPECT_THAT(seen, HasSubstr("Content-Type: application/x-www-form-urlencoded\r\n"));
    EXPECT_THAT(seen, HasSubstr("User-Agent: offhook/"));
    EXPECT_THAT(seen, HasSubstr("\r\n\r\na=b&c=d"));
    EXPECT_THAT(seen, ::testing::Not(HasSubstr("Accept-Encoding")));
}

TEST_F(ClientTest, ACertificateOfAKnownAuthorityAndTheRightNameIsGood) {
    const ScriptedServer server(
        good_pem(), [](const std::string&) { return ScriptedServer::Reply{ok("safe")}; });
    make_client({.ca_file = certificates().ca_file()});
    for (const std::string host : {"localhost", "127.0.0.1"}) {
        const auto reply = get("https://" + host + ":" + std::to_string(server.port()) + "/");
        ASSERT_TRUE(reply) << reply.error().text();
        EXPECT_EQ(reply->body, "safe");
    }
}

TEST_F(ClientTest, OtherCertificatesAreRefusedAndTheReasonIsSaid) {
    std::string seen;
    const auto script = [&](const std::string& request) {
        seen = request;
        return ScriptedServer::Reply{ok("unsafe")};
    };
    {
        const ScriptedServer server(good_pem(), script);
        const auto reply = get(url(server, "https"));  // the system does not know our authority
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().code, ErrorCode::Unavailable);
        EXPECT_THAT(reply.error().message, HasSubstr("authority that is not trusted here"));
    }
    make_client({.ca_file = certificates().ca_file()});
    {
        const ScriptedServer server(certificates().issue("other", "DNS:other.example"), script);
        const auto reply = get(url(server, "https"));
        ASSERT_FALSE(reply);
        EXPECT_THAT(reply.error().message, HasSubstr("not for \"127.0.0.1\""));
    }
    {
        const ScriptedServer server(certificates().issue("old", "IP:127.0.0.1", -1), script);
        const auto reply = get(url(server, "https"));
        ASSERT_FALSE(reply);
        EXPECT_THAT(reply.error().message, HasSubstr("it expired on"));
    }
    EXPECT_EQ(seen, "");  // not a byte of a request went to any of them
}

TEST_F(ClientTest, CaFilesThatHaveNoCertificateAreRefused) {
    const std::string empty = certificates().folder() + "/empty.pem";
    std::ofstream(empty) << "nothing\n";
    loop_.run([&] {
        EXPECT_FALSE(Client::create({.ca_file = "/nonexistent/ca.pem"}));
        EXPECT_FALSE(Client::create({.ca_file = empty}));
    });
}

TEST_F(ClientTest, UrlsThatWouldShowACredentialAreRefused) {
    for (const char* bad : {"http://192.0.2.1/",
                            "http://example.org/",
                            "http://localhost.example.org/",
                            "http://127.0.0.1.example.org/",
                            "https://anna:secret@example.org/",
                            "ftp://example.org/",
                            "file:///etc/passwd",
                            "https:///path",
                            "example.org",
                            "https://[::1",
                            ""}) {
        const auto reply = get(bad);
        ASSERT_FALSE(reply) << bad;
        EXPECT_EQ(reply.error().code, ErrorCode::InvalidArgument) << bad;
        EXPECT_THAT(reply.error().text(), ::testing::Not(HasSubstr("secret")));
    }
}

TEST_F(ClientTest, HeadersCannotBeInjected) {
    for (const std::pair<std::string, std::string>& header :
         {std::pair<std::string, std::string>{"X", "a\r\nY: b"}, {"X Y", "a"}, {"", "a"}}) {
        const auto reply = ask({.url = "http://127.0.0.1:9/", .headers = {header}});
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().code, ErrorCode::InvalidArgument);
    }
    EXPECT_EQ(ask({.method = "GET / HTTP/1.1\r\nX:", .url = "http://127.0.0.1:9/"}).error().code,
              ErrorCode::InvalidArgument);
}

TEST_F(ClientTest, ARedirectIsAnAnswerAndIsNotFollowed) {
    int other_asked = 0;
    const ScriptedServer other("", [&](const std::string&) {
        ++other_asked;
        return ScriptedServer::Reply{ok("stolen")};
    });
    const ScriptedServer server("", [&](const std::string&) {
        return ScriptedServer::Reply{"HTTP/1.1 307 Moved\r\nLocation: " + url(other) +
                                     "\r\nContent-Length: 0\r\n\r\n"};
    });
    const auto reply = ask({.method = "POST",
                            .url = url(server),
                            .headers = {{"Authorization", "Bearer secret"}},
                            .content_type = "text/plain",
                            .body = "x"});
    ASSERT_TRUE(reply) << reply.error().text();
    EXPECT_EQ(reply->status, 307);
    EXPECT_EQ(reply->header("location"), url(other));
    EXPECT_EQ(other_asked, 0);
}

TEST_F(ClientTest, AnswersAreBounded) {
    const ScriptedServer exact(
        "", [](const std::string&) { return ScriptedServer::Reply{ok(std::string(1000, 'x'))}; });
    EXPECT_EQ(ask({.url = url(exact), .max_reply_bytes = 1000})->body.size(), 1000U);
    const auto above = ask({.url = url(exact), .max_reply_bytes = 999});
    ASSERT_FALSE(above);
    EXPECT_EQ(above.error().code, ErrorCode::LimitReached);

    // One that would never end: cut off, not read until memory is full.
    ScriptedServer endless("", [](const std::string&) {
        return ScriptedServer::Reply{"HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'x'), true};
    });
    const auto cut = ask({.url = url(endless), .max_reply_bytes = 50'000});
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, ErrorCode::LimitReached);
    EXPECT_TRUE(endless.saw_close());

    const ScriptedServer headers("", [](const std::string&) {
        std::string many;
        for (int i = 0; i < 500; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
        return ScriptedServer::Reply{"HTTP/1.1 200 OK\r\n" + many + "Content-Length: 0\r\n\r\n"};
    });
    const auto bounded = get(url(headers));
    ASSERT_TRUE(bounded) << bounded.error().text();
    EXPECT_LE(bounded->headers.size(), 100U);
}

TEST_F(ClientTest, TheTimeLimitIsForAllOfIt) {
    ScriptedServer silent("", [](const std::string&) { return ScriptedServer::Reply{"", true}; });
    ScriptedServer halfway("", [](const std::string&) {
        return ScriptedServer::Reply{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", true};
    });
    for (ScriptedServer* server : {&silent, &halfway}) {
        const auto reply = ask({.url = url(*server), .timeout = std::chrono::milliseconds(150)});
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().code, ErrorCode::Timeout);
        EXPECT_THAT(reply.error().message, HasSubstr("127.0.0.1 within 150 ms"));
        EXPECT_TRUE(server->saw_close());
    }
}

TEST_F(ClientTest, WhatIsNoHttpOrNotThereIsAnError) {
    const ScriptedServer nonsense(
        "", [](const std::string&) { return ScriptedServer::Reply{"SSH-2.0-OpenSSH_9.2\r\n"}; });
    EXPECT_EQ(get(url(nonsense)).error().code, ErrorCode::Unavailable);
    const ScriptedServer cut("", [](const std::string&) {
        return ScriptedServer::Reply{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"};
    });
    const auto half = get(url(cut));
    EXPECT_TRUE(!half || half->body == "half");
    std::string gone;
    {
        const ScriptedServer server("", [](const std::string&) { return ScriptedServer::Reply{}; });
        gone = url(server);
    }
    const auto refused = get(gone);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
    EXPECT_THAT(refused.error().message, HasSubstr("127.0.0.1"));
}

TEST_F(ClientTest, ACancelledRequestEndsItsConnectionAndSaysNothing) {
    std::promise<void> asked;
    ScriptedServer server("", [&](const std::string&) {
        asked.set_value();
        return ScriptedServer::Reply{"", true};
    });
    bool called = false;
    Client::Exchange exchange;
    loop_.run([&] {
        exchange = client_->send({.url = url(server)},
                                 [&](const base::Result<HttpReply>&) { called = true; });
    });
    asked.get_future().wait();
    loop_.run([&] { exchange = {}; });
    EXPECT_TRUE(server.saw_close());
    EXPECT_FALSE(loop_.run([&] { return called; }));
}

TEST_F(ClientTest, TheClientMayGoBeforeTheAnswerOrWithIt) {
    std::promise<void> asked;
    ScriptedServer server("", [&](const std::string&) {
        asked.set_value();
        return ScriptedServer::Reply{"", true};
    });
    bool called = false;
    Client::Exchange exchange;
    loop_.run([&] {
        exchange = client_->send({.url = url(server)},
                                 [&](const base::Result<HttpReply>&) { called = true; });
    });
    asked.get_future().wait();
    loop_.run([&] { client_.reset(); });
    EXPECT_TRUE(server.saw_close());
    EXPECT_FALSE(loop_.run([&] { return called; }));

    make_client({});
    const ScriptedServer quick("",
                               [](const std::string&) { return ScriptedServer::Reply{ok("x")}; });
    std::promise<void> done;
    loop_.run([&] {
        exchange = client_->send({.url = url(quick)}, [&](const base::Result<HttpReply>&) {
            exchange = {};
            client_.reset();
            done.set_value();
        });
    });
    done.get_future().wait();
}

}  // namespace
}  // namespace offhook::http

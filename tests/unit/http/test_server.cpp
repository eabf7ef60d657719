#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "http/loop_thread.h"
#include "http/raw_client.h"

namespace offhook::http {
namespace {

using namespace std::string_literals;
using ::testing::AnyOf;
using testing::ask;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawAnswer;
using testing::RawClient;

class ServerTest : public ::testing::Test {
protected:
    void start(ServerOptions options = {}) {
        loop_.run([&] {
            auto server = Server::listen(options);
            ASSERT_TRUE(server) << server.error().text();
            server_ = *std::move(server);
            server_->route("GET", "/plain", [](const Request&) {
                return Response{200, "text/plain", "hello", {}};
            });
            server_->route("GET", "/things/{id}", [](const Request& r) {
                const auto q = r.query.find("q");
                return Response{200,
                                "text/plain",
                                r.params.at("id") + "|" + (q == r.query.end() ? "-" : q->second),
                                {}};
            });
            server_->route("POST", "/things/{id}", [](const Request& r) {
                return Response{202, "application/json", r.body, {{"X-Remote", r.remote}}};
            });
            server_->route("GET", "/broken", [](const Request&) -> Response {
                throw std::runtime_error("secret");
            });
            server_->on_answered([this](std::string_view route, int status, double seconds) {
                EXPECT_GE(seconds, 0);
                answered_.push_back(std::string(route) + " " + std::to_string(status));
            });
            address_ = server_->address();
        });
    }
    void TearDown() override {
        loop_.run([&] { server_.reset(); });
    }
    std::vector<std::string> answered() {
        return loop_.run([&] { return answered_; });
    }
    testing::LoopThread loop_;
    std::unique_ptr<Server> server_;
    std::string address_;
    std::vector<std::string> answered_;
};

constexpr const char* kJson = "Content-Type: application/json\r\n";

TEST_F(ServerTest, AnswersWithTheRealPortAndItsHeaders) {
    start();
    EXPECT_NE(address_, "127.0.0.1:0");
    const RawAnswer a = ask(address_, "GET", "/plain");
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.body, "hello");
    EXPECT_EQ(a.headers.at("content-type"), "text/plain");
    EXPECT_EQ(a.headers.at("cache-control"), "no-store");
    EXPECT_EQ(a.headers.at("x-content-type-options"), "nosniff");
    EXPECT_EQ(a.headers.at("request-id").substr(0, 2), "r-");
    EXPECT_EQ(answered(), std::vector<std::string>{"/plain 200"});
}

TEST_F(ServerTest, HeadHasTheHeadersOnly) {
    start();
    RawClient client(address_);
    client.send(
        "HEAD /plain HTTP/1.1\r\nHost: localhost\r\n\r\nGET /plain HTTP/1.1\r\nHost: "
        "localhost\r\n\r\n");
    const RawAnswer head = client.read(true);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.at("content-length"), "5");
    EXPECT_EQ(client.read().body, "hello");  // nothing of a body stood in between
}

TEST_F(ServerTest, ParametersQueryAndRequestId) {
    start();
    EXPECT_EQ(ask(address_, "GET", "/things/c-1?q=a%20b").body, "c-1|a b");
    EXPECT_EQ(ask(address_, "GET", "/things/c-1").body, "c-1|-");
    EXPECT_EQ(ask(address_, "GET", "/plain", "Request-Id: mine-7\r\n").headers.at("request-id"),
              "mine-7");
    EXPECT_EQ(
        ask(address_, "GET", "/plain", "Request-Id: <b>\r\n").headers.at("request-id").substr(0, 2),
        "r-");
}

TEST_F(ServerTest, NoSuchPathAndNoSuchMethod) {
    start();
    const RawAnswer missing = ask(address_, "GET", "/nothing");
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(missing.headers.at("content-type"), "application/problem+json");
    EXPECT_THAT(missing.body, HasSubstr("\"instance\":\"/nothing\""));
    const RawAnswer wrong = ask(address_, "DELETE", "/things/x");
    EXPECT_EQ(wrong.status, 405);
    EXPECT_EQ(wrong.headers.at("allow"), "GET, HEAD, POST");
    for (const char* method : {"PUT", "OPTIONS", "TRACE", "BREW"}) {
        EXPECT_EQ(ask(address_, method, "/plain").status, 405) << method;
    }
    EXPECT_THAT(answered(), ::testing::Contains("other 404"));
    EXPECT_THAT(answered(), ::testing::Contains("/things/{id} 405"));
}

TEST_F(ServerTest, HostMustBeOurs) {
    start();
    EXPECT_EQ(ask(address_, "GET", "/plain", "Host: localhost\r\n").status, 200);
    for (const char* host : {"evil.example", "evil.example:5000", "127.0.0.1.evil.example"}) {
        EXPECT_EQ(ask(address_, "GET", "/plain", "Host: " + std::string(host) + "\r\n").status, 403)
            << host;
    }
    RawClient none(address_);
    none.send("GET /plain HTTP/1.0\r\n\r\n");
    EXPECT_THAT(none.read().status, AnyOf(400, 403));
}

TEST_F(ServerTest, NamesFromTheConfigurationAreOurs) {
    start({.hosts = {"pbx.example.org"}});
    EXPECT_EQ(ask(address_, "GET", "/plain", "Host: PBX.example.org\r\n").status, 200);
}

TEST_F(ServerTest, ForeignPagesCannotChangeAnything) {
    start();
    const auto post = [&](const std::string& origin) {
        return ask(address_, "POST", "/things/x", "Origin: " + origin + "\r\n" + kJson, "{}")
            .status;
    };
    EXPECT_EQ(post("http://" + address_), 202);
    for (const std::string& origin : {std::string("http://evil.example"),
                                      std::string("null"),
                                      "http://" + address_ + ".evil.example",
                                      std::string("http://127.0.0.1:1")}) {
        EXPECT_EQ(post(origin), 403) << origin;
    }
    EXPECT_EQ(ask(address_, "GET", "/plain", "Origin: http://evil.example\r\n").status, 200);
}

TEST_F(ServerTest, BodiesAreJson) {
    start();
    const auto post = [&](const std::string& extra, const std::string& body) {
        return ask(address_, "POST", "/things/x", extra, body);
    };
    EXPECT_EQ(post(kJson, "{\"a\":1}").body, "{\"a\":1}");
    EXPECT_EQ(post("Content-Type: Application/JSON; charset=utf-8\r\n", "{}").status, 202);
    EXPECT_EQ(post("", "").status, 202);
    EXPECT_EQ(post("", "{}").status, 415);
    EXPECT_EQ(post("Content-Type: text/plain\r\n", "{}").status, 415);
    EXPECT_EQ(post("Content-Type: application/x-www-form-urlencoded\r\n", "").status, 415);
    EXPECT_EQ(post("Content-Type: application/jsonp\r\n", "{}").status, 415);
}

TEST_F(ServerTest, BodiesAreBounded) {
    start();
    EXPECT_EQ(ask(address_, "POST", "/things/x", kJson, std::string(kMaxBodyBytes, ' ')).status,
              202);
    EXPECT_EQ(ask(address_, "POST", "/things/x", kJson, std::string(kMaxBodyBytes + 1, ' ')).status,
              413);
    RawClient huge(address_);
    huge.send("POST /things/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n");
    EXPECT_EQ(huge.read().status, 413);
    EXPECT_TRUE(huge.ended());
    RawClient chunked(address_);
    chunked.send(
        "POST /things/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
        "chunked\r\n\r\n5\r\nhello\r\n");
    EXPECT_EQ(chunked.read().status, 411);
    EXPECT_TRUE(chunked.ended());
}

TEST_F(ServerTest, HeadersAreBounded) {
    start();
    EXPECT_EQ(ask(address_, "GET", "/plain", "X: " + std::string(20'000, 'x') + "\r\n").status,
              431);
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "X-" + std::to_string(i) + ": 0123456789\r\n";
    EXPECT_EQ(ask(address_, "GET", "/plain", many).status, 431);
    // libsoup refuses these by itself, without an answer or with a 4xx.
    EXPECT_NE(ask(address_, "GET", "/plain", "X: " + std::string(65'536, 'x') + "\r\n").status,
              200);
    EXPECT_NE(ask(address_, "GET", "/plain", "X: " + std::string(1 << 20, 'x') + "\r\n").status,
              200);
    EXPECT_EQ(ask(address_, "GET", "/plain").status, 200);
}

TEST_F(ServerTest, UrisAreBounded) {
    start();
    EXPECT_EQ(ask(address_, "GET", "/" + std::string(2000, 'a')).status, 414);
    EXPECT_EQ(ask(address_, "GET", "/plain?" + std::string(3000, 'a')).status, 414);
}

TEST_F(ServerTest, NonsenseIsRefusedAndHurtsNobody) {
    start();
    for (const std::string& nonsense :
         {std::string("\r\n\r\n\r\n\r\n"),
          std::string("GET\r\n\r\n"),
          std::string("\x16\x03\x01\x02\x00\x01\x00", 7) + "\r\n\r\n",
          std::string("GET /plain HTTP/9.9\r\nHost: localhost\r\n\r\n"),
          std::string("GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
          std::string("GET /plain HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"),
          std::string("POST /things/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"),
          std::string("POST /things/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                      "5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
          std::string("CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
          std::string("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n"),
          "GET /plain\0x HTTP/1.1\r\nHost: localhost\r\n\r\n"s,
          std::string("GET //evil.example/plain HTTP/1.1\r\nHost: localhost\r\n\r\n"),
          std::string("GET /%00%ff HTTP/1.1\r\nHost: localhost\r\n\r\n")}) {
        RawClient client(address_);
        client.send(nonsense);
        client.finish();
        const int status = client.read().status;
        EXPECT_TRUE(status == 0 || status >= 400) << nonsense << " -> " << status;
    }
    EXPECT_EQ(ask(address_, "GET", "/plain").status, 200);
}

TEST_F(ServerTest, AHandlerThatThrowsIsA500WithoutItsWords) {
    start();
    const RawAnswer a = ask(address_, "GET", "/broken");
    EXPECT_EQ(a.status, 500);
    EXPECT_THAT(a.body, Not(HasSubstr("secret")));
    EXPECT_THAT(a.body, HasSubstr(a.headers.at("request-id")));
}

TEST_F(ServerTest, SlowClientsAreCut) {
    start({.request_timeout = std::chrono::milliseconds(100),
           .idle_timeout = std::chrono::milliseconds(100)});
    RawClient silent(address_);
    EXPECT_TRUE(silent.ended());
    RawClient halfway(address_);
    halfway.send("GET /plain HTTP/1.1\r\nHost: loc");
    EXPECT_TRUE(halfway.ended());
    RawClient short_body(address_);
    short_body.send(
        "POST /things/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "application/json\r\nContent-Length: 9\r\n\r\n{");
    EXPECT_TRUE(short_body.ended());
    RawClient idle(address_);
    idle.send("GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(idle.read().status, 200);
    EXPECT_TRUE(idle.ended());
}

TEST_F(ServerTest, OfTooManyTheOneThatIsIdleForTheLongestTimeGoes) {
    start({.max_connections = 2});
    RawClient first(address_);
    RawClient second(address_);
    const auto get = [](RawClient& c) {
        c.send("GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n");
        return c.read().status;
    };
    EXPECT_EQ(get(first), 200);
    EXPECT_EQ(get(second), 200);
    EXPECT_EQ(get(first), 200);
    RawClient third(address_);
    EXPECT_EQ(get(third), 200);
    EXPECT_TRUE(second.ended());
    EXPECT_EQ(get(first), 200);
    EXPECT_EQ(get(third), 200);
}

TEST_F(ServerTest, ConnectionsWithoutARequestDoNotCountAgainstThoseWithOne) {
    start({.max_connections = 2});
    std::vector<std::unique_ptr<RawClient>> silent;
    for (int i = 0; i < 50; ++i) {
        silent.push_back(std::make_unique<RawClient>(address_));
        silent.back()->send("GET /plain HTTP/1.1\r\nHo");
        EXPECT_EQ(ask(address_, "GET", "/plain").status, 200);
    }
    EXPECT_TRUE(silent.front()->ended());  // the oldest of too many
    silent.back()->send("st: localhost\r\n\r\n");
    EXPECT_EQ(silent.back()->read().body, "hello");
}

TEST_F(ServerTest, ARequestMayComeInPieces) {
    start();
    const std::string body(60'000, 'b');
    const std::string request = "POST /things/x HTTP/1.1\r\nHost: localhost\r\n" +
                                std::string(kJson) + "Content-Length: 60000\r\n\r\n" + body;
    for (const std::size_t piece : {1UL, 10UL, 1'000UL, 30'000UL, 60'050UL}) {
        RawClient client(address_);
        const std::size_t small = piece == 1 ? 300 : request.size();
        for (std::size_t at = 0; at < small; at += piece)
            client.send(std::string_view(request).substr(at, piece));
        if (small < request.size()) client.send(std::string_view(request).substr(small));
        EXPECT_EQ(client.read().body.size(), body.size()) << piece;
    }
    RawClient gone(address_);
    gone.send(std::string_view(request).substr(0, 1'000));
    gone.finish();
    EXPECT_TRUE(gone.ended());
}

TEST_F(ServerTest, DestructionCutsConnectionsAndFreesThePort) {
    start();
    RawClient open(address_);
    open.send("GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(open.read().status, 200);
    loop_.run([&] { server_.reset(); });
    EXPECT_TRUE(open.ended());
    EXPECT_THROW(RawClient{address_}, std::runtime_error);
}

TEST_F(ServerTest, RefusesToListenWhereItMustNot) {
    loop_.run([] {
        EXPECT_EQ(Server::listen({.host = "0.0.0.0"}).error().code,
                  base::ErrorCode::InvalidArgument);
        EXPECT_EQ(Server::listen({.host = "localhost"}).error().code,
                  base::ErrorCode::InvalidArgument);
        EXPECT_TRUE(Server::listen({.host = "0.0.0.0", .allow_remote = true}));
    });
    start();
    const auto port =
        static_cast<std::uint16_t>(std::stoi(address_.substr(address_.rfind(':') + 1)));
    loop_.run([&] { EXPECT_EQ(Server::listen({.port = port}).error().code, base::ErrorCode::Io); });
}

TEST_F(ServerTest, OffersNoWebSocket) {
    start();
    const RawAnswer a = ask(address_,
                            "GET",
                            "/plain",
                            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                            "dGhlIHNhbXBsZSBub25jZQ==\r\n"
                            "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.headers.count("sec-websocket-extensions"), 0U);
}

}  // namespace
}  // namespace offhook::http

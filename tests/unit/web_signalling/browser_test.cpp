// Our WebSocket signalling as a client sees it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connection/memory_leases.h"
#include "connection/registry.h"
#include "glib/json_body.h"
#include "http/raw_websocket.h"
#include "signalling/web/browser_endpoint.h"
#include "web_signalling/web_door_test.h"

namespace offhook::signalling::web {
namespace {

using ::testing::Contains;
using testing::RawFrame;
using testing::RawWebSocket;
using testing::web_answer;
using testing::web_offer;

std::string quoted(const std::string& text) {
    std::string json = "\"";
    for (const char c : text) json += c == '\r' ? "\\r" : c == '\n' ? "\\n" : std::string(1, c);
    return json + "\"";
}

std::string join(const std::string& offer = web_offer(), const std::string& more = {}) {
    return R"({"type":"join","sdp":)" + quoted(offer) + more + "}";
}

glib::JsonBody parsed(const RawFrame& frame) {
    auto body = glib::JsonBody::parse(frame.opcode == 1 ? frame.payload : "{}");
    return body ? *std::move(body) : *glib::JsonBody::parse("{}");
}

class Browser : public testing::WebDoorTest {
protected:
    void open(const std::string& token = {}, BrowserEndpoint::Settings settings = {}) {
        WebDoorTest::open(token, [&] {
            GMainContext* context = g_main_context_get_thread_default();
            leases_ = std::make_unique<connection::MemoryLeases>(context);
            registry_ = std::make_unique<connection::Registry>(
                connection::Registry::Settings{}, context, *leases_);
            endpoint_.emplace(std::move(settings),
                              *keyring_,
                              *signaller_,
                              *registry_,
                              g_main_context_get_thread_default());
            endpoint_->install(*server_);
        });
    }
    void TearDown() override {
        loop_.run([&] {
            server_.reset();
            endpoint_.reset();
            registry_.reset();
            leases_.reset();
        });
        settle();
    }
    RawWebSocket connect(const std::string& target = std::string(kBrowserPath) + "?to=support",
                         const std::string& extra = {}) {
        return RawWebSocket(
            address_, target, extra.empty() ? "Origin: http://" + address_ + "\r\n" : extra);
    }
    /// Joined and answered.
    std::unique_ptr<RawWebSocket> joined() {
        auto client = std::make_unique<RawWebSocket>(address_,
                                                     std::string(kBrowserPath) + "?to=support",
                                                     "Origin: http://" + address_ + "\r\n");
        EXPECT_EQ(parsed(client->read_message()).text("type"), "welcome");
        client->send(join());
        EXPECT_EQ(parsed(client->read_message()).text("type"), "answer");
        return client;
    }
    std::size_t left() {
        return loop_.run([&] { return endpoint_->size() + signaller_->size(); });
    }
    std::unique_ptr<connection::MemoryLeases> leases_;
    std::unique_ptr<connection::Registry> registry_;
    std::optional<BrowserEndpoint> endpoint_;
};

TEST_F(Browser, JoinsAndIsAnswered) {
    open({}, {.ice_servers = {"stun:stun.example.net"}});
    RawWebSocket client = connect();
    ASSERT_TRUE(client.is_open()) << client.answer().body;
    const auto welcome = parsed(client.read_message());
    EXPECT_EQ(welcome.text("type"), "welcome");
    EXPECT_EQ(welcome.whole("version"), 1);
    EXPECT_EQ(welcome.objects("ice_servers").at(0).text("urls"), "stun:stun.example.net");
    client.send(join());
    const auto answer = parsed(client.read_message());
    EXPECT_EQ(answer.text("type"), "answer");
    EXPECT_EQ(answer.text("sdp"), "v=0\r\na=answer\r\n");
    EXPECT_TRUE(calls_.wait_for("answer sent"));
    EXPECT_EQ(calls_.last().to_user, "support");
    EXPECT_EQ(calls_.last().from_user, "browser");
    EXPECT_EQ(calls_.last().offer->web_text, web_offer());
}

TEST_F(Browser, IsAConnectionOfTheRegistry) {
    open();
    RawWebSocket client(address_,
                        std::string(kBrowserPath) + "?to=support",
                        "Origin: http://" + address_ + "\r\nUser-Agent: test/1\r\n");
    EXPECT_EQ(parsed(client.read_message()).text("type"), "welcome");
    const auto entries = [&] { return loop_.run([&] { return registry_->connections(); }); };
    const auto before = entries();
    ASSERT_EQ(before.size(), 1U);
    EXPECT_EQ(before[0].facts.kind, connection::Kind::Browser);
    EXPECT_EQ(before[0].state, connection::State::Connecting);
    EXPECT_TRUE(before[0].facts.address.starts_with("127.0.0.1:"));
    EXPECT_EQ(before[0].facts.user_agent, "test/1");
    client.send(join());
    EXPECT_EQ(parsed(client.read_message()).text("type"), "answer");
    const auto joined = entries();
    ASSERT_EQ(joined.size(), 1U);
    EXPECT_EQ(joined[0].state, connection::State::Live);
    EXPECT_EQ(joined[0].traffic.received_messages, 1U);
    EXPECT_EQ(joined[0].traffic.sent_messages, 2U);
    client.send(R"({"type":"bye"})");
    EXPECT_EQ(client.read_message().code(), 1000);
    const auto ended = loop_.run([&] { return registry_->history().at(0); });
    EXPECT_EQ(ended.end, connection::EndReason::Client);
    EXPECT_EQ(ended.traffic.received_messages, 2U);
}

TEST_F(Browser, IsRemovedByTheApiAndToldSo) {
    open();
    const auto client = joined();
    loop_.run([&] { return registry_->remove(registry_->connections().at(0).id, "test"); });
    EXPECT_EQ(client->read_message().code(), 4005);
    EXPECT_TRUE(calls_.wait_for("ended api-hangup"));
    EXPECT_EQ(left(), 0U);
    EXPECT_EQ(loop_.run([&] { return registry_->history().at(0).end; }),
              connection::EndReason::Removed);
}

TEST_F(Browser, SaysGoodbye) {
    open();
    const auto client = joined();
    client->send(R"({"type":"bye"})");
    EXPECT_EQ(client->read_message().code(), 1000);
    EXPECT_TRUE(calls_.wait_for("ended caller-hangup"));
    EXPECT_EQ(left(), 0U);
}

TEST_F(Browser, ClosingEndsTheCall) {
    open();
    joined()->send(std::string("\x03\xe9", 2), 8);
    EXPECT_TRUE(calls_.wait_for("ended caller-hangup"));
    EXPECT_EQ(left(), 0U);
}

TEST_F(Browser, ALostConnectionEndsTheCall) {
    open();
    joined().reset();
    EXPECT_TRUE(calls_.wait_for("ended transport-lost"));
    EXPECT_EQ(left(), 0U);
}

TEST_F(Browser, HearsThatWeHungUp) {
    open();
    const auto client = joined();
    loop_.run([&] {
        signaller_->hangup(calls_.last().id, model::ended(model::EndReason::ApiHangup), {});
    });
    const auto bye = parsed(client->read_message());
    EXPECT_EQ(bye.text("type"), "bye");
    EXPECT_EQ(bye.text("reason"), "api-hangup");
    EXPECT_EQ(client->read_message().code(), 1000);
    EXPECT_TRUE(calls_.wait_for("ended api-hangup"));
    EXPECT_EQ(left(), 0U);
}

TEST_F(Browser, IsToldWhyItWasRefused) {
    open();
    calls_.on_call = [](const model::IncomingCall& call) {
        call.via->reject(call.id, 503, "full", std::chrono::seconds(5), 0);
    };
    RawWebSocket client = connect();
    EXPECT_EQ(parsed(client.read_message()).text("type"), "welcome");
    client.send(join());
    const auto error = parsed(client.read_message());
    EXPECT_EQ(error.text("code"), "limit-reached");
    EXPECT_EQ(error.whole("status"), 503);
    EXPECT_EQ(error.whole("retry_after_s"), 5);
    EXPECT_EQ(error.text("detail"), "full");
    EXPECT_EQ(client.read_message().code(), 1008);
    EXPECT_EQ(left(), 0U);
}

TEST_F(Browser, CandidatesGoToTheCall) {
    open();
    const auto client = joined();
    client->send(R"({"type":"candidate","candidate":"candidate:1 1 udp 1 192.0.2.1 1 typ host"})");
    client->send(R"({"type":"candidate","candidate":null})");
    EXPECT_TRUE(calls_.wait_for("end of candidates"));
    EXPECT_THAT(calls_.notes(), Contains("candidate:1 1 udp 1 192.0.2.1 1 typ host"));
}

TEST_F(Browser, ANewOfferIsAnswered) {
    open();
    calls_.on_offer =
        [&](const model::CallId& id, const std::string& offer, std::uint32_t exchange) {
            if (offer == web_offer("sendrecv", "wxyz"))
                signaller_->answer(id, web_answer("v=0 again"), exchange);
            else
                signaller_->reject(id, 488, "no", std::nullopt, exchange);
        };
    const auto client = joined();
    client->send(R"({"type":"offer","id":7,"sdp":)" + quoted(web_offer("sendrecv", "wxyz")) + "}");
    auto answer = parsed(client->read_message());
    EXPECT_EQ(answer.text("type"), "answer");
    EXPECT_EQ(answer.whole("id"), 7);
    EXPECT_EQ(answer.text("sdp"), "v=0 again");
    client->send(R"({"type":"offer","id":8,"sdp":)" + quoted(web_offer("sendonly")) + "}");
    answer = parsed(client->read_message());
    EXPECT_EQ(answer.text("type"), "error");
    EXPECT_EQ(answer.whole("id"), 8);
    EXPECT_EQ(answer.whole("status"), 406);
    client->send(R"({"type":"candidate","candidate":""})");  // it goes on
    EXPECT_TRUE(calls_.wait_for("end of candidates"));
}

TEST_F(Browser, NonsenseIsComplainedAbout) {
    open();
    RawWebSocket client = connect();
    EXPECT_EQ(parsed(client.read_message()).text("type"), "welcome");
    for (const char* nonsense :
         {"", "[]", "{", "{}", R"({"type":7})", R"({"type":"offer","sdp":"x"})", "\"join\""}) {
        client.send(nonsense);
        EXPECT_EQ(parsed(client.read_message()).text("code"), "malformed") << nonsense;
    }
    client.send(std::string(100'000, '['));
    EXPECT_NE(client.read_message().opcode, 1);
    EXPECT_TRUE(calls_.notes().empty());
}

TEST_F(Browser, JoinsOnce) {
    open();
    const auto client = joined();
    client->send(join());
    EXPECT_EQ(parsed(client->read_message()).text("code"), "conflict");
    EXPECT_EQ(left(), 2U);
}

TEST_F(Browser, OffersThatAreNoneEndIt) {
    open();
    RawWebSocket client = connect();
    EXPECT_EQ(parsed(client.read_message()).text("type"), "welcome");
    client.send(join("v=0\r\nm=audio 9 RTP/AVP 0\r\n"));
    EXPECT_EQ(parsed(client.read_message()).text("code"), "not-acceptable");
    EXPECT_EQ(client.read_message().code(), 1008);
}

TEST_F(Browser, HasToJoinInTime) {
    open({}, {.join_limit = std::chrono::milliseconds(50)});
    RawWebSocket client = connect();
    EXPECT_EQ(parsed(client.read_message()).text("type"), "welcome");
    EXPECT_EQ(parsed(client.read_message()).text("code"), "timeout");
    EXPECT_EQ(client.read_message().code(), 1008);
}

TEST_F(Browser, MayNotFlood) {
    open({}, {.max_messages = 20});
    RawWebSocket client = connect();
    EXPECT_EQ(parsed(client.read_message()).text("type"), "welcome");
    for (int i = 0; i < 21; ++i) client.send("{}");
    for (int i = 0; i < 20; ++i) EXPECT_EQ(parsed(client.read_message()).text("code"), "malformed");
    EXPECT_EQ(parsed(client.read_message()).text("code"), "too-many");
    EXPECT_EQ(client.read_message().code(), 1008);
}

TEST_F(Browser, HasToSayWhomItCalls) {
    open();
    for (const char* query : {"", "?to=", "?to=a%20b", "?too=a"}) {
        EXPECT_EQ(connect(std::string(kBrowserPath) + query).answer().status, 400) << query;
    }
}

TEST_F(Browser, ConnectionsAreBounded) {
    open({}, {.max_sockets = 1});
    const auto first = joined();
    const RawWebSocket second = connect();
    EXPECT_EQ(second.answer().status, 503);
    EXPECT_EQ(second.answer().headers.count("retry-after"), 1U);
}

// Origin is the browser's word for who asks; without one it is a program of this machine.
TEST_F(Browser, WithoutATokenPagesOfOursAndThisMachineMayJoin) {
    open({}, {.origins = {"https://app.example.com"}});
    const std::string target = std::string(kBrowserPath) + "?to=a";
    EXPECT_TRUE(connect(target, "Origin: https://app.example.com\r\n").is_open());
    EXPECT_EQ(connect(target, "Origin: https://evil.example\r\n").answer().status, 403);
    EXPECT_EQ(connect(target, "Origin: null\r\n").answer().status, 403);
    EXPECT_TRUE(connect(target, "X: no origin\r\n").is_open());
    for (const char* origin : {"Origin: https://app.example.com\r\n", ""}) {
        EXPECT_EQ(
            connect(target, std::string(origin) + "X-Forwarded-For: 192.0.2.1\r\n").answer().status,
            403);
    }
}

TEST_F(Browser, TheTokenComesWithTheJoinOrTheRequest) {
    open("s3cret", {.origins = {"https://app.example.com"}});
    const std::string target = std::string(kBrowserPath) + "?to=a";
    EXPECT_EQ(connect(target, "X: no origin\r\n").answer().status, 401);
    EXPECT_EQ(connect(target, "Authorization: Bearer wrong\r\n").answer().status, 401);
    for (const bool has_header : {true, false}) {
        RawWebSocket client = connect(target,
                                      has_header ? "Authorization: Bearer s3cret\r\n"
                                                 : "Origin: https://app.example.com\r\n");
        ASSERT_TRUE(client.is_open());
        EXPECT_EQ(parsed(client.read_message()).text("type"), "welcome");
        client.send(join(web_offer(), has_header ? "" : R"(,"token":"s3cret")"));
        EXPECT_EQ(parsed(client.read_message()).text("type"), "answer");
    }
    for (const char* more : {"", R"(,"token":"")", R"(,"token":"wrong")"}) {
        RawWebSocket client = connect(target, "Origin: https://app.example.com\r\n");
        EXPECT_EQ(parsed(client.read_message()).text("type"), "welcome");
        client.send(join(web_offer(), more));
        EXPECT_EQ(parsed(client.read_message()).text("code"), "unauthorized") << more;
        EXPECT_EQ(client.read_message().code(), 1008);
    }
}

TEST_F(Browser, GoingDownEndsItsCalls) {
    open();
    const auto client = joined();
    loop_.run([&] { endpoint_.reset(); });
    EXPECT_TRUE(calls_.wait_for("ended drained"));
    EXPECT_EQ(client->read_message().code(), 1001);
}

}  // namespace
}  // namespace offhook::signalling::web

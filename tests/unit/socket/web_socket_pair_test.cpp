// Both ends are ours here; strangers are in tests/integration/socket.
#include <algorithm>

#include "recorder.h"
#include "socket/web_socket_listener.h"

namespace offhook::socket {
namespace {

constexpr std::int64_t kMs = base::kNsPerMs;

class WebSocketPair : public ::testing::Test {
protected:
    void SetUp() override {
        auto made = EventLoop::create();
        ASSERT_TRUE(made);
        loop = std::move(*made);
    }
    void TearDown() override {
        client.link.reset();
        server.link.reset();
        listener.reset();
    }

    void listen() {
        auto opened = WebSocketListener::open(*loop, settings, [this](const UpgradeRequest& asked) {
            request = asked;
            return decide ? decide(asked) : accept();
        });
        ASSERT_TRUE(opened) << opened.error().text();
        listener = std::move(*opened);
    }
    UpgradeAnswer accept(std::string subprotocol = {}) {
        UpgradeAnswer answer;
        answer.subprotocol = std::move(subprotocol);
        answer.events = &server;
        answer.take = [this](std::unique_ptr<Link> link) { server.link = std::move(link); };
        return answer;
    }
    void dial() {
        dialled.url = "ws://127.0.0.1:" + std::to_string(listener->port()) + dialled.url;
        auto link = socket::dial(*loop, dialled, client);
        ASSERT_TRUE(link) << link.error().text();
        client.link = std::move(*link);
    }
    void connect() {
        listen();
        dial();
        ASSERT_TRUE(turn_until(*loop, [this] { return client.is_opened && server.is_opened; }))
            << client.ending();
    }
    bool until(const std::function<bool()>& done) { return turn_until(*loop, done); }

    std::unique_ptr<EventLoop> loop;
    WebSocketListener::Settings settings;
    DialSettings dialled;
    std::function<UpgradeAnswer(const UpgradeRequest&)> decide;
    UpgradeRequest request;
    Recorder client, server;
    std::unique_ptr<WebSocketListener> listener;
};

TEST_F(WebSocketPair, carries_texts_and_bytes_of_all_lengths_both_ways_in_order) {
    dialled.limits.max_queued_bytes = settings.limits.max_queued_bytes = 8U << 20U;
    connect();
    std::vector<std::string> expected;
    for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 65535UL, 65536UL, 1UL << 20U}) {
        std::string payload(size, '\0');
        for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>('0' + i % 75);
        ASSERT_TRUE(client.link->send_text(payload));
        ASSERT_TRUE(server.link->send_text(payload));
        expected.push_back("t" + payload);
        for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(i * 7);
        ASSERT_TRUE(client.link->send_binary(bytes_of(payload)));
        ASSERT_TRUE(server.link->send_binary(bytes_of(payload)));
        expected.push_back("b" + payload);
    }
    ASSERT_TRUE(until([&] {
        return client.messages.size() == expected.size() &&
               server.messages.size() == expected.size();
    })) << client.ending()
        << server.ending();
    EXPECT_TRUE(client.messages == expected);
    EXPECT_TRUE(server.messages == expected);
    EXPECT_EQ(client.link->counters().sent_messages, expected.size());
    EXPECT_EQ(client.link->counters().received_messages, expected.size());
    EXPECT_EQ(client.link->counters().sent_bytes, server.link->counters().received_bytes);
    EXPECT_EQ(client.link->counters().queued_bytes, 0U);
}

TEST_F(WebSocketPair, tells_the_listener_who_asks_for_what) {
    dialled.url = "/media/a%20b?x=1%20";
    dialled.headers = {{"X-Call", "42"}};
    dialled.secret_headers = {{"Authorization", base::Secret("Bearer x")}};
    dialled.subprotocol = "media";
    decide = [this](const UpgradeRequest&) { return accept("media"); };
    connect();
    EXPECT_EQ(request.path, "/media/a b");
    EXPECT_EQ(request.query, "x=1%20");
    EXPECT_EQ(request.subprotocols, std::vector<std::string>{"media"});
    EXPECT_TRUE(request.peer.starts_with("127.0.0.1:")) << request.peer;
    const auto has = [&](const char* name, const char* value) {
        return std::count(request.headers.begin(),
                          request.headers.end(),
                          std::pair<std::string, std::string>(name, value)) == 1;
    };
    EXPECT_TRUE(has("x-call", "42"));
    EXPECT_TRUE(has("authorization", "Bearer x"));
}

TEST_F(WebSocketPair, refuses_with_the_status_that_was_decided) {
    decide = [](const UpgradeRequest&) {
        UpgradeAnswer answer;
        answer.status = 409;
        answer.text = "The call has its bot already.\n";
        return answer;
    };
    listen();
    dial();
    ASSERT_TRUE(until([&] { return client.end.has_value(); }));
    EXPECT_EQ(client.ending(), "refused 409");
    EXPECT_EQ(client.end->detail, "409 Conflict");
    EXPECT_FALSE(client.is_opened);
}

TEST_F(WebSocketPair, closes_with_code_and_reason_after_what_was_queued) {
    connect();
    ASSERT_TRUE(client.link->send_text("last words"));
    client.link->close(4000, "bye");
    EXPECT_FALSE(client.link->is_open());
    EXPECT_FALSE(client.link->send_text("too late"));
    EXPECT_FALSE(client.end) << "told from inside close()";
    ASSERT_TRUE(until([&] { return client.end && server.end; }));
    EXPECT_EQ(server.messages, std::vector<std::string>{"tlast words"});
    EXPECT_EQ(server.ending(), "closed-by-peer 4000");
    EXPECT_EQ(server.end->detail, "bye");
    EXPECT_EQ(client.ending(), "closed-by-us 4000");
}

TEST_F(WebSocketPair, a_link_closed_before_it_opened_ends_in_the_next_turn) {
    listen();
    dial();
    client.link->close(1000, {});
    EXPECT_FALSE(client.end);
    ASSERT_TRUE(until([&] { return client.end.has_value(); }));
    EXPECT_EQ(client.ending(), "closed-by-us 1000");
}

TEST_F(WebSocketPair, answers_pings_and_measures_the_round_trip) {
    dialled.limits.ping_every_ns = 5 * kMs;
    connect();
    EXPECT_EQ(client.link->counters().round_trip_ns, -1);
    ASSERT_TRUE(until([&] { return client.link->counters().round_trip_ns >= 0; }));
    EXPECT_LT(client.link->counters().round_trip_ns, kTestLimit_ns);
    EXPECT_FALSE(client.end);
}

TEST_F(WebSocketPair, refuses_a_message_that_does_not_fit_and_counts_it) {
    dialled.limits.max_queued_bytes = 1000;
    dialled.limits.slow_timeout_ns = 100 * kMs;
    connect();
    const std::string too_much(1001, 'x'), fits(800, 'x');
    EXPECT_FALSE(client.link->send_text(too_much));
    EXPECT_TRUE(client.link->send_text(fits));
    EXPECT_FALSE(client.link->send_text(fits));
    EXPECT_EQ(client.link->counters().refused_messages, 2U);
    bool is_later = false;
    const auto later = loop->after(300 * kMs, [&] { is_later = true; });
    ASSERT_TRUE(until([&] { return is_later; }));
    EXPECT_EQ(server.messages.size(), 1U);
    EXPECT_FALSE(client.end) << "the queue did not stay full";
    EXPECT_TRUE(client.link->send_text(fits));
}

TEST_F(WebSocketPair, a_message_over_the_limit_ends_the_link_with_1009) {
    settings.limits.max_message_bytes = 100;
    connect();
    ASSERT_TRUE(client.link->send_text(std::string(101, 'x')));
    ASSERT_TRUE(until([&] { return client.end && server.end; }));
    EXPECT_EQ(server.ending(), "protocol 1009");
    EXPECT_EQ(client.ending(), "closed-by-peer 1009");
}

TEST_F(WebSocketPair, text_that_is_not_utf8_ends_the_link_with_1007) {
    connect();
    ASSERT_TRUE(client.link->send_text("\xC3\x28"));
    ASSERT_TRUE(until([&] { return client.end && server.end; }));
    EXPECT_EQ(server.ending(), "protocol 1007");
    EXPECT_EQ(client.ending(), "closed-by-peer 1007");
}

TEST_F(WebSocketPair, a_link_that_is_destroyed_is_a_reset_to_its_peer) {
    connect();
    client.link.reset();
    ASSERT_TRUE(until([&] { return server.end.has_value(); }));
    EXPECT_EQ(server.ending(), "reset 0");
}

TEST_F(WebSocketPair, a_link_may_go_from_inside_each_of_its_events) {
    for (const int where : {0, 1, 2}) {
        client = {};
        server = {};
        dialled.url.clear();
        if (where == 0) client.when_open = [&] { client.link.reset(); };
        if (where == 1) client.when_message = [&] { client.link.reset(); };
        if (where == 2) client.when_closed = [&] { client.link.reset(); };
        server.when_open = [&] {
            // More than one message, so that some are left when the link goes in the first.
            for (int i = 0; i < 3; ++i) server.link->send_text("hello");
            if (where == 2) server.link->close(1001, {});
        };
        listen();
        dial();
        ASSERT_TRUE(until([&] { return server.end && !client.link; })) << where;
        EXPECT_EQ(client.messages.size(), where == 0 ? 0U : where == 1 ? 1U : 3U);
        EXPECT_EQ(client.end.has_value(), where == 2);
    }
}

TEST_F(WebSocketPair, the_other_end_may_go_from_inside_an_event) {
    connect();
    client.when_message = [&] { server.link.reset(); };
    ASSERT_TRUE(server.link->send_text("a"));
    ASSERT_TRUE(until([&] { return client.end.has_value(); }));
    EXPECT_EQ(client.ending(), "reset 0");
}

TEST_F(WebSocketPair, the_listener_may_go_while_it_is_asked_and_the_link_while_it_is_taken) {
    decide = [&](const UpgradeRequest&) {
        UpgradeAnswer answer = accept();
        answer.take = [&](std::unique_ptr<Link> link) { link.reset(); };
        loop->defer([&] { listener.reset(); });
        return answer;
    };
    listen();
    dial();
    ASSERT_TRUE(until([&] { return client.end.has_value(); }));
    EXPECT_EQ(client.ending(), "reset 0");
    EXPECT_EQ(listener, nullptr);
}

}  // namespace
}  // namespace offhook::socket

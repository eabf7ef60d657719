// What clients must not do to the WebSocket of channels, and what then becomes of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/monotonic.h"
#include "web_signalling/channel_door_test.h"

namespace offhook::signalling::web {
namespace {

using testing::ChannelClient;
using testing::quoted;
using testing::web_offer;

constexpr const char* kTokenSha256 =  // of "s3cret"
    "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0";

class ChannelAbuse : public testing::ChannelDoorTest {
protected:
    /// Refused before it joined. @return the code of the error
    std::string refused(ChannelClient& client, int close_code = 1008) {
        const auto error = client.next("error");
        EXPECT_EQ(client.close_code(), close_code);
        return error.text("code").value_or("");
    }
    std::string minted(const std::string& user, model::MemberRole role, std::int64_t life_s = 60) {
        auto token =
            join_tokens_->mint({.user = user,
                                .channel = "lobby",
                                .name = {},
                                .role = role,
                                .expires_s = base::realtime_ns() / base::kNsPerS + life_s});
        return token.value_or("");
    }
};

TEST_F(ChannelAbuse, TokensSayWhoJoinsAndWhere) {
    open_channels({},
                  {{.name = "ops",
                    .user = "operator",
                    .sha256 = kTokenSha256,
                    .scopes = {access::Scope::Operate}}});
    {
        const auto anna = client();
        const auto joined =
            anna->join("eve", R"(,"token":")" + minted("anna", model::MemberRole::Listen) + "\"");
        EXPECT_EQ(joined.text("role"), "listen");
        EXPECT_EQ(joined.objects("members").at(0).text("user"), "anna");
        EXPECT_EQ(joined.objects("members").at(0).text("name"), "anna");
    }
    {
        const auto ben = client("Authorization: Bearer s3cret\r\n");
        const auto joined = ben->join("ben");
        EXPECT_EQ(joined.objects("members").back().text("user"), "ben");
    }
    const auto elsewhere = client();
    elsewhere->ask(
        "anna", R"(,"token":")" + minted("anna", model::MemberRole::Speaker) + "\"", "studio");
    EXPECT_EQ(refused(*elsewhere), "not-allowed");
    for (const char* token : {"", R"(,"token":"wrong")", R"(,"token":"ohj1.e30.AAAA")"}) {
        const auto eve = client();
        eve->ask("anna", token);
        EXPECT_EQ(refused(*eve), "unauthorized") << token;
    }
    EXPECT_EQ(client("X: no origin\r\n")->socket().answer().status, 401);
    EXPECT_EQ(client("Origin: https://evil.example\r\n")->socket().answer().status, 403);
}

TEST_F(ChannelAbuse, AnotherMachineNeedsAToken) {
    open_channels();
    const auto far = client("Origin: http://" + address_ + "\r\nX-Forwarded-For: 192.0.2.1\r\n");
    EXPECT_EQ(far->socket().answer().status, 403);
    EXPECT_EQ(loop_.run([&] { return registry_->connections().size(); }), 0U);
}

TEST_F(ChannelAbuse, WhatComesBeforeJoinedEndsIt) {
    open_channels();
    for (const auto& [message, code] :
         {std::pair{std::string("{"), "malformed"},
          std::pair{std::string(R"({"type":"offer","sdp":)") + quoted(web_offer()) + "}",
                    "conflict"},
          std::pair{std::string(R"({"type":"mute","muted":true})"), "conflict"},
          std::pair{std::string(R"({"type":"join","channel":"a b","user":"x"})"), "malformed"},
          std::pair{std::string(R"({"type":"join","channel":"lobby"})"), "invalid-argument"},
          std::pair{std::string(R"({"type":"join","channel":"nowhere","user":"x"})"),
                    "not-found"}}) {
        const auto eve = client();
        eve->next("welcome");
        eve->send(message);
        EXPECT_EQ(refused(*eve), code) << message;
    }
    EXPECT_TRUE(is_all_gone());
}

TEST_F(ChannelAbuse, AFullChannelSaysSo) {
    open_channels();
    loop_.run([&] { channels_->max_members = 1; });
    const auto anna = client();
    anna->join("anna");
    const auto ben = client();
    ben->ask("ben");
    EXPECT_EQ(refused(*ben), "conflict");
}

TEST_F(ChannelAbuse, HasToJoinInTime) {
    open_channels({.join_limit = std::chrono::milliseconds(50)});
    const auto eve = client();
    EXPECT_EQ(refused(*eve, 4003), "timeout");
    EXPECT_TRUE(is_all_gone());
    EXPECT_EQ(loop_.run([&] { return registry_->counters().reaped_half_open; }), 1U);
}

TEST_F(ChannelAbuse, NonsenseIsComplainedAboutAndNothingElse) {
    open_channels();
    const auto anna = client();
    anna->join("anna");
    for (const std::string& nonsense :
         {std::string(),
          std::string("[]"),
          std::string("{}"),
          std::string(R"({"type":7})"),
          std::string(R"({"type":"mute"})"),
          std::string(R"({"type":"stats","report":7})"),
          std::string(R"({"type":"stats","report":{"a":{}}})"),
          std::string(R"({"type":"stats","report":{"a b":1}})"),
          R"({"type":"stats","report":{"a":")" + std::string(5'000, 'x') + "\"}}",
          R"({"type":"candidate","candidate":")" + std::string(513, 'x') + "\"}",
          R"({"type":"join","channel":"lobby","user":"x","name":")" + std::string(65, 'x') + "\"}",
          std::string(R"({"type":"join","channel":"lobby","user":"x\u0007"})"),
          std::string(200, '['),
          "{\"type\":\"offer\",\"sdp\":\"" + std::string(33'000, 'x') + "\"}"}) {
        anna->send(nonsense);
        EXPECT_EQ(anna->next("error").text("code"), "malformed") << nonsense.substr(0, 80);
    }
    anna->send(R"({"type":"join","channel":"lobby","user":"anna"})");
    EXPECT_EQ(anna->next("error").text("code"), "conflict");
    anna->send(R"({"type":"candidate","candidate":"candidate:1"})");
    EXPECT_EQ(anna->next("error").text("code"), "conflict");
    anna->send(R"({"type":"offer","id":6,"sdp":"v=0\r\nm=audio 9 RTP/AVP 0\r\n"})");
    const auto error = anna->next("error");
    EXPECT_EQ(error.text("code"), "not-acceptable");
    EXPECT_EQ(error.whole("id"), 6);
    EXPECT_TRUE(calls_.notes().empty());
    anna->send(std::string(70'000, ' '));
    anna->close_code();
    EXPECT_EQ(loop_.run([&] { return registry_->history().at(0).end; }),
              connection::EndReason::Limit);
}

TEST_F(ChannelAbuse, MutatedMessagesAreReadOrComplainedAbout) {
    const std::vector<std::string> seeds = {
        R"({"type":"join","channel":"lobby","token":"t","user":"anna","name":"Anna","resume":"00"})",
        R"({"type":"offer","sdp":)" + quoted(web_offer()) + R"(,"id":1})",
        R"({"type":"candidate","candidate":"candidate:1 1 udp 1 192.0.2.1 1 typ host"})",
        R"({"type":"mute","muted":true})",
        R"({"type":"leave"})",
        R"({"type":"ping","t":1234.5})",
        R"({"type":"diagnose","id":9})",
        R"({"type":"stats","report":{"a":1,"b":"x","c":true,"d":null}})"};
    std::mt19937 random(6);
    const auto below = [&](std::size_t n) { return std::size_t{random()} % n; };
    std::size_t read = 0;
    for (const std::string& seed : seeds) {
        EXPECT_TRUE(read_channel_message(seed)) << seed;
        for (int i = 0; i < 1'000; ++i) {
            std::string text = seed;
            for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
                const std::size_t at = below(text.size());
                switch (below(4)) {
                    case 0:
                        text[at] = static_cast<char>(below(256));
                        break;
                    case 1:
                        text.erase(at, 1 + below(8));
                        break;
                    case 2:
                        text.insert(at, std::string(1 + below(40), "[{\"\\,0"[below(6)]));
                        break;
                    default:
                        text.insert(at, text.substr(below(text.size()), below(20)));
                }
                if (text.empty()) text = " ";
            }
            const auto message = read_channel_message(text);
            if (message) {
                ++read;
            } else {
                EXPECT_FALSE(message.error().refusal.code.empty());
                EXPECT_FALSE(message.error().refusal.detail.empty());
            }
        }
    }
    EXPECT_GT(read, 100U);
    EXPECT_LT(read, 7'900U);
}

TEST_F(ChannelAbuse, MayNotFlood) {
    open_channels({.max_messages = 20});
    const auto anna = client();
    anna->join("anna");
    for (int i = 0; i < 20; ++i) anna->send(R"({"type":"ping","t":1})");
    const auto error = anna->next("error");
    EXPECT_EQ(error.text("code"), "too-many");
    EXPECT_EQ(error.whole("status"), 429);
    EXPECT_EQ(anna->close_code(), 4004);
    EXPECT_TRUE(is_all_gone());
}

// Its place is kept: it may have been a slow moment.
TEST_F(ChannelAbuse, WhoDoesNotReadIsDropped) {
    ChannelSettings settings;
    settings.websocket.max_queue_bytes = 8 * 1024;
    open_channels(settings);
    const auto anna = client();
    anna->join("anna");
    loop_.run([&] {
        const std::vector<model::MemberId> many(1'000, "m-0123456789ab");
        for (int i = 0; i < 5'000 && registry_->connections().size() == 1; ++i)
            channels_->speak("lobby", many);
    });
    EXPECT_TRUE(channels_->wait_for("away anna"));
    EXPECT_EQ(loop_.run([&] { return registry_->history().at(0).end; }),
              connection::EndReason::Slow);
}

TEST_F(ChannelAbuse, EveryCrashIsCleanedUp) {
    open_channels({.resume_limit = std::chrono::milliseconds(20)});
    for (int i = 0; i < 20; ++i) {
        const std::string user = "user" + std::to_string(i % 7);
        auto each = client();
        if (i % 4 == 0) continue;
        each->ask(user);
        if (i % 4 == 1) continue;
        each->next("joined");
        if (i % 4 == 2) continue;
        each->offer(web_offer(), i);
    }
    EXPECT_TRUE(is_all_gone());
}

}  // namespace
}  // namespace offhook::signalling::web

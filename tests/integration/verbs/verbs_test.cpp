// A bot that is not ours to write (Python's websockets), on real calls: verbs by policy of the route,
// keys and hold, what the API shows, and what follows when it is gone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <csignal>
#include <fstream>
#include <optional>

#include "harness/call_test.h"
#include "harness/own_caller.h"

namespace offhook::harness {
namespace {

using ::testing::HasSubstr;

class VerbsTest : public CallTest {
protected:
    /// The bot says `messages` on each connection; `route` are lines of the route, `more` tables.
    void begin(const std::vector<std::string>& messages,
               const std::string& route,
               const std::string& more = {}) {
        start_bot(messages, "0");
        where_ = "127.0.0.1:" + port_;
        Daemon::Options options;
        options.more = more + "[[ai]]\nname = \"bot\"\nprotocol = \"plain\"\nurl = \"ws://" +
                       where_ + "/call?token=rosebud\"\n[[ai]]\nname = \"echo\"\n" +
                       "[[route]]\nname = \"all\"\nai = \"bot\"\n" + route;
        start(options);
    }
    void start_bot(const std::vector<std::string>& messages, const std::string& port) {
        std::vector<std::string> argv{"/usr/bin/python3", ::getenv("OFFHOOK_PLAIN_BOT")};
        argv.insert(argv.end(), messages.begin(), messages.end());
        Process::Options options;
        options.has_ready_fd = true;
        options.env["BOT_PORT"] = port;
        bot_.emplace(argv, options);
        port_ = bot_->ready_line(seconds(10));
        ASSERT_FALSE(port_.empty()) << bot_->output();
    }
    bool hears(const std::string& text) { return bot_->wait_output(text, seconds(10)).has_value(); }
    Json call(const std::string& id) { return daemon_->json("/api/v1/calls/" + id); }
    ::testing::AssertionResult becomes(const std::string& id,
                                       const std::string& member,
                                       const std::string& wanted) {
        std::string now;
        if (eventually(seconds(15), &daemon_->process(), [&] {
                now = call(id).text(member);
                return now == wanted;
            }))
            return ::testing::AssertionSuccess();
        return ::testing::AssertionFailure() << member << " stayed " << now;
    }
    /// One second of a tone, 16 bits, 8 kHz, mono.
    std::string prompt() {
        const auto path = folder_ / "sorry.wav";
        std::string data;
        for (int i = 0; i < 8000; ++i) {
            const auto sample = static_cast<int>(8000 * std::sin(i * 0.345));
            data += static_cast<char>(sample & 0xff);
            data += static_cast<char>(sample >> 8 & 0xff);
        }
        const auto u32 = [](std::size_t n) {
            std::string out;
            for (unsigned i = 0; i < 32; i += 8) out += static_cast<char>(n >> i & 0xff);
            return out;
        };
        std::ofstream(path, std::ios::binary)
            << "RIFF" << u32(36 + data.size()) << "WAVEfmt " << u32(16)
            << std::string("\1\0\1\0", 4) << u32(8000) << u32(16000) << std::string("\2\0\20\0", 4)
            << "data" << u32(data.size()) << data;
        return "[[prompt]]\nname = \"sorry\"\nfile = \"" + path.string() + "\"\n";
    }

    std::optional<Process> bot_;
    std::string port_, where_;
};

TEST_F(VerbsTest, AVerbThatTheRouteDoesNotAllowIsAnEvent) {
    begin({R"({"type":"hangup","id":"a"})",
           R"({"type":"transfer","target":"sip:b@127.0.0.1","id":"b"})"},
          "verbs = [\"dtmf\"]\n");
    Scenario scenario = answered();
    scenario.pause(seconds(3)).bye().receive(200);
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    const std::string id = daemon_->only_call();
    ASSERT_TRUE(becomes(id, "ai.state", "live"));
    EXPECT_TRUE(hears(R"("verb":"hang-up","id":"a","state":"refused")")) << bot_->output();
    EXPECT_TRUE(hears(R"("verb":"transfer","id":"b","state":"refused")")) << bot_->output();
    ASSERT_TRUE(daemon_->wait_event("ai.refused"));
    const HttpAnswer answer = daemon_->get("/api/v1/calls/" + id);
    const Json json(answer.body);
    EXPECT_EQ(json.text("ai.name"), "bot");
    EXPECT_EQ(json.text("ai.protocol"), "plain");
    EXPECT_EQ(json.text("ai.at"), where_);
    EXPECT_EQ(json.number("ai.connections"), 1);
    EXPECT_EQ(json.number("ai.refused_verbs"), 2);
    EXPECT_EQ(json.text("state"), "answered");
    EXPECT_EQ(answer.body.find("rosebud"), std::string::npos);
    EXPECT_THAT(daemon_->get("/metrics").body,
                HasSubstr("offhook_ai_verbs_total{result=\"refused\",verb=\"hang-up\"} 1\n"));
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    EXPECT_TRUE(hears(R"("type":"stop","reason":"caller-hangup")")) << bot_->output();
    EXPECT_TRUE(hears("closed 1000")) << bot_->output();
    EXPECT_EQ(daemon_->process().output().find("rosebud"), std::string::npos);
}

TEST_F(VerbsTest, ItsSocketIsAConnectionThatAnOperatorMayEnd) {
    begin({}, "");
    Scenario scenario = answered();
    scenario.pause(seconds(6)).bye().receive(200);
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    const std::string id = daemon_->only_call();
    ASSERT_TRUE(becomes(id, "ai.state", "live"));
    const auto socket = [&] { return daemon_->json("/api/v1/connections?kind=ai&channel=" + id); };
    ASSERT_TRUE(eventually(seconds(5), &daemon_->process(), [&] {
        return socket().number("items.0.sent.messages") > 0;
    })) << daemon_->get("/api/v1/connections").body;
    const Json before = socket();
    EXPECT_EQ(before.text("items.0.user"), "bot");
    EXPECT_EQ(before.text("items.0.address"), where_);
    EXPECT_EQ(before.text("items.0.protocol"), "plain");
    EXPECT_EQ(before.text("items.0.state"), "live");
    const std::string path = "/api/v1/connections/" + before.text("items.0.id");
    EXPECT_EQ(http("DELETE", daemon_->http_address(), path).status, 202);
    ASSERT_TRUE(daemon_->wait_event("ai.back"));
    EXPECT_EQ(daemon_->json(path).text("end_reason"), "removed");
    ASSERT_TRUE(eventually(
        seconds(5), &daemon_->process(), [&] { return socket().text("items.0.state") == "live"; }));
    EXPECT_NE(socket().text("items.0.id"), before.text("items.0.id"));
    EXPECT_EQ(call(id).text("state"), "answered");
    EXPECT_EQ(daemon_->json("/api/debug/websocket-stats").number("counters.removed"), 1);
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    EXPECT_TRUE(
        eventually(seconds(5), &daemon_->process(), [&] { return socket().number("total") == 0; }));
}

TEST_F(VerbsTest, HangsUpAfterItsLastWord) {
    begin({"tone 600", R"({"type":"hangup","after_speech":true})"}, "verbs = [\"hang-up\"]\n");
    start_capture();
    Scenario scenario = answered();
    scenario.receive_request("BYE").ok();
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    ASSERT_TRUE(daemon_->wait_event("ai.connected"));
    const auto ended = daemon_->wait_event("call.ended");
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->text("reason"), "ai-hangup");
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    const Json json(daemon_->get("/api/v1/calls?state=ended").body);
    EXPECT_EQ(json.number("items.0.ai.sound.given_ms"), 600);
    EXPECT_EQ(json.number("items.0.ai.sound.played_ms"), 600);
    EXPECT_EQ(json.text("items.0.ai.state"), "ended");
    EXPECT_TRUE(keeps_promise(outbound().judge()));
}

TEST_F(VerbsTest, SendsTheCallerElsewhere) {
    begin({R"({"type":"transfer","target":"sip:desk@127.0.0.1","id":"t"})"},
          "verbs = [\"transfer\"]\n");
    Scenario scenario = answered();
    scenario.receive_request("REFER").ok().pause(seconds(1)).bye().receive(200);
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    const std::string id = daemon_->only_call();
    ASSERT_TRUE(becomes(id, "transfer.target", "sip:desk@127.0.0.1"));
    EXPECT_EQ(call(id).text("transfer.by"), "us");
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    EXPECT_THAT(sipp.messages(), HasSubstr("Refer-to: <sip:desk@127.0.0.1>"));
}

TEST_F(VerbsTest, KeysGoBothWays) {
    begin({R"({"type":"dtmf","digits":"5","id":"d"})", R"({"type":"dtmf","digits":"x","id":"e"})"},
          "verbs = [\"dtmf\"]\n");
    OwnCaller caller("127.0.0.1", daemon_->sip_port());
    RtpEnd end("127.0.0.1");
    ASSERT_EQ(caller.invite({.port = end.port()}), 200);
    end.set_peer(caller.answer_port());
    ASSERT_TRUE(daemon_->wait_event("ai.connected"));
    EXPECT_TRUE(hears(R"("verb":"dtmf","id":"d","state":"done")")) << bot_->output();
    EXPECT_TRUE(hears(R"({"type":"error")")) << bot_->output();
    // Speech first, so that the source is known; then the key 7 for 100 ms (RFC 4733 §2.3).
    std::vector<MadePacket> packets = packets_of(std::vector<std::uint8_t>(160 * 10, 0xff), 20, 0);
    for (int i = 1; i <= 7; ++i) {
        const int units = std::min(i, 5) * 160;
        packets.push_back({.at_ms = 200 + i * 20,
                           .payload_type = 101,
                           .marker = i == 1,
                           .sequence = static_cast<std::uint16_t>(10 + i),
                           .timestamp = 160 * 11,
                           .payload = {7,
                                       static_cast<std::uint8_t>(i >= 5 ? 0x8a : 0x0a),
                                       static_cast<std::uint8_t>(units >> 8),
                                       static_cast<std::uint8_t>(units & 0xff)}});
    }
    end.exchange(packets, seconds(1));
    EXPECT_TRUE(hears(R"("type":"dtmf","digit":"7")")) << bot_->output();
    const bool has_key = std::any_of(end.heard().begin(), end.heard().end(), [](const auto& each) {
        return each.bytes.size() == 16 && (each.bytes[1] & 0x7f) == 101 && each.bytes[12] == 5;
    });
    EXPECT_TRUE(has_key) << "the caller got no key 5";
    EXPECT_EQ(caller.bye(), 200);
}

TEST_F(VerbsTest, HoldIsTold) {
    begin({}, "");
    OwnCaller caller("127.0.0.1", daemon_->sip_port());
    ASSERT_EQ(caller.invite({.port = 9}), 200);
    ASSERT_TRUE(daemon_->wait_event("ai.connected"));
    OwnCaller::Offer offer{.port = 9, .version = 2};
    offer.attributes.emplace_back("sendonly");
    ASSERT_EQ(caller.invite(offer), 200);
    offer.attributes.back() = "inactive";
    offer.version = 3;
    ASSERT_EQ(caller.invite(offer), 200);
    EXPECT_TRUE(hears(R"("type":"hold","held":true)")) << bot_->output();
    offer.attributes.back() = "sendrecv";
    offer.version = 4;
    ASSERT_EQ(caller.invite(offer), 200);
    EXPECT_TRUE(hears(R"("type":"hold","held":false)")) << bot_->output();
    EXPECT_EQ(caller.bye(), 200);
}

TEST_F(VerbsTest, TheNextAiTakesOver) {
    begin({}, "reconnect_s = 0\nfallback = [\"ai:echo\"]\n");
    start_capture();
    Scenario scenario = answered();
    scenario.pause(seconds(4)).bye().receive(200);
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    const std::string id = daemon_->only_call();
    ASSERT_TRUE(becomes(id, "ai.state", "live"));
    bot_->signal(SIGKILL);
    ASSERT_TRUE(becomes(id, "ai.name", "echo"));
    EXPECT_EQ(call(id).text("ai.state"), "built-in");
    EXPECT_TRUE(daemon_->wait_event("ai.fallback"));
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    EXPECT_TRUE(keeps_promise(outbound().judge()));
}

TEST_F(VerbsTest, APromptAndTheEnd) {
    begin({"close 1011"}, "reconnect_s = 0\nfallback = [\"prompt:sorry\"]\n", prompt());
    start_capture();
    Scenario scenario = answered();
    scenario.receive_request("BYE").ok();
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    const auto ended = daemon_->wait_event("call.ended");
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->text("reason"), "ai-lost");
    EXPECT_EQ(ended->text("class"), "upstream");
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    EXPECT_THAT(sipp.messages(), HasSubstr("SIP;cause=503;text=\"no bot\""));
    // The whole second of the prompt was heard before.
    const Json json(daemon_->get("/api/v1/calls?state=ended").body);
    EXPECT_GE(json.number("items.0.stats.sent_ai_frames"), 48);
    EXPECT_TRUE(keeps_promise(outbound().judge()));
}

TEST_F(VerbsTest, ALossAndAReturnAreToldOnceEach) {
    begin({}, "reconnect_s = 30\n");
    OwnCaller caller("127.0.0.1", daemon_->sip_port());
    RtpEnd end("127.0.0.1");
    ASSERT_EQ(caller.invite({.port = end.port()}), 200);
    end.set_peer(caller.answer_port());
    const std::string id = daemon_->only_call();
    ASSERT_TRUE(becomes(id, "ai.state", "live"));
    EXPECT_EQ(daemon_->json("/health").text("checks.ai.status"), "ok");
    const std::string port = port_;
    bot_.reset();
    ASSERT_TRUE(becomes(id, "ai.state", "lost"));
    const Json health = daemon_->json("/health");
    EXPECT_EQ(health.text("checks.ai.status"), "degraded");
    EXPECT_THAT(health.text("checks.ai.detail"), HasSubstr("1 of 1 calls are without their bot"));
    EXPECT_GE(call(id).number("ai.lost_ms"), 0);
    EXPECT_FALSE(call(id).text("ai.last_loss").empty());
    EXPECT_TRUE(eventually(
        seconds(10), &daemon_->process(), [&] { return call(id).number("ai.attempts") >= 3; }));
    EXPECT_EQ(daemon_->count_events("ai.lost"), 1U);
    EXPECT_THAT(daemon_->get("/metrics").body,
                HasSubstr("offhook_ai_calls{protocol=\"plain\",state=\"lost\"} 1\n"));
    start_bot({}, port);
    ASSERT_TRUE(becomes(id, "ai.state", "live"));
    EXPECT_TRUE(hears(R"("attempt":2)")) << bot_->output();
    EXPECT_EQ(call(id).number("ai.connections"), 2);
    EXPECT_EQ(call(id).number("ai.losses"), 1);
    EXPECT_GT(call(id).number("ai.last_gap_ms"), 0);
    EXPECT_EQ(daemon_->count_events("ai.back"), 1U);
    EXPECT_EQ(daemon_->json("/health").text("checks.ai.status"), "ok");
    EXPECT_THAT(daemon_->get("/metrics").body, HasSubstr("offhook_ai_reconnect_seconds_count 1\n"));
    EXPECT_EQ(caller.bye(), 200);
}

TEST_F(VerbsTest, ASecretThatIsMissingStopsTheStart) {
    const auto file = folder_ / "bad.toml";
    std::ofstream(file) << "[[ai]]\nname = \"bot\"\nprotocol = \"plain\"\nurl = "
                           "\"ws://127.0.0.1:1/\"\nbearer_file = \"/nowhere/token\"\n";
    Process daemon({offhook_program(),
                    "serve",
                    "--config",
                    file.string(),
                    "--set",
                    "http.listen=\"127.0.0.1:0\"",
                    "--set",
                    "sip.listen=[\"udp:127.0.0.1:0\"]"});
    EXPECT_EQ(daemon.wait(seconds(20)), 78);
    EXPECT_THAT(daemon.output(), HasSubstr("bearer token"));
    EXPECT_THAT(daemon.output(), HasSubstr("/nowhere/token"));
}

}  // namespace
}  // namespace offhook::harness

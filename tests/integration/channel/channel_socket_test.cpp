// Voice channels by their WebSocket, in a running daemon: webrtcbin peers that hear each other, a
// WebSocket that is lost while the sound goes on, and that nothing is left behind.

#include <cstdlib>
#include <fstream>

#include "channel_peer.h"
#include "harness/call_test.h"
#include "harness/g711.h"
#include "harness/own_caller.h"

namespace offhook::harness {
namespace {

constexpr milliseconds kConnect = seconds(10);

class ChannelSocketTest : public CallTest {
protected:
    void start_channels(const std::string& more = {}) {
        Daemon::Options options;
        options.more = "[web]\naddresses = [\"127.0.0.1\"]\n[[channel]]\nname = \"lobby\"\n" + more;
        start(options);
    }
    void TearDown() override {
        expect_schema();
        CallTest::TearDown();
    }
    /// What the leg of a browser sends.
    static WebPeer::Options says(double frequency_hz) {
        return {.sound = frequency_hz > 0 ? tone(8000, frequency_hz, 1) : Sound{}};
    }
    std::unique_ptr<ChannelPeer> peer(double frequency_hz = 0) {
        return std::make_unique<ChannelPeer>(daemon_->http_address(), log_, says(frequency_hz));
    }
    testing::AssertionResult connected(ChannelPeer& who, const std::string& user) {
        if (!who.join("lobby", user).is_valid())
            return testing::AssertionFailure() << user << " is not in: " << log_.lines().back();
        if (who.offer() != "answer")
            return testing::AssertionFailure() << "no answer: " << log_.lines().back();
        if (!who.sound().wait_connected(kConnect) || !who.sound().wait_packets(50, kConnect))
            return testing::AssertionFailure() << user << " has no sound";
        return testing::AssertionSuccess();
    }
    /// Hears it within a while.
    testing::AssertionResult hears(ChannelPeer& who, double frequency_hz) {
        double level = -127;
        const bool is_heard = eventually(seconds(10), &daemon_->process(), [&] {
            const Sound all = who.sound().heard();
            const Sound last = all.part(all.seconds() - 0.5, all.seconds());
            level = tone_level_dbov(last.samples, last.rate_hz, frequency_hz);
            return level > -30;
        });
        if (is_heard) return testing::AssertionSuccess();
        return testing::AssertionFailure() << frequency_hz << " Hz at " << level << " dBov";
    }
    /// Connections, calls and members, as the API has them.
    std::size_t count() {
        return daemon_->json("/api/v1/connections").size("items") +
               daemon_->json("/api/v1/calls").size("items") +
               daemon_->json("/api/v1/channels/lobby").size("members");
    }
    testing::AssertionResult is_all_gone(milliseconds limit) {
        if (eventually(limit, &daemon_->process(), [&] { return count() == 0; }))
            return testing::AssertionSuccess();
        return testing::AssertionFailure() << count() << " are left";
    }
    void expect_schema() {
        if (log_.lines().empty()) return;
        const auto file = folder_ / "messages.jsonl";
        std::ofstream out(file);
        for (const std::string& line : log_.lines()) out << line << '\n';
        out.close();
        Process check({"python3",
                       std::getenv("OFFHOOK_CHANNEL_CHECK"),
                       std::getenv("OFFHOOK_CHANNEL_SCHEMA"),
                       file.string()});
        EXPECT_EQ(check.wait(seconds(20)), 0) << check.output();
    }

    ChannelLog log_;
};

TEST_F(ChannelSocketTest, TwoBrowsersHearEachOther) {
    start_channels();
    const auto anna_peer = peer(600);
    ChannelPeer& anna = *anna_peer;
    const auto ben_peer = peer(1000);
    ChannelPeer& ben = *ben_peer;
    ASSERT_TRUE(connected(anna, "anna"));
    ASSERT_TRUE(connected(ben, "ben"));
    EXPECT_TRUE(hears(anna, 1000));
    EXPECT_TRUE(hears(ben, 600));
    const Json list = anna.members(2, "connected");
    EXPECT_EQ(list.text("members.0.user"), "anna");
    EXPECT_EQ(list.text("members.1.user"), "ben");
    EXPECT_TRUE(anna.next("speaking").is_valid());
    const Json stats = ben.next("stats");
    EXPECT_GT(stats.number("packets_received"), 0);
    EXPECT_GT(stats.number("packets_sent"), 0);
    EXPECT_GT(stats.number("level_dbov"), -40);
    ben.send(R"({"type":"stats","report":{"packets_sent":50,"path":"host","muted":false}})");
    ben.send(R"({"type":"diagnose","id":4})");
    EXPECT_EQ(ben.next("diagnosis").number("id"), 4);
    ben.send(R"({"type":"ping","t":12.5})");
    EXPECT_EQ(ben.next("pong").number("t"), 12.5);
    EXPECT_EQ(count(), 6U);
    anna.send(R"({"type":"leave"})");
    EXPECT_FALSE(anna.next("nothing more").is_valid());
    EXPECT_EQ(anna.close_code(), 4006);
    ben.send(R"({"type":"leave"})");
    EXPECT_TRUE(is_all_gone(seconds(5)));
}

TEST_F(ChannelSocketTest, SoundGoesOnWithoutItsWebSocket) {
    start_channels();
    const auto anna_peer = peer(600);
    ChannelPeer& anna = *anna_peer;
    const auto ben_peer = peer();
    ChannelPeer& ben = *ben_peer;
    ASSERT_TRUE(connected(anna, "anna"));
    ASSERT_TRUE(connected(ben, "ben"));
    ASSERT_TRUE(hears(ben, 600));
    const std::string member = anna.member();
    ben.members(2, "connected");
    anna.lose_socket();
    ASSERT_TRUE(ben.members(1, "away").is_valid());
    ben.sound().forget();
    ASSERT_TRUE(anna.sound().wait_more(100, seconds(5)));
    EXPECT_TRUE(hears(ben, 600));
    const Json joined = anna.join("lobby", "anna", true);
    ASSERT_TRUE(joined.is_valid());
    EXPECT_EQ(joined.text("member"), member);
    EXPECT_EQ(joined.size("members"), 2U);
    ASSERT_TRUE(ben.members(2, "connected").is_valid());
    ASSERT_TRUE(anna.sound().wait_more(50, seconds(5)));
    const RtpVerdict verdict = anna.sound().wire().judge();
    EXPECT_EQ(verdict.sequence_breaks, 0U) << verdict.text();
    EXPECT_EQ(verdict.ssrcs, 1U);
    EXPECT_LT(verdict.longest_gap_ms, max_gap_ms()) << verdict.text();
    // Heard without a break all the time: a leave would have been one.
    const Sound heard = ben.sound().heard();
    const auto tones = heard_tones(heard, {600});
    ASSERT_FALSE(tones.empty());
    double audible_s = 0;
    for (const HeardTone& each : tones) audible_s += each.length_s;
    EXPECT_GT(audible_s, heard.seconds() - 0.3);
}

TEST_F(ChannelSocketTest, WhoDoesNotComeBackIsGone) {
    start_channels();
    const auto anna_peer = peer(600);
    ChannelPeer& anna = *anna_peer;
    const auto ben_peer = peer();
    ChannelPeer& ben = *ben_peer;
    ASSERT_TRUE(connected(anna, "anna"));
    ASSERT_TRUE(connected(ben, "ben"));
    EXPECT_EQ(count(), 6U);
    anna.lose_socket();
    ben.lose_socket();
    ben.sound().vanish();
    EXPECT_TRUE(is_all_gone(seconds(15)));
}

TEST_F(ChannelSocketTest, APhoneCallIsAMemberAsWell) {
    start_channels("[[route]]\nname = \"phones\"\nto = \"lobby\"\nchannel = \"lobby\"\n");
    const auto anna_peer = peer(600);
    ChannelPeer& anna = *anna_peer;
    ASSERT_TRUE(connected(anna, "anna"));
    RtpEnd phone("127.0.0.1");
    OwnCaller caller("127.0.0.1", daemon_->sip_port(), "", "lobby");
    ASSERT_EQ(caller.invite({.port = phone.port()}), 200);
    phone.set_peer(caller.answer_port());
    const Json list = anna.members(2, "connected");
    ASSERT_TRUE(list.is_valid());
    EXPECT_EQ(list.text("members.1.kind"), "phone");
    std::vector<std::uint8_t> said;
    for (const std::int16_t sample : tone(8000, 1300, 2).samples) said.push_back(mulaw_of(sample));
    phone.exchange(packets_of(said, 20, 0), seconds(2));
    EXPECT_TRUE(hears(anna, 1300));
    const Sound heard = phone.stream().sound("PCMU");
    EXPECT_GT(tone_level_dbov(heard.part(1, 2).samples, 8000, 600), -30);
    EXPECT_EQ(caller.bye(), 200);
    EXPECT_TRUE(anna.members(1, "connected").is_valid());
}

}  // namespace
}  // namespace offhook::harness

// Phones in a voice channel, and a call that is supervised: judged by tones and by a capture.

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "harness/call_test.h"
#include "harness/g711.h"
#include "harness/own_caller.h"

namespace offhook::harness {
namespace {

constexpr double kAnnaHz = 500;
constexpr double kBertHz = 900;
constexpr double kCarlHz = 1300;

std::vector<MadePacket> said(double hz, double length_s) {
    std::vector<std::uint8_t> bytes;
    for (const std::int16_t sample : tone(8000, hz, length_s).samples)
        bytes.push_back(mulaw_of(sample));
    return packets_of(bytes, 20, 0);
}

/// A phone that says one tone for its whole call.
struct Phone {
    Phone(Daemon& daemon, const std::string& user)
        : caller("127.0.0.1", daemon.sip_port(), {}, user) {}
    int calls() {
        const int status = caller.invite({.port = end.port()});
        end.set_peer(caller.answer_port());
        return status;
    }
    void talks(double hz, double length_s) {
        end.exchange(said(hz, length_s), milliseconds(static_cast<int>(length_s * 1000)));
    }
    /// How long it heard the tone, in seconds.
    [[nodiscard]] double heard_s(double hz) const {
        // Two tones at once have no loudest one that stands out: each is measured by itself.
        const Sound sound = end.stream().sound("PCMU");
        constexpr std::size_t kWindow = 160;
        double length_s = 0;
        for (std::size_t at = 0; at + kWindow <= sound.samples.size(); at += kWindow) {
            const std::span<const std::int16_t> window(sound.samples.data() + at, kWindow);
            if (tone_level_dbov(window, 8000, hz) > -30) length_s += 0.02;
        }
        return length_s;
    }

    RtpEnd end{"127.0.0.1"};
    OwnCaller caller;
};

class ChannelTest : public CallTest {
protected:
    void start_channel() {
        Daemon::Options options;
        options.more =
            "[[ai]]\nname = \"echo\"\n[[channel]]\nname = \"sales\"\n"
            "[[route]]\nname = \"in\"\nto = \"700\"\nchannel = \"sales\"\n"
            "[[route]]\nname = \"rest\"\nai = \"echo\"\n";
        start(options);
    }
    [[nodiscard]] std::size_t members() {
        return daemon_->json("/api/v1/channels/sales").size("members");
    }
    /// Nothing that the daemon sent came more than `max_gap_ms` after the one before.
    void expect_no_gap(std::size_t at_least_packets) {
        capture_->stop();
        std::size_t seen = 0;
        for (const RtpStream& stream :
             streams(capture_->rtp(daemon_->first_rtp_port(), daemon_->last_rtp_port()),
                     daemon_->first_rtp_port(),
                     daemon_->last_rtp_port(),
                     true)) {
            const RtpVerdict verdict = stream.judge();
            if (verdict.packets < at_least_packets) continue;
            ++seen;
            EXPECT_TRUE(keeps_promise(verdict)) << verdict.text();
        }
        EXPECT_GE(seen, 1U);
    }
};

TEST_F(ChannelTest, PhonesHearEachOtherAndAThirdComesAndGoes) {
    start_channel();
    start_capture();
    Phone anna(*daemon_, "700");
    Phone bert(*daemon_, "700");
    Phone carl(*daemon_, "700");
    ASSERT_EQ(anna.calls(), 200);
    ASSERT_EQ(bert.calls(), 200);
    EXPECT_EQ(members(), 2U);
    std::thread one([&] { anna.talks(kAnnaHz, 5); });
    std::thread two([&] { bert.talks(kBertHz, 5); });
    carl.end.exchange({}, milliseconds(1200));  // while the two talk
    const int third = carl.calls();
    const std::size_t with_third = members();
    carl.talks(kCarlHz, 1.5);
    const int left = carl.caller.bye();
    one.join();
    two.join();
    EXPECT_EQ(third, 200);
    EXPECT_EQ(with_third, 3U);
    EXPECT_EQ(left, 200);
    EXPECT_EQ(members(), 2U);

    EXPECT_GT(anna.heard_s(kBertHz), 4.3);
    EXPECT_GT(bert.heard_s(kAnnaHz), 4.3);
    EXPECT_LT(anna.heard_s(kAnnaHz), 0.2) << "nobody hears itself";
    EXPECT_LT(bert.heard_s(kBertHz), 0.2);
    EXPECT_NEAR(anna.heard_s(kCarlHz), 1.4, 0.3);
    EXPECT_NEAR(bert.heard_s(kCarlHz), 1.4, 0.3);
    EXPECT_GT(carl.heard_s(kAnnaHz), 1);
    EXPECT_GT(carl.heard_s(kBertHz), 1);

    // Taken out by the API: it is hung up, and the daemon forgets it.
    const std::string id = daemon_->json("/api/v1/channels/sales").text("members.0.id");
    EXPECT_EQ(daemon_->post("/api/v1/channels/sales/members/" + id + "/remove").status, 200);
    EXPECT_TRUE(daemon_->wait_live_calls(1));
    EXPECT_EQ(members(), 1U);
    expect_no_gap(200);
    anna.caller.bye();
    bert.caller.bye();
    EXPECT_TRUE(daemon_->wait_live_calls(0));
    EXPECT_EQ(members(), 0U);
}

TEST_F(ChannelTest, SupervisionIsNoGapForTheCaller) {
    start_channel();
    start_capture();
    Phone anna(*daemon_, "echo");
    ASSERT_EQ(anna.calls(), 200);
    const std::string id = daemon_->only_call();
    std::thread line([&] { anna.talks(kAnnaHz, 6); });
    RtpEnd clock("127.0.0.1");
    clock.exchange({}, milliseconds(1500));
    const HttpAnswer supervised =
        daemon_->post("/api/v1/calls/" + id + "/supervise", R"({"mode":"listen","user":"boss"})");
    const std::string name = "call-" + id;
    const bool is_mixed = eventually(seconds(2), nullptr, [&] {
        return daemon_->json("/api/v1/channels/" + name).text("members.1.state") == "connected";
    });
    const Json mixed = daemon_->json("/api/v1/channels/" + name);
    clock.exchange({}, milliseconds(1500));
    const HttpAnswer closed = http("DELETE", daemon_->http_address(), "/api/v1/channels/" + name);
    const bool is_direct = eventually(seconds(2), nullptr, [&] {
        return daemon_->get("/api/v1/channels/" + name).status == 404;
    });
    line.join();
    EXPECT_EQ(supervised.status, 201) << supervised.body;
    EXPECT_TRUE(is_mixed);
    EXPECT_EQ(mixed.text("policy"), "supervised");
    EXPECT_EQ(mixed.text("members.0.role"), "caller");
    EXPECT_EQ(closed.status, 204);
    EXPECT_TRUE(is_direct);
    EXPECT_EQ(daemon_->json("/api/v1/calls/" + id).text("channel"), "");
    // What it says comes back all the time; a change of path may cost some fill.
    EXPECT_GT(anna.heard_s(kAnnaHz), 5.2);
    expect_no_gap(200);
    anna.caller.bye();
    EXPECT_TRUE(daemon_->wait_live_calls(0));
}

}  // namespace
}  // namespace offhook::harness

// Two pages with our own client in one channel: they hear each other, come back, make room, and leave nothing behind.

#include <gtest/gtest.h>

#include "client_page.h"

namespace offhook::harness {
namespace {

constexpr double kOther_hz = 700;

class ClientInChannelTest : public ClientTest {
protected:
    void SetUp() override {
        ClientTest::SetUp();
        if (!IsSkipped()) {
            start_browser();
            start_daemon();
        }
    }
};

TEST_F(ClientInChannelTest, TwoPagesHearEachOther) {
    const Browser::Page ann = join("ann");
    const Browser::Page ben = join("ben", "\"breaks\":{\"tone\":700}");
    EXPECT_TRUE(wait_members(2));
    expect_heard(ann, kOther_hz);
    expect_heard(ben, kMicrophone_hz);

    const Json metrics = ann.call("metrics");
    EXPECT_EQ(metrics.text("state"), "connected");
    EXPECT_GT(metrics.number("packetsSent"), 100);
    EXPECT_GT(metrics.number("server.packets_received"), 100);
    EXPECT_GT(metrics.number("microphone.rmsDbov"), -60);
    const Json healthy = ann.call("healthy");
    EXPECT_EQ(healthy.text("server"), "asked");
    EXPECT_EQ(healthy.text("healthy"), "yes") << healthy.text("codes");

    ann.call("mute", "[true]");
    EXPECT_TRUE(eventually(seconds(5), &daemon_->process(), [&] {
        return listen(ben, kMicrophone_hz, milliseconds(500)).number("toneShare") == 0;
    }));
    ann.call("mute", "[false]");
    expect_heard(ben, kMicrophone_hz);

    const Json changed = ann.call("changeMicrophone");
    EXPECT_GE(changed.number("count"), 2);
    EXPECT_EQ(changed.text("before"), "ended");
    EXPECT_EQ(changed.text("label"), changed.text("expected"));
    expect_heard(ben, kMicrophone_hz);

    const Json log = ann.call("log", "[2100,{\"intervalMs\":200}]");
    EXPECT_GE(log.size("entries"), 8U);
    EXPECT_LE(log.size("entries"), 13U);
    EXPECT_EQ(log.text("channel"), "lobby");
    const std::string last = "entries." + std::to_string(log.size("entries") - 1) + ".data.";
    EXPECT_EQ(log.text(last + "connection"), "connected");
    EXPECT_GT(log.number(last + "packets_sent"), 100);
}

TEST_F(ClientInChannelTest, JoiningTwiceIsOneJoin) {
    const Browser::Page page = open();
    const Json twice = page.call("joinTwice", who("ann"));
    EXPECT_EQ(twice.number("sockets"), 1);
    EXPECT_EQ(members(), 1U);
}

TEST_F(ClientInChannelTest, ALostConnectionTakesItsPlaceAgain) {
    const Browser::Page ann = join("ann");
    const Browser::Page ben = join("ben", "\"breaks\":{\"tone\":700}");
    const std::string member = ann.call("state").text("member");
    ann.call("breakSocket");
    ann.call("becomes", "[\"connected\"]");
    const Json state = ann.call("state");
    EXPECT_EQ(state.text("member"), member);
    EXPECT_EQ(state.number("sockets"), 2);
    // Neither of them heard of a leave, and the sound went on over the connection that was there.
    EXPECT_EQ(members(), 2U);
    EXPECT_EQ(ann.call("account").number("ever.peers"), 1);
    expect_heard(ben, kMicrophone_hz);
    expect_heard(ann, kOther_hz);
}

TEST_F(ClientInChannelTest, TheSecondTabTakesThePlace) {
    const Browser::Page first = join("ann");
    const Browser::Page second = join("ann");
    first.call("becomes", "[\"ended\"]");
    const Json closed = first.call("heardOf", "[\"closed\"]");
    EXPECT_EQ(closed.number("value.code"), 4000);
    first.call("heardOf", "[\"elsewhere\"]");
    expect_found(first, "replaced");
    // It let everything go and stays away: no timer is left that could bring it back.
    const Json account = first.call("account");
    EXPECT_EQ(account.number("left"), 0) << first.call("account").number("open.timers");
    EXPECT_EQ(account.number("ever.sockets"), 1);
    EXPECT_EQ(members(), 1U);
    EXPECT_EQ(second.call("state").text("state"), "connected");
}

TEST_F(ClientInChannelTest, LeavingLeavesNothing) {
    const Browser::Page page = join("ann");
    Json account = page.call("account");
    EXPECT_EQ(account.number("open.sockets"), 1);
    EXPECT_EQ(account.number("open.peers"), 1);
    EXPECT_EQ(account.number("open.contexts"), 1);
    EXPECT_EQ(account.number("open.tracks"), 1);
    EXPECT_EQ(account.number("open.channels"), 1);
    EXPECT_GT(account.number("open.timers"), 0);
    EXPECT_GT(account.number("open.listeners"), 0);
    page.call("log", "[100]");
    page.call("dispose");
    account = page.call("account");
    for (const std::string what :
         {"sockets", "peers", "contexts", "tracks", "channels", "timers", "listeners"}) {
        EXPECT_EQ(account.number("open." + what), 0) << what;
    }
    EXPECT_TRUE(daemon_->wait_live_calls(0));
    EXPECT_TRUE(wait_members(0));
}

TEST_F(ClientInChannelTest, ATabThatCloses) {
    const Browser::Page page = join("ann");
    EXPECT_TRUE(wait_members(1));
    page.close();
    EXPECT_TRUE(wait_members(0));
    EXPECT_TRUE(daemon_->wait_live_calls(0));
}

TEST_F(ClientInChannelTest, WhoLeftMayJoinAgain) {
    const Browser::Page page = join("ann");
    const std::string before = page.call("state").text("member");
    page.call("leave");
    page.call("join", who("ann"));
    EXPECT_NE(page.call("state").text("member"), before);
    EXPECT_TRUE(wait_members(1));
}

}  // namespace
}  // namespace offhook::harness

// Every fault that a browser can see is made in a real one, and found by its code.

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "client_page.h"

namespace offhook::harness {
namespace {

class FaultTest : public ClientTest {
protected:
    /// With Chromium's microphone as it is in the other tests, and a daemon.
    void start() {
        start_browser();
        start_daemon();
    }
};

TEST_F(FaultTest, MicrophoneDenied) {
    start();
    const Browser::Page page = open({}, Browser::Manner::Denies);
    EXPECT_EQ(page.call("tryJoin", who("ann")).text("code"), "microphone-denied");
    expect_found(page, "microphone-denied");
    EXPECT_EQ(members(), 0U);
}

TEST_F(FaultTest, InsecurePage) {
    start();
    const Browser::Page page = open({}, Browser::Manner::Plain);
    EXPECT_EQ(page.call("tryJoin", who("ann")).text("code"), "insecure-page");
    expect_found(page, "insecure-page");
}

TEST_F(FaultTest, MicrophoneMissing) {
    start();
    const Browser::Page page = open();
    const std::string gone = "\"microphone\":{\"deviceId\":\"unplugged\"}";
    EXPECT_EQ(page.call("tryJoin", who("ann", gone)).text("code"), "microphone-missing");
    expect_found(page, "microphone-missing");
}

TEST_F(FaultTest, TrackEndedThenNothingElse) {
    start();
    const Browser::Page page = join("ann");
    page.call("stopTrack");
    expect_found(page, "track-ended");
}

TEST_F(FaultTest, TrackMuted) {
    start();
    const Browser::Page page = open("\"breaks\":{\"mutedTrack\":true}");
    page.call("join", who("ann"));
    expect_found(page, "track-muted");
}

TEST_F(FaultTest, SourceSilent) {
    Browser::Options options;
    options.says.rate_hz = 48000;
    options.says.append_silence(2);
    start_browser(options);
    start_daemon();
    const Browser::Page page = join("ann");
    expect_found(page, "source-silent");
    const Browser::Page other = join("ben");
    expect_found(other, "silence-received");
}

TEST_F(FaultTest, Clipping) {
    Browser::Options options;
    options.says = tone(48000, kMicrophone_hz, 10, -3.01);
    for (std::int16_t& sample : options.says.samples) {
        sample = sample > 8000    ? 32767
                 : sample < -8000 ? -32768
                                  : static_cast<std::int16_t>(sample * 4);
    }
    start_browser(options);
    start_daemon();
    expect_found(join("ann"), "clipping");
}

TEST_F(FaultTest, MutedBySelfAndAlone) {
    start();
    const Browser::Page page = join("ann");
    page.call("mute", "[true]");
    expect_found(page, "muted-by-self");
    const Json alone = expect_found(page, "alone");
    // Neither is a fault.
    EXPECT_EQ(page.call("healthy", "[1000]").text("codes").find("source-silent"),
              std::string::npos);
    EXPECT_EQ(alone.size("recommendations"), 0U);
}

TEST_F(FaultTest, MutedByAnOperator) {
    start();
    const Browser::Page page = join("ann");
    const std::string member = page.call("state").text("member");
    EXPECT_EQ(
        daemon_->post("/api/v1/channels/lobby/members/" + member + "/mute", "{\"muted\":true}")
                .status /
            100,
        2);
    expect_found(page, "muted-by-operator");
}

TEST_F(FaultTest, ContextSuspendedAndOutputMuted) {
    start();
    const Browser::Page page = join("ann");
    page.call("suspend");
    expect_found(page, "context-suspended");
    page.call("output", "[{\"volume\":0}]");
    expect_found(page, "output-muted");
}

TEST_F(FaultTest, AutoplayBlockedUntilAClick) {
    Browser::Options options;
    options.asks_to_play = true;
    start_browser(options);
    start_daemon();
    // Who only listens: for a page that has the microphone Chromium makes an exception.
    const Browser::Page page = open();
    page.call("join", who("ann", "\"microphone\":false"));
    expect_found(page, "autoplay-blocked");
    page.click();
    const Json healthy = page.call("healthy");
    EXPECT_EQ(healthy.text("codes"), "alone");
}

TEST_F(FaultTest, NotJoined) {
    start();
    expect_found(open(), "not-joined");
}

TEST_F(FaultTest, JoinRefused) {
    start();
    const Browser::Page page = open();
    EXPECT_EQ(page.call("tryJoin", who("ann", "\"token\":\"ohj1.forged.token\"")).text("failed"),
              "Refusal");
    expect_found(page, "join-refused");
}

TEST_F(FaultTest, Removed) {
    start();
    const Browser::Page page = join("ann");
    const std::string member = page.call("state").text("member");
    EXPECT_EQ(daemon_->post("/api/v1/channels/lobby/members/" + member + "/remove").status / 100,
              2);
    page.call("becomes", "[\"ended\"]");
    expect_found(page, "removed");
    EXPECT_EQ(page.call("account").number("left"), 0);
}

TEST_F(FaultTest, ClockSkew) {
    start();
    expect_found(join("ann", "\"breaks\":{\"clock\":9000}"), "clock-skew");
}

TEST_F(FaultTest, PeerLost) {
    start();
    const Browser::Page ann = join("ann");
    const Browser::Page ben = join("ben");
    EXPECT_TRUE(wait_members(2));
    ben.call("vanish");
    expect_found(ann, "peer-lost");
    EXPECT_TRUE(wait_members(1));
}

TEST_F(FaultTest, NoCandidatePair) {
    start();
    const Browser::Page page = open("\"rtc\":{\"iceTransportPolicy\":\"relay\"}");
    page.call("join", who("ann", "\"waits\":false"));
    expect_found(page, "no-candidate-pair");
}

TEST_F(FaultTest, IceFailed) {
    start();
    const Browser::Page page = open("\"breaks\":{\"addresses\":true}");
    page.call("join", who("ann", "\"waits\":false"));
    expect_found(page, "ice-failed", seconds(45));
}

TEST_F(FaultTest, DtlsFailed) {
    start();
    const Browser::Page page = open("\"breaks\":{\"answerFingerprint\":true}");
    page.call("join", who("ann", "\"waits\":false"));
    expect_found(page, "dtls-failed");
}

TEST_F(FaultTest, FingerprintMismatch) {
    start();
    const Browser::Page page = open("\"breaks\":{\"offerFingerprint\":true}");
    page.call("join", who("ann", "\"waits\":false"));
    expect_found(page, "fingerprint-mismatch", seconds(30));
}

TEST_F(FaultTest, NothingSentIsOneWay) {
    start();
    const Browser::Page page = join("ann");
    page.call("sendNothing");
    expect_found(page, "nothing-sent");
    expect_found(page, "one-way");
}

TEST_F(FaultTest, AFrozenDaemon) {
    start();
    const Browser::Page page = join("ann");
    daemon_->process().signal(SIGSTOP);
    const Json found = expect_found(page, "nothing-received");
    daemon_->process().signal(SIGCONT);
    EXPECT_EQ(found.text("server"), "no answer");
}

TEST_F(FaultTest, SignallingLost) {
    start();
    const Browser::Page page = join("ann");
    daemon_->process().signal(SIGKILL);
    expect_found(page, "signalling-lost");
    const Json state = page.call("state");
    EXPECT_EQ(state.text("state"), "away");
}

TEST_F(FaultTest, ABadNetwork) {
    start();
    join("ben", "\"breaks\":{\"tone\":700}");
    const Browser::Page page =
        join("ann", R"("breaks":{"network":{"loss":0.15,"delayMs":250,"jitterMs":400}})");
    expect_found(page, "loss");
    expect_found(page, "jitter");
    expect_found(page, "concealment");
    expect_found(page, "round-trip-high");
}

/// Faults without a test of their own, and why.
const std::map<std::string, std::string> kUntried = {
    {"microphone-busy",
     "needs a driver that refuses; read from NotReadableError as the others are"},
    {"replaced", "made in client_test.cpp, where the second tab takes the place"},
};

TEST(FaultTable, EveryFaultOfABrowserHasATest) {
    std::ifstream table(OFFHOOK_FINDINGS);
    std::stringstream text;
    text << "{\"findings\":" << table.rdbuf() << "}";
    const Json findings(text.str());
    std::ifstream source(OFFHOOK_THIS_FILE);
    ASSERT_TRUE(table && source);
    std::stringstream tests;
    tests << source.rdbuf();
    ASSERT_GT(findings.size("findings"), 20U);
    std::set<std::string> untried;
    for (std::size_t i = 0; i < findings.size("findings"); ++i) {
        const std::string at = "findings." + std::to_string(i) + ".";
        const std::string code = findings.text(at + "code");
        bool is_seen = false;
        for (std::size_t who = 0; who < findings.size(at + "seen_by"); ++who) {
            is_seen |= findings.text(at + "seen_by." + std::to_string(who)) == "browser";
        }
        const bool has_test = tests.str().find(", \"" + code + "\"") != std::string::npos;
        if (is_seen && !has_test) {
            untried.insert(code);
        }
    }
    for (const auto& [code, reason] : kUntried) {
        EXPECT_EQ(untried.erase(code), 1U) << code << " has a test now, or is not in the table";
    }
    for (const std::string& code : untried) {
        ADD_FAILURE() << code << " has no test here and no reason for that";
    }
}

}  // namespace
}  // namespace offhook::harness

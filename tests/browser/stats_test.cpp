// The daemon's report of a web leg and Chromium's getStats, of the same call: what one sends is what the
// other gets, in both directions, on one pair of candidates.

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <tuple>

#include "harness/browser.h"
#include "harness/call_test.h"
#include "harness/daemon.h"
#include "harness/stats_list.h"

namespace offhook::harness {
namespace {

/// Packets that may be on their way, or between a socket and its reader, on a busy machine.
constexpr double kUnderWay = 5;

class BrowserStatsTest : public testing::Test {
protected:
    void SetUp() override {
        if (const std::string reason = Browser::missing(); !reason.empty()) {
            GTEST_SKIP() << reason;
        }
        Browser::Options options;
        options.says = tone(48000, 440, 1);
        browser_ = std::make_unique<Browser>(folder_, options);
        Daemon::Options of_daemon;
        of_daemon.more = "[web]\norigins = [\"" + browser_->origin() + "\"]\n";
        daemon_ = std::make_unique<Daemon>(folder_, of_daemon);
    }
    void TearDown() override {
        if (HasFailure() && daemon_ != nullptr) std::cerr << daemon_->process().output();
        if (browser_ == nullptr) return;
        if (HasFailure()) std::cerr << browser_->log();
        EXPECT_EQ(browser_->close(), 0) << browser_->log();
    }

    StatsList ours(const std::string& id) {
        return StatsList(daemon_->json("/api/v1/calls/" + id + "/webrtc-stats"));
    }

    /// A counter of ours before and after the browser's was read, which lies between.
    static void expect_between(
        const char* what, double before, double theirs, double after, double slack) {
        EXPECT_GE(theirs, before - slack) << what;
        EXPECT_LE(theirs, after + slack) << what;
        EXPECT_GT(before, 0) << what;
    }

    TempDir folder_;
    std::unique_ptr<Browser> browser_;
    std::unique_ptr<Daemon> daemon_;
};

TEST_F(BrowserStatsTest, BothEndsSayTheSame) {
    const Browser::Page page = browser_->open("join.html");
    page.call("join", "[{\"server\":\"ws://" + daemon_->http_address() + "\",\"to\":\"echo\"}]");
    const std::string id = daemon_->only_call();
    // Until both have a report of the other (RTCP comes every few seconds).
    StatsList theirs(Json("{}"));
    const bool is_reported = eventually(seconds(20), nullptr, [&] {
        theirs = StatsList(page.call("getStats"));
        return ours(id).number_of("remote-inbound-rtp", "roundTripTimeMeasurements") > 0 &&
               theirs.number_of("remote-inbound-rtp", "roundTripTimeMeasurements") > 0;
    });
    ASSERT_TRUE(is_reported);

    const StatsList before = ours(id);
    theirs = StatsList(page.call("getStats"));
    const StatsList after = ours(id);
    page.call("leave");

    // from us to the browser
    const std::string in = theirs.id_of("inbound-rtp");
    EXPECT_EQ(theirs.number(in, "ssrc"), before.number_of("outbound-rtp", "ssrc"));
    for (const auto& [sent, received, slack] :
         {std::tuple{"packetsSent", "packetsReceived", kUnderWay},
          {"bytesSent", "bytesReceived", kUnderWay * 200},
          {"headerBytesSent", "headerBytesReceived", kUnderWay * 12}}) {
        expect_between(sent,
                       before.number_of("outbound-rtp", sent),
                       theirs.number(in, received),
                       after.number_of("outbound-rtp", sent),
                       slack);
    }
    EXPECT_EQ(theirs.number(in, "packetsLost"),
              after.number_of("remote-inbound-rtp", "packetsLost"));

    // from the browser to us
    const std::string out = theirs.id_of("outbound-rtp");
    EXPECT_EQ(theirs.number(out, "ssrc"), before.number_of("inbound-rtp", "ssrc"));
    for (const auto& [sent, received, slack] :
         {std::tuple{"packetsSent", "packetsReceived", kUnderWay},
          {"bytesSent", "bytesReceived", kUnderWay * 200},
          {"headerBytesSent", "headerBytesReceived", kUnderWay * 24}}) {
        expect_between(received,
                       before.number_of("inbound-rtp", received),
                       theirs.number(out, sent),
                       after.number_of("inbound-rtp", received),
                       slack);
    }
    // Its newest SR is older than its counter.
    EXPECT_GT(after.number_of("remote-outbound-rtp", "packetsSent"), 0);
    EXPECT_LE(after.number_of("remote-outbound-rtp", "packetsSent"),
              theirs.number(out, "packetsSent"));

    // round trip: each measures the same loopback
    const double ours_s = after.number_of("remote-inbound-rtp", "roundTripTime");
    const double theirs_s = theirs.number_of("remote-inbound-rtp", "roundTripTime");
    EXPECT_LT(ours_s, 0.2);
    EXPECT_LT(std::abs(ours_s - theirs_s), 0.1) << ours_s << " and " << theirs_s;

    // the way
    const std::string pair = theirs.text_of("transport", "selectedCandidatePairId");
    const std::string their_local = theirs.text(pair, "localCandidateId");
    const std::string their_remote = theirs.text(pair, "remoteCandidateId");
    const std::string our_local = after.text("pair", "localCandidateId");
    const std::string our_remote = after.text("pair", "remoteCandidateId");
    EXPECT_EQ(after.text(our_local, "address"), theirs.text(their_remote, "address"));
    EXPECT_EQ(after.number(our_local, "port"), theirs.number(their_remote, "port"));
    EXPECT_EQ(after.text(our_local, "candidateType"), "host");
    EXPECT_EQ(after.text(our_local, "type"), "local-candidate");
    EXPECT_EQ(after.number(our_remote, "port"), theirs.number(their_local, "port"));
    EXPECT_EQ(after.text(our_remote, "type"), "remote-candidate");
    // Chromium may hide its address behind a name: then we learn it by STUN.
    const std::string type = after.text(our_remote, "candidateType");
    EXPECT_TRUE(type == "host" || type == "prflx") << type;
    EXPECT_EQ(after.text("transport", "iceState").substr(0, 2), "co");  // connected, completed
    EXPECT_NE(after.text("transport", "iceRole"), theirs.text_of("transport", "iceRole"));
    EXPECT_NE(after.text("transport", "dtlsRole"), theirs.text_of("transport", "dtlsRole"));
    EXPECT_EQ(after.text("transport", "dtlsState"), theirs.text_of("transport", "dtlsState"));
    EXPECT_EQ(after.text("transport", "srtpCipher"), theirs.text_of("transport", "srtpCipher"));

    // certificates
    const std::string their_certificate = theirs.text_of("transport", "localCertificateId");
    const std::string our_certificate = theirs.text_of("transport", "remoteCertificateId");
    EXPECT_EQ(after.text("remote-certificate", "fingerprint"),
              theirs.text(their_certificate, "fingerprint"));
    EXPECT_EQ(after.text("local-certificate", "fingerprint"),
              theirs.text(our_certificate, "fingerprint"));

    // codec and sound
    const std::string codec = theirs.text(in, "codecId");
    for (const char* member : {"payloadType", "clockRate", "channels"})
        EXPECT_EQ(after.number_of("codec", member), theirs.number(codec, member)) << member;
    EXPECT_EQ(after.text_of("codec", "mimeType"), theirs.text(codec, "mimeType"));
    EXPECT_GT(after.number_of("inbound-rtp", "audioLevel"), 0.01);
    EXPECT_GT(after.number_of("inbound-rtp", "totalAudioEnergy"), 0);
}

}  // namespace
}  // namespace offhook::harness

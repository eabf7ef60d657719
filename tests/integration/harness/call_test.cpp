#include "harness/call_test.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>

namespace offhook::harness {

bool is_sanitized() {
    const char* value = std::getenv("OFFHOOK_SANITIZED");
    return value != nullptr && std::string(value) == "1";
}

double max_gap_ms() {
    return is_sanitized() ? 200 : 60;
}

testing::AssertionResult keeps_promise(const RtpVerdict& verdict) {
    const double expected = verdict.duration_s * 50 + 1;
    const bool is_kept = verdict.packets > 1 && verdict.ssrcs == 1 &&
                         verdict.sequence_breaks == 0 && verdict.timestamp_breaks == 0 &&
                         verdict.longest_gap_ms <= max_gap_ms() &&
                         std::abs(double(verdict.packets) - expected) <= 2;
    return (is_kept ? testing::AssertionSuccess() : testing::AssertionFailure()) << verdict.text();
}

testing::AssertionResult is_intact(const Sound& sent,
                                   const Sound& heard,
                                   double max_delay_s,
                                   double min_similarity) {
    const std::vector<Match> matches = align(sent, heard, 0.2, max_delay_s);
    if (matches.size() < 3) {
        return testing::AssertionFailure() << "nothing audible was sent";
    }
    double least_s = matches.front().delay_s;
    double most_s = least_s;
    for (const Match& match : matches) {
        if (match.similarity < min_similarity) {
            return testing::AssertionFailure()
                   << "the piece at " << match.sent_s << " s did not come back: similarity "
                   << match.similarity;
        }
        least_s = std::min(least_s, match.delay_s);
        most_s = std::max(most_s, match.delay_s);
    }
    // 1 ms: a frame that was left out, doubled or concealed moves everything behind it by 20.
    if (most_s - least_s > 0.001) {
        return testing::AssertionFailure()
               << "the delay wandered from " << least_s << " to " << most_s << " s";
    }
    return testing::AssertionSuccess() << "delay " << least_s << " s";
}

void CallTest::start(const Daemon::Options& options) {
    daemon_ = std::make_unique<Daemon>(folder_, options);
}

void CallTest::start_capture() {
    capture_ = std::make_unique<Capture>(folder_, daemon_->filter());
}

RtpStream CallTest::outbound() {
    const std::uint16_t first = daemon_->first_rtp_port();
    const std::uint16_t last = daemon_->last_rtp_port();
    auto found = streams(capture_->rtp(first, last), first, last, true);
    return found.empty() ? RtpStream({}) : found.front();
}

RtpStream CallTest::inbound() {
    const std::uint16_t first = daemon_->first_rtp_port();
    const std::uint16_t last = daemon_->last_rtp_port();
    auto found = streams(capture_->rtp(first, last), first, last, false);
    return found.empty() ? RtpStream({}) : found.front();
}

Scenario::Media CallTest::only(const std::string& number, const std::string& rtpmap) {
    Scenario::Media media;
    media.formats = number;
    media.attributes = {"rtpmap:" + number + " " + rtpmap};
    return media;
}

Scenario CallTest::answered() {
    Scenario scenario;
    scenario.invite(pcmu()).may_receive(100).may_receive(180).receive(200).ack();
    return scenario;
}

void CallTest::TearDown() {
    if (HasFailure() && daemon_ != nullptr) {
        const std::string log = daemon_->process().output();
        constexpr std::size_t kTail = 6000;
        std::cerr << "the daemon's log:\n"
                  << log.substr(log.size() > kTail ? log.size() - kTail : 0) << '\n';
    }
}

}  // namespace offhook::harness

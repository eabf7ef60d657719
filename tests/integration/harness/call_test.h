#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "harness/baresip.h"
#include "harness/capture.h"
#include "harness/daemon.h"
#include "harness/rtp_judge.h"
#include "harness/sipp.h"
#include "harness/sound.h"

namespace offhook::harness {

/// Built with a sanitizer, several times slower: figures of time are then looser, those of
/// continuity are not.
bool is_sanitized();

/// The gap that means a lost packet: 60 ms on a machine shared with other tests (the promise suite,
/// alone, asks for 40).
double max_gap_ms();

/// The promise on one direction: one SSRC, no break in sequence or timestamps, 50 packets a second,
/// no long gap.
testing::AssertionResult keeps_promise(const RtpVerdict& verdict);

/// Every audible piece of `sent` is in `heard`, same wave, same delay: nothing lost, nothing out of
/// order.
/// @param min_similarity  1 for an exact copy; lossy codecs less
testing::AssertionResult is_intact(const Sound& sent,
                                   const Sound& heard,
                                   double max_delay_s = 1.5,
                                   double min_similarity = 0.9);

/// A daemon, a folder and a capture for one test. Tests start them in that order.
class CallTest : public testing::Test {
protected:
    void start(const Daemon::Options& options = {});
    void start_capture();
    /// What the daemon sent in the only (or longest) call.
    [[nodiscard]] RtpStream outbound();
    [[nodiscard]] RtpStream inbound();

    static Scenario::Media pcmu() { return {}; }
    static Scenario::Media only(const std::string& number, const std::string& rtpmap);
    /// INVITE with PCMU, 200, ACK.
    static Scenario answered();

    /// Reports the daemon's log when the test failed.
    void TearDown() override;

    TempDir folder_;
    std::unique_ptr<Daemon> daemon_;
    std::unique_ptr<Capture> capture_;
};

}  // namespace offhook::harness

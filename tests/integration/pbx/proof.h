#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/call_test.h"
#include "pbx/pbx.h"

namespace offhook::harness {

/// Offhook as a phone of the PBX: one daemon with an account for each user, its AI mute, callers
/// outside, and a capture of everything between.
class ProofTest : public testing::Test {
protected:
    struct Phone {
        std::string user;
        Pbx::Transport transport = Pbx::Transport::Udp;
        Pbx::Media media = Pbx::Media::Plain;
    };

    void SetUp() override;
    void TearDown() override;

    /// Starts the PBX with a user for each phone, and those of `options` besides.
    void start_pbx(Pbx::Options options, const std::vector<Phone>& phones);
    /// Starts the capture and the daemon, and returns when every phone is registered.
    /// @param ways  user -> port of a relay in front of the PBX
    void start_daemon(const std::vector<Phone>& phones,
                      const std::map<std::string, std::uint16_t>& ways = {});

    /// SIPp calls a user from outside, speaks all the time and hangs up after `length`, counted from
    /// the last re-INVITE when there was one.
    std::unique_ptr<Sipp> call(const std::string& user, milliseconds length);
    /// Waits until so many calls are up: the callers have the answer and were heard.
    void expect_live_calls(std::size_t count);
    /// A new call to the user is answered and hung up.
    void expect_next_call(const std::string& user);
    /// The call went as its scenario says: answered, never taken away, its BYE answered.
    static void expect_ended_by_caller(Sipp& caller);

    /// The capture shows `calls` calls; in each Offhook sent 50 packets a second for at least
    /// `length_s` without a pause.
    void expect_steady(std::size_t calls, double length_s);
    /// What the relay sent to callers, the longest first.
    std::vector<RtpStream> heard_by_callers();
    /// Such a stream is what the phone said, and the voicemail's greeting is not in it.
    static void expect_no_greeting(const RtpStream& heard);
    /// Nobody was diverted; in `calls` calls the relay sent the caller for `length_s` what the phone
    /// said, and in none the voicemail's greeting.
    void expect_callers_undisturbed(std::size_t calls, double length_s);

    TempDir folder_;
    std::unique_ptr<Pbx> pbx_;
    std::unique_ptr<Daemon> daemon_;
    std::unique_ptr<Capture> capture_;

private:
    [[nodiscard]] std::uint16_t first_web_port() const;

    std::vector<Phone> phones_;
    /// Of the daemon, phone legs first: the capture begins before it.
    std::unique_ptr<RtpPorts> rtp_ports_;
};

}  // namespace offhook::harness

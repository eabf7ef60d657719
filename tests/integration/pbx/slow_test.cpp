// What takes its time: the full 30 s of the original failure, and a PBX that restarts, loses
// connections or refuses to register while a call is up.

#include <iostream>

#include "pbx/path_relay.h"
#include "pbx/phones.h"
#include "pbx/proof.h"

namespace offhook::harness {
namespace {

using Transport = Pbx::Transport;
using Media = Pbx::Media;
using Location = Pbx::Location;

/// How soon after the path's return the phone is registered again.
constexpr milliseconds kBackWithin = seconds(3);

double seconds_since(Clock::time_point then) {
    return std::chrono::duration<double>(Clock::now() - then).count();
}

class SlowProofTest : public ProofTest {
protected:
    void start(const std::vector<Phone>& phones,
               Pbx::Options options,
               const std::map<std::string, std::uint16_t>& ways = {}) {
        options.users.clear();
        start_pbx(options, phones);
        start_daemon(phones, ways);
    }

    /// Waits for a REGISTER of the user that got 200 after `before` others.
    void expect_registered_again(const std::string& user, std::size_t before) {
        const auto since = Clock::now();
        EXPECT_TRUE(eventually(kBackWithin, nullptr, [&] {
            return pbx_->registrations(user) > before;
        })) << user;
        std::cout << user << " registered again after " << seconds_since(since) << " s\n";
    }
};

// The numbers of the original: 30 s, a phone that answers and stays silent, and Offhook beside it.
TEST_F(SlowProofTest, ThirtySeconds) {
    Pbx::Options options;
    options.users = {{"mute"}, {"offhook"}};
    options.no_media_limit = seconds(30);
    start_pbx(options, {});
    start_daemon({});
    pbx_->add_contact("offhook", daemon_->uri("offhook"));
    SippPhone mute(folder_, *pbx_, "mute", "white-rabbit");
    mute.answer(Sound{});
    const auto lost = call("mute", seconds(33));
    const auto kept = call("offhook", seconds(40));
    expect_ended_by_caller(*lost);
    expect_ended_by_caller(*kept);
    const auto diversions = pbx_->diversions();
    ASSERT_EQ(diversions.size(), 1U);
    EXPECT_NEAR(diversions.front().after_answer_s, 30, 1);
    EXPECT_TRUE(mute.is_hung_up(seconds(5))) << mute.problem();
    EXPECT_NE(mute.bye().find("Reason: SIP;cause=480"), std::string::npos) << mute.bye();
    expect_steady(1, 39.9);
}

// Nobody answers for 5 s; stream transports lose their connections and the registrar its table.
TEST_F(SlowProofTest, PbxRestartsMidCall) {
    const std::vector<Phone> phones{{"tcp", Transport::Tcp, Media::Plain},
                                    {"tls", Transport::Tls, Media::Sdes},
                                    {"wss", Transport::Wss, Media::Plain}};
    start(phones, {});
    std::vector<std::unique_ptr<Sipp>> callers;
    for (const Phone& phone : phones) {
        callers.push_back(call(phone.user, seconds(10)));
    }
    expect_live_calls(phones.size());
    std::map<std::string, std::size_t> before;
    for (const Phone& phone : phones) {
        before[phone.user] = pbx_->registrations(phone.user);
    }
    pbx_->stop_proxy();
    ASSERT_TRUE(stays_alive(daemon_->process(), seconds(5)));
    pbx_->start_proxy(Location::Lost);
    for (const Phone& phone : phones) {
        expect_registered_again(phone.user, before[phone.user]);
    }
    // The BYE of a call from before the restart finds the phone's new connection.
    for (const auto& caller : callers) {
        expect_ended_by_caller(*caller);
    }
    for (const Phone& phone : phones) {
        expect_next_call(phone.user);
    }
    expect_steady(phones.size(), 15);
    expect_callers_undisturbed(phones.size(), 15);
}

// Over UDP nobody tells the phone of a restart; what the registrar kept is enough.
TEST_F(SlowProofTest, PbxRestartsMidCallOverUdp) {
    const std::vector<Phone> phones{{"udp", Transport::Udp, Media::Plain}};
    start(phones, {});
    const auto caller = call("udp", seconds(12));
    expect_live_calls(1);
    pbx_->stop_proxy();
    ASSERT_TRUE(stays_alive(daemon_->process(), seconds(5)));
    pbx_->start_proxy(Location::Kept);
    expect_next_call("udp");
    expect_ended_by_caller(*caller);
    expect_steady(1, 11.9);
    expect_callers_undisturbed(1, 11.9);
}

TEST_F(SlowProofTest, TlsIsCutForTenSecondsMidCall) {
    const std::vector<Phone> phones{{"tls", Transport::Tls, Media::Sdes}};
    Pbx::Options options;
    options.users.clear();
    start_pbx(options, phones);
    TcpRelay way(pbx_->port(Transport::Tls));
    start_daemon(phones, {{"tls", way.port()}});
    const auto caller = call("tls", seconds(12));
    expect_live_calls(1);
    const std::size_t before = pbx_->registrations("tls");
    way.set(Path::Cut);
    ASSERT_TRUE(stays_alive(daemon_->process(), seconds(10)));
    way.set(Path::Open);
    expect_registered_again("tls", before);
    expect_ended_by_caller(*caller);
    expect_next_call("tls");
    expect_steady(1, 20);
    expect_callers_undisturbed(1, 20);
}

TEST_F(SlowProofTest, RegistrarAnswers503ForAMinute) {
    constexpr int kRetryAfter_s = 20;
    const std::vector<Phone> phones{{"udp", Transport::Udp, Media::Plain}};
    Pbx::Options options;
    options.expires = seconds(10);
    start(phones, options);
    const auto caller = call("udp", seconds(85));
    expect_live_calls(1);
    pbx_->answer_registers_with(503, seconds(kRetryAfter_s));
    const auto minute = Clock::now() + seconds(60);
    // As often as Retry-After allows, and not more often.
    std::size_t refused = 0;
    Clock::time_point last_refusal;
    eventually(seconds(60), nullptr, [&] {
        if (const std::size_t now = pbx_->refused_registers(); now > refused) {
            if (refused > 0) {
                EXPECT_GE(seconds_since(last_refusal), kRetryAfter_s - 0.5);
                EXPECT_LE(seconds_since(last_refusal), kRetryAfter_s + 3);
            }
            refused = now;
            last_refusal = Clock::now();
        }
        return Clock::now() >= minute;
    });
    EXPECT_GE(refused, 3U);
    const std::size_t before = pbx_->registrations("udp");
    pbx_->answer_registers();
    EXPECT_TRUE(eventually(
        seconds(kRetryAfter_s + 5), nullptr, [&] { return pbx_->registrations("udp") > before; }));
    EXPECT_LE(seconds_since(last_refusal), kRetryAfter_s + 3);
    std::cout << refused << " refusals in a minute, registered " << seconds_since(last_refusal)
              << " s after the last\n";
    expect_next_call("udp");
    expect_ended_by_caller(*caller);
    expect_steady(1, 84.9);
    expect_callers_undisturbed(1, 84.9);
}

}  // namespace
}  // namespace offhook::harness

// Which ends of calls are named "taken away as a PBX does with a call without media".
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "call/diversion.h"

namespace offhook::call {
namespace {

using model::LegStats;
using model::PeerReason;

/// A call whose sound went both ways until the end.
TakenCall good_call(double answered_s) {
    TakenCall call;
    call.answered_s = answered_s;
    const auto packets = static_cast<std::uint64_t>(answered_s * 50);
    call.stats.sent_packets = packets;
    call.stats.since_last_sent_ms = 12;
    call.stats.max_gap_ms = 21;
    call.stats.received_packets = packets;
    call.stats.since_last_received_ms = 9;
    call.stats.rtcp_received = 3;
    call.stats.remote_jitter_ms = 1;
    return call;
}

TakenCall deaf_call(double answered_s) {
    TakenCall call = good_call(answered_s);
    call.stats.received_packets = 0;
    call.stats.since_last_received_ms = -1;
    call.stats.rtcp_received = 0;
    call.stats.remote_jitter_ms = -1;
    return call;
}

TakenCall with(TakenCall call, std::vector<PeerReason> reasons) {
    call.reasons = std::move(reasons);
    return call;
}

TakenCall held(TakenCall call) {
    call.is_held = true;
    return call;
}

TakenCall paused(TakenCall call) {
    call.stats.is_paused = true;
    return call;
}

TakenCall went_silent(double answered_s, double since_ms) {
    TakenCall call = good_call(answered_s);
    call.stats.since_last_received_ms = since_ms;
    return call;
}

TakenCall stopped_sending(double answered_s, double since_ms) {
    TakenCall call = good_call(answered_s);
    call.stats.since_last_sent_ms = since_ms;
    return call;
}

struct Case {
    const char* what;
    TakenCall call;
    bool is_diverted;
};

TEST(Diversion, TheTableOfSigns) {
    const PeerReason sip480{"SIP", 480, ""};
    for (const Case& c : std::vector<Case>{
             // the Reason alone
             {"480", with(good_call(30), {sip480}), true},
             {"480 long after", with(good_call(300), {sip480}), true},
             {"480 at once", with(good_call(2), {sip480}), true},
             {"lower case", with(good_call(30), {{"sip", 480, ""}}), true},
             {"408", with(good_call(30), {{"SIP", 408, "no media"}}), true},
             {"504", with(good_call(30), {{"SIP", 504, ""}}), true},
             {"Q.850 18", with(good_call(30), {{"Q.850", 18, ""}}), true},
             {"Q.850 19", with(good_call(30), {{"Q.850", 19, ""}}), true},
             {"Q.850 102", with(good_call(30), {{"Q.850", 102, ""}}), true},
             {"the second of two", with(good_call(30), {{"Q.850", 16, ""}, sip480}), true},
             {"normal clearing", with(good_call(30), {{"Q.850", 16, ""}}), false},
             {"480 is no Q.850 cause", with(good_call(30), {{"Q.850", 480, ""}}), false},
             {"18 is no SIP status", with(good_call(30), {{"SIP", 18, ""}}), false},
             {"200", with(good_call(30), {{"SIP", 200, ""}}), false},
             {"a session timer",
              with(good_call(90), {{"SIP", 408, "Session Timer expired"}}),
              false},
             {"another timer", with(good_call(90), {{"SIP", 408, "Media timer"}}), true},
             {"held, but it says so", held(with(good_call(30), {sip480})), true},
             // Q.850 31 only with silence
             {"31 with sound", with(good_call(30), {{"Q.850", 31, ""}}), false},
             {"31 in silence", with(deaf_call(90), {{"Q.850", 31, ""}}), true},
             {"31 in silence, early", with(deaf_call(5), {{"Q.850", 31, ""}}), false},
             // the time alone
             {"no reason, sound both ways", good_call(30), false},
             {"nothing came, 30 s", deaf_call(30), true},
             {"nothing came, 20 s", deaf_call(20), true},
             {"nothing came, 40 s", deaf_call(40), true},
             {"nothing came, 19.9 s", deaf_call(19.9), false},
             {"nothing came, 40.1 s", deaf_call(40.1), false},
             {"nothing came, but on hold", held(deaf_call(30)), false},
             {"it went silent 10 s ago", went_silent(30, 10'000), true},
             {"it went silent 9 s ago", went_silent(30, 9'000), false},
             {"a pause that was announced", paused(went_silent(30, 10'000)), false},
             {"we stopped 10 s ago", stopped_sending(30, 10'000), true},
             {"we stopped 9 s ago", stopped_sending(30, 9'000), false},
             {"normal clearing of a silent call", with(deaf_call(30), {{"Q.850", 16, ""}}), true},
         }) {
        EXPECT_EQ(diversion_of(c.call).has_value(), c.is_diverted) << c.what;
    }
}

struct SentenceCase {
    const char* what;
    TakenCall call;
    std::vector<const char*> words;
};

TEST(Diversion, TheSentenceSaysWhatWasSentAndReceivedAndWhereToLook) {
    TakenCall paused_ours = with(good_call(30), {{"SIP", 480, ""}});
    paused_ours.stats.max_gap_ms = 2500;
    TakenCall none_sent = deaf_call(30);
    none_sent.stats.sent_packets = 0;
    none_sent.stats.since_last_sent_ms = -1;
    TakenCall one_way = deaf_call(30.04);
    one_way.stats.rtcp_received = 4;
    one_way.stats.remote_jitter_ms = 2;
    one_way.stats.remote_lost_packets = 3;
    for (const SentenceCase& c : std::vector<SentenceCase>{
             {"nothing back",
              with(deaf_call(30.04), {{"SIP", 480, "no media"}}),
              {"30.0 s after the answer",
               "Reason SIP;cause=480 'no media'",
               "We sent 1,502 packets without a pause (longest gap 21 ms)",
               "received none",
               "no RTCP came",
               "[rtp] advertise"}},
             {"reports came, sound did not",
              one_way,
              {"no Reason header", "RTCP reports say that ours arrived (3 lost)", "[rtp] ports"}},
             {"we paused", paused_ours, {"with a pause of 2.5 s", "media workers"}},
             {"we never sent", none_sent, {"We sent no RTP packet", "rtp.stopped"}},
             {"we stopped", stopped_sending(30, 12'000), {"the last one 12.0 s before the end"}},
             {"it stopped",
              went_silent(30, 11'000),
              {"received 1,500, the last one 11.0 s before the end"}},
             {"all was well",
              with(good_call(30), {{"Q.850", 19, ""}}),
              {"Reason Q.850;cause=19", "the log of the PBX"}}}) {
        const auto sentence = diversion_of(c.call);
        ASSERT_TRUE(sentence) << c.what;
        for (const char* word : c.words)
            EXPECT_NE(sentence->find(word), std::string::npos) << c.what << ": " << *sentence;
    }
}

}  // namespace
}  // namespace offhook::call

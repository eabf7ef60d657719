// The story of a call that comes in, told with everything real but signalling.
#include "registry_test.h"

namespace offhook::call::testing {
namespace {

using model::CallState;
using model::Direction;
using model::EndReason;

class IncomingCalls : public RegistryTest {};

TEST_F(IncomingCalls, IsAnsweredAndSendsUntilTheEnd) {
    const model::CallId id = comes_in();
    EXPECT_EQ(sip.asked, (std::vector<std::string>{"ring " + id.text, "answer " + id.text}));
    EXPECT_EQ(info(id).state, CallState::Ringing);
    EXPECT_EQ(info(id).transport, "udp");
    calls->on_answer_sent(id);
    EXPECT_EQ(info(id).state, CallState::Answered);
    EXPECT_TRUE(wait_until([&] { return info(id).stats.sent_packets >= 10; }));
    EXPECT_TRUE(wait_until([&] { return info(id).stats.sent_ai_frames > 0; }));
    ends(id, model::ended(EndReason::CallerHangup));
    ASSERT_EQ(over.size(), 1U);
    EXPECT_EQ(over[0].end->reason, EndReason::CallerHangup);
    EXPECT_GE(over[0].stats.sent_packets, 10U);
    EXPECT_TRUE(calls->calls(false).empty());
    EXPECT_EQ(calls->calls(true).size(), 1U);
}

TEST_F(IncomingCalls, WhoBroughtItTakesItsCommands) {
    FakeSignalling other;
    model::IncomingCall incoming;
    incoming.id = model::CallId::make();
    incoming.to_user = "x";
    incoming.local_address = "127.0.0.1";
    incoming.offer = peer_sdp();
    incoming.via = &other;
    const model::CallId id = incoming.id;
    calls->on_incoming(std::move(incoming));
    calls->on_answer_sent(id);
    calls->on_reoffer(id, peer_sdp(Direction::SendOnly), 7);
    ASSERT_TRUE(calls->hold(id));
    ASSERT_TRUE(calls->hangup(id, "test"));
    EXPECT_EQ(other.asked,
              (std::vector<std::string>{"ring " + id.text,
                                        "answer " + id.text,
                                        "answer " + id.text,
                                        "reoffer " + id.text,
                                        "hangup " + id.text}));
    EXPECT_TRUE(sip.asked.empty());

    model::IncomingCall refused;
    refused.id = model::CallId::make();
    refused.to_user = "nobody";
    refused.via = &other;
    const model::CallId gone = refused.id;
    calls->on_incoming(std::move(refused));
    EXPECT_EQ(other.last(), "reject " + gone.text + " 404");
    EXPECT_TRUE(sip.asked.empty());
}

TEST_F(IncomingCalls, EachRefusalHasItsStatusAndReason) {
    const model::CallId nowhere = comes_in("nobody");
    EXPECT_EQ(sip.last(), "reject " + nowhere.text + " 404");
    EXPECT_EQ(over.back().end->reason, EndReason::NoRoute);
    EXPECT_EQ(over.back().end->end_class, model::EndClass::Config);

    model::IncomingCall deaf;
    deaf.id = model::CallId::make();
    deaf.to_user = "x";
    deaf.local_address = "127.0.0.1";
    deaf.offer = peer_sdp();
    deaf.offer->audio.formats = {{96, "AMR", 8000, 1, ""}};
    deaf.offer->audio_lines = {deaf.offer->audio};
    calls->on_incoming(deaf);
    EXPECT_EQ(sip.last(), "reject " + deaf.id.text + " 488");
    EXPECT_EQ(over.back().end->reason, EndReason::NotAcceptable);

    calls->drain(0);
    const model::CallId late = comes_in();
    EXPECT_EQ(sip.last(), "reject " + late.text + " 503");
    EXPECT_EQ(sip.retry_after, std::chrono::seconds(5));
    EXPECT_EQ(over.back().end->reason, EndReason::LimitCalls);
}

TEST_F(IncomingCalls, ThePeerHoldsAndComesBack) {
    const model::CallId id = answered();
    calls->on_reoffer(id, peer_sdp(Direction::SendOnly), 1);
    EXPECT_EQ(sip.descriptions.back().direction, Direction::RecvOnly);
    EXPECT_EQ(info(id).state, CallState::Held);
    EXPECT_TRUE(info(id).is_held_by_peer);
    EXPECT_FALSE(info(id).is_held_by_us);
    calls->on_reoffer(id, peer_sdp(), 2);
    EXPECT_EQ(sip.descriptions.back().direction, Direction::SendRecv);
    EXPECT_EQ(info(id).state, CallState::Answered);
}

TEST_F(IncomingCalls, WeHoldAndTakeItBack) {
    const model::CallId id = answered();
    EXPECT_TRUE(wait_until([&] { return info(id).stats.sent_ai_frames > 0; }));
    ASSERT_TRUE(calls->hold(id));
    EXPECT_EQ(sip.last(), "reoffer " + id.text);
    EXPECT_EQ(sip.descriptions.back().direction, Direction::SendOnly);
    EXPECT_FALSE(info(id).is_held_by_us);
    EXPECT_EQ(calls->hold(id).error().code, base::ErrorCode::Conflict);
    calls->on_reoffer_done(id, 200, peer_sdp(Direction::RecvOnly));
    EXPECT_EQ(info(id).state, CallState::Held);
    EXPECT_TRUE(info(id).is_held_by_us);
    EXPECT_FALSE(info(id).is_held_by_peer);
    // RTP goes on, without the AI
    EXPECT_TRUE(wait_until([&] { return info(id).stats.last_source == model::FrameSource::Fill; }));
    const auto sent = info(id).stats.sent_packets;
    EXPECT_TRUE(wait_until([&] { return info(id).stats.sent_packets >= sent + 10; }));
    // a peer that refreshes meanwhile is still asked for nothing
    calls->on_reoffer(id, peer_sdp(), 1);
    EXPECT_EQ(sip.descriptions.back().direction, Direction::SendOnly);

    ASSERT_TRUE(calls->resume(id));
    EXPECT_EQ(sip.descriptions.back().direction, Direction::SendRecv);
    calls->on_reoffer_done(id, 200, peer_sdp());
    EXPECT_EQ(info(id).state, CallState::Answered);
    EXPECT_TRUE(wait_until([&] { return info(id).stats.last_source == model::FrameSource::Ai; }));
    EXPECT_EQ(calls->resume(id).error().code, base::ErrorCode::Conflict);
}

TEST_F(IncomingCalls, AHoldThatIsRefusedChangesNothing) {
    const model::CallId id = answered();
    ASSERT_TRUE(calls->hold(id));
    calls->on_reoffer_done(id, 491, std::nullopt);
    EXPECT_EQ(info(id).state, CallState::Answered);
    EXPECT_EQ(calls->resume(id).error().code, base::ErrorCode::Conflict);
    ASSERT_TRUE(calls->hold(id));
    calls->on_reoffer_done(id, 200, peer_sdp(Direction::RecvOnly));
    ASSERT_TRUE(calls->resume(id));
    calls->on_reoffer_done(id, 408, std::nullopt);
    EXPECT_EQ(info(id).state, CallState::Held);
    EXPECT_TRUE(info(id).is_held_by_us);
}

TEST_F(IncomingCalls, HoldNeedsAnAnsweredCall) {
    EXPECT_EQ(calls->hold({"c-nothing"}).error().code, base::ErrorCode::NotFound);
    const model::CallId id = comes_in();
    EXPECT_EQ(calls->hold(id).error().code, base::ErrorCode::Conflict);
    calls->on_answer_sent(id);
    ASSERT_TRUE(calls->hangup(id, "test"));
    EXPECT_EQ(calls->hold(id).error().code, base::ErrorCode::Conflict);
}

TEST_F(IncomingCalls, DigitsGoByInfoToAPeerWithoutTelephoneEvent) {
    const model::CallId with = answered();
    EXPECT_TRUE(calls->send_dtmf(with, "12"));
    EXPECT_TRUE(wait_until([&] { return info(with).stats.sent_dtmf_packets > 0; }));
    model::IncomingCall incoming;
    incoming.id = model::CallId::make();
    incoming.to_user = "x";
    incoming.local_address = "127.0.0.1";
    incoming.offer = peer_sdp(Direction::SendRecv, false);
    calls->on_incoming(incoming);
    calls->on_answer_sent(incoming.id);
    EXPECT_TRUE(calls->send_dtmf(incoming.id, "3#"));
    EXPECT_EQ(sip.last(), "info_digits " + incoming.id.text + " 3#");
}

TEST_F(IncomingCalls, ACallTakenAwayIsNamed) {
    const model::CallId id = answered();
    EXPECT_TRUE(wait_until([&] { return info(id).stats.sent_packets > 0; }));
    model::CallEnd bye = model::ended(EndReason::CallerHangup);
    bye.peer_reasons = {{"SIP", 480, "no media"}};
    ends(id, bye);
    ASSERT_EQ(over.size(), 1U);
    EXPECT_EQ(over[0].end->reason, EndReason::Diverted);
    EXPECT_EQ(over[0].end->end_class, model::EndClass::Upstream);
    EXPECT_NE(over[0].end->detail.find("cause=480 'no media'"), std::string::npos);
    EXPECT_EQ(over[0].end->peer_reasons.size(), 1U);
}

TEST_F(IncomingCalls, OurOwnHangupIsNeverADiversion) {
    const model::CallId id = answered();
    ASSERT_TRUE(calls->hangup(id, "test"));
    model::CallEnd bye = model::ended(EndReason::CallerHangup);
    bye.peer_reasons = {{"SIP", 480, ""}};
    ends(id, bye);
    EXPECT_EQ(over[0].end->reason, EndReason::ApiHangup);
}

TEST_F(IncomingCalls, FactsOfTheInviteAreKeptEscaped) {
    model::IncomingCall incoming;
    incoming.id = model::CallId::make();
    incoming.account = "office";
    incoming.to_user = "y";
    incoming.peer = "wss:192.0.2.1:443";
    incoming.local_address = "127.0.0.1";
    incoming.offer = peer_sdp();
    incoming.facts = {.asserted_identity = "<sip:1@pbx>\x1b[31m",
                      .diversion = {"<sip:2@pbx>"},
                      .history = {},
                      .replaces = {},
                      .headers = {{"X-Queue", "a\r\nb"}}};
    incoming.facts.ringcentral = {.call_attributes = {"\x1b"}, .caller_name = "a\nb"};
    calls->on_incoming(incoming);
    const model::CallInfo call = info(incoming.id);
    EXPECT_EQ(call.account, "office");
    EXPECT_EQ(call.transport, "wss");
    EXPECT_EQ(call.facts.asserted_identity, "<sip:1@pbx>\\x1B[31m");
    EXPECT_EQ(call.facts.headers[0].second, "a\\x0D\\x0Ab");
    EXPECT_EQ(call.facts.ringcentral->call_attributes[0], "\\x1B");
    EXPECT_EQ(call.facts.ringcentral->caller_name, "a\\x0Ab");
}

TEST_F(IncomingCalls, AnOrderedAnswerComesWhenItIsDue) {
    config.sip.answer_delay_ms = 60'000;
    model::IncomingCall incoming;
    incoming.id = model::CallId::make();
    incoming.local_address = "127.0.0.1";
    incoming.offer = peer_sdp();
    incoming.to_user = "x";
    incoming.facts.answer_after = std::chrono::milliseconds(30);
    calls->on_incoming(incoming);
    EXPECT_EQ(sip.last(), "ring " + incoming.id.text);
    EXPECT_TRUE(wait_until([&] { return sip.was_asked("answer " + incoming.id.text); }));
}

TEST_F(IncomingCalls, DrainWaitsForTheLastCall) {
    const model::CallId id = answered();
    calls->drain(60);
    EXPECT_TRUE(sip.was_asked("drain"));
    EXPECT_FALSE(is_drained);
    calls->drain(60);  // again: at once
    EXPECT_EQ(sip.last(), "hangup " + id.text);
    ends(id, sip.ends.back());
    EXPECT_TRUE(is_drained);
    EXPECT_EQ(over[0].end->reason, EndReason::Drained);
}

}  // namespace
}  // namespace offhook::call::testing

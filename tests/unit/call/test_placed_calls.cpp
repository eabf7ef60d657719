// Calls that we place, and calls that go elsewhere.
#include "registry_test.h"

namespace offhook::call::testing {
namespace {

using model::CallId;
using model::CallState;
using model::EndClass;
using model::EndReason;
using Why = model::OrderRefusal::Why;

class PlacedCalls : public RegistryTest {
protected:
    /// A call that was answered on "office", whose route lets its peer send us elsewhere.
    CallId transferable() { return answered("y", "office"); }
    static model::Transfer refer(const std::string& target) {
        model::Transfer transfer;
        transfer.target = target;
        return transfer;
    }
};

TEST_F(PlacedCalls, DialsRingsTalksAndEnds) {
    const auto placed = calls->place(order());
    ASSERT_TRUE(placed);
    const CallId id = placed->id;
    ASSERT_EQ(sip.placed.size(), 1U);
    EXPECT_EQ(sip.placed[0].account, "office");
    EXPECT_EQ(sip.placed[0].to, "101");
    EXPECT_EQ(sip.placed[0].offer.address, "127.0.0.1");
    EXPECT_NE(sip.placed[0].offer.rtp_port, 0);
    EXPECT_GE(sip.placed[0].offer.formats.size(), 2U);
    EXPECT_EQ(sip.placed[0].ring_timeout, std::chrono::seconds(60));
    EXPECT_EQ(info(id).state, CallState::Dialing);
    EXPECT_EQ(info(id).direction, model::CallDirection::Outbound);
    EXPECT_EQ(info(id).route, "second");
    EXPECT_EQ(info(id).ai, "mute");

    calls->on_placed(id,
                     {.sip_call_id = "abc",
                      .from_uri = {},
                      .peer = "tls:192.0.2.1:5061",
                      .local_address = "127.0.0.1",
                      .quirks = {}});
    EXPECT_EQ(info(id).sip_call_id, "abc");
    EXPECT_EQ(info(id).transport, "tls");
    calls->on_progress(id, 183, peer_sdp());
    EXPECT_EQ(info(id).state, CallState::Ringing);
    EXPECT_EQ(info(id).stats.sent_packets, 0U);  // early media is not used
    calls->on_accepted(id, peer_sdp());
    EXPECT_EQ(info(id).state, CallState::Answered);
    EXPECT_EQ(info(id).codec, "PCMU");
    EXPECT_TRUE(wait_until([&] { return info(id).stats.sent_packets >= 10; }));
    ends(id, model::ended(EndReason::CallerHangup));
    EXPECT_EQ(over[0].end->reason, EndReason::CalleeHangup);
    EXPECT_EQ(over[0].end->end_class, EndClass::Success);
}

TEST_F(PlacedCalls, TheOrderChoosesRouteAndAi) {
    model::PlaceOrder o = order();
    o.route = "first";
    o.ai = "mute";
    o.headers = {{"X-A", "1"}};
    o.ring_timeout_s = 7;
    const auto placed = calls->place(o);
    ASSERT_TRUE(placed);
    EXPECT_EQ(info(placed->id).route, "first");
    EXPECT_EQ(info(placed->id).ai, "mute");
    EXPECT_EQ(sip.placed[0].ring_timeout, std::chrono::seconds(7));
    EXPECT_EQ(sip.placed[0].headers.size(), 1U);
}

struct BadOrder {
    const char* what;
    std::function<void(model::PlaceOrder&)> spoil;
    Why why;
    const char* field;
};

TEST_F(PlacedCalls, NothingIsSentForAnOrderThatIsRefused) {
    for (const BadOrder& c : std::vector<BadOrder>{
             {"no such account", [](auto& o) { o.account = "home"; }, Why::BadField, "account"},
             {"an account that may not",
              [](auto& o) { o.account = "shut"; },
              Why::NotAllowed,
              "account"},
             {"not on the list", [](auto& o) { o.to = "+18005550100"; }, Why::NotAllowed, "to"},
             {"a foreign host",
              [](auto& o) { o.to = "sip:101@evil.example"; },
              Why::NotAllowed,
              "to"},
             {"no address", [](auto& o) { o.to = "10 1"; }, Why::BadField, "to"},
             {"no such route", [](auto& o) { o.route = "third"; }, Why::BadField, "route"},
             {"no such ai", [](auto& o) { o.ai = "clever"; }, Why::BadField, "ai"},
             {"too short", [](auto& o) { o.ring_timeout_s = 4; }, Why::BadField, "ring_timeout_s"},
             {"too long", [](auto& o) { o.ring_timeout_s = 601; }, Why::BadField, "ring_timeout_s"},
             {"a header of ours",
              [](auto& o) {
                  o.headers = {{"Via", "x"}};
              },
              Why::BadField,
              "headers"},
             {"a broken key",
              [](auto& o) { o.idempotency_key = "a\nb"; },
              Why::BadField,
              "Idempotency-Key"}}) {
        model::PlaceOrder o = order();
        c.spoil(o);
        const auto placed = calls->place(o);
        ASSERT_FALSE(placed) << c.what;
        EXPECT_EQ(placed.error().why, c.why) << c.what;
        EXPECT_EQ(placed.error().field, c.field) << c.what;
    }
    EXPECT_TRUE(sip.asked.empty());
    EXPECT_EQ(calls->totals().started, 0U);
}

TEST_F(PlacedCalls, TheRateIsKept) {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(calls->place(order()));
    const auto fifth = calls->place(order());
    ASSERT_FALSE(fifth);
    EXPECT_EQ(fifth.error().why, Why::TooMany);
    EXPECT_GT(fifth.error().retry_after.count(), 0);
    EXPECT_EQ(sip.placed.size(), 4U);
}

TEST_F(PlacedCalls, TheSameKeyPlacesOneCall) {
    model::PlaceOrder o = order();
    o.idempotency_key = "k";
    const auto first = calls->place(o);
    const auto second = calls->place(o);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->id, second->id);
    EXPECT_TRUE(second->is_repeat);
    EXPECT_EQ(sip.placed.size(), 1U);
    o.to = "102";
    EXPECT_EQ(calls->place(o).error().why, Why::KeyReused);
}

TEST_F(PlacedCalls, NoCallsWhileDraining) {
    calls->drain(60);
    const auto placed = calls->place(order());
    ASSERT_FALSE(placed);
    EXPECT_EQ(placed.error().why, Why::Unavailable);
}

TEST_F(PlacedCalls, AFinalAnswerIsTheReason) {
    const auto placed = calls->place(order());
    ASSERT_TRUE(placed);
    ends(placed->id, model::ended_by_status(486, "Busy Here"));
    EXPECT_EQ(over[0].end->reason, EndReason::Busy);
    EXPECT_EQ(over[0].end->end_class, EndClass::Callee);
    EXPECT_EQ(over[0].end->sip_status, 486);
    EXPECT_EQ(over[0].answered_ns, 0);
}

TEST_F(PlacedCalls, AnAnswerThatCannotBeUsedEndsTheCall) {
    const auto placed = calls->place(order());
    ASSERT_TRUE(placed);
    model::RemoteSdp answer = peer_sdp();
    answer.audio.formats = {{96, "AMR", 8000, 1, ""}};
    answer.audio_lines = {answer.audio};
    calls->on_accepted(placed->id, answer);
    EXPECT_EQ(sip.last(), "hangup " + placed->id.text);
    ends(placed->id, sip.ends.back());
    EXPECT_EQ(over[0].end->reason, EndReason::MediaRefused);
}

TEST_F(PlacedCalls, AHangupWhileItRingsIsOurs) {
    const auto placed = calls->place(order());
    ASSERT_TRUE(placed);
    ASSERT_TRUE(calls->hangup(placed->id, "test"));
    ends(placed->id, model::ended_by_status(487));
    EXPECT_EQ(over[0].end->reason, EndReason::ApiHangup);
}

// ---- we send the peer elsewhere ----

TEST_F(PlacedCalls, ABlindTransferEndsOurCallOnceThePeerHasArrived) {
    const CallId id = placed_and_answered();
    ASSERT_TRUE(calls->transfer(id, {.target = "102", .call = {}}));
    ASSERT_EQ(sip.transfers.size(), 1U);
    EXPECT_EQ(sip.transfers[0].target, "sip:102@pbx.example.com");
    EXPECT_EQ(calls->transfer(id, {.target = "103", .call = {}}).error().code,
              base::ErrorCode::Conflict);
    calls->on_transfer_progress(id, 180);
    EXPECT_EQ(info(id).transfer->status, 180);
    EXPECT_EQ(info(id).state, CallState::Answered);
    calls->on_transfer_progress(id, 200);
    EXPECT_EQ(sip.last(), "hangup " + id.text);
    ends(id, sip.ends.back());
    EXPECT_EQ(over[0].end->reason, EndReason::Transferred);
}

TEST_F(PlacedCalls, ATransferThatFailsLeavesTheCallAsItWas) {
    const CallId id = placed_and_answered();
    ASSERT_TRUE(calls->transfer(id, {.target = "102", .call = {}}));
    calls->on_transfer_progress(id, 486);
    EXPECT_EQ(info(id).state, CallState::Answered);
    EXPECT_EQ(info(id).transfer->status, 486);
    EXPECT_TRUE(calls->transfer(id, {.target = "103", .call = {}}));
}

TEST_F(PlacedCalls, TransferTargetsAreChecked) {
    const CallId id = placed_and_answered();
    const CallId foreign = answered("x");
    using base::ErrorCode;
    EXPECT_EQ(calls->transfer(id, {}).error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(calls->transfer(id, {.target = "+1800", .call = {}}).error().code,
              ErrorCode::InvalidArgument);
    EXPECT_EQ(calls->transfer(id, {.target = {}, .call = id}).error().code,
              ErrorCode::InvalidArgument);
    EXPECT_EQ(calls->transfer(id, {.target = {}, .call = {"c-none"}}).error().code,
              ErrorCode::NotFound);
    EXPECT_EQ(calls->transfer(foreign, {.target = "102", .call = {}}).error().code,
              ErrorCode::InvalidArgument);
    EXPECT_TRUE(calls->transfer(foreign, {.target = "sip:102@127.0.0.1", .call = {}}));
    EXPECT_EQ(sip.transfers.size(), 1U);
}

TEST_F(PlacedCalls, AnAttendedTransferEndsBothCallsWell) {
    const CallId first = placed_and_answered();
    const CallId second = placed_and_answered();
    ASSERT_TRUE(calls->transfer(first, {.target = {}, .call = second}));
    EXPECT_EQ(sip.transfers[0].replaces_call, second);
    calls->on_transfer_progress(first, 200);
    EXPECT_EQ(sip.last(), "hangup " + first.text);
    ends(second, model::ended(EndReason::CallerHangup));
    EXPECT_EQ(over[0].end->reason, EndReason::Transferred);
    ends(first, sip.ends.back());
    EXPECT_EQ(over[1].end->reason, EndReason::Transferred);
}

// ---- the peer sends us elsewhere ----

TEST_F(PlacedCalls, ThePeerSendsUsElsewhereAndTheAiGoesAlong) {
    const CallId old = transferable();
    model::Transfer transfer = refer("sip:102@pbx.example.com;transport=tcp");
    transfer.replaces = "a;to-tag=b;from-tag=c";
    transfer.referred_by = "<sip:boss@pbx.example.com>";
    calls->on_transfer_requested(old, transfer);
    ASSERT_EQ(sip.placed.size(), 1U);
    const CallId next = sip.placed[0].id;
    EXPECT_EQ(sip.placed[0].to, "102");
    EXPECT_EQ(sip.placed[0].replaces, transfer.replaces);
    EXPECT_EQ(sip.placed[0].referred_by, transfer.referred_by);
    EXPECT_EQ(sip.last(), "accept_transfer " + old.text + " " + next.text);
    EXPECT_EQ(info(next).ai, info(old).ai);
    EXPECT_TRUE(info(old).transfer->is_by_peer);
    EXPECT_EQ(info(old).transfer->call, next);

    calls->on_progress(next, 180, std::nullopt);
    EXPECT_EQ(info(old).transfer->status, 180);
    EXPECT_EQ(info(old).state, CallState::Answered);
    calls->on_accepted(next, peer_sdp());
    EXPECT_EQ(info(old).transfer->status, 200);
    // its peer hangs up
    ends(old, model::ended(EndReason::CallerHangup));
    EXPECT_EQ(over[0].end->reason, EndReason::Transferred);
    EXPECT_TRUE(wait_until([&] { return info(next).stats.sent_packets > 0; }));
}

TEST_F(PlacedCalls, ATransferorThatDoesNotHangUpIsHungUpOn) {
    const CallId old = transferable();
    calls->on_transfer_requested(old, refer("sip:102@pbx.example.com"));
    calls->on_accepted(sip.placed[0].id, peer_sdp());
    EXPECT_TRUE(wait_until([&] { return sip.was_asked("hangup " + old.text); }));
    EXPECT_EQ(sip.ends.back().reason, EndReason::Transferred);
}

TEST_F(PlacedCalls, ATransferorThatLeavesAtOnceHasStillTransferred) {
    const CallId old = transferable();
    calls->on_transfer_requested(old, refer("sip:102@pbx.example.com"));
    ends(old, model::ended(EndReason::CallerHangup));
    EXPECT_EQ(over[0].end->reason, EndReason::Transferred);
    const CallId next = sip.placed[0].id;
    calls->on_accepted(next, peer_sdp());
    EXPECT_EQ(info(next).state, CallState::Answered);
}

TEST_F(PlacedCalls, APeerThatLeavesBeforeItArrivedHasStillGone) {
    const CallId id = placed_and_answered();
    ASSERT_TRUE(calls->transfer(id, {.target = "102", .call = {}}));
    calls->on_transfer_progress(id, 100);
    ends(id, model::ended(EndReason::CalleeHangup));
    EXPECT_EQ(over[0].end->reason, EndReason::Transferred);
    const CallId refused = placed_and_answered();
    ASSERT_TRUE(calls->transfer(refused, {.target = "102", .call = {}}));
    calls->on_transfer_progress(refused, 100);
    calls->on_transfer_progress(refused, 486);
    ends(refused, model::ended(EndReason::CalleeHangup));
    EXPECT_EQ(over[1].end->reason, EndReason::CalleeHangup);
}

TEST_F(PlacedCalls, WhenTheNewCallFailsTheOldOneGoesOn) {
    const CallId old = transferable();
    calls->on_transfer_requested(old, refer("sip:102@pbx.example.com"));
    ends(sip.placed[0].id, model::ended_by_status(486));
    EXPECT_EQ(info(old).transfer->status, 486);
    EXPECT_EQ(info(old).state, CallState::Answered);
    calls->on_transfer_requested(old, refer("sip:103@pbx.example.com"));
    EXPECT_EQ(sip.placed.size(), 2U);
}

TEST_F(PlacedCalls, TransfersThatPolicyRefuses) {
    accounts["office"].route = "first";  // which has no accept_transfer
    const CallId closed = answered("x", "office");
    accounts["office"].route = "second";
    calls->on_transfer_requested(closed, refer("sip:102@pbx.example.com"));
    EXPECT_EQ(sip.last(), "refuse_transfer " + closed.text + " 603");
    const CallId direct = answered("y");
    calls->on_transfer_requested(direct, refer("sip:102@pbx.example.com"));
    EXPECT_EQ(sip.last(), "refuse_transfer " + direct.text + " 603");
    const CallId open = transferable();
    calls->on_transfer_requested(open, refer("sip:102@evil.example"));
    EXPECT_EQ(sip.last(), "refuse_transfer " + open.text + " 403");
    calls->on_transfer_requested(open, refer("tel:+1800"));
    EXPECT_EQ(sip.last(), "refuse_transfer " + open.text + " 400");
    calls->on_transfer_requested({"c-none"}, refer("sip:102@pbx.example.com"));
    EXPECT_EQ(sip.last(), "refuse_transfer c-none 603");
    EXPECT_TRUE(sip.placed.empty());
}

// ---- one dialog in the place of another ----

TEST_F(PlacedCalls, ANewCallTakesThePlaceOfAnOldOne) {
    const CallId old = transferable();
    model::IncomingCall incoming;
    incoming.id = CallId::make();
    incoming.account = "office";
    incoming.to_user = "nobody routes this";
    incoming.local_address = "127.0.0.1";
    incoming.offer = peer_sdp();
    incoming.facts.replaces = old.text;
    calls->on_incoming(incoming);
    EXPECT_EQ(sip.last(), "answer " + incoming.id.text);
    EXPECT_EQ(info(incoming.id).ai, info(old).ai);
    EXPECT_EQ(info(incoming.id).route, info(old).route);
    calls->on_answer_sent(incoming.id);
    EXPECT_EQ(sip.last(), "hangup " + old.text);
    ends(old, sip.ends.back());
    EXPECT_EQ(over[0].end->reason, EndReason::Replaced);
    EXPECT_EQ(info(incoming.id).state, CallState::Answered);
}

TEST_F(PlacedCalls, ReplacementsThatAreRefused) {
    const CallId old = transferable();
    const CallId ringing = comes_in("y", "office");
    const auto try_it = [&](const std::string& account, const std::string& replaces) {
        model::IncomingCall incoming;
        incoming.id = CallId::make();
        incoming.account = account;
        incoming.local_address = "127.0.0.1";
        incoming.offer = peer_sdp();
        incoming.facts.replaces = replaces;
        calls->on_incoming(incoming);
        return sip.last().substr(sip.last().rfind(' ') + 1);
    };
    EXPECT_EQ(try_it("office", "c-none"), "481");
    EXPECT_EQ(over.back().end->reason, EndReason::NoSuchDialog);
    EXPECT_EQ(try_it("office", ringing.text), "481");
    EXPECT_EQ(try_it("", old.text), "403");
    EXPECT_EQ(over.back().end->reason, EndReason::NotAllowed);
    EXPECT_EQ(info(old).state, CallState::Answered);
}

// ---- texts ----

TEST_F(PlacedCalls, TextsGoOutAndTheirFateIsKept) {
    const CallId id = placed_and_answered();
    model::MessageOrder in_call;
    in_call.call = id;
    in_call.body = "hello";
    const auto number = calls->send_message(in_call);
    ASSERT_TRUE(number);
    ASSERT_EQ(sip.messages.size(), 1U);
    EXPECT_EQ(sip.messages[0].call, id);
    EXPECT_EQ(sip.messages[0].account, "office");
    EXPECT_EQ(sip.messages[0].body, "hello");
    EXPECT_EQ(calls->messages(id)[0].status, 0);
    calls->on_message_done(*number, 202);
    EXPECT_EQ(calls->messages(id)[0].status, 202);

    model::MessageOrder outside;
    outside.account = "office";
    outside.to = "sip:101@pbx.example.com";
    outside.body = "x";
    ASSERT_TRUE(calls->send_message(outside));
    EXPECT_EQ(sip.messages[1].to, "101");
    EXPECT_EQ(calls->messages({}).size(), 2U);
    EXPECT_EQ(calls->messages(id).size(), 1U);
}

TEST_F(PlacedCalls, TextsThatAreRefused) {
    model::MessageOrder good;
    good.account = "office";
    good.to = "101";
    good.body = "x";
    const auto field_of = [&](const std::function<void(model::MessageOrder&)>& spoil) {
        model::MessageOrder o = good;
        spoil(o);
        const auto sent = calls->send_message(o);
        return sent ? std::string("sent") : sent.error().field;
    };
    EXPECT_EQ(field_of([](auto& o) { o.body.clear(); }), "body");
    EXPECT_EQ(field_of([](auto& o) { o.body.resize(16385, 'a'); }), "body");
    EXPECT_EQ(field_of([](auto& o) { o.content_type = "text"; }), "content_type");
    EXPECT_EQ(field_of([](auto& o) { o.content_type = "text/plain\r\nVia: x"; }), "content_type");
    EXPECT_EQ(field_of([](auto& o) { o.account = "home"; }), "account");
    EXPECT_EQ(field_of([](auto& o) { o.account = "shut"; }), "account");
    EXPECT_EQ(field_of([](auto& o) { o.to = "+1800"; }), "to");
    EXPECT_EQ(field_of([](auto& o) { o.headers = {{"Route", "x"}}; }), "headers");
    model::MessageOrder nowhere = good;
    nowhere.call = {"c-none"};
    EXPECT_EQ(calls->send_message(nowhere).error().why, Why::Unavailable);
    EXPECT_TRUE(sip.messages.empty());
}

TEST_F(PlacedCalls, TextsThatComeAreBoundedAndEscaped) {
    for (int i = 0; i < 201; ++i) {
        model::TextMessage message;
        message.account = "office";
        message.from = "sip:a@b";
        message.body = std::to_string(i) + "\x07" + std::string(5000, 'x');
        calls->on_message(message);
    }
    const auto all = calls->messages({});
    ASSERT_EQ(all.size(), 200U);
    EXPECT_EQ(all.front().number, 2U);
    EXPECT_TRUE(all.front().is_inbound);
    EXPECT_TRUE(all.front().body.starts_with("1\\x07xxx"));
    EXPECT_LE(all.front().body.size(), 2048U);
    EXPECT_EQ(all.front().body_bytes, 5002U);
}

}  // namespace
}  // namespace offhook::call::testing

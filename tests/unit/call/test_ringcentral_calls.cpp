// What RingCentral is asked to do with calls: what may be asked for and when, and what comes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry_test.h"

namespace offhook::call::testing {
namespace {

using base::ErrorCode;
using model::EndReason;
using State = model::RingCentralCommand::State;
using ::testing::ElementsAre;
using ::testing::Pair;

class RingCentralCalls : public RegistryTest {
protected:
    void SetUp() override {
        config.sip.answer_delay_ms = 60'000;
        RegistryTest::SetUp();
    }

    model::CallId rings(const std::vector<std::string>& attributes = {}, bool has_control = true) {
        model::IncomingCall incoming;
        incoming.id = model::CallId::make();
        incoming.account = "office";
        incoming.to_user = "x";
        incoming.local_address = "127.0.0.1";
        incoming.offer = peer_sdp();
        incoming.facts.ringcentral = {.call_attributes = attributes, .has_control = has_control};
        const model::CallId id = incoming.id;
        calls->on_incoming(std::move(incoming));
        EXPECT_EQ(sip.last(), "ring " + id.text);
        return id;
    }
    model::CallId goes_on() {
        const model::CallId id = rings();
        calls->on_answer_sent(id);
        calls->on_confirmed(id, std::nullopt);
        return id;
    }
    base::Result<void> ask(const model::CallId& id, const std::string& command) {
        return calls->ringcentral(
            id, {.command = command, .to = {}, .text = {}, .target = {}, .who = "test"});
    }
    model::RingCentralCommand newest(const model::CallId& id) {
        const auto all = info(id).ringcentral_commands;
        return all.empty() ? model::RingCentralCommand{} : all.back();
    }
    static ErrorCode code_of(const base::Result<void>& result) {
        return result ? ErrorCode::Internal : result.error().code;
    }
    void responds(const model::CallId& id, const std::string& response) {
        calls->on_info(id, "application/json", "{\"response\":" + response + "}");
    }
};

TEST_F(RingCentralCalls, TheirCancelIsTheEndThatWasAskedFor) {
    struct Case {
        const char* command;
        int number;
        EndReason end;
    };
    for (const Case& c : {Case{"to-voicemail", 11, EndReason::SentToVoicemail},
                          {"reject", 12, EndReason::Declined}}) {
        const model::CallId id = rings({"reject", "send-vm"});
        ASSERT_TRUE(ask(id, c.command));
        EXPECT_EQ(sip.last(), "control " + id.text + " 1");
        EXPECT_EQ(sip.control_orders.back().command, c.number);
        EXPECT_EQ(newest(id).state, State::Pending);
        EXPECT_EQ(code_of(ask(id, c.command)), ErrorCode::Conflict) << "one at a time";
        calls->on_control_done(id, 1, 200);
        ends(id, model::ended(EndReason::CallerCancelled));
        EXPECT_EQ(over.back().end->reason, c.end);
        EXPECT_EQ(over.back().end->end_class, model::EndClass::Success);
        EXPECT_EQ(newest(id).state, State::Done);
        EXPECT_FALSE(sip.was_asked("answer " + id.text));
    }
}

TEST_F(RingCentralCalls, TheirCancelMayComeBeforeTheAnswerToTheRequest) {
    const model::CallId id = rings();
    ASSERT_TRUE(ask(id, "to-voicemail"));
    ends(id, model::ended(EndReason::CallerCancelled));
    calls->on_control_done(id, 1, 200);
    EXPECT_EQ(over.back().end->reason, EndReason::SentToVoicemail);
}

TEST_F(RingCentralCalls, ARefusedCommandMeansAnAnswer) {
    const model::CallId id = rings();
    ASSERT_TRUE(ask(id, "to-voicemail"));
    calls->on_control_done(id, 7, 403);  // not of this command
    EXPECT_EQ(newest(id).state, State::Pending);
    calls->on_control_done(id, 1, 403);
    EXPECT_EQ(newest(id).state, State::Failed);
    EXPECT_EQ(newest(id).detail, "RingCentral answered 403");
    EXPECT_EQ(sip.last(), "answer " + id.text);
    ends(id, model::ended(EndReason::CallerCancelled));
    EXPECT_EQ(over.back().end->reason, EndReason::CallerCancelled);
}

TEST_F(RingCentralCalls, WhatIsNotAmongTheAttributesIsNotAskedFor) {
    const model::CallId id = rings({"queue-call", "reject"});
    EXPECT_EQ(code_of(ask(id, "to-voicemail")), ErrorCode::Conflict);
    EXPECT_TRUE(sip.control_orders.empty());
    EXPECT_TRUE(ask(id, "reject"));
}

TEST_F(RingCentralCalls, ForwardGoesWhereTheAccountMayCall) {
    accounts["office"].outbound.destinations = {"+49*"};
    const model::CallId id = rings();
    const auto forward = [&](const std::string& to) {
        return calls->ringcentral(
            id, {.command = "forward", .to = to, .text = {}, .target = {}, .who = {}});
    };
    EXPECT_EQ(code_of(forward("")), ErrorCode::InvalidArgument);
    EXPECT_EQ(code_of(forward("sip:a@b")), ErrorCode::InvalidArgument);
    EXPECT_EQ(code_of(forward("+16505550100")), ErrorCode::InvalidArgument);
    ASSERT_TRUE(forward("+4930123456"));
    EXPECT_EQ(sip.control_orders.back().command, 10);
    EXPECT_THAT(sip.control_orders.back().attributes,
                ElementsAre(Pair("FwdDly", "0"), Pair("Phn", "+4930123456"), Pair("PhnTp", "3")));
    ends(id, model::ended(EndReason::CallerCancelled));
    EXPECT_EQ(over.back().end->reason, EndReason::Forwarded);
}

TEST_F(RingCentralCalls, AReplyIsOverWithTheirSessionClose) {
    const model::CallId id = rings();
    const auto reply = [&](const std::string& text) {
        return calls->ringcentral(
            id, {.command = "reply", .to = {}, .text = text, .target = {}, .who = {}});
    };
    EXPECT_EQ(code_of(reply("")), ErrorCode::InvalidArgument);
    EXPECT_EQ(code_of(reply("a\nb")), ErrorCode::InvalidArgument);
    EXPECT_EQ(code_of(reply(std::string(513, 'a'))), ErrorCode::InvalidArgument);
    ASSERT_TRUE(reply("I call you back"));
    EXPECT_THAT(sip.control_orders.back().attributes,
                ElementsAre(Pair("RepTp", "0"), Pair("Bdy", "I call you back")));
    calls->on_control_done(id, 1, 200);
    calls->on_control(id, 7);
    EXPECT_EQ(newest(id).state, State::Pending);
    calls->on_control(id, 9);
    EXPECT_EQ(sip.last(), "hangup " + id.text);
    ends(id, sip.ends.back());
    EXPECT_EQ(over.back().end->reason, EndReason::Replied);
    EXPECT_EQ(newest(id).state, State::Done);
}

TEST_F(RingCentralCalls, RecordingIsAnsweredByInfo) {
    const model::CallId id = goes_on();
    ASSERT_TRUE(ask(id, "start-recording"));
    EXPECT_EQ(sip.control_orders.back().command, 0);
    EXPECT_EQ(sip.control_orders.back().body,
              R"({"request":{"reqid":1,"command":"startcallrecord"}})");
    calls->on_control_done(id, 1, 200);
    responds(id, R"({"reqid":2,"command":"startcallrecord","result":{"code":0}})");
    responds(id, R"({"reqid":1,"command":"stopcallrecord","result":{"code":0}})");
    calls->on_info(id, "application/json", "{");
    calls->on_info(id, "text/plain", "{}");
    EXPECT_EQ(newest(id).state, State::Pending);
    responds(id,
             R"({"reqid":1,"command":"startcallrecord","result":{"code":0,"description":"Yes"}})");
    EXPECT_EQ(newest(id).state, State::Done);
    EXPECT_EQ(newest(id).detail, "code 0: Yes");
    ASSERT_TRUE(ask(id, "stop-recording"));
    responds(id,
             R"({"reqid":2,"command":"stopcallrecord","result":{"code":-5,"description":"a\nb"}})");
    EXPECT_EQ(newest(id).state, State::Failed);
    EXPECT_EQ(newest(id).detail, "code -5: a\\x0Ab");
    ends(id, model::ended(EndReason::CallerHangup));
    EXPECT_EQ(over.back().end->reason, EndReason::CallerHangup);
}

TEST_F(RingCentralCalls, AParkedCallIsTheirs) {
    const model::CallId id = goes_on();
    ASSERT_TRUE(ask(id, "park"));
    responds(id, R"({"reqid":1,"command":"callpark","result":{"code":0}})");
    EXPECT_EQ(sip.last(), "hangup " + id.text);
    EXPECT_EQ(sip.ends.back().reason, EndReason::Transferred);
}

TEST_F(RingCentralCalls, AFlippedCallEndsByTheirBye) {
    const model::CallId id = goes_on();
    EXPECT_EQ(code_of(ask(id, "flip")), ErrorCode::InvalidArgument);
    ASSERT_TRUE(calls->ringcentral(
        id, {.command = "flip", .to = {}, .text = {}, .target = "1", .who = {}}));
    EXPECT_EQ(sip.control_orders.back().body,
              R"({"request":{"reqid":1,"command":"callflip","target":"1"}})");
    responds(id, R"({"reqid":1,"command":"callflip","result":{"code":0}})");
    ends(id, model::ended(EndReason::CallerHangup));
    EXPECT_EQ(over.back().end->reason, EndReason::Transferred);
}

TEST_F(RingCentralCalls, EachCommandHasItsTime) {
    EXPECT_EQ(code_of(ask({"c-000000000000"}, "park")), ErrorCode::NotFound);
    const model::CallId plain = comes_in("x");
    EXPECT_EQ(code_of(ask(plain, "reject")), ErrorCode::Conflict);
    const model::CallId ringing = rings();
    EXPECT_EQ(code_of(ask(ringing, "explode")), ErrorCode::InvalidArgument);
    EXPECT_EQ(code_of(ask(ringing, "park")), ErrorCode::Conflict);
    const model::CallId answered = goes_on();
    EXPECT_EQ(code_of(ask(answered, "reject")), ErrorCode::Conflict);
    EXPECT_EQ(code_of(ask(rings({}, false), "reject")), ErrorCode::Conflict);
    EXPECT_TRUE(sip.control_orders.empty());
}

TEST_F(RingCentralCalls, TheEndOfTheCallIsTheEndOfACommand) {
    const model::CallId id = goes_on();
    ASSERT_TRUE(ask(id, "start-recording"));
    ends(id, model::ended(EndReason::CallerHangup));
    EXPECT_EQ(newest(id).state, State::Failed);
    EXPECT_EQ(newest(id).detail, "the call ended before");
}

}  // namespace
}  // namespace offhook::call::testing

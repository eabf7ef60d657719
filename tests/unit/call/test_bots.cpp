// What a call's bot asks for, how it fares, and what follows when it stays away.
#include <thread>

#include "call/bot_call.h"
#include "call/bot_mail.h"
#include "registry_test.h"

namespace offhook::call::testing {
namespace {

using ai::BotRequest;
using ai::BotVerb;
using model::AiState;
using model::CallId;
using model::EndClass;
using model::EndReason;
using Kind = ai::Fallback::Kind;

class Bots : public RegistryTest {
protected:
    static BotRequest wish(BotVerb verb, const std::string& argument = {}) {
        return {.number = 1, .verb = verb, .argument = argument};
    }
    bool was_told(const std::string& what) const {
        return std::find(bot_news.begin(), bot_news.end(), what) != bot_news.end();
    }
    /// Why the call is about to end.
    model::CallEnd why() const { return sip.ends.empty() ? model::CallEnd{} : sip.ends.back(); }
};

TEST_F(Bots, ACallNamesItsAi) {
    const CallId id = answered();
    EXPECT_EQ(bots, std::vector<std::string>{"tone 0"});
    EXPECT_EQ(info(id).bot.protocol, "tone");
    EXPECT_EQ(info(id).bot.state, AiState::BuiltIn);
    EXPECT_NE(info(id).bot.since_ns, 0);
    EXPECT_EQ(info(id).bot.where, "");
}

TEST_F(Bots, OnlyHostAndPortOfAUrlAreShown) {
    config.ai[0] = {.name = "tone",
                    .protocol = config::AiProtocol::Plain,
                    .url = "ws://127.0.0.1:1/call?token=rosebud"};
    const CallId id = answered();
    EXPECT_EQ(info(id).bot.where, "127.0.0.1:1");
    EXPECT_EQ(info(id).bot.protocol, "plain");
}

TEST_F(Bots, HangsUp) {
    const CallId id = answered();
    calls->on_bot_request(id, wish(BotVerb::HangUp));
    EXPECT_TRUE(sip.was_asked("hangup " + id.text));
    EXPECT_EQ(why().reason, EndReason::AiHangup);
    EXPECT_TRUE(was_told("hang-up done"));
    // what comes later is for nobody
    calls->on_bot_request(id, wish(BotVerb::SendDigits, "1"));
    EXPECT_EQ(bot_news.size(), 1U);
    ends(id, model::ended(EndReason::AiHangup));
    EXPECT_EQ(over[0].end->end_class, EndClass::Success);
    EXPECT_EQ(over[0].bot.state, AiState::BuiltIn);
}

TEST_F(Bots, SendsDigitsByRfc4733OrByInfo) {
    const CallId id = answered();
    calls->on_bot_request(id, wish(BotVerb::SendDigits, "12#"));
    EXPECT_TRUE(was_told("dtmf done"));
    for (const char* bad : {"", "12x", "1\r\nX-A: b"}) {
        bot_news.clear();
        calls->on_bot_request(id, wish(BotVerb::SendDigits, bad));
        EXPECT_TRUE(was_told("dtmf failed")) << bad;
    }
    // A peer without telephone-event: nothing but digits may get into an INFO.
    const auto placed = calls->place(order());
    ASSERT_TRUE(placed);
    calls->on_accepted(placed->id, peer_sdp(model::Direction::SendRecv, false));
    bot_news.clear();
    calls->on_bot_request(placed->id, wish(BotVerb::SendDigits, "7"));
    EXPECT_TRUE(sip.was_asked("info_digits " + placed->id.text + " 7"));
    const std::size_t asked = sip.asked.size();
    calls->on_bot_request(placed->id, wish(BotVerb::SendDigits, "1\r\nSignal=2"));
    EXPECT_EQ(sip.asked.size(), asked);
    EXPECT_EQ(bot_news, (std::vector<std::string>{"dtmf done", "dtmf failed"}));
}

TEST_F(Bots, TransfersAndIsToldWhatCameOfIt) {
    const CallId id = answered();
    calls->on_bot_request(id, wish(BotVerb::Transfer, "not a target"));
    EXPECT_EQ(bot_news, std::vector<std::string>{"transfer failed"});
    bot_news.clear();
    calls->on_bot_request(id, wish(BotVerb::Transfer, "sip:bob@127.0.0.1"));
    ASSERT_EQ(sip.transfers.size(), 1U);
    EXPECT_EQ(sip.transfers[0].target, "sip:bob@127.0.0.1");
    calls->on_transfer_progress(id, 180);
    EXPECT_TRUE(bot_news.empty());
    calls->on_transfer_progress(id, 486);
    EXPECT_EQ(bot_news, std::vector<std::string>{"transfer failed"});
    EXPECT_EQ(info(id).state, model::CallState::Answered);
    bot_news.clear();
    calls->on_bot_request(id, wish(BotVerb::Transfer, "sip:bob@127.0.0.1"));
    calls->on_transfer_progress(id, 200);
    EXPECT_EQ(bot_news, std::vector<std::string>{"transfer done"});
    EXPECT_EQ(why().reason, EndReason::Transferred);
}

TEST_F(Bots, HoldsAndResumes) {
    const CallId id = answered();
    calls->on_bot_request(id, wish(BotVerb::Resume));
    EXPECT_EQ(bot_news, std::vector<std::string>{"hold failed"});
    bot_news.clear();
    calls->on_bot_request(id, wish(BotVerb::Hold));
    EXPECT_TRUE(sip.was_asked("reoffer " + id.text));
    EXPECT_TRUE(bot_news.empty());
    calls->on_reoffer_done(id, 200, peer_sdp(model::Direction::RecvOnly));
    EXPECT_EQ(bot_news, std::vector<std::string>{"hold done"});
    EXPECT_TRUE(info(id).is_held_by_us);
    bot_news.clear();
    calls->on_bot_request(id, wish(BotVerb::Resume));
    calls->on_reoffer_done(id, 488, std::nullopt);
    EXPECT_EQ(bot_news, std::vector<std::string>{"hold failed"});
    EXPECT_TRUE(info(id).is_held_by_us);
}

TEST_F(Bots, ARefusalIsCountedEachTime) {
    const CallId id = answered();
    calls->on_bot_refused(id, wish(BotVerb::Transfer, "x"));
    calls->on_bot_refused(id, wish(BotVerb::Transfer, "x"));
    EXPECT_EQ(bot_news, (std::vector<std::string>{"transfer refused", "transfer refused"}));
    EXPECT_TRUE(sip.transfers.empty());
}

TEST_F(Bots, LossesAndReturnsAreToldOnceEach) {
    const CallId id = answered();
    calls->on_bot_state(id, AiState::Connecting, "connecting");
    calls->on_bot_state(id, AiState::Live, "the bot hears the caller");
    EXPECT_TRUE(bot_news.empty());
    calls->on_bot_state(id, AiState::Lost, "reset\r\nby it");
    calls->on_bot_state(id, AiState::Lost, "refused");
    EXPECT_EQ(bot_news, std::vector<std::string>{"lost tone "});
    EXPECT_EQ(info(id).bot.state, AiState::Lost);
    EXPECT_EQ(info(id).bot.reason, "refused");
    const model::HealthCheck health = calls->ai_health();
    EXPECT_EQ(health.status, model::HealthCheck::Status::Degraded);
    EXPECT_NE(health.detail.find("1 of 1 calls are without their bot"), std::string::npos)
        << health.detail;
    EXPECT_NE(health.detail.find("refused"), std::string::npos) << health.detail;
    calls->on_bot_state(id, AiState::Live, "the bot hears the caller");
    EXPECT_EQ(calls->ai_health().status, model::HealthCheck::Status::Ok);
    EXPECT_EQ(calls->ai_health().detail, "2 configured, 1 of 1 calls have their bot");
}

TEST_F(Bots, WhereItMayComeToIsShownUntilItCame) {
    const CallId id = answered();
    calls->on_bot_waiting(id, "/media/" + id.text);
    EXPECT_EQ(info(id).bot.media_path, "/media/" + id.text);
    calls->on_bot_state(id, AiState::Live, "here");
    EXPECT_EQ(info(id).bot.media_path, "");
}

TEST_F(Bots, TheNextAiTakesOver) {
    fallback = {{Kind::Prompt, "sorry"}, {Kind::Ai, "mute"}, {Kind::HangUp, ""}};
    const CallId id = answered();
    calls->on_bot_state(id, AiState::Lost, "refused");
    calls->on_bot_fallback(id, fallback[1]);
    EXPECT_EQ(info(id).ai, "mute");
    EXPECT_EQ(info(id).bot.protocol, "mute");
    EXPECT_EQ(info(id).bot.state, AiState::BuiltIn);
    EXPECT_EQ(bots, (std::vector<std::string>{"tone 0", "mute 2"}));
    EXPECT_TRUE(was_told("left tone"));
    EXPECT_FALSE(sip.was_asked("hangup " + id.text));
    calls->on_bot_fallback(id, fallback[2]);
    EXPECT_EQ(why().reason, EndReason::AiLost);
    EXPECT_EQ(model::class_of(EndReason::AiLost), EndClass::Upstream);
    EXPECT_EQ(sip.reason_header, "SIP;cause=503;text=\"no bot\"");
}

TEST_F(Bots, AFallbackMaySendTheCallerElsewhere) {
    fallback = {{Kind::Transfer, "sip:desk@127.0.0.1"}};
    const CallId id = answered();
    calls->on_bot_fallback(id, fallback[0]);
    ASSERT_EQ(sip.transfers.size(), 1U);
    EXPECT_EQ(sip.transfers[0].target, "sip:desk@127.0.0.1");
    calls->on_transfer_progress(id, 503);
    EXPECT_TRUE(sip.ends.empty());  // the AI side says what is next
    calls->on_bot_finished(id, "the list is at its end");
    EXPECT_EQ(why().reason, EndReason::AiLost);
    EXPECT_NE(why().detail.find("the list is at its end"), std::string::npos);
}

TEST_F(Bots, AnOrderlyEndIsAHangUp) {
    const CallId id = answered();
    calls->on_bot_state(id, AiState::Live, "here");
    calls->on_bot_state(id, AiState::Ended, "closed-by-peer 1000");
    calls->on_bot_finished(id, "closed-by-peer 1000");
    EXPECT_EQ(why().reason, EndReason::AiHangup);
    const CallId never = answered();
    calls->on_bot_finished(never, "refused 403");
    EXPECT_EQ(why().reason, EndReason::AiLost);
}

TEST_F(Bots, NewsOfCallsThatAreOverIsForNobody) {
    const CallId gone{"c-000000000000"};
    calls->on_bot_request(gone, wish(BotVerb::HangUp));
    calls->on_bot_refused(gone, wish(BotVerb::HangUp));
    calls->on_bot_state(gone, AiState::Lost, "x");
    calls->on_bot_fallback(gone, {Kind::HangUp, ""});
    calls->on_bot_finished(gone, "x");
    calls->on_bot_waiting(gone, "x");
    EXPECT_TRUE(sip.asked.empty());
}

TEST_F(Bots, MailComesOnControlAndIsDroppedAfterwards) {
    const CallId id = answered();
    BotMail mail(control);
    mail.set_registry(calls.get());
    std::thread([&] { mail.on_waiting(id, "/media/1"); }).join();
    EXPECT_EQ(info(id).bot.media_path, "");
    EXPECT_TRUE(wait_until([&] { return info(id).bot.media_path == "/media/1"; }));
    mail.on_waiting(id, "/media/2");
    mail.set_registry(nullptr);
    bool is_done = false;
    control.post([&] { is_done = true; });
    EXPECT_TRUE(wait_until([&] { return is_done; }));
    EXPECT_EQ(info(id).bot.media_path, "/media/1");
}

TEST_F(Bots, ParametersAreFilledInOnce) {
    Call call{model::IncomingCall{}};
    call.info.from = "sip:${to}@a";
    call.info.to = "sip:+15550100;x=1@c:5060;user=phone";
    call.info.account = "office";
    call.info.route = "first";
    call.id.text = call.info.id.text = "c-1";
    ai::BotSettings settings;
    settings.ai.parameter = {{.name = "who", .value = "<${from}> ${to} ${call_id}${account}"},
                             {.name = "odd", .value = "$ ${ ${x} ${route"},
                             {.name = "long", .value = std::string(498, 'a') + "${from}"}};
    const ai::BotCall out = bot_call_of(call, settings);
    EXPECT_EQ(out.direction, "inbound");
    EXPECT_EQ(out.from, "${to}");
    EXPECT_EQ(out.to, "+15550100");
    call.info.from = "sip:pbx.example.com";
    call.info.to = "101";
    EXPECT_EQ(bot_call_of(call, {}).from, "sip:pbx.example.com");
    EXPECT_EQ(bot_call_of(call, {}).to, "101");
    ASSERT_EQ(out.parameters.size(), 3U);
    EXPECT_EQ(out.parameters[0].second, "<${to}> +15550100 c-1office");
    EXPECT_EQ(out.parameters[1].second, "$ ${ ${x} ${route");
    EXPECT_EQ(out.parameters[2].second.size(), 500U);
}

}  // namespace
}  // namespace offhook::call::testing

// RFC 4028: the agreement as values, then live with intervals of seconds.
#include "signalling/sip/session_timer.h"

#include <gtest/gtest.h>

#include "scripted_uas.h"

namespace offhook::test {
namespace {

using namespace signalling::sip;

TEST(SessionTimer, ReadsTheHeader) {
    EXPECT_EQ(parse_session_expires("1800")->seconds, 1800U);
    EXPECT_FALSE(parse_session_expires("1800")->refresher);
    EXPECT_EQ(parse_session_expires(" 90 ; refresher = uas ;x=y")->refresher, Refresher::Uas);
    EXPECT_EQ(parse_session_expires("90;REFRESHER=UAC")->refresher, Refresher::Uac);
    EXPECT_FALSE(parse_session_expires("90;refresher=me")->refresher);
    for (const char* bad : {"", ";refresher=uac", "90s", "-1", "4294967296", "1 2"})
        EXPECT_FALSE(parse_session_expires(bad)) << bad;
}

TEST(SessionTimer, RefreshesAtHalfTimeAndLapsesBeforeTheEnd) {
    EXPECT_EQ(refresh_after({1800, true}), 900s);
    EXPECT_EQ(lapse_after({1800, false}), 1768s);  // 32 s before
    EXPECT_EQ(lapse_after({90, false}), 60s);      // a third before
}

struct Case {
    const char* name;
    SessionOffer offer;
    bool too_small;
    std::uint32_t interval;
    bool we_refresh;
    const char* header;
    bool requires_timer;
};

TEST(SessionTimer, AnswersWhatIsAsked) {
    const SessionPolicy policy{1800, 90};
    const std::vector<Case> cases{
        {"nothing, no support", {}, false, 0, false, "", false},
        {"nothing, supported", {{}, 0, true}, false, 1800, true, "1800;refresher=uas", false},
        {"its Min-SE is larger", {{}, 3600, true}, false, 3600, true, "3600;refresher=uas", false},
        {"we choose them",
         {SessionExpires{600, {}}, 0, true},
         false,
         600,
         false,
         "600;refresher=uac",
         true},
        {"they choose us",
         {SessionExpires{600, Refresher::Uas}, 0, true},
         false,
         600,
         true,
         "600;refresher=uas",
         false},
        {"too small", {SessionExpires{60, Refresher::Uac}, 0, true}, true, 0, false, "", false},
        {"a proxy asked for a caller without support",
         {SessionExpires{60, {}}, 0, false},
         false,
         90,
         true,
         "90;refresher=uas",
         false},
    };
    for (const Case& each : cases) {
        const SessionAnswer answer = answer_session(each.offer, policy);
        EXPECT_EQ(answer.is_too_small, each.too_small) << each.name;
        EXPECT_EQ(answer.terms.interval_s, each.interval) << each.name;
        EXPECT_EQ(answer.terms.we_refresh, each.we_refresh) << each.name;
        EXPECT_EQ(answer.header, each.header) << each.name;
        EXPECT_EQ(answer.requires_timer, each.requires_timer) << each.name;
    }
    EXPECT_EQ(answer_session({{}, 0, true}, {0, 90}).terms.interval_s, 0U);
}

TEST(SessionTimer, TakesWhatIsAnswered) {
    EXPECT_EQ(terms_of_answer({}).interval_s, 0U);
    EXPECT_TRUE(terms_of_answer({SessionExpires{90, Refresher::Uac}, 0, true}).we_refresh);
    EXPECT_FALSE(terms_of_answer({SessionExpires{90, Refresher::Uas}, 0, true}).we_refresh);
    EXPECT_EQ(terms_of_answer({SessionExpires{0, Refresher::Uas}, 0, true}).interval_s, 0U);
}

void quick(SipSettings& settings) {
    settings.t1 = 20ms;
    settings.t2 = 80ms;
    settings.t4 = 100ms;
    settings.session_expires = 2s;
    settings.min_session_expires = 1s;
}

/// The answer to a refresh of the stack.
void accept(ScriptedUac& uac, const Message& refresh, const std::string& sdp = {}) {
    std::string text = "SIP/2.0 200 OK\r\n";
    for (const char* name : {"Via", "From", "To", "Call-ID", "CSeq"})
        text += std::string(name) + ": " + refresh.header(name) + "\r\n";
    text += "Session-Expires: 2;refresher=uac\r\nSupported: timer\r\n";
    if (!sdp.empty()) text += "Content-Type: application/sdp\r\n";
    uac.send(text + "Content-Length: " + std::to_string(sdp.size()) + "\r\n\r\n" + sdp);
}

TEST(SessionTimerLive, WeRefreshByUpdateUntilNobodyAnswers) {
    Bench bench(quick);
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    uac.extra = "Supported: timer\r\nAllow: INVITE, UPDATE\r\n";
    const Message ok = uac.call(plain_offer());
    EXPECT_EQ(ok.header("Session-Expires"), "2;refresher=uas");
    EXPECT_TRUE(ok.header("Require").empty());
    const Message refresh = uac.expect("UPDATE");
    ASSERT_FALSE(refresh.empty());
    EXPECT_EQ(refresh.header("Session-Expires"), "2;refresher=uac");
    EXPECT_TRUE(refresh.body().empty());
    accept(uac, refresh);
    EXPECT_FALSE(uac.expect("UPDATE").empty());
    const Message bye = uac.expect("BYE");
    EXPECT_TRUE(bye.header("Reason").starts_with("SIP;cause=408"));
    uac.accept(bye);
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("ended session-timer"); }));
    EXPECT_FALSE(bench.events.saw("reoffer"));
}

TEST(SessionTimerLive, WeRefreshByReinviteWithTheSameDescription) {
    Bench bench(quick);
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    uac.extra = "Supported: timer\r\n";
    const Message ok = uac.call(plain_offer());
    const Message refresh = uac.expect("INVITE");
    ASSERT_FALSE(refresh.empty());
    EXPECT_EQ(refresh.body(), ok.body());
    accept(uac, refresh, plain_offer());
    EXPECT_FALSE(uac.expect("ACK").empty());
    EXPECT_FALSE(bench.events.saw("reoffer_done 200"));
    EXPECT_EQ(bench.events.count("confirmed"), 1U);
    EXPECT_EQ(bench.events.ends.size(), 0U);
}

TEST(SessionTimerLive, NoRefreshOfTheirsEndsTheCall) {
    Bench bench(quick);
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    uac.extra = "Supported: timer\r\nSession-Expires: 2;refresher=uac\r\n";
    const Message ok = uac.call(plain_offer());
    EXPECT_EQ(ok.header("Session-Expires"), "2;refresher=uac");
    EXPECT_EQ(ok.header("Require"), "timer");
    const auto begin = std::chrono::steady_clock::now();
    // One refresh puts it off.
    EXPECT_TRUE(uac.expect("BYE", 700ms).empty());
    uac.extra = "Supported: timer\r\nSession-Expires: 2;refresher=uac\r\n";
    uac.send(uac.request("UPDATE"));
    EXPECT_EQ(uac.expect(200).header("Session-Expires"), "2;refresher=uac");
    const Message bye = uac.expect("BYE");
    ASSERT_FALSE(bye.empty());
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 1900ms);
    EXPECT_TRUE(bye.header("Reason").starts_with("SIP;cause=408"));
    uac.accept(bye);
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("ended session-timer"); }));
}

TEST(SessionTimerLive, TooSmallIs422) {
    Bench bench;
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    uac.extra = "Supported: timer\r\nx: 60\r\n";  // compact form
    uac.send(uac.request("INVITE", plain_offer()));
    const Message small = uac.expect(422);
    EXPECT_EQ(small.header("Min-SE"), "90");
    EXPECT_FALSE(bench.events.saw("incoming"));
}

TEST(SessionTimerLive, CallOfOursRefreshesAsItsAnswerSays) {
    Bench bench(quick);
    ScriptedUas uas(bench);
    const Message invite = uas.place();
    EXPECT_EQ(invite.header("Session-Expires"), "2");
    EXPECT_EQ(invite.header("Min-SE"), "1");
    uas.reply(invite,
              200,
              plain_offer(),
              "uas",
              {{"Session-Expires", "2;refresher=uac"},
               {"Require", "timer"},
               {"Allow", "INVITE, UPDATE"}});
    EXPECT_FALSE(uas.expect("ACK").empty());
    const Message refresh = uas.expect("UPDATE");
    ASSERT_FALSE(refresh.empty());
    uas.reply(refresh, 405);  // lists it and does not do it
    const Message instead = uas.expect("INVITE");
    ASSERT_FALSE(instead.empty());
    EXPECT_EQ(instead.body(), invite.body());
    uas.reply(instead, 200, plain_offer());  // without Session-Expires: no timer any more
    EXPECT_FALSE(uas.expect("ACK").empty());
    EXPECT_TRUE(uas.expect("UPDATE", 100ms).empty());
}

}  // namespace
}  // namespace offhook::test

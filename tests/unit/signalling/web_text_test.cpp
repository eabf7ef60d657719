// Descriptions of web legs pass the SIP room as text, both ways and at their size.
#include <gtest/gtest.h>

#include "scripted_uac.h"
#include "scripted_uas.h"
#include "signalling/sip/sip_sdp.h"

namespace offhook::test {
namespace {

/// What a web leg of ours would have written.
model::LocalSdp web_answer(std::uint64_t version = 1) {
    model::LocalSdp local;
    local.web_text = "v=0\r\no=offhook 1 " + std::to_string(version) +
                     " IN IP4 127.0.0.1\r\ns=offhook\r\nt=0 0\r\nm=audio 40000 UDP/TLS/RTP/SAVPF "
                     "111\r\nc=IN IP4 127.0.0.1\r\n";
    while (local.web_text.size() < 3 * 1024) local.web_text += "a=x-filler:0123456789\r\n";
    return local;
}

void answer_web(Bench& bench) {
    bench.events.when_incoming = [&bench](const model::IncomingCall& call) {
        bench.stack().answer(call.id, web_answer());
    };
    bench.events.when_reoffer = [&bench](const model::CallId& id,
                                         const std::optional<model::RemoteSdp>&,
                                         std::uint32_t exchange) {
        bench.stack().answer(id, web_answer(2), exchange);
    };
}

class WebText : public testing::TestWithParam<ScriptedUac::Over> {};
INSTANTIATE_TEST_SUITE_P(Sip,
                         WebText,
                         testing::Values(ScriptedUac::Over::Udp, ScriptedUac::Over::Tcp),
                         [](const auto& over) {
                             return over.param == ScriptedUac::Over::Udp ? "Udp" : "Tcp";
                         });

TEST_P(WebText, OfOffersComesUpAndOursGoesOutAsItIs) {
    Bench bench;
    answer_web(bench);
    ScriptedUac uac(bench, GetParam());
    const Message ok = uac.call(web_offer());
    ASSERT_FALSE(ok.empty());
    EXPECT_EQ(ok.body(), web_answer().web_text);
    EXPECT_EQ(ok.header("Content-Type"), "application/sdp");
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed"); }));
    ASSERT_TRUE(bench.events.calls.at(0).offer);
    EXPECT_EQ(bench.events.calls.at(0).offer->web_text, web_offer());
    EXPECT_EQ(bench.events.calls.at(0).offer->audio.rtp_port, 0);

    // Hold, restart: another version. Then the same again, which only refreshes the session.
    for (const char* method : {"INVITE", "UPDATE"}) {
        bench.events.lines.clear();
        const std::string later = web_offer(std::string_view(method) == "INVITE" ? 2 : 3);
        for (int times = 0; times < 2; ++times) {
            uac.send(uac.request(method, later));
            const Message answer = uac.expect(200);
            EXPECT_EQ(answer.body(), web_answer(2).web_text) << method;
            if (std::string_view(method) == "INVITE") uac.send(uac.request("ACK"));
        }
        EXPECT_EQ(bench.events.count("reoffer"), 1U) << method;
        EXPECT_EQ(bench.events.last_sdp->web_text, later) << method;
    }
    // Other candidates under the same version are no refresh.
    uac.send(uac.request("INVITE", web_offer(3, 9 * 1024)));
    EXPECT_FALSE(uac.expect(200).empty());
    EXPECT_EQ(bench.events.count("reoffer"), 2U);
}

TEST_P(WebText, OfTheAnswerToAnOfferlessCallComesUp) {
    Bench bench;
    answer_web(bench);
    ScriptedUac uac(bench, GetParam());
    uac.send(uac.request("INVITE"));
    const Message ok = uac.expect(200);
    EXPECT_EQ(ok.body(), web_answer().web_text);
    uac.learn(ok);
    uac.send(uac.request("ACK", web_offer()));
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("confirmed+sdp"); }));
    EXPECT_EQ(bench.events.last_sdp->web_text, web_offer());
}

TEST(WebTextOfAPlacedCall, IsTheBodyAndTheAnswerComesUp) {
    Bench bench;
    ScriptedUas uas(bench);
    const Message invite = uas.call();
    ASSERT_FALSE(invite.empty());
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("accepted"); }));
    bench.stack().reoffer(uas.id(), web_answer(2));
    const Message reinvite = uas.expect("INVITE");
    EXPECT_EQ(reinvite.body(), web_answer(2).web_text);
    uas.reply(reinvite, 200, web_offer());
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("reoffer_done 200"); }));
    EXPECT_EQ(bench.events.last_sdp->web_text, web_offer());
}

TEST(WebTextOfAPlacedCall, IsTakenFromThe200) {
    Bench bench;
    ScriptedUas uas(bench);
    const Message invite = uas.place();
    uas.reply(invite, 200, web_offer());
    ASSERT_TRUE(bench.wait([&] { return bench.events.saw("accepted"); }));
    EXPECT_EQ(bench.events.last_sdp->web_text, web_offer());
}

TEST(WebTextOfADescription, IsThereOnlyWhenNothingElseWouldDo) {
    using signalling::sip::is_usable;
    using signalling::sip::parse_sdp;
    const auto web = parse_sdp(web_offer());
    ASSERT_TRUE(web);
    EXPECT_TRUE(is_usable(*web));
    EXPECT_EQ(web->web_text, web_offer());
    EXPECT_EQ(web->lines.size(), 2U);
    const auto plain = parse_sdp(plain_offer());
    ASSERT_TRUE(plain);
    EXPECT_TRUE(is_usable(*plain));
    EXPECT_TRUE(plain->web_text.empty());
    // A phone that would do without: its plain line counts.
    const auto both = parse_sdp(web_offer() + "m=audio 6000 RTP/AVP 0\r\nc=IN IP4 127.0.0.1\r\n");
    ASSERT_TRUE(both);
    EXPECT_TRUE(both->web_text.empty());
    EXPECT_EQ(both->audio.line, 2U);
    // A rejected line is no description of anything.
    std::string rejected = web_offer();
    rejected.replace(rejected.find("m=audio 9"), 9, "m=audio 0");
    const auto refused = parse_sdp(rejected);
    ASSERT_TRUE(refused);
    EXPECT_FALSE(is_usable(*refused));
}

}  // namespace
}  // namespace offhook::test

// SIP phones not written by us, with ICE and DTLS-SRTP: their words come back, digits and hold work,
// and what they offer without rtcp-mux is refused with a sentence.

#include <gtest/gtest.h>

#include "harness/call_test.h"
#include "harness/linphone.h"

namespace offhook::harness {
namespace {

struct PhoneCase {
    const char* codec;
    const char* transport;  ///< of SIP; empty: UDP
};

void PrintTo(const PhoneCase& one, std::ostream* out) {
    *out << one.codec << (*one.transport ? " over TCP" : " over UDP");
}

/// A daemon that gathers from every interface, as the phones do: neither takes loopback for ICE.
class WebPhoneTest : public CallTest {
protected:
    void SetUp() override {
        if (!baresip_has("PCMU")) GTEST_SKIP() << "Debian's baresip-core is not installed";
        Daemon::Options options;
        options.has_tcp = true;
        start(options);
    }
    [[nodiscard]] std::string path() { return "/api/v1/calls/" + daemon_->only_call(); }
    double number(const std::string& call, const std::string& field) {
        return daemon_->json(call).number(field);
    }
};

class BaresipWebTest : public WebPhoneTest, public testing::WithParamInterface<PhoneCase> {};

TEST_P(BaresipWebTest, HearsItsWordsAgain) {
    const PhoneCase& one = GetParam();
    Sound sentence = spoken(folder_, std::string(one.codec) == "opus" ? 48000 : 8000);
    sentence.append_silence(0.6);
    const std::string port =
        std::to_string(*one.transport ? daemon_->tcp_port() : daemon_->sip_port());
    Baresip baresip(folder_,
                    "sip:echo@127.0.0.1:" + port,
                    one.codec,
                    sentence,
                    {.keeps_what_it_hears = true, .is_web = true, .transport = one.transport});
    ASSERT_TRUE(baresip.is_established()) << baresip.process().output();
    ASSERT_TRUE(baresip.process().wait_output("DTLS-SRTP complete", seconds(15)))
        << baresip.process().output();
    const std::string call = path();
    EXPECT_TRUE(eventually(seconds(10), &baresip.process(), [&] {
        return number(call, "stats.received_packets") > 100;
    })) << daemon_->get(call).body;
    // It hangs up at the end of its file.
    const auto ended = daemon_->wait_event("call.ended", seconds(60));
    ASSERT_TRUE(ended) << baresip.process().output();
    EXPECT_EQ(ended->text("reason"), "caller-hangup");
    baresip.quit();
    EXPECT_EQ(heard_words(folder_, baresip.heard()), kWords);
}

INSTANTIATE_TEST_SUITE_P(
    Phones,
    BaresipWebTest,
    testing::Values(PhoneCase{"PCMU", ""}, PhoneCase{"opus", ""}, PhoneCase{"PCMU", "tcp"}),
    [](const auto& one) {
        return std::string(one.param.codec) + (*one.param.transport ? "_tcp" : "_udp");
    });

TEST_F(WebPhoneTest, DigitsGoBothWays) {
    Baresip baresip(folder_,
                    daemon_->uri(),
                    "PCMU",
                    tone(8000, 620, 60),
                    {.is_web = true, .takes_orders = true});
    ASSERT_TRUE(baresip.process().wait_output("DTLS-SRTP complete", seconds(15)))
        << baresip.process().output();
    const std::string call = path();
    ASSERT_TRUE(baresip.order("sndcode", "5"));
    EXPECT_TRUE(eventually(seconds(10), &baresip.process(), [&] {
        return number(call, "stats.received_dtmf_events") == 1;
    })) << daemon_->get(call).body;
    EXPECT_EQ(daemon_->post(call + "/dtmf", R"({"digits":"7#"})").status / 100, 2);
    EXPECT_TRUE(baresip.process().wait_output("received event: '7' (end=1)", seconds(10)))
        << baresip.process().output();
    EXPECT_TRUE(baresip.process().wait_output("received event: '#' (end=1)", seconds(10)))
        << baresip.process().output();
}

TEST_F(WebPhoneTest, HoldSilencesUsAndResumeGoesOnWhereItWas) {
    Baresip baresip(folder_,
                    daemon_->uri(),
                    "PCMU",
                    tone(8000, 620, 60),
                    {.keeps_what_it_hears = true, .is_web = true, .takes_orders = true});
    ASSERT_TRUE(baresip.process().wait_output("DTLS-SRTP complete", seconds(15)))
        << baresip.process().output();
    const std::string call = path();
    ASSERT_TRUE(eventually(seconds(10), &baresip.process(), [&] {
        return number(call, "stats.sent_packets") > 50;
    })) << daemon_->get(call).body;
    ASSERT_TRUE(baresip.order("hold"));
    ASSERT_TRUE(eventually(seconds(10), &baresip.process(), [&] {
        return daemon_->json(call).text("state") == "held";
    })) << daemon_->get(call).body;
    const double held = number(call, "stats.sent_packets");
    ASSERT_TRUE(stays_alive(baresip.process(), seconds(1)));
    EXPECT_LE(number(call, "stats.sent_packets") - held, 3);
    ASSERT_TRUE(baresip.order("resume"));
    EXPECT_TRUE(eventually(seconds(10), &baresip.process(), [&] {
        return number(call, "stats.sent_packets") > held + 50;
    })) << daemon_->get(call).body;
    // The same ICE and DTLS session all along.
    const std::string said = baresip.process().output();
    const auto first = said.find("DTLS-SRTP complete");
    EXPECT_EQ(said.find("DTLS-SRTP complete", first + 1), std::string::npos) << said;
    baresip.quit();
}

TEST_F(WebPhoneTest, LinphoneIsHeardAndHears) {
    if (!has_linphone()) GTEST_SKIP() << "Debian's linphone-cli is not installed";
    write_wav(folder_ / "theirs.wav", tone(8000, 620, 60));
    Linphone linphone(folder_, Linphone::kDtls);
    ASSERT_TRUE(linphone.call(daemon_->uri())) << linphone.process().output();
    ASSERT_TRUE(linphone.play(folder_ / "theirs.wav"));
    const std::string call = path();
    EXPECT_TRUE(eventually(seconds(20), &linphone.process(), [&] {
        const Json json = daemon_->json(call);
        return json.number("stats.received_level_dbov") > -20 &&
               json.number("stats.received_packets") > 100;
    })) << daemon_->get(call).body;
    // It reports on what it opened.
    EXPECT_TRUE(eventually(seconds(30), &linphone.process(), [&] {
        return number(call, "stats.round_trip_ms") >= 0;
    })) << daemon_->get(call).body;
    EXPECT_EQ(number(call, "stats.remote_lost_packets"), 0);
    linphone.quit();
    const auto ended = daemon_->wait_event("call.ended");
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->text("reason"), "caller-hangup");
}

}  // namespace
}  // namespace offhook::harness

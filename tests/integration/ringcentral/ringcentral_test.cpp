// Offhook as a RingCentral phone, against the stand-in (README.md).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/call_test.h"
#include "harness/daemon.h"
#include "harness/http.h"
#include "harness/process.h"
#include "stand_in.h"

namespace offhook::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSecret = "app-secret-1";
constexpr const char* kJwt = "eyJ.jwt-of-the-user.sig";

std::string content_of(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

class RingCentral : public ::testing::Test {
protected:
    RingCentral() : stand_in_(folder_ / "stand-in") {
        keep("secret", kSecret);
        keep("jwt", kJwt);
    }

    void TearDown() override {
        stand_in_.expect_no_violations();
        if (!HasFailure()) return;
        std::fprintf(stderr, "stand-in: %s\n", stand_in_.text().c_str());
        std::fprintf(stderr, "%s\n", stand_in_.output().c_str());
        if (daemon_) std::fprintf(stderr, "%s\n", daemon_->process().output().c_str());
    }

    void keep(const std::string& name, const std::string& text) {
        const std::filesystem::path path = folder_ / name;
        std::ofstream(path) << text << "\n";
        chmod(path.c_str(), 0600);
    }

    void start(const std::string& lines = "transport = \"tls\"\ndevice_id = \"600701\"\n") {
        Daemon::Options options;
        // Of a call without a description nothing tells that its peer is on loopback.
        options.more = "[web]\naddresses = [\"127.0.0.1\"]\n\n[state]\ndirectory = \"" +
                       (folder_ / "state").string() +
                       "\"\n\n[[account]]\nname = \"rc\"\nkind = \"ringcentral\"\nserver = \"" +
                       stand_in_.rest() + "\"\nca_file = \"" + stand_in_.ca() +
                       "\"\nclient_id = \"app-1\"\nclient_secret_file = \"" +
                       (folder_ / "secret").string() + "\"\njwt_file = \"" +
                       (folder_ / "jwt").string() + "\"\n" + lines;
        daemon_ = std::make_unique<Daemon>(folder_, options);
    }
    void start_wss(const std::string& more = {}) { start("transport = \"wss\"\n" + more); }

    Json steer(const std::string& command) { return stand_in_.steer(command); }
    Json state() { return stand_in_.state(); }
    std::size_t asked() { return state().size("asked"); }
    std::string in_account(const std::string& field) {
        return daemon_->json("/api/v1/accounts/rc").text(field);
    }
    testing::AssertionResult becomes(const std::string& wanted, milliseconds limit = seconds(30)) {
        std::string is;
        const bool came = eventually(limit, &daemon_->process(), [&] {
            is = in_account("state");
            return is == wanted;
        });
        if (came) return testing::AssertionSuccess();
        return testing::AssertionFailure()
               << "the account is " << is << ": " << daemon_->get("/api/v1/accounts/rc").body;
    }
    int call(const std::string& plan) { return stand_in_.call(plan); }
    bool call_shows(int id,
                    const std::function<bool(const Json&, const std::string&)>& good,
                    milliseconds limit = seconds(20)) {
        return stand_in_.call_shows(id, good, &daemon_->process(), limit);
    }
    /// A call whose tone comes back as the phone's AI echoes it, and whose packets keep the promise.
    void talk(const std::string& plan, const std::string& codec, int payload_type) {
        const int id = call("\"kind\":\"TLS\"," + plan);
        EXPECT_TRUE(call_shows(id, [](const Json& s, const std::string& c) {
            return s.number(c + "media.tone_share") > 0.8 && s.number(c + "media.received") > 150;
        })) << "the tone does not come back";
        const Json end = state();
        const std::string media = "calls." + std::to_string(id) + ".media.";
        EXPECT_EQ(end.text("calls." + std::to_string(id) + ".codec"), codec);
        EXPECT_EQ(end.number(media + "payload_types.0"), payload_type);
        EXPECT_GT(end.number(media + "junk_bytes"), 0);
        for (const char* zero : {"unreadable", "undecodable", "seq_breaks", "timestamp_breaks"}) {
            EXPECT_EQ(end.number(media + zero), 0) << zero;
        }
        EXPECT_EQ(end.number(media + "ssrcs"), 1);
        steer("{\"do\":\"hangup\",\"call\":" + std::to_string(id) + "}");
        EXPECT_TRUE(daemon_->wait_live_calls(0));
    }

    /// A call that this phone answers, judged as the vendor's own is (web_phone_test.cpp).
    int web_call(const std::string& plan = {}) {
        const int id = call("\"kind\":\"WSS\"" + plan);
        expect_web_call(stand_in_, id, &daemon_->process());
        return id;
    }
    void keeps_the_promise(int id) {
        const Json end = state();
        const std::string media = "calls." + std::to_string(id) + ".media.";
        for (const char* zero : {"seq_breaks", "timestamp_breaks"})
            EXPECT_EQ(end.number(media + zero), 0) << zero;
    }
    /// A call that is confirmed to ring.
    int ringing(const std::string& plan = {}) {
        const int id = call("\"kind\":\"WSS\"" + plan);
        EXPECT_TRUE(call_shows(id, [](const Json& s, const std::string& c) {
            return s.number(c + "confirmations") == 1;
        }));
        return id;
    }
    bool is_cancelled(int id, const std::string& order) {
        return call_shows(id,
                          [&](const Json& s, const std::string& c) {
                              return s.text(c + "orders.0") == order &&
                                     s.text(c + "state") == "ended";
                          }) &&
               daemon_->wait_live_calls(0);
    }
    std::string sent(int id) {
        const Json all = state();
        const std::string path = "calls." + std::to_string(id) + ".from_phone";
        std::string text;
        for (std::size_t i = 0; i < all.size(path); ++i)
            text += (i == 0 ? "" : ", ") + all.text(path + "." + std::to_string(i));
        return text;
    }
    void hang_up(int id) {
        steer("{\"do\":\"hangup\",\"call\":" + std::to_string(id) + "}");
        EXPECT_TRUE(daemon_->wait_live_calls(0));
    }
    std::size_t live_calls() { return daemon_->json("/api/v1/calls").size("items"); }
    std::string newest_call() {
        const Json all = daemon_->json("/api/v1/calls");
        return all.text("items." + std::to_string(all.size("items") - 1) + ".id");
    }

    TempDir folder_;
    StandIn stand_in_;
    std::unique_ptr<Daemon> daemon_;
};

TEST_F(RingCentral, AnExistingPhoneProvisionsAndRegisters) {
    steer(R"({"do":"set","granted_s":3})");
    start();
    ASSERT_TRUE(becomes("registered"));
    EXPECT_EQ(in_account("kind"), "ringcentral");
    EXPECT_EQ(in_account("user"), "17205550100");
    EXPECT_EQ(in_account("domain"), "sip.ringcentral.com");
    EXPECT_THAT(in_account("flow"), HasSubstr("tls:127.0.0.1:"));
    // Token, sip-info, and the token given back.
    EXPECT_TRUE(eventually(seconds(5), nullptr, [&] { return asked() == 3; }));
    EXPECT_EQ(state().text("asked.2"), "POST /restapi/oauth/revoke");
    // Refreshed before the three seconds are over, again and again.
    EXPECT_TRUE(eventually(seconds(20), &daemon_->process(), [&] {
        return daemon_->json("/api/v1/accounts/rc").number("registrations") >= 4;
    }));
    EXPECT_EQ(daemon_->json("/api/v1/accounts/rc").number("flow_losses"), 0);
    EXPECT_EQ(state().size("live"), 1U);
}

TEST_F(RingCentral, SecretsAreNowhereToBeRead) {
    start();
    ASSERT_TRUE(becomes("registered"));
    const std::string kept = content_of(folder_ / "state" / "ringcentral-rc");
    struct stat info {};
    ASSERT_EQ(stat((folder_ / "state" / "ringcentral-rc").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    const Json file(kept);
    const std::string password = file.text("password");
    ASSERT_GE(password.size(), 8U);
    const std::string proc = "/proc/" + std::to_string(daemon_->process().pid());
    const std::string open = daemon_->process().output() + content_of(proc + "/cmdline") +
                             daemon_->get("/api/v1/accounts").body + daemon_->get("/health").body +
                             daemon_->get("/metrics").body;
    for (const std::string& secret : {std::string(kSecret), std::string(kJwt), password}) {
        EXPECT_THAT(open, Not(HasSubstr(secret)));
    }
    EXPECT_THAT(kept, Not(HasSubstr(kJwt)));
    EXPECT_THAT(kept, Not(HasSubstr(kSecret)));
}

TEST_F(RingCentral, TheFirstRegisterMayPassUnchallenged) {
    steer(R"({"do":"set","first_passes":true,"granted_s":3})");
    start();
    ASSERT_TRUE(becomes("registered"));
    EXPECT_EQ(state().number("answered.0"), 200);
    EXPECT_TRUE(eventually(seconds(20), &daemon_->process(), [&] {
        return daemon_->json("/api/v1/accounts/rc").number("registrations") >= 3;
    }));
}

TEST_F(RingCentral, ACallWithOpusAtSixteenKilohertz) {
    start();
    ASSERT_TRUE(becomes("registered"));
    talk(R"("codecs":["OPUS/16000"])", "OPUS/16000", 109);
}

TEST_F(RingCentral, ACallWithPcmu) {
    start();
    ASSERT_TRUE(becomes("registered"));
    talk(R"("codecs":["PCMU"])", "PCMU", 0);
}

TEST_F(RingCentral, BothOffered) {
    start();
    ASSERT_TRUE(becomes("registered"));
    talk(R"("codecs":["OPUS/16000","PCMU"])", "OPUS/16000", 109);
}

TEST_F(RingCentral, AQueueCallHasNoBodyAndAnswersInTheAck) {
    start();
    ASSERT_TRUE(becomes("registered"));
    talk(R"("empty":true,"codecs":["OPUS/16000"])", "OPUS/16000", 109);
    talk(R"("empty":true,"codecs":["PCMU"])", "PCMU", 0);
}

TEST_F(RingCentral, DigitsThatComeTwiceCountOnce) {
    start();
    ASSERT_TRUE(becomes("registered"));
    for (const std::string codec : {"OPUS/16000", "PCMU"}) {
        const std::size_t before = daemon_->count_events("call.dtmf");
        const int id = call(R"("kind":"TLS","codecs":[")" + codec + R"("])");
        ASSERT_TRUE(call_shows(id, [](const Json& s, const std::string& c) {
            return s.number(c + "media.tone_share") > 0.8;
        }));
        for (const int digit : {5, 5, 9}) {
            steer("{\"do\":\"digit\",\"call\":" + std::to_string(id) +
                  ",\"digit\":" + std::to_string(digit) + "}");
            ASSERT_TRUE(daemon_->wait_event("call.dtmf")) << codec;
        }
        // The sound that follows shows that the copies did not come as sound.
        EXPECT_TRUE(call_shows(id, [](const Json& s, const std::string& c) {
            return s.number(c + "media.tone_share") > 0.8;
        }));
        EXPECT_EQ(daemon_->count_events("call.dtmf"), before + 3) << codec;
        steer("{\"do\":\"hangup\",\"call\":" + std::to_string(id) + "}");
        EXPECT_TRUE(daemon_->wait_live_calls(0));
    }
}

TEST_F(RingCentral, ARestartIsTheSamePhoneAndAsksNothing) {
    start();
    ASSERT_TRUE(becomes("registered"));
    EXPECT_TRUE(eventually(seconds(5), nullptr, [&] { return asked() == 3; }));
    const std::string instance = state().text("live.0.instance");
    daemon_->process().stop();
    EXPECT_EQ(state().size("live"), 0U) << "it did not un-register";
    daemon_.reset();
    start();
    ASSERT_TRUE(becomes("registered"));
    EXPECT_EQ(asked(), 3U);
    EXPECT_EQ(state().text("live.0.instance"), instance);
    talk(R"("codecs":["PCMU"])", "PCMU", 0);
}

TEST_F(RingCentral, ABrokenStateFileMeansAskingAnew) {
    std::filesystem::create_directory(folder_ / "state");
    std::ofstream(folder_ / "state" / "ringcentral-rc") << "{\"version\":1,\"owner\":";
    start();
    ASSERT_TRUE(becomes("registered"));
    EXPECT_EQ(daemon_->count_events("ringcentral.state"), 1U);
}

TEST_F(RingCentral, PasswordsThatWereResetAreAskedForOnceMore) {
    steer(R"({"do":"set","granted_s":3})");
    start();
    ASSERT_TRUE(becomes("registered"));
    EXPECT_TRUE(eventually(seconds(5), nullptr, [&] { return asked() == 3; }));
    steer(R"({"do":"change_passwords"})");
    ASSERT_TRUE(daemon_->wait_event("ringcentral.credentials_dropped", seconds(150)));
    ASSERT_TRUE(becomes("registered"));
    EXPECT_TRUE(eventually(seconds(5), nullptr, [&] { return asked() == 6; }));
    talk(R"("codecs":["PCMU"])", "PCMU", 0);
}

TEST_F(RingCentral, FiveOtherPhonesAreExplained) {
    steer(R"({"do":"fill","count":5,"for_s":600})");
    start();
    ASSERT_TRUE(eventually(seconds(20), &daemon_->process(), [&] {
        return daemon_->json("/api/v1/accounts/rc").number("last_status") == 603;
    }));
    EXPECT_EQ(in_account("state"), "waiting");
    EXPECT_THAT(in_account("last_answer"), HasSubstr("five phones"));
    EXPECT_THAT(daemon_->get("/health").body, HasSubstr("five phones"));
}

TEST_F(RingCentral, AWrongJwtIsSaidAndNotTriedAgain) {
    keep("jwt", "eyJ.another.sig");
    start();
    ASSERT_TRUE(becomes("failed"));
    EXPECT_THAT(in_account("last_answer"), HasSubstr("does not accept the JWT"));
    EXPECT_THAT(daemon_->get("/health").body, HasSubstr("does not accept the JWT"));
    EXPECT_EQ(asked(), 1U);
}

TEST_F(RingCentral, ASoftPhonesDeviceIsNamedAsTheReason) {
    start("transport = \"tls\"\ndevice_id = \"600702\"\n");
    ASSERT_TRUE(becomes("failed"));
    EXPECT_THAT(in_account("last_answer"), HasSubstr("Existing Phone"));
}

TEST_F(RingCentral, ADeviceThatIsNotThereIsNamedAsTheReason) {
    start("transport = \"tls\"\ndevice_id = \"1\"\n");
    ASSERT_TRUE(becomes("failed"));
    EXPECT_THAT(in_account("last_answer"), HasSubstr("check device_id"));
}

TEST_F(RingCentral, TroubleOfTheirApiIsWaitedOut) {
    steer(R"({"do":"fail","path":"oauth/token","status":503})");
    steer(R"({"do":"fail","path":"sip-info","status":429,"headers":{"Retry-After":"1"}})");
    start();
    ASSERT_TRUE(becomes("registered"));
    EXPECT_EQ(daemon_->count_events("ringcentral.retry"), 2U);
}

TEST_F(RingCentral, TheBackupProxyAndBackAgain) {
    steer(R"({"do":"close","kind":"TLS","proxy":"primary"})");
    start("transport = \"tls\"\ndevice_id = \"600701\"\nswitch_back_s = 2\n");
    ASSERT_TRUE(becomes("registered"));
    EXPECT_EQ(in_account("proxy"), "backup");
    talk(R"("codecs":["PCMU"])", "PCMU", 0);
    steer(R"({"do":"open","kind":"TLS","proxy":"primary"})");
    EXPECT_TRUE(eventually(seconds(30), &daemon_->process(), [&] {
        return in_account("proxy") == "primary" && in_account("state") == "registered";
    })) << daemon_->get("/api/v1/accounts/rc").body;
    talk(R"("codecs":["PCMU"])", "PCMU", 0);
}

TEST_F(RingCentral, ACutConnectionComesBackWithinThreeSeconds) {
    start();
    ASSERT_TRUE(becomes("registered"));
    const std::string instance = state().text("live.0.instance");
    steer(R"({"do":"cut"})");
    EXPECT_TRUE(eventually(seconds(3), &daemon_->process(), [&] {
        return state().size("live") == 1 && in_account("state") == "registered";
    }));
    EXPECT_EQ(state().text("live.0.instance"), instance);
    talk(R"("codecs":["PCMU"])", "PCMU", 0);
}

TEST_F(RingCentral, AWebPhoneProvisionsAndRegisters) {
    steer(R"({"do":"set","granted_s":3})");
    start_wss();
    ASSERT_TRUE(becomes("registered"));
    EXPECT_EQ(in_account("user"), "17205550100*115");
    EXPECT_THAT(in_account("flow"), HasSubstr("wss:127.0.0.1:"));
    EXPECT_TRUE(eventually(seconds(20), &daemon_->process(), [&] {
        return daemon_->json("/api/v1/accounts/rc").number("registrations") >= 4;
    }));
    EXPECT_EQ(state().size("instances"), 1U);
}

TEST_F(RingCentral, AWebPhoneTalks) {
    start_wss();
    ASSERT_TRUE(becomes("registered"));
    const int id = web_call();
    const Json ours = daemon_->json("/api/v1/calls/" + newest_call());
    EXPECT_EQ(ours.text("leg"), "web");
    EXPECT_EQ(ours.text("facts.ringcentral.call_attributes.1"), "send-vm");
    EXPECT_EQ(ours.text("facts.ringcentral.caller_name"), "WIRELESS CALLER");
    EXPECT_THAT(ours.text("facts.ringcentral.session_id"), HasSubstr("s-"));
    keeps_the_promise(id);
    hang_up(id);
}

TEST_F(RingCentral, AWebPhoneTakesCallsOfAQueue) {
    start_wss();
    ASSERT_TRUE(becomes("registered"));
    const int id = web_call(",\"empty\":true");
    const Json ours = daemon_->json("/api/v1/calls/" + newest_call());
    EXPECT_EQ(ours.text("facts.ringcentral.queue_name"), "Help");
    EXPECT_EQ(ours.text("facts.ringcentral.caller_id_name"), "A=B");
    keeps_the_promise(id);
    hang_up(id);
}

TEST_F(RingCentral, AWebPhoneIsTakenOverByAnotherServer) {
    start_wss();
    ASSERT_TRUE(becomes("registered"));
    const int id = web_call();
    steer("{\"do\":\"take_over\",\"call\":" + std::to_string(id) + "}");
    EXPECT_TRUE(call_shows(id, [](const Json& s, const std::string& c) {
        return s.number(c + "before.received") > 0 && s.text(c + "media.dtls") == "connected" &&
               s.number(c + "media.received") > 150 && s.number(c + "media.tone_share") > 0.8;
    }));
    EXPECT_EQ(live_calls(), 1U);
    hang_up(id);
}

TEST_F(RingCentral, AWebPhoneAnswersWhenTheServerOrdersIt) {
    start_wss("answer_delay_ms = 60000\n");
    ASSERT_TRUE(becomes("registered"));
    hang_up(web_call(",\"answer_after\":300"));
}

TEST_F(RingCentral, AWebPhoneHoldsAndResumes) {
    start_wss();
    ASSERT_TRUE(becomes("registered"));
    const int id = web_call();
    const std::string path = "/api/v1/calls/" + newest_call();
    EXPECT_EQ(daemon_->post(path + "/hold").status, 202);
    EXPECT_TRUE(eventually(seconds(5), &daemon_->process(), [&] {
        return daemon_->json(path).text("state") == "held";
    }));
    EXPECT_EQ(daemon_->post(path + "/resume").status, 202);
    EXPECT_TRUE(eventually(seconds(5), &daemon_->process(), [&] {
        return daemon_->json(path).text("state") == "answered";
    }));
    expect_web_call(stand_in_, id, &daemon_->process());
    hang_up(id);
}

TEST_F(RingCentral, AWebPhonesCallGoesToVoicemail) {
    start_wss("answer_delay_ms = 60000\n");
    ASSERT_TRUE(becomes("registered"));
    const int id = ringing();
    const std::string path = "/api/v1/calls/" + newest_call();
    EXPECT_EQ(daemon_->post(path + "/ringcentral/to-voicemail").status, 202);
    ASSERT_TRUE(is_cancelled(id, "11"));
    EXPECT_EQ(daemon_->json(path).text("end.reason"), "sent-to-voicemail");
    EXPECT_EQ(daemon_->json(path).text("ringcentral_commands.0.state"), "done");
    EXPECT_EQ(sent(id), "100, 180, MESSAGE 17, MESSAGE 11, 200 to CANCEL, 487");
}

TEST_F(RingCentral, AWebPhoneRejectsForwardsAndReplies) {
    start_wss("answer_delay_ms = 60000\nallow_outbound = true\noutbound_allow = [\"+1650*\"]\n");
    ASSERT_TRUE(becomes("registered"));
    struct Case {
        const char* command;
        const char* body;
        const char* number;
        const char* reason;
    };
    for (const Case& c : {Case{"reject", "", "12", "declined"},
                          {"forward", R"({"to":"+16505550199"})", "10", "forwarded"},
                          {"reply", R"({"text":"In a meeting"})", "14", "replied"}}) {
        const int id = ringing();
        const std::string path = "/api/v1/calls/" + newest_call();
        EXPECT_EQ(daemon_->post(path + "/ringcentral/" + c.command, c.body).status, 202);
        ASSERT_TRUE(is_cancelled(id, c.number)) << c.command;
        EXPECT_EQ(daemon_->json(path).text("end.reason"), c.reason);
    }
}

TEST_F(RingCentral, AWebPhoneTrustsNoOtherCertificate) {
    start_wss();
    ASSERT_TRUE(becomes("registered"));
    const int id = ringing(",\"lies\":true");
    const std::string path = "/api/v1/calls/" + newest_call();
    EXPECT_TRUE(call_shows(id, [](const Json& s, const std::string& c) {
        return s.text(c + "ended_by") == "phone BYE";
    }));
    EXPECT_EQ(daemon_->json(path).text("end.reason"), "fingerprint-mismatch");
    EXPECT_EQ(state().number("calls." + std::to_string(id) + ".media.received"), 0);
}

TEST_F(RingCentral, AWebPhonesCallOutlivesItsConnection) {
    start_wss();
    ASSERT_TRUE(becomes("registered"));
    const int id = web_call();
    steer(R"({"do":"cut"})");
    EXPECT_TRUE(eventually(seconds(5), &daemon_->process(), [&] {
        return state().size("live") == 1 && in_account("state") == "registered";
    }));
    const double before = state().number("calls." + std::to_string(id) + ".media.received");
    EXPECT_TRUE(call_shows(id, [&](const Json& s, const std::string& c) {
        return s.number(c + "media.received") > before + 100 && s.text(c + "state") == "answered" &&
               s.number(c + "media.tone_share") > 0.8;
    }));
    EXPECT_EQ(live_calls(), 1U);
    hang_up(id);
}

TEST_F(RingCentral, AWebPhoneSendsItsCallerElsewhere) {
    start_wss("allow_outbound = true\noutbound_allow = [\"10?\"]\n");
    ASSERT_TRUE(becomes("registered"));
    const int id = web_call();
    const std::string path = "/api/v1/calls/" + newest_call();
    EXPECT_EQ(daemon_->post(path + "/transfer", R"({"target":"101"})").status, 202);
    EXPECT_TRUE(daemon_->wait_live_calls(0));
    EXPECT_EQ(daemon_->json(path).text("end.reason"), "transferred");
    EXPECT_THAT(state().text("calls." + std::to_string(id) + ".orders.0"),
                HasSubstr("sip:101@sip.ringcentral.com"));
}

TEST_F(RingCentral, AWebPhoneRecordsAndParks) {
    start_wss();
    ASSERT_TRUE(becomes("registered"));
    const int id = web_call();
    const std::string path = "/api/v1/calls/" + newest_call();
    const auto becomes_newest = [&](int index, const std::string& wanted) {
        return eventually(seconds(5), &daemon_->process(), [&] {
            return daemon_->json(path).text("ringcentral_commands." + std::to_string(index) +
                                            ".state") == wanted;
        });
    };
    EXPECT_EQ(daemon_->post(path + "/ringcentral/start-recording").status, 202);
    EXPECT_TRUE(becomes_newest(0, "done"));
    EXPECT_EQ(daemon_->post(path + "/ringcentral/stop-recording").status, 202);
    EXPECT_TRUE(becomes_newest(1, "failed"));
    EXPECT_EQ(daemon_->json(path).text("ringcentral_commands.1.detail"), "code -5: as told");
    EXPECT_EQ(daemon_->post(path + "/ringcentral/to-voicemail").status, 409);
    EXPECT_EQ(daemon_->post(path + "/ringcentral/park").status, 202);
    EXPECT_TRUE(call_shows(id, [](const Json& s, const std::string& c) {
        return s.text(c + "ended_by") == "phone BYE";
    }));
    EXPECT_EQ(daemon_->json(path).text("end.reason"), "transferred");
}

TEST_F(RingCentral, AWebPhoneSwitchesOverAndBackAsTheySay) {
    steer(R"({"do":"set","switch_back_s":2})");
    steer(R"({"do":"close","kind":"WSS","proxy":"primary"})");
    start_wss();
    ASSERT_TRUE(becomes("registered"));
    EXPECT_EQ(in_account("proxy"), "backup");
    steer(R"({"do":"open","kind":"WSS","proxy":"primary"})");
    EXPECT_TRUE(eventually(seconds(30), &daemon_->process(), [&] {
        return in_account("proxy") == "primary" && in_account("state") == "registered";
    })) << daemon_->get("/api/v1/accounts/rc").body;
}

}  // namespace
}  // namespace offhook::harness

// Offers as others write them, at the daemon with webrtcbin in it: each ends in a sendrecv answer with
// one audio line, or in a refusal that says why. Nothing between, and nothing breaks.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "harness/call_test.h"
#include "harness/own_caller.h"

namespace offhook::harness {
namespace {

using Lines = std::vector<std::string>;

Lines offer(const std::string& name) {
    const char* const folder = std::getenv("OFFHOOK_SDP_OFFERS");
    std::ifstream file(std::filesystem::path(folder ? folder : ".") / (name + ".sdp"));
    Lines lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

std::string text_of(const Lines& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\r\n";
    return text;
}

class WebOffersTest : public CallTest {
protected:
    void SetUp() override {
        Daemon::Options options;
        // What the peers of the files have is not here: one address is enough.
        options.more = "[web]\naddresses = [\"127.0.0.1\"]\n";
        start(options);
    }
    int call(const std::string& sdp) {
        caller_ = std::make_unique<OwnCaller>("127.0.0.1", daemon_->sip_port());
        return caller_->invite(sdp);
    }
    std::unique_ptr<OwnCaller> caller_;
};

TEST_F(WebOffersTest, OfEverybodyAreAnsweredSendrecv) {
    for (const char* name : {"chromium-audio",
                             "chromium-audio-video-data",
                             "chromium-video-first",
                             "firefox",
                             "jssip",
                             "ringcentral",
                             "freeswitch",
                             "asterisk",
                             "janus",
                             "linphone",
                             "baresip",
                             "session-level",
                             "no-bundle",
                             "telephone-event-odd",
                             "sprop-stereo",
                             "several-audio",
                             "rejected-lines",
                             "ice-lite"}) {
        SCOPED_TRACE(name);
        const Lines offered = offer(name);
        ASSERT_FALSE(offered.empty());
        EXPECT_EQ(call(text_of(offered)), 200);
        EXPECT_TRUE(caller_->answer_has("a=sendrecv")) << caller_->answer();
        std::istringstream answer(caller_->answer());
        std::vector<std::string> media;
        for (std::string line; std::getline(answer, line);) {
            if (line.starts_with("m=")) media.push_back(line);
        }
        std::size_t used = 0;
        std::size_t at = 0;
        for (const std::string& line : offered) {
            if (!line.starts_with("m=")) continue;
            ASSERT_LT(at, media.size()) << caller_->answer();
            EXPECT_EQ(media[at].substr(0, media[at].find(' ')), line.substr(0, line.find(' ')));
            if (media[at].find(" 0 ") != media[at].find(' ')) ++used;
            ++at;
        }
        EXPECT_EQ(media.size(), at) << caller_->answer();
        EXPECT_EQ(used, 1U) << caller_->answer();
        EXPECT_EQ(caller_->bye(), 200);
        ASSERT_TRUE(daemon_->wait_live_calls(0));
    }
}

TEST_F(WebOffersTest, ThatLackSomethingAreRefusedWithASentence) {
    const std::vector<std::pair<std::string, std::string>> refused{
        {"no-rtcp-mux", "a=rtcp-mux"},
        {"no-ice", "ICE"},
        {"max-bundle-video-first", "shares the transport"}};
    for (const auto& [name, says] : refused) {
        SCOPED_TRACE(name);
        EXPECT_EQ(call(text_of(offer(name))), 488);
        const auto ended = daemon_->wait_event("call.ended");
        ASSERT_TRUE(ended);
        EXPECT_EQ(ended->text("reason"), "not-acceptable");
        EXPECT_NE(ended->text("msg").find(says), std::string::npos) << ended->text("msg");
    }
    // These can be no call at all, for no kind of leg.
    for (const char* name : {"no-fingerprint", "audio-rejected", "video-only"}) {
        SCOPED_TRACE(name);
        EXPECT_EQ(call(text_of(offer(name))), 488);
    }
}

TEST_F(WebOffersTest, WithAnyOneLineLeftOutNeverBreakAnything) {
    std::size_t answered = 0;
    for (const char* name : {"ringcentral", "freeswitch", "chromium-audio"}) {
        const Lines whole = offer(name);
        for (std::size_t missing = 0; missing < whole.size(); ++missing) {
            Lines rest = whole;
            rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(missing));
            SCOPED_TRACE(std::string(name) + " without " + whole[missing]);
            const int status = call(text_of(rest));
            EXPECT_TRUE(status == 200 || status == 400 || status == 488) << status;
            if (status != 200) continue;
            ++answered;
            EXPECT_TRUE(caller_->answer_has("a=sendrecv")) << caller_->answer();
            caller_->bye();
        }
    }
    EXPECT_GT(answered, 50U);
    ASSERT_TRUE(daemon_->wait_live_calls(0));
    EXPECT_TRUE(daemon_->process().is_running());
    EXPECT_EQ(daemon_->get("/health").status, 200);
}

}  // namespace
}  // namespace offhook::harness

// A whole call without a socket: the real recogniser and voice, a link that keeps what is sent.
#include "conversation.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "ai/protocols/encoding.h"
#include "kept_link.h"

namespace offhook::local_ai {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint32_t kRateHz = 16000;
constexpr const char* kStart =
    R"({"type":"start","version":1,"call":{"id":"c-1","from":"alice","to":"kitchen"},"audio":{"sample_rate":16000}})";

class ConversationTest : public testing::Test {
protected:
    void SetUp() override {
        if (!std::filesystem::exists(Recogniser::kModel))
            GTEST_SKIP() << "pocketsphinx-en-us is not installed";
        loop_ = std::move(*socket::EventLoop::create());
        workers_ = std::move(*Workers::start(1, Recogniser::kModel, caller_grammar()));
        voice_ = std::move(*Voice::create("en-us", 150));
        bot_.emplace(Bot{*loop_, *workers_, *voice_, transcript_, TimeOfDay{19, 20}});
        conversation_ =
            std::make_shared<Conversation>(*bot_, Conversation::Protocol::ByFirstMessage);
        conversation_->when_over([this] { conversation_.reset(); });
        auto link = std::make_unique<KeptLink>();
        link_ = link.get();
        conversation_->take(std::move(link));
        conversation_->on_open();
        conversation_->on_text(kStart);
        ASSERT_TRUE(speaks("sentence-1"));
    }
    void TearDown() override {
        conversation_.reset();
        workers_.reset();
    }

    /// Waits until the bot has sent the mark behind a sentence.
    bool speaks(const std::string& mark) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        const auto is_there = [&] {
            for (const std::string& text : link_->texts)
                if (text.find(mark) != std::string::npos) return true;
            return false;
        };
        while (!is_there() && std::chrono::steady_clock::now() < end) loop_->turn(100'000'000);
        return is_there();
    }
    void hear(const std::vector<std::int16_t>& pcm) {
        std::vector<std::byte> bytes;
        ai::encode_samples(ai::Encoding::Pcm, pcm, bytes);
        conversation_->on_binary(bytes);
    }
    /// The caller says it, and is quiet long enough.
    void hear(const std::string& words) {
        hear(voice_->speak(words, kRateHz));
        hear(std::vector<std::int16_t>(kRateHz));
    }
    void played(const std::string& mark) {
        conversation_->on_text(R"({"type":"mark","name":")" + mark + R"(","state":"played"})");
    }

    std::unique_ptr<socket::EventLoop> loop_;
    std::unique_ptr<Workers> workers_;
    std::unique_ptr<Voice> voice_;
    Transcript transcript_{true};
    std::optional<Bot> bot_;
    std::shared_ptr<Conversation> conversation_;
    KeptLink* link_ = nullptr;
};

TEST_F(ConversationTest, AnswersWhatItHears) {
    played("sentence-1");
    const std::size_t before = link_->binary_bytes.size();
    hear("what time is it now please");
    ASSERT_TRUE(speaks("sentence-2"));
    EXPECT_GT(link_->binary_bytes.size(), before);
    EXPECT_THAT(link_->texts, Not(Contains(HasSubstr("clear"))));
}

TEST_F(ConversationTest, StopsForACallerWhoSpeaksIntoIt) {
    hear("two large pizzas with mushrooms");
    EXPECT_THAT(link_->texts, Contains(R"({"type":"clear"})"));
    ASSERT_TRUE(speaks("sentence-2"));
    // The mark of what was cleared says nothing about the sentence that plays now.
    played("sentence-1");
    hear("please stop talking");
    EXPECT_EQ(std::count(link_->texts.begin(), link_->texts.end(), R"({"type":"clear"})"), 2);
}

TEST_F(ConversationTest, ConfirmsWhatTheFarEndHeard) {
    conversation_->on_text(R"({"type":"barge-in","played_ms":200})");
    EXPECT_THAT(link_->texts, Contains(R"({"type":"barge-in","accept":true})"));
}

TEST_F(ConversationTest, HangsUpAfterGoodbye) {
    played("sentence-1");
    hear("goodbye and thank you very much");
    ASSERT_TRUE(speaks("sentence-2"));
    EXPECT_THAT(link_->texts, Contains(HasSubstr("hangup")));
    // Nothing stops a goodbye.
    hear("two large pizzas with mushrooms");
    EXPECT_THAT(link_->texts, Not(Contains(R"({"type":"clear"})")));
    EXPECT_EQ(link_->closed, 0);
    // A route that does not let the bot hang up: the socket's end has to do, after the goodbye.
    conversation_->on_text(R"({"type":"verb","verb":"hang-up","id":"goodbye","state":"refused"})");
    EXPECT_EQ(link_->closed, 0);
    played("sentence-2");
    EXPECT_EQ(link_->closed, 1000);
}

TEST_F(ConversationTest, ACallThatEndsWhileItIsRecognisedIsForgotten) {
    hear("two large pizzas with mushrooms");
    conversation_->on_text(R"({"type":"stop","reason":"caller-hangup"})");
    conversation_->on_closed({socket::LinkEnd::Why::ClosedByPeer, 1000, ""});
    EXPECT_EQ(conversation_, nullptr);
    workers_.reset();
    loop_->turn(0);
}

TEST_F(ConversationTest, ClosesOnAnUnknownProtocol) {
    auto stranger = std::make_shared<Conversation>(*bot_, Conversation::Protocol::ByFirstMessage);
    auto link = std::make_unique<KeptLink>();
    KeptLink* kept = link.get();
    stranger->take(std::move(link));
    stranger->on_text("MEDIA_START");
    EXPECT_EQ(kept->closed, 1003);
}

}  // namespace
}  // namespace offhook::local_ai

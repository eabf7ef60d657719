// The voice and the recogniser, without a line between: what one says the other hears.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "ai/protocols/encoding.h"
#include "caller/wav_file.h"
#include "dialogue.h"
#include "menu.h"
#include "recogniser.h"
#include "sentences.h"
#include "voice.h"

namespace offhook::local_ai {
namespace {

class RoundTrip : public testing::Test {
protected:
    static void SetUpTestSuite() {
        if (!std::filesystem::exists(Recogniser::kModel)) return;
        voice_ = std::move(*Voice::create("en-us", 150));
    }
    static void TearDownTestSuite() { voice_.reset(); }
    void SetUp() override {
        if (!voice_) GTEST_SKIP() << "pocketsphinx-en-us is not installed";
    }
    static std::optional<std::string> heard(Recogniser& recogniser, const std::string& words) {
        // Quiet around it, as a call has.
        std::vector<std::int16_t> pcm(Recogniser::kSampleRateHz / 4);
        const auto speech = voice_->speak(words, Recogniser::kSampleRateHz);
        pcm.insert(pcm.end(), speech.begin(), speech.end());
        pcm.resize(pcm.size() + Recogniser::kSampleRateHz / 4);
        return recogniser.hear(pcm);
    }
    static std::unique_ptr<Voice> voice_;
};
std::unique_ptr<Voice> RoundTrip::voice_;

TEST_F(RoundTrip, CallersWords) {
    auto recogniser = Recogniser::create(Recogniser::kModel, caller_grammar());
    ASSERT_TRUE(recogniser) << recogniser.error().text();
    for (const Phrase& phrase : kPhrases)
        EXPECT_EQ(heard(*recogniser, std::string(phrase.words)), std::string(phrase.words));
    EXPECT_EQ(heard(*recogniser, "two large pizzas with mushrooms"),
              "two large pizzas with mushrooms");
}

TEST_F(RoundTrip, BotsWordsThroughATelephone) {
    auto recogniser = Recogniser::create(Recogniser::kModel, answer_grammar());
    ASSERT_TRUE(recogniser) << recogniser.error().text();
    std::vector<std::string> sentences{std::string(kGreeting), menu_sentence()};
    for (int hour = 0; hour < 24; ++hour)
        sentences.push_back("It is now " + spoken_time({hour, hour * 25 % 60}) + ".");
    std::size_t right = 0;
    for (const std::string& words : sentences) {
        std::vector<std::byte> line;
        ai::encode_samples(ai::Encoding::Pcmu, voice_->speak(words, 8000), line);
        std::vector<std::int16_t> pcm;
        ai::decode_samples(ai::Encoding::Pcmu, line, pcm);
        pcm.insert(pcm.begin(), 2000, 0);
        pcm.resize(pcm.size() + 2000);
        const auto back =
            recogniser->hear(caller::resample({8000, pcm}, Recogniser::kSampleRateHz).pcm);
        if (back == plain_words(words)) ++right;
        if (back != plain_words(words))
            std::printf("'%s' is heard as '%s'\n", words.c_str(), back.value_or("-").c_str());
    }
    EXPECT_GE(10 * right, 9 * sentences.size());
}

TEST_F(RoundTrip, BotsWords) {
    auto recogniser = Recogniser::create(Recogniser::kModel, answer_grammar());
    ASSERT_TRUE(recogniser) << recogniser.error().text();
    for (const std::string& words :
         {std::string(kGreeting), std::string(kGoodbye), std::string(kCancelled), menu_sentence()})
        EXPECT_EQ(heard(*recogniser, words), plain_words(words));
}

TEST_F(RoundTrip, TheSameRecordingGivesTheSameWordsAlways) {
    auto recogniser = Recogniser::create(Recogniser::kModel, caller_grammar());
    ASSERT_TRUE(recogniser) << recogniser.error().text();
    const auto first = heard(*recogniser, "three medium sandwiches with cucumber");
    (void)heard(*recogniser, "what are your opening hours");
    EXPECT_EQ(heard(*recogniser, "three medium sandwiches with cucumber"), first);
    EXPECT_EQ(first, "three medium sandwiches with cucumber");
}

TEST_F(RoundTrip, SilenceIsNothing) {
    auto recogniser = Recogniser::create(Recogniser::kModel, caller_grammar());
    ASSERT_TRUE(recogniser) << recogniser.error().text();
    EXPECT_EQ(recogniser->hear({}), std::nullopt);
    EXPECT_EQ(recogniser->hear(std::vector<std::int16_t>(16000)), std::nullopt);
}

TEST_F(RoundTrip, ComplainsWithASentence) {
    const auto no_model = Recogniser::create("/nonexistent", caller_grammar());
    ASSERT_FALSE(no_model);
    EXPECT_NE(no_model.error().message.find("pocketsphinx-en-us"), std::string::npos);
    const auto no_grammar = Recogniser::create(
        Recogniser::kModel,
        "#JSGF V1.0;\ngrammar g;\npublic <a> = floccinaucinihilipilification;\n");
    ASSERT_FALSE(no_grammar);
    EXPECT_EQ(no_grammar.error().code, base::ErrorCode::InvalidArgument);
    const auto second_voice = Voice::create("en-us", 150);
    ASSERT_FALSE(second_voice);
    EXPECT_EQ(second_voice.error().code, base::ErrorCode::Conflict);
}

}  // namespace
}  // namespace offhook::local_ai

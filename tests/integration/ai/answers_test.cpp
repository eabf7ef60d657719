// End to end by content, the other way: what the local bot answers arrives at the caller so that it
// can be recognised again; it stops when the caller speaks, and its goodbye ends the call.

#include <gtest/gtest.h>

#include <cstdio>

#include "ai/kitchen.h"
#include "harness/call_test.h"

namespace offhook::harness {
namespace {

class Answers : public testing::Test {
protected:
    void SetUp() override {
        if (!has_kitchen()) GTEST_SKIP() << "the local bot was not built, or has no speech model";
        kitchen_ = std::make_unique<Kitchen>(folder_);
    }
    void TearDown() override {
        if (!HasFailure() || !kitchen_) return;
        std::printf("%s\n", kitchen_->bot().output().c_str());
        const std::string log = kitchen_->daemon().process().output();
        std::printf("%s\n",
                    log.substr(log.size() - std::min<std::size_t>(log.size(), 4000)).c_str());
    }

    /// Calls and speaks; what is heard is in `heard` after the end of its sound.
    std::unique_ptr<Baresip> call(const TempDir& folder,
                                  const std::string& user,
                                  const Sound& sound) {
        Baresip::Options options;
        options.keeps_what_it_hears = true;
        return std::make_unique<Baresip>(
            folder, kitchen_->daemon().uri(user), "PCMU", sound, options);
    }

    TempDir folder_;
    std::unique_ptr<Kitchen> kitchen_;
};

TEST_F(Answers, AreRecognisedAtTheCaller) {
    const std::vector<std::string> users{"plain-answers", "twilio-answers"};
    const std::vector<std::vector<std::string>> questions{{"what time is it now please",
                                                           "two large pizzas with mushrooms",
                                                           "that would be everything thank you",
                                                           "what are your opening hours",
                                                           "please cancel my order"},
                                                          {"what are your opening hours",
                                                           "one small vegetable soup with spinach",
                                                           "that would be everything thank you",
                                                           "could you tell me the time please",
                                                           "please stop talking"}};
    // Long enough for the greeting and for each answer.
    constexpr double kBefore_s = 6.5;
    const std::vector<double> pauses_s{6.5};
    std::vector<TempDir> folders(users.size());
    std::vector<std::unique_ptr<Baresip>> callers;
    for (std::size_t i = 0; i < users.size(); ++i) {
        const Speech speech = say(folders[i], "en-us", 150, questions[i], kBefore_s, pauses_s);
        callers.push_back(call(folders[i], users[i], speech.sound));
    }
    std::size_t answers = 0;
    std::size_t right = 0;
    for (std::size_t i = 0; i < users.size(); ++i) {
        ASSERT_TRUE(kitchen_->wait_end(users[i], seconds(90)));
        callers[i]->quit();
        std::vector<std::string> said;
        for (const std::string& sentence : kitchen_->words(users[i], "says"))
            said.push_back(plain_words(sentence));
        EXPECT_EQ(said.size(), questions[i].size() + 1);
        const auto heard = recognised(folders[i], {callers[i]->heard()}, "answers").front();
        const std::size_t same = understood(said, heard);
        answers += said.size();
        right += same;
        std::printf("%s: %zu of %zu answers recognised at the caller\n",
                    users[i].c_str(),
                    same,
                    said.size());
        if (same == said.size()) continue;
        for (const std::string& sentence : said) std::printf("  said:  %s\n", sentence.c_str());
        for (const std::string& sentence : heard) std::printf("  heard: %s\n", sentence.c_str());
    }
    EXPECT_GE(10 * right, 9 * answers);
}

TEST_F(Answers, StopWhenTheCallerSpeaks) {
    // The menu takes more than 5 s; the caller speaks into it after 2.6.
    const Speech speech = say(folder_,
                              "en-us",
                              150,
                              {"what is on the menu today", "two large pizzas with mushrooms"},
                              0.5,
                              {2.6, 4});
    const auto caller = call(folder_, "plain-interrupts", speech.sound);
    ASSERT_TRUE(kitchen_->wait_end("plain-interrupts", seconds(60)));
    caller->quit();
    EXPECT_GE(kitchen_->words("plain-interrupts", "interrupted").size(), 1U);
    const Sound heard = caller->heard();
    const double interrupts_s = speech.begin_s[1];
    EXPECT_GT(level_dbov(heard.part(interrupts_s - 0.8, interrupts_s - 0.2).samples), -40)
        << "the menu was not being read";
    EXPECT_LT(level_dbov(heard.part(interrupts_s + 0.5, interrupts_s + 1.3).samples), -60)
        << "it went on speaking";
}

TEST_F(Answers, EndWithTheCallAfterGoodbye) {
    std::vector<TempDir> folders(2);
    const std::vector<std::string> users{"plain-goodbye", "twilio-goodbye"};
    std::vector<std::unique_ptr<Baresip>> callers;
    for (std::size_t i = 0; i < users.size(); ++i) {
        // Says nothing after it for longer than the test waits.
        const Speech speech =
            say(folders[i], "en-us", 150, {"goodbye and thank you very much"}, 0.5, {60});
        callers.push_back(call(folders[i], users[i], speech.sound));
    }
    ASSERT_TRUE(kitchen_->daemon().wait_event("call.ended", seconds(30)));
    ASSERT_TRUE(kitchen_->daemon().wait_event("call.ended", seconds(30)));
    for (std::size_t i = 0; i < users.size(); ++i) {
        EXPECT_TRUE(kitchen_->wait_end(users[i], seconds(10)));
        callers[i]->quit();
        const auto said = kitchen_->words(users[i], "says");
        ASSERT_FALSE(said.empty());
        EXPECT_NE(said.back().find("Goodbye"), std::string::npos);
        // To its end, and no longer.
        const auto heard = recognised(folders[i], {callers[i]->heard()}, "answers").front();
        ASSERT_FALSE(heard.empty());
        EXPECT_EQ(heard.back(), plain_words(said.back()));
    }
}

}  // namespace
}  // namespace offhook::harness

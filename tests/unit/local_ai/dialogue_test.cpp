#include "dialogue.h"

#include <gmock/gmock.h>

#include "sentences.h"

namespace offhook::local_ai {
namespace {

using testing::HasSubstr;

constexpr TimeOfDay kNoon{12, 0};

std::string words(Dialogue& dialogue, const std::string& heard) {
    return dialogue.answer(heard, kNoon).words;
}

TEST(SpokenTime, RoundsToFiveMinutes) {
    EXPECT_EQ(spoken_time({7, 21}), "twenty minutes after seven in the morning");
    EXPECT_EQ(spoken_time({19, 44}), "a quarter before eight in the evening");
    EXPECT_EQ(spoken_time({12, 2}), "twelve o'clock in the afternoon");
    EXPECT_EQ(spoken_time({23, 58}), "twelve o'clock at night");
    EXPECT_EQ(spoken_time({11, 30}), "half an hour after eleven in the morning");
    EXPECT_EQ(spoken_time({11, 35}), "twenty five minutes before twelve in the afternoon");
}

TEST(Dialogue, TakesAnOrderAndReadsItBack) {
    Dialogue dialogue;
    EXPECT_EQ(words(dialogue, "i would like two large pizzas with mushrooms"),
              "Two large pizzas with mushrooms. Would you like anything else?");
    EXPECT_THAT(words(dialogue, "one small vegetable soup with spinach"), HasSubstr("anything"));
    EXPECT_EQ(words(dialogue, "a dozen large pizzas with spinach"), kTooMuch);
    EXPECT_EQ(words(dialogue, "that would be everything thank you"),
              "Your order of two large pizzas with mushrooms, and one small vegetable soup with "
              "spinach will be ready in twenty minutes.");
    EXPECT_EQ(words(dialogue, "that would be everything thank you"), kNothingOrdered);
}

TEST(Dialogue, ForgetsACancelledOrder) {
    Dialogue dialogue;
    (void)words(dialogue, "two large pizzas with mushrooms");
    EXPECT_EQ(words(dialogue, "please cancel my order"), kCancelled);
    EXPECT_EQ(words(dialogue, "that would be everything thank you"), kNothingOrdered);
}

TEST(Dialogue, SaysTheLastThingAgain) {
    Dialogue dialogue;
    EXPECT_EQ(dialogue.greet().words, kGreeting);
    EXPECT_EQ(words(dialogue, "i did not understand you"), kGreeting);
    EXPECT_EQ(words(dialogue, "please stop talking"), kListening);
    EXPECT_EQ(dialogue.press('*').words, kGreeting);
}

TEST(Dialogue, HangsUpAfterGoodbyeOnly) {
    Dialogue dialogue;
    EXPECT_FALSE(dialogue.answer(std::nullopt, kNoon).hangs_up);
    EXPECT_EQ(dialogue.answer(std::nullopt, kNoon).words, kNotUnderstood);
    EXPECT_TRUE(dialogue.press('7').words.empty());
    EXPECT_TRUE(dialogue.answer("goodbye and thank you very much", kNoon).hangs_up);
    EXPECT_TRUE(dialogue.press('#').hangs_up);
}

TEST(PlainWords, AreTheGrammars) {
    EXPECT_EQ(plain_words("It is now six o'clock, thank you. "), "it is now six o'clock thank you");
}

}  // namespace
}  // namespace offhook::local_ai

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ai/protocols/openai_conversation.h"
#include "ai/protocols/openai_items.h"
#include "ai/protocols/openai_tools.h"

namespace offhook::ai {
namespace {

using Role = OpenAiConversation::Role;

TEST(OpenAiItems, TheItemThatPlaysIsCutWhereItStands) {
    OpenAiItems items;
    items.add("a", 0, 0, 800);
    items.add("a", 0, 800, 800);
    items.add("b", 1, 1600, 400);
    const auto cuts = items.cut_at(1000);
    ASSERT_EQ(cuts.size(), 2U);
    EXPECT_EQ(cuts[0].item_id, "a");
    EXPECT_EQ(cuts[0].heard_samples, 1000U);
    EXPECT_EQ(cuts[0].given_samples, 1600U);
    EXPECT_EQ(cuts[1].item_id, "b");
    EXPECT_EQ(cuts[1].content_index, 1);
    EXPECT_EQ(cuts[1].heard_samples, 0U);
    EXPECT_TRUE(items.cut_at(2000).empty());
    items.clear();
    EXPECT_TRUE(items.cut_at(0).empty());
}

TEST(OpenAiItems, AnItemGoesOnAfterAGap) {
    OpenAiItems items;
    items.add("a", 0, 100, 50);
    items.add("a", 0, 400, 50);  // a prompt was played between
    items.forget_before(300);
    auto cuts = items.cut_at(410);
    ASSERT_EQ(cuts.size(), 1U);
    EXPECT_EQ(cuts[0].heard_samples, 60U);
    EXPECT_EQ(cuts[0].given_samples, 100U);
    cuts = items.cut_at(300);
    ASSERT_EQ(cuts.size(), 1U);
    EXPECT_EQ(cuts[0].heard_samples, 50U);
}

TEST(OpenAiItems, AreBounded) {
    OpenAiItems items;
    for (std::uint64_t i = 0; i < 10'000; ++i) items.add("i" + std::to_string(i), 0, i * 10, 10);
    EXPECT_EQ(items.cut_at(0).size(), OpenAiItems::kMaxPieces);
}

TEST(OpenAiConversation, IsWhatWasHeard) {
    OpenAiConversation talk;
    talk.add("u1", Role::User);
    talk.append("a1", "One two ");
    talk.append("a1", "three four");
    talk.set("u1", Role::User, "Hello");
    talk.cut("a1", 0.6);
    ASSERT_EQ(talk.turns().size(), 2U);
    EXPECT_EQ(talk.turns()[0].text, "Hello");
    EXPECT_EQ(talk.turns()[1].text, "One two");
    talk.cut("a1", 0);
    EXPECT_EQ(talk.turns()[1].text, "");
    talk.cut("unknown", 0.5);
}

TEST(OpenAiConversation, IsBounded) {
    OpenAiConversation talk;
    for (int i = 0; i < 200; ++i)
        talk.add(
            "i" + std::to_string(i), Role::User, std::string(static_cast<std::size_t>(i), 'x'));
    EXPECT_EQ(talk.turns().size(), OpenAiConversation::kMaxTurns);
    EXPECT_EQ(talk.turns().back().item_id, "i199");
    for (int i = 0; i < 100; ++i)
        talk.append("long" + std::to_string(i % 7), std::string(3001, 'y'));
    std::size_t bytes = 0;
    for (const auto& turn : talk.turns()) {
        bytes += turn.text.size();
        EXPECT_LE(turn.text.size(), OpenAiConversation::kMaxTurnBytes);
    }
    EXPECT_LE(bytes, OpenAiConversation::kMaxBytes);
    // Not inside a character.
    std::string umlauts;
    for (int i = 0; i < 5000; ++i) umlauts += "\xC3\xA4";
    talk.set("u", Role::User, "x" + umlauts);
    EXPECT_EQ(talk.turns().back().text.size(), OpenAiConversation::kMaxTurnBytes - 1);
}

TEST(OpenAiTools, OnlyWhatTheRouteAllows) {
    BotSettings settings;
    EXPECT_FALSE(has_openai_tools(settings));
    settings.may_hang_up = settings.may_hold = true;
    base::JsonWriter w;
    write_openai_tools(settings, w);
    EXPECT_EQ(
        w.text(),
        R"([{"type":"function","name":"hang_up","description":"End the phone call, after what you said so far was heard.",)"
        R"("parameters":{"type":"object","properties":{},"required":[]}},)"
        R"({"type":"function","name":"hold","description":"Put the caller on hold, or take them back.",)"
        R"("parameters":{"type":"object","properties":{"on":{"type":"boolean","description":"true: on hold; false: back."}},"required":["on"]}}])");
}

TEST(OpenAiTools, CallsAreVerbs) {
    const auto hang_up = openai_request("hang_up", "");
    ASSERT_TRUE(hang_up);
    EXPECT_EQ(hang_up->verb, BotVerb::HangUp);
    EXPECT_TRUE(hang_up->is_after_speech);
    const auto transfer = openai_request("transfer", R"({"target":"sip:a@b"})");
    ASSERT_TRUE(transfer);
    EXPECT_EQ(transfer->verb, BotVerb::Transfer);
    EXPECT_EQ(transfer->argument, "sip:a@b");
    EXPECT_EQ(openai_request("send_digits", R"({"digits":"12#"})")->argument, "12#");
    EXPECT_EQ(openai_request("play_prompt", R"({"name":"legal"})")->verb, BotVerb::PlayPrompt);
    EXPECT_EQ(openai_request("hold", R"({"on":true})")->verb, BotVerb::Hold);
    EXPECT_EQ(openai_request("hold", R"({"on":false})")->verb, BotVerb::Resume);
    for (const auto& [name, arguments] : std::vector<std::pair<std::string, std::string>>{
             {"transfer", "{}"},
             {"transfer", R"({"target":1})"},
             {"transfer", ""},
             {"transfer", R"({"target":")" + std::string(600, '1') + R"("})"},
             {"hold", R"({"on":"yes"})"},
             {"play_prompt", "[]"},
             {"rm", "{}"},
             {"", ""}}) {
        EXPECT_FALSE(openai_request(name, arguments)) << name << arguments;
    }
}

}  // namespace
}  // namespace offhook::ai

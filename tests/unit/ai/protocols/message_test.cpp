#include "ai/protocols/message.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace offhook::ai {
namespace {

TEST(Message, FindsMembersByPath) {
    const auto message = Message::read(
        R"({"event":"media","n":3,"x":2.5,"whole":4.0,"big":1e300,"yes":true,"none":null,)"
        R"("media":{"payload":"AA==","deep":{"er":"d"}},"list":[1,{"a":1},"s",{"a":2}]})");
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text("event"), "media");
    EXPECT_EQ(message->text("media.payload"), "AA==");
    EXPECT_EQ(message->text("media.deep.er"), "d");
    EXPECT_EQ(message->number("n"), 3);
    EXPECT_EQ(message->number("x"), 2.5);
    EXPECT_EQ(message->whole("n"), 3);
    EXPECT_EQ(message->whole("whole"), 4);
    EXPECT_EQ(message->boolean("yes"), true);
    EXPECT_EQ(message->object("media")->text("payload"), "AA==");
    const auto objects = message->objects("list");
    ASSERT_EQ(objects.size(), 2U);
    EXPECT_EQ(objects[1].whole("a"), 2);
}

TEST(Message, WhatIsMissingAndWhatIsOfAnotherTypeAreTheSame) {
    const auto message = Message::read(
        R"({"event":"media","n":3,"x":2.5,"big":1e300,"none":null,"media":{"payload":7}})");
    ASSERT_TRUE(message);
    for (const char* path : {"",
                             ".",
                             "event.",
                             ".event",
                             "n",
                             "none",
                             "media",
                             "media.payload",
                             "media.payload.x",
                             "event.x",
                             "nowhere",
                             "nowhere.x"}) {
        EXPECT_EQ(message->text(path), std::nullopt) << path;
    }
    EXPECT_EQ(message->number("event"), std::nullopt);
    EXPECT_EQ(message->whole("x"), std::nullopt);
    EXPECT_EQ(message->whole("big"), std::nullopt);
    EXPECT_EQ(message->boolean("n"), std::nullopt);
    EXPECT_FALSE(message->object("event"));
    EXPECT_TRUE(message->objects("media").empty());
}

TEST(Message, StringsAreUnescaped) {
    const auto message = Message::read(R"({"a":"q\"\\\/\n\u00e4\ud83d\ude00","b":"\u0000"})");
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text("a"), "q\"\\/\n\xc3\xa4\xf0\x9f\x98\x80");
    EXPECT_EQ(message->text("b"), std::string_view("\0", 1));
}

TEST(Message, RefusesWhatIsNoObject) {
    for (const std::string_view text : {"",
                                        " ",
                                        "x",
                                        "[]",
                                        "1",
                                        "\"a\"",
                                        "null",
                                        "{",
                                        "{\"a\"}",
                                        "{\"a\":1,}",
                                        "{}{}",
                                        "{'a':1}",
                                        "{\"a\":\x01}",
                                        "{\"a\":\"\xff\"}",
                                        "{\"a\":\"\xed\xa0\x80\"}",
                                        "{\"a\":NaN}",
                                        "{\"a\":01}"}) {
        const auto message = Message::read(text);
        ASSERT_FALSE(message) << text;
        EXPECT_EQ(message.error().code, base::ErrorCode::Malformed);
        EXPECT_FALSE(message.error().message.empty());
    }
    EXPECT_FALSE(Message::read(std::string_view("{}\0", 3)));
}

TEST(Message, DepthIsBoundedAlsoAfterALongMessage) {
    const auto nested = [](int depth) {
        std::string text;
        for (int i = 0; i < depth; ++i) text += "{\"a\":";
        return text + "1" + std::string(static_cast<std::size_t>(depth), '}');
    };
    EXPECT_TRUE(Message::read(nested(Message::kMaxDepth - 1)));
    EXPECT_FALSE(Message::read(nested(Message::kMaxDepth + 1)));
    const std::string sound(200'000, 'A');
    const auto message = Message::read("{\"payload\":\"" + sound + "\"}");
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text("payload"), sound);
    EXPECT_FALSE(Message::read("{\"payload\":\"" + sound + "\",\"a\":" + nested(100) + "}"));
    EXPECT_FALSE(Message::read(nested(Message::kMaxDepth + 1)));
    EXPECT_TRUE(Message::read(nested(Message::kMaxDepth - 1)));
}

TEST(Message, LengthIsBounded) {
    const std::string frame = R"({"a":""})";
    EXPECT_TRUE(
        Message::read(R"({"a":")" + std::string(Message::kMaxBytes - frame.size(), 'x') + R"("})"));
    EXPECT_FALSE(Message::read(R"({"a":")" + std::string(Message::kMaxBytes, 'x') + R"("})"));
}

TEST(Message, SurvivesMutations) {
    const std::string seed =
        R"({"event":"media","streamSid":"MZ01","media":{"payload":"fn5+","n":[1,2.5,-3e9,null]},"t":true})";
    std::mt19937 random(3);
    int read = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string text = seed;
        for (unsigned n = random() % 4 + 1; n > 0; --n) {
            const std::size_t at = random() % text.size();
            switch (random() % 3) {
                case 0:
                    text[at] = static_cast<char>(random());
                    break;
                case 1:
                    text.erase(at, random() % 8);
                    break;
                default:
                    text.insert(at, text, random() % text.size(), random() % 16);
            }
            if (text.empty()) text = "{";
        }
        const auto message = Message::read(text);
        if (!message) continue;
        ++read;
        static_cast<void>(message->text("media.payload"));
        static_cast<void>(message->objects("media.n"));
        static_cast<void>(message->whole("event"));
    }
    EXPECT_GT(read, 100);
}

}  // namespace
}  // namespace offhook::ai

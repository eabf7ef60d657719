#include "ai/protocols/audiosocket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "fake_host.h"

namespace offhook::ai {
namespace {

using ::testing::ElementsAre;
using testing::FakeHost;
using ::testing::HasSubstr;
using testing::hex;
using ::testing::IsEmpty;

std::vector<std::byte> packet(unsigned kind, std::span<const std::byte> payload) {
    std::vector<std::byte> out{static_cast<std::byte>(kind),
                               static_cast<std::byte>(payload.size() >> 8),
                               static_cast<std::byte>(payload.size() & 0xff)};
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
}

class AudioSocketTest : public ::testing::Test {
protected:
    FakeHost host_;
    std::unique_ptr<BotProtocol> bot_;

    AudioSocketTest() {
        host_.bot.ai.protocol = config::AiProtocol::AudioSocket;
        host_.bot.ai.url = "tcp://bot:9092";
    }
    void start() {
        bot_ = make_protocol(host_);
        ASSERT_NE(bot_, nullptr);
        host_.protocol = bot_.get();
        bot_->on_open({});
        host_.take();
    }
};

// The same as Python's uuid.uuid5(uuid.NAMESPACE_URL, "offhook:c-0123456789ab").
TEST_F(AudioSocketTest, TheUuidComesFirst) {
    bot_ = make_protocol(host_);
    bot_->on_open({});
    EXPECT_THAT(host_.said, ElementsAre("[ready]"));
    ASSERT_EQ(host_.bytes.size(), 1U);
    EXPECT_EQ(hex(host_.bytes[0]), "01 00 10 26 fd 8a d3 0f 6b 52 ff a0 d1 47 68 d2 85 7d c5");
    EXPECT_EQ(bot_->opening().url, "tcp://bot:9092");
    EXPECT_EQ(bot_->on_close(), OnClose::HangUp);
}

TEST_F(AudioSocketTest, SoundHasItsKindAndLength) {
    struct Row {
        int rate;
        const char* header;
    };
    for (const Row& row : {Row{0, "10 01 40"},
                           Row{8000, "10 01 40"},
                           Row{16000, "12 02 80"},
                           Row{24000, "13 03 c0"}}) {
        host_.bot.ai.sample_rate_hz = row.rate;
        start();
        host_.bytes.clear();
        std::vector<std::int16_t> pcm(bot_->sample_rate_hz() / 50, 0x0102);
        bot_->on_frame(pcm, {});
        ASSERT_EQ(host_.bytes.size(), 1U);
        EXPECT_EQ(hex(std::span(host_.bytes[0]).first(7)),
                  std::string(row.header) + " 02 01 02 01");
        EXPECT_EQ(host_.bytes[0].size(), 3 + pcm.size() * 2);
    }
}

TEST_F(AudioSocketTest, DigitsWhenTheyAreWanted) {
    start();
    host_.bytes.clear();
    bot_->on_digit('5', 120);
    ASSERT_EQ(host_.bytes.size(), 1U);
    EXPECT_EQ(hex(host_.bytes[0]), "03 00 01 35");
    host_.bot.ai.digits = false;
    bot_->on_digit('6', 120);
    EXPECT_EQ(host_.bytes.size(), 1U);
}

TEST_F(AudioSocketTest, APacketMayBeCutAnywhere) {
    std::vector<std::byte> stream;
    std::vector<std::int16_t> expected;
    std::mt19937 random(1);
    for (int i = 0; i < 50; ++i) {
        std::vector<std::byte> payload(random() % 400 * 2);
        for (std::size_t k = 0; k < payload.size(); k += 2) {
            const auto sample = static_cast<std::int16_t>(random());
            payload[k] = static_cast<std::byte>(sample & 0xff);
            payload[k + 1] = static_cast<std::byte>((sample >> 8) & 0xff);
            expected.push_back(sample);
        }
        const auto one = packet(0x10, payload);
        stream.insert(stream.end(), one.begin(), one.end());
    }
    for (const std::size_t most : {1U, 2U, 3U, 7U, 1000U, 100'000U}) {
        start();
        host_.heard.clear();
        for (std::size_t at = 0; at < stream.size();) {
            const std::size_t n = std::min(stream.size() - at, 1 + random() % most);
            bot_->on_binary(std::span(stream).subspan(at, n));
            at += n;
        }
        EXPECT_EQ(host_.heard, expected) << most;
    }
    EXPECT_THAT(host_.complaints, IsEmpty());
}

TEST_F(AudioSocketTest, EndIsTheEnd) {
    start();
    auto bytes = packet(0x00, {});
    const auto more = packet(0x10, std::vector<std::byte>(320));
    bytes.insert(bytes.end(), more.begin(), more.end());
    bot_->on_binary(bytes);
    bot_->on_binary(more);
    EXPECT_THAT(host_.take(), ElementsAre("[finish]"));
    EXPECT_THAT(host_.heard, IsEmpty());
    bot_->on_lost();
    bot_->on_open({.attempt = 2, .marks = {}, .dropped = {}});
    bot_->on_binary(more);
    EXPECT_EQ(host_.heard.size(), 160U);
}

TEST_F(AudioSocketTest, OurEndIsAPacketAsWell) {
    start();
    host_.bytes.clear();
    bot_->on_end(model::EndReason::CallerHangup);
    ASSERT_EQ(host_.bytes.size(), 1U);
    EXPECT_EQ(hex(host_.bytes[0]), "00 00 00");
}

TEST_F(AudioSocketTest, WhatItDoesNotKnowIsIgnored) {
    start();
    bot_->on_binary(packet(0x77, std::vector<std::byte>(65535)));
    bot_->on_binary(packet(0xff, std::vector<std::byte>{std::byte{4}}));
    bot_->on_binary(packet(0xff, {}));
    bot_->on_binary(packet(0x13, std::vector<std::byte>(960)));
    bot_->on_binary(packet(0x03, std::vector<std::byte>{std::byte{'5'}}));
    bot_->on_text("{}");
    EXPECT_THAT(host_.heard, IsEmpty());
    bot_->on_binary(packet(0x10, std::vector<std::byte>(5)));
    EXPECT_EQ(host_.heard.size(), 2U);
    EXPECT_THAT(host_.complaints,
                ElementsAre("sent a packet of kind 119: ignored",
                            "sent the error 4: out of memory",
                            "sent the error without saying which",
                            HasSubstr("not of 8000 Hz"),
                            "sent a packet of kind 3: ignored",
                            HasSubstr("half a sample")));
    EXPECT_THAT(host_.take(), IsEmpty());
}

TEST_F(AudioSocketTest, ABeginningOfTheOldConnectionIsForgotten) {
    start();
    const auto sound = packet(0x10, std::vector<std::byte>(320));
    bot_->on_binary(std::span(sound).first(100));
    bot_->on_lost();
    bot_->on_open({.attempt = 2, .marks = {}, .dropped = {}});
    bot_->on_binary(sound);
    EXPECT_EQ(host_.heard.size(), 160U);
}

TEST_F(AudioSocketTest, GarbageDoesNoHarm) {
    std::mt19937 random(7);
    start();
    std::size_t fed = 0;
    for (int i = 0; i < 10'000; ++i) {
        std::vector<std::byte> bytes(random() % 300);
        for (auto& b : bytes) b = static_cast<std::byte>(random());
        if (!bytes.empty() && random() % 2 == 0) bytes[0] = std::byte{0x10};
        bot_->on_binary(bytes);
        fed += bytes.size();
        if (i % 100 == 0) {
            bot_->on_lost();
            bot_->on_open({});
        }
    }
    EXPECT_LE(host_.heard.size() * 2, fed);
}

}  // namespace
}  // namespace offhook::ai

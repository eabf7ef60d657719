#include "caller/sdp_text.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace offhook::caller {
namespace {

const std::string kAnswer =
    "v=0\r\no=x 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\na=sendonly\r\n"
    "m=video 0 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n"
    "m=audio 4000/1 RTP/AVP 96 0 101\r\nc=IN IP4 192.0.2.2/127\r\na=rtpmap:96 opus/48000/2\r\n"
    "a=fmtp:96 usedtx=0\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=rtcp-mux\r\n"
    "m=audio 5000 RTP/AVP 8\r\na=inactive\r\n";

TEST(SdpTextTest, ReadsTheFirstAudioStream) {
    const auto audio = parse_sdp(kAnswer);
    ASSERT_TRUE(audio) << audio.error().text();
    EXPECT_EQ(audio->address, "192.0.2.2");
    EXPECT_EQ(audio->rtp_port, 4000);
    EXPECT_EQ(audio->direction, model::Direction::SendOnly);
    ASSERT_EQ(audio->formats.size(), 3U);
    EXPECT_EQ(audio->formats[0].encoding, "opus");
    EXPECT_EQ(audio->formats[0].channels, 2);
    EXPECT_EQ(audio->formats[0].fmtp, "usedtx=0");
    EXPECT_EQ(audio->formats[1].encoding, "PCMU");
    EXPECT_EQ(audio->formats[2].clock_hz, 8000U);
    EXPECT_EQ(audio->ptime_ms, 20);
    EXPECT_TRUE(audio->rtcp_mux);
}

TEST(SdpTextTest, WhatWeOfferIsWhatWeRead) {
    for (const auto& facts : model::kCodecs) {
        OwnSdp own;
        own.media = *Endpoint::numeric("::1", 4242);
        own.direction = model::Direction::RecvOnly;
        own.formats = model::offer_formats({facts.codec});
        const auto audio = parse_sdp(write_sdp(own));
        ASSERT_TRUE(audio);
        EXPECT_EQ(audio->address, "::1");
        EXPECT_EQ(audio->rtp_port, 4242);
        EXPECT_EQ(audio->direction, model::Direction::RecvOnly);
        const auto chosen = model::choose_codec(*audio, {facts.codec});
        ASSERT_TRUE(chosen) << facts.name;
        EXPECT_TRUE(chosen->telephone_event_type) << facts.name;
    }
}

TEST(SdpTextTest, KeysGoUnderRtpSavpAndComeBack) {
    OwnSdp own;
    own.media = *Endpoint::numeric("127.0.0.1", 4242);
    own.formats = model::offer_formats({model::Codec::Pcmu});
    const auto suite = model::SrtpSuite::AeadAes128Gcm;
    own.crypto = {{1, suite, *model::SrtpKey::random(suite)}};
    const std::string text = write_sdp(own);
    EXPECT_NE(text.find(" RTP/SAVP "), std::string::npos);
    const auto audio = parse_sdp(text);
    ASSERT_TRUE(audio);
    EXPECT_TRUE(audio->is_savp);
    EXPECT_EQ(audio->crypto, own.crypto);
}

TEST(SdpTextTest, RefusesWhatItCannotRead) {
    EXPECT_FALSE(parse_sdp(""));
    EXPECT_FALSE(parse_sdp("hello"));
    EXPECT_EQ(parse_sdp("v=0\r\nm=video 1 RTP/AVP 31\r\n").error().code, base::ErrorCode::NotFound);
    EXPECT_FALSE(parse_sdp("v=0\r\nm=audio 70000 RTP/AVP 0\r\n"));
    EXPECT_FALSE(parse_sdp("v=0\r\nm=audio 7 RTP/AVP 200\r\n"));
    std::string many = "v=0\r\nm=audio 7 RTP/AVP";
    for (int i = 0; i < 500; ++i) many += " 0";
    EXPECT_EQ(parse_sdp(many)->formats.size(), 64U);
}

TEST(SdpTextTest, MutationsDoNoHarm) {
    std::mt19937 random(2);
    int readable = 0;
    for (int i = 0; i < 20000; ++i) {
        std::string mutant = kAnswer;
        for (unsigned k = 0; k <= random() % 4; ++k) {
            const std::size_t at = random() % mutant.size();
            if (random() % 2 == 0)
                mutant[at] = static_cast<char>(random());
            else
                mutant.erase(at, 1 + random() % 10);
        }
        const std::vector<char> exact(mutant.begin(), mutant.end());
        const auto audio = parse_sdp({exact.data(), exact.size()});
        if (!audio) continue;
        ++readable;
        EXPECT_LE(audio->formats.size(), 64U);
        EXPECT_LE(audio->address.size(), 64U);
    }
    EXPECT_GT(readable, 1000);
}

}  // namespace
}  // namespace offhook::caller

#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>

#include "fixtures.h"
#include "model/sdp_offer.h"
#include "sdp/web_remote.h"

namespace offhook::sdp {
namespace {

using model::Codec;
using model::Direction;

const CandidateRules kRules;

/// One offer, and what has to become of it.
struct Expected {
    std::string name;
    Codec codec;
    int payload_type;
    int event_type;  ///< 0: none
    std::uint32_t event_clock_hz;
    std::string audio_line;  ///< of the answer, for the candidate 192.0.2.2:40000
    std::size_t candidates;
    std::size_t left_out;
};

void PrintTo(const Expected& expected, std::ostream* out) {
    *out << expected.name;
}
class Offer : public testing::TestWithParam<Expected> {};

TEST_P(Offer, EndsInASendrecvAnswer) {
    const Expected& expected = GetParam();
    const std::string text = test::offer(expected.name);
    EXPECT_EQ(is_web(text), expected.name != "crypto-and-fingerprint");
    const auto remote = read_web(text, kRules);
    ASSERT_TRUE(remote) << remote.error().text();
    EXPECT_EQ(remote->candidates.size(), expected.candidates);
    EXPECT_EQ(remote->left_out, expected.left_out);
    EXPECT_EQ(remote->sdp.audio.direction, Direction::SendRecv);

    const auto chosen = model::choose_codec(remote->sdp.audio, test::web_codecs());
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->codec, expected.codec);
    EXPECT_EQ(int{chosen->payload_type}, expected.payload_type);
    EXPECT_EQ(int{chosen->telephone_event_type.value_or(0)}, expected.event_type);
    EXPECT_EQ(chosen->telephone_event_clock_hz, expected.event_clock_hz);

    const std::string answer =
        write_answer(*remote, *chosen, test::local_end(), Direction::SendRecv, test::identity());
    EXPECT_EQ(test::what_is_wrong(*remote, answer), "") << answer;
    EXPECT_TRUE(test::has_line(answer, expected.audio_line)) << answer;
    EXPECT_EQ(test::lines_with(answer, "m=audio 40000").size(), 1U);
    EXPECT_TRUE(test::has_line(answer, "a=sendrecv")) << answer;
    EXPECT_TRUE(test::has_line(answer, "c=IN IP4 192.0.2.2")) << answer;
    EXPECT_TRUE(test::has_line(answer, "a=setup:active")) << answer;
    EXPECT_TRUE(test::has_line(answer, "a=rtcp-mux")) << answer;
    EXPECT_TRUE(test::has_line(answer, "a=ptime:20")) << answer;
    EXPECT_TRUE(test::has_line(answer, "a=end-of-candidates")) << answer;
    EXPECT_TRUE(test::has_line(answer, "a=ssrc:305419896 cname:offhook-cname")) << answer;
    EXPECT_EQ(test::lines_with(answer, "a=msid:").size(), remote->has_msid ? 1U : 0U) << answer;
    EXPECT_EQ(test::lines_with(answer, "a=candidate:").size(), 3U) << answer;
}

constexpr const char* kOpus111 = "m=audio 40000 UDP/TLS/RTP/SAVPF 111 110";

INSTANTIATE_TEST_SUITE_P(
    All,
    Offer,
    testing::Values(
        Expected{"chromium-audio", Codec::Opus, 111, 110, 48000, kOpus111, 2, 0},
        Expected{"chromium-audio-video-data", Codec::Opus, 111, 110, 48000, kOpus111, 2, 0},
        Expected{"chromium-video-first", Codec::Opus, 111, 110, 48000, kOpus111, 2, 0},
        Expected{"firefox",
                 Codec::Opus,
                 109,
                 101,
                 8000,
                 "m=audio 40000 UDP/TLS/RTP/SAVPF 109 101",
                 3,
                 1},
        Expected{"jssip", Codec::Opus, 111, 110, 48000, kOpus111, 2, 1},
        Expected{
            "ringcentral", Codec::Opus, 111, 101, 8000, "m=audio 40000 RTP/SAVPF 111 101", 1, 1},
        Expected{"freeswitch",
                 Codec::Opus,
                 102,
                 103,
                 48000,
                 "m=audio 40000 UDP/TLS/RTP/SAVPF 102 103",
                 1,
                 0},
        Expected{"asterisk",
                 Codec::Opus,
                 107,
                 101,
                 8000,
                 "m=audio 40000 UDP/TLS/RTP/SAVPF 107 101",
                 2,
                 0},
        Expected{"janus", Codec::Opus, 111, 0, 0, "m=audio 40000 UDP/TLS/RTP/SAVPF 111", 1, 0},
        Expected{
            "baresip", Codec::Opus, 96, 101, 8000, "m=audio 40000 UDP/TLS/RTP/SAVPF 96 101", 2, 0},
        Expected{"linphone",
                 Codec::Opus,
                 96,
                 101,
                 48000,
                 "m=audio 40000 UDP/TLS/RTP/SAVPF 96 101",
                 2,
                 1},
        Expected{"session-level",
                 Codec::Pcmu,
                 0,
                 101,
                 8000,
                 "m=audio 40000 UDP/TLS/RTP/SAVPF 0 101",
                 1,
                 0},
        Expected{"no-bundle", Codec::Pcmu, 0, 0, 0, "m=audio 40000 UDP/TLS/RTP/SAVP 0", 1, 0},
        Expected{"telephone-event-odd",
                 Codec::Opus,
                 117,
                 123,
                 48000,
                 "m=audio 40000 UDP/TLS/RTP/SAVPF 117 123",
                 1,
                 0},
        Expected{
            "sprop-stereo", Codec::Opus, 111, 0, 0, "m=audio 40000 UDP/TLS/RTP/SAVPF 111", 1, 0},
        Expected{"several-audio", Codec::Pcmu, 0, 0, 0, "m=audio 40000 UDP/TLS/RTP/SAVPF 0", 1, 0},
        Expected{"rejected-lines", Codec::Pcmu, 0, 0, 0, "m=audio 40000 UDP/TLS/RTP/SAVPF 0", 1, 0},
        Expected{"ice-lite", Codec::Pcmu, 0, 0, 0, "m=audio 40000 UDP/TLS/RTP/SAVPF 0", 1, 0},
        Expected{"crypto-and-fingerprint", Codec::Pcmu, 0, 0, 0, "m=audio 40000 RTP/SAVP 0", 1, 0}),
    [](const auto& tested) {
        std::string name = tested.param.name;
        for (char& c : name) {
            if (c == '-') c = '_';
        }
        return name;
    });

struct Refused {
    std::string name;
    std::string says;
};
void PrintTo(const Refused& refused, std::ostream* out) {
    *out << refused.name;
}
class RefusedOffer : public testing::TestWithParam<Refused> {};

TEST_P(RefusedOffer, SaysWhatLacks) {
    const auto remote = read_web(test::offer(GetParam().name), kRules);
    ASSERT_FALSE(remote);
    EXPECT_EQ(remote.error().code, base::ErrorCode::Unsupported);
    EXPECT_NE(remote.error().message.find(GetParam().says), std::string::npos)
        << remote.error().message;
}

INSTANTIATE_TEST_SUITE_P(All,
                         RefusedOffer,
                         testing::Values(Refused{"no-rtcp-mux", "a=rtcp-mux"},
                                         Refused{"no-ice", "ICE"},
                                         Refused{"no-fingerprint", "a=fingerprint"},
                                         Refused{"audio-rejected", "port 0"},
                                         Refused{"plain-rtp", "not protected"},
                                         Refused{"video-only", "no audio line"},
                                         Refused{"max-bundle-video-first", "shares the transport"}),
                         [](const auto& tested) {
                             std::string name = tested.param.name;
                             for (char& c : name) {
                                 if (c == '-') c = '_';
                             }
                             return name;
                         });

TEST(IsWeb, OnlyWithAFingerprintAndNothingElseThatWouldDo) {
    EXPECT_FALSE(is_web(test::offer("plain-rtp")));
    EXPECT_FALSE(is_web(test::offer("no-fingerprint")));
    EXPECT_FALSE(is_web(test::offer("video-only")));
    EXPECT_FALSE(is_web(test::offer("audio-rejected")));
    EXPECT_FALSE(is_web("not a description"));
    EXPECT_FALSE(is_web(""));
    // Refused as a web leg, with the sentence that belongs to it.
    EXPECT_TRUE(is_web(test::offer("no-rtcp-mux")));
    EXPECT_TRUE(is_web(test::offer("no-ice")));
    // A key that nobody here speaks does not do.
    std::string text = test::offer("crypto-and-fingerprint");
    text.replace(text.find("AES_CM_128_HMAC_SHA1_80"), 23, "F8_128_HMAC_SHA1_80");
    EXPECT_TRUE(is_web(text));
}

}  // namespace
}  // namespace offhook::sdp

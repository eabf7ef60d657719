#include "signalling/web/sdp_fragment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "web_signalling/fake_calls.h"

namespace offhook::signalling::web {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::web_offer;

constexpr const char* kPwd = "0123456789012345678901";

TEST(SdpFragment, IsRead) {
    const auto fragment = read_fragment(
        "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
        "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
        "a=candidate:1 1 udp 2130706431 192.0.2.1 61764 typ host\r\n"
        "a=candidate:2 1 tcp 1 192.0.2.1 9 typ host tcptype active\n"
        "a=end-of-candidates\r\n");
    ASSERT_TRUE(fragment) << fragment.error().text();
    EXPECT_EQ(fragment->ice.ufrag, "EsAw");
    EXPECT_EQ(fragment->ice.pwd, "P2uYro0UCOQ4zxjKXaWCBui1");
    EXPECT_THAT(fragment->candidates,
                ElementsAre("candidate:1 1 udp 2130706431 192.0.2.1 61764 typ host",
                            "candidate:2 1 tcp 1 192.0.2.1 9 typ host tcptype active"));
    EXPECT_TRUE(fragment->is_end);
    EXPECT_TRUE(read_fragment("")->candidates.empty());
}

TEST(SdpFragment, NonsenseIsMalformed) {
    std::string many;
    for (int i = 0; i < 65; ++i) many += "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n";
    for (const std::string& text :
         {std::string("hello"),
          std::string("a=ice-ufrag:ab\r\na=ice-pwd:") + kPwd,
          std::string("a=ice-ufrag:abcd\r\n"),
          std::string("a=ice-ufrag:ab cd\r\na=ice-pwd:") + kPwd,
          std::string("a=ice-ufrag:abcd\r\na=ice-pwd:short\r\n"),
          "a=ice-ufrag:" + std::string(257, 'a') + "\r\na=ice-pwd:" + kPwd,
          "a=candidate:" + std::string(600, 'a'),
          many}) {
        EXPECT_EQ(read_fragment(text).error().code, base::ErrorCode::Malformed) << text;
    }
}

TEST(SdpFragment, DirectionIsOfTheLineThatIsUsed) {
    EXPECT_EQ(direction_of(web_offer("sendonly")), model::Direction::SendOnly);
    EXPECT_EQ(direction_of(web_offer("recvonly")), model::Direction::RecvOnly);
    EXPECT_EQ(direction_of("v=0\r\na=sendonly\r\nm=audio 9 X 0\r\n"), model::Direction::SendOnly);
    EXPECT_EQ(direction_of("v=0\r\nm=audio 9 X 0\r\n"), model::Direction::SendRecv);
    EXPECT_EQ(direction_of("v=0\r\nm=video 9 X 0\r\na=inactive\r\nm=audio 0 X 0\r\na=inactive\r\n"
                           "m=audio 9 X 0\r\na=recvonly\r\nm=audio 9 X 0\r\na=sendonly\r\n"),
              model::Direction::RecvOnly);
}

TEST(SdpFragment, AnIceRestartChangesNothingElse) {
    const std::string before = web_offer("sendonly") + "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n";
    EXPECT_EQ(ice_of(before), (IceCredentials{"abcd", kPwd}));
    SdpFragment fragment;
    fragment.ice = {"wxyz", "abcdefghijklmnopqrstuvwx"};
    fragment.candidates = {"candidate:9 1 udp 1 127.0.0.1 6000 typ host"};
    fragment.is_end = true;
    const std::string after = with_ice_of(before, fragment);
    EXPECT_EQ(ice_of(after), fragment.ice);
    EXPECT_THAT(after, Not(HasSubstr(" 5000 typ host")));
    EXPECT_THAT(after,
                HasSubstr("a=candidate:9 1 udp 1 127.0.0.1 6000 typ host\r\na=end-of-candidates\r\n"
                          "m=video 0"));
    EXPECT_THAT(after, HasSubstr("a=fingerprint:sha-256 00:11\r\na=setup:actpass"));
    EXPECT_EQ(with_ice_of(after, fragment), after);
}

TEST(SdpFragment, OfOurAnswerHasWhatChanged) {
    const std::string text = fragment_of(web_offer());
    EXPECT_EQ(text,
              "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\na=mid:0\r\na=ice-ufrag:abcd\r\n"
              "a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 00:11\r\n"
              "a=setup:actpass\r\na=candidate:1 1 udp 1 127.0.0.1 5000 typ host\r\n");
    EXPECT_TRUE(read_fragment(text));
}

// Whatever comes is read within its bounds; the sanitizers are the judges.
TEST(SdpFragment, MutationsHurtNobody) {
    std::mt19937 random(20261121);
    const std::string seed = web_offer() + "a=end-of-candidates\r\nm=video 9 X 96\r\n";
    for (int round = 0; round < 10'000; ++round) {
        std::string text = seed;
        for (int change = 0; change < 1 + round % 8; ++change) {
            if (text.empty()) text = seed;
            const std::size_t at = random() % text.size();
            switch (random() % 4) {
                case 0:
                    text[at] = static_cast<char>(random());
                    break;
                case 1:
                    text.erase(at, random() % 40);
                    break;
                case 2:
                    text.insert(at, text.substr(random() % text.size(), random() % 80));
                    break;
                default:
                    text.resize(at + 1);
            }
        }
        (void)direction_of(text);
        (void)fragment_of(text);
        const auto fragment = read_fragment(text);
        if (!fragment) continue;
        EXPECT_LE(fragment->candidates.size(), kMaxFragmentCandidates);
        const std::string renewed = with_ice_of(text, *fragment);
        const std::string ufrag = ice_of(renewed).ufrag;
        EXPECT_TRUE(ufrag.empty() || ufrag == fragment->ice.ufrag) << ufrag;
    }
}

}  // namespace
}  // namespace offhook::signalling::web

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "fixtures.h"
#include "model/sdp_offer.h"
#include "sdp/web_remote.h"

namespace offhook::sdp {
namespace {

constexpr int kMutations = 10'000;
constexpr unsigned kSeed = 20'260'701;
/// The longest answer there can be: 16 echoed lines, and one of ours.
constexpr std::size_t kMostAnswerBytes = 16 * 1024;

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

/// Start of a line of `text`, and its length with its end.
struct Line {
    std::size_t start, length;
};
Line line_in(const std::string& text, Random& random) {
    std::size_t start = text.rfind('\n', below(random, text.size()));
    start = start == std::string::npos ? 0 : start + 1;
    std::size_t end = text.find('\n', start);
    end = end == std::string::npos ? text.size() : end + 1;
    return {start, end - start};
}

void mutate(std::string& text, Random& random) {
    if (text.empty()) text = "v=0\r\n";
    const std::size_t at = below(random, text.size());
    const Line line = line_in(text, random);
    static const std::vector<std::string> kWords{" ",
                                                 ":",
                                                 "=",
                                                 "\r",
                                                 "\n",
                                                 "\t",
                                                 std::string(1, '\0'),
                                                 "\xff\xfe",
                                                 "-1",
                                                 "0",
                                                 "65536",
                                                 "99999999999999999999",
                                                 "/",
                                                 "%s%n",
                                                 "::1",
                                                 "a=mid:0\r\n",
                                                 "a=mid:\r\n",
                                                 "a=group:BUNDLE 0 0 1 2\r\n",
                                                 "a=inactive\r\n",
                                                 "a=rtpmap:0 opus/48000/2\r\n",
                                                 "m=audio 5000 RTP/SAVPF 0\r\n",
                                                 "a=candidate:1 1 udp 1 1.1.1.1 5000 typ host\r\n",
                                                 "a=setup:holdconn\r\n"};
    switch (below(random, 9)) {
        case 0:
            text[at] = static_cast<char>(below(random, 256));
            break;
        case 1:
            text.erase(at, 1 + below(random, 8));
            break;
        case 2:
            text.insert(at, kWords[below(random, kWords.size())]);
            break;
        case 3:
            text.erase(line.start, line.length);
            break;
        case 4:
            text.insert(at, text.substr(line.start, line.length));
            break;
        case 5: {  // a line goes elsewhere, whole
            const std::string moved = text.substr(line.start, line.length);
            text.erase(line.start, line.length);
            if (!text.empty()) text.insert(line_in(text, random).start, moved);
            break;
        }
        case 6:
            text.resize(at);
            break;
        case 7: {  // the same again and again
            const std::string again = text.substr(line.start, line.length);
            for (std::size_t count = below(random, 300); count > 0; --count)
                text.insert(line.start, again);
            break;
        }
        default:
            text.insert(at, std::string(below(random, 4096), 'A'));
            break;
    }
}

TEST(Mutation, IsTakenWithAConsistentAnswerOrRefusedWithASentence) {
    Random random(kSeed);
    const auto& names = test::taken_offers();
    std::vector<std::string> offers;
    for (const std::string& name : names) offers.push_back(test::offer(name));
    int taken = 0;
    int refused = 0;
    for (int run = 0; run < kMutations; ++run) {
        std::string text = offers[below(random, offers.size())];
        for (std::size_t changes = 1 + below(random, 4); changes > 0; --changes)
            mutate(text, random);
        SCOPED_TRACE("mutation " + std::to_string(run) + ":\n" + text.substr(0, 8192));
        (void)is_web(text);
        const auto remote = read_web(text, {});
        if (!remote) {
            ++refused;
            ASSERT_FALSE(remote.error().message.empty());
            continue;
        }
        ASSERT_LE(remote->candidates.size(), 32U);
        const auto chosen = model::choose_codec(remote->sdp.audio, test::web_codecs());
        if (!chosen) continue;
        ++taken;
        const std::string answer = write_answer(
            *remote, *chosen, test::local_end(), model::Direction::SendRecv, test::identity());
        ASSERT_LE(answer.size(), kMostAnswerBytes);
        ASSERT_EQ(test::what_is_wrong(*remote, answer), "") << answer;
        const std::string reduced = reduced_for_webrtcbin(*remote, *chosen, true);
        ASSERT_LE(reduced.size(), kMostAnswerBytes);
        ASSERT_TRUE(std::all_of(reduced.begin(), reduced.end(), [](char c) {
            return c == '\r' || c == '\n' || (c >= ' ' && c < '\x7f');
        })) << reduced;
        const auto again = read_web(reduced, {});
        ASSERT_TRUE(again) << again.error().text() << reduced;
        ASSERT_EQ(again->fingerprints, remote->fingerprints);
        ASSERT_EQ(again->candidates, remote->candidates);
        const std::string offer = write_offer(model::answer_formats(*chosen),
                                              test::local_end(),
                                              model::Direction::SendOnly,
                                              test::identity(),
                                              &*remote);
        ASSERT_TRUE(read_web(offer, {})) << offer;
    }
    // The mutations are neither all harmless nor all fatal.
    EXPECT_GT(taken, kMutations / 10);
    EXPECT_GT(refused, kMutations / 10);
}

TEST(Bound, IsAnErrorThatSaysWhich) {
    const auto error = [](const std::string& text) {
        const auto remote = read_web(text, {});
        return remote ? std::string("taken") : remote.error().message;
    };
    const std::string offer = test::offer("ice-lite");
    const auto with = [&](const std::string& line, std::size_t times) {
        std::string text = offer;
        for (; times > 0; --times) text += line + "\r\n";
        return text;
    };
    EXPECT_EQ(error(with("a=mid:x", 240)), "taken");
    EXPECT_NE(error(with("a=mid:x", 300)).find("256 attributes"), std::string::npos);
    // What nobody reads is not counted.
    EXPECT_EQ(error(with("a=rtcp-fb:96 nack", 300)), "taken");
    EXPECT_NE(error(with("m=video 0 RTP/AVP 0", 16)).find("16 m= lines"), std::string::npos);
    EXPECT_NE(error(with("a=x:" + std::string(1000, 'x'), 40)).find("32 KiB"), std::string::npos);
    EXPECT_NE(error(offer + std::string(1, '\0')).find("zero byte"), std::string::npos);
    EXPECT_NE(error("").find("v="), std::string::npos);
    EXPECT_NE(error("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n").find("m="), std::string::npos);
}

}  // namespace
}  // namespace offhook::sdp

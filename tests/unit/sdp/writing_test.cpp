#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fixtures.h"
#include "model/sdp_offer.h"
#include "sdp/web_remote.h"

namespace offhook::sdp {
namespace {

using model::Direction;

WebRemote remote_in(const std::string& text) {
    auto remote = read_web(text, {});
    if (!remote) throw std::runtime_error(remote.error().text());
    return *remote;
}

std::string answer_to(const WebRemote& remote, Direction ours, WebLocal local = test::local_end()) {
    const auto chosen = model::choose_codec(remote.sdp.audio, test::web_codecs()).value();
    return write_answer(remote, chosen, local, ours, test::identity());
}

std::string direction_in(const std::string& text) {
    for (const char* name : {"a=sendrecv", "a=sendonly", "a=recvonly"}) {
        if (test::has_line(text, name)) return name;
    }
    return "a=inactive";
}

TEST(Answer, NeverDoesMoreThanWasOffered) {
    const std::string offer = test::offer("asterisk");
    const auto answered = [&](const std::string& offered, Direction ours) {
        std::string text = offer;
        text.replace(text.find("a=sendrecv"), 10, offered);
        return direction_in(answer_to(remote_in(text), ours));
    };
    EXPECT_EQ(answered("a=sendrecv", Direction::SendRecv), "a=sendrecv");
    EXPECT_EQ(answered("a=recvonly", Direction::SendRecv), "a=sendonly");
    EXPECT_EQ(answered("a=sendonly", Direction::SendRecv), "a=recvonly");
    EXPECT_EQ(answered("a=inactive", Direction::SendRecv), "a=inactive");
    EXPECT_EQ(answered("a=sendrecv", Direction::SendOnly), "a=sendonly");
    EXPECT_EQ(answered("a=sendonly", Direction::SendOnly), "a=inactive");
    EXPECT_EQ(answered("a=sendrecv", Direction::Inactive), "a=inactive");
    // webrtcbin is told sendrecv all the same.
    std::string text = offer;
    text.replace(text.find("a=sendrecv"), 10, "a=sendonly");
    const WebRemote remote = remote_in(text);
    const auto chosen = model::choose_codec(remote.sdp.audio, test::web_codecs()).value();
    EXPECT_TRUE(test::has_line(reduced_for_webrtcbin(remote, chosen, true), "a=sendrecv"));
}

TEST(Answer, OfAnOldDescriptionWithoutMidHasNoneEither) {
    const std::string answer =
        answer_to(remote_in(test::offer("ringcentral")), Direction::SendRecv);
    EXPECT_EQ(test::lines_with(answer, "a=mid"), std::vector<std::string>{});
    EXPECT_EQ(test::lines_with(answer, "a=group"), std::vector<std::string>{});
    EXPECT_EQ(test::lines_with(answer, "a=msid"), std::vector<std::string>{});
    EXPECT_TRUE(test::has_line(answer, "a=rtpmap:101 telephone-event/8000")) << answer;
    EXPECT_TRUE(test::has_line(answer, "a=fmtp:101 0-16")) << answer;
}

TEST(Answer, RejectsEveryOtherLineInPlace) {
    const std::string answer =
        answer_to(remote_in(test::offer("chromium-audio-video-data")), Direction::SendRecv);
    const auto lines = test::lines_with(answer, "m=");
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_TRUE(lines[0].starts_with("m=audio 40000 ")) << lines[0];
    EXPECT_TRUE(lines[1].starts_with("m=video 0 UDP/TLS/RTP/SAVPF 96")) << lines[1];
    EXPECT_EQ(lines[2], "m=application 0 UDP/DTLS/SCTP webrtc-datachannel");
    EXPECT_EQ(test::lines_with(answer, "a=mid:"),
              (std::vector<std::string>{"a=mid:0", "a=mid:1", "a=mid:2"}));
    EXPECT_EQ(test::lines_with(answer, "a=group:"), std::vector<std::string>{"a=group:BUNDLE 0"});
}

TEST(Answer, DefaultsToItsBestCandidateThatIsNotLoopback) {
    const WebRemote remote = remote_in(test::offer("asterisk"));
    WebLocal local = test::local_end();
    const auto c_line = [&] {
        return test::lines_with(answer_to(remote, Direction::SendRecv, local), "c=").front();
    };
    EXPECT_EQ(c_line(), "c=IN IP4 192.0.2.2");
    local.candidates = {"candidate:2 1 UDP 2015363071 2001:db8::2 40001 typ host"};
    EXPECT_EQ(c_line(), "c=IN IP6 2001:db8::2");
    local.candidates.push_back("candidate:3 1 UDP 2015363070 192.0.2.3 40001 typ host");
    EXPECT_EQ(c_line(), "c=IN IP4 192.0.2.3");
    local.candidates = {"candidate:2 1 UDP 2015363071 127.0.0.1 40001 typ host"};
    EXPECT_EQ(c_line(), "c=IN IP4 127.0.0.1");
    local.candidates.clear();
    EXPECT_EQ(c_line(), "c=IN IP4 0.0.0.0");
    EXPECT_EQ(test::lines_with(answer_to(remote, Direction::SendRecv, local), "m=audio 9 ").size(),
              1U);
}

TEST(Answer, TakesTheRoleThatWasLeft) {
    WebLocal local = test::local_end();
    local.setup = sdp::Setup::Passive;
    const std::string answer =
        answer_to(remote_in(test::offer("no-bundle")), Direction::SendRecv, local);
    EXPECT_TRUE(test::has_line(answer, "a=setup:passive")) << answer;
}

TEST(Offer, IsReadByUsAndNamesAllOfOurs) {
    const auto formats = model::offer_formats(test::web_codecs());
    const std::string text =
        write_offer(formats, test::local_end(), Direction::SendRecv, test::identity());
    EXPECT_TRUE(is_web(text));
    const WebRemote read = remote_in(text);
    EXPECT_EQ(read.setup, sdp::Setup::ActPass);
    EXPECT_EQ(read.sdp.audio.formats.size(), formats.size());
    EXPECT_EQ(read.mid, "0");
    EXPECT_EQ(read.bundle, std::vector<std::string>{"0"});
    EXPECT_EQ(read.candidates, test::local_end().candidates);
    EXPECT_EQ(read.sdp.origin_session_id, "4711");
    EXPECT_EQ(read.sdp.origin_version, 3U);
    EXPECT_TRUE(test::has_line(text, "a=rtcp-mux-only")) << text;
    EXPECT_TRUE(test::has_line(text, "a=msid:offhook audio")) << text;
}

TEST(Offer, InACallKeepsLinesMidsAndProtocol) {
    for (const std::string& name : test::taken_offers()) {
        const WebRemote in_force = remote_in(test::offer(name));
        const auto chosen = model::choose_codec(in_force.sdp.audio, test::web_codecs()).value();
        const std::string text = write_offer(model::answer_formats(chosen),
                                             test::local_end(),
                                             Direction::SendOnly,
                                             test::identity(),
                                             &in_force);
        const WebRemote read = remote_in(text);
        EXPECT_EQ(read.line_mids, in_force.line_mids) << name;
        EXPECT_EQ(read.mid, in_force.mid) << name;
        EXPECT_EQ(read.bundle.empty(), in_force.bundle.empty()) << name;
        EXPECT_EQ(read.sdp.audio.line, in_force.sdp.audio.line) << name;
        EXPECT_EQ(read.sdp.audio.direction, Direction::SendOnly) << name;
        ASSERT_EQ(read.sdp.lines.size(), in_force.sdp.lines.size()) << name;
        for (std::size_t at = 0; at < read.sdp.lines.size(); ++at) {
            EXPECT_EQ(read.sdp.lines[at].media, in_force.sdp.lines[at].media) << name;
            EXPECT_EQ(read.sdp.lines[at].protocol, in_force.sdp.lines[at].protocol) << name;
        }
    }
}

}  // namespace
}  // namespace offhook::sdp

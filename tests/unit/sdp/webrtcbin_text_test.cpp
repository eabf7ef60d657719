#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "fixtures.h"
#include "model/sdp_offer.h"
#include "sdp/web_remote.h"

namespace offhook::sdp {
namespace {

using model::Codec;

WebRemote remote_of(const std::string& name) {
    const auto remote = read_web(test::offer(name), {});
    if (!remote) throw std::runtime_error(remote.error().text());
    return *remote;
}

model::ChosenAudio chosen_of(const WebRemote& remote, const std::vector<Codec>& ours) {
    return model::choose_codec(remote.sdp.audio, ours).value();
}

TEST(Reduced, IsOneLineOfOneCodecWithEverythingAtIt) {
    for (const std::string& name : test::taken_offers()) {
        const WebRemote remote = remote_of(name);
        const auto chosen = chosen_of(remote, test::web_codecs());
        const std::string text = reduced_for_webrtcbin(remote, chosen, true);
        const auto lines = test::lines_with(text, "m=");
        ASSERT_EQ(lines.size(), 1U) << name;
        EXPECT_EQ(lines.front(),
                  "m=audio 9 UDP/TLS/RTP/SAVPF " + std::to_string(chosen.payload_type));
        EXPECT_TRUE(test::has_line(text, "a=mid:0")) << name;
        EXPECT_TRUE(test::has_line(text, "a=group:BUNDLE 0")) << name;
        EXPECT_TRUE(test::has_line(text, "a=sendrecv")) << name;
        EXPECT_EQ(test::lines_with(text, "a=rtpmap:").size(), 1U) << name;
        EXPECT_EQ(test::lines_with(text, "a=fmtp:").size(), 0U) << name;
        EXPECT_EQ(test::lines_with(text, "a=candidate:").size(), remote.candidates.size()) << name;
        EXPECT_EQ(test::lines_with(text, "a=ice-lite").size(), name == "ice-lite" ? 1U : 0U);
        // What webrtcbin needs is at the line, wherever it was written.
        const std::string at_line = text.substr(text.find("m=audio"));
        for (const char* attribute : {"a=setup:", "a=fingerprint:", "a=ice-ufrag:", "a=ice-pwd:"})
            EXPECT_GE(test::lines_with(at_line, attribute).size(), 1U) << name << attribute;
        const auto again = read_web(text, {});
        ASSERT_TRUE(again) << name << again.error().text();
        EXPECT_EQ(again->fingerprints, remote.fingerprints) << name;
        EXPECT_EQ(again->ice_ufrag, remote.ice_ufrag) << name;
        EXPECT_EQ(again->ice_pwd, remote.ice_pwd) << name;
        EXPECT_EQ(again->candidates, remote.candidates) << name;
    }
}

TEST(Reduced, NamesTheCodecAsItIs) {
    const WebRemote remote = remote_of("ringcentral");
    const auto rtpmap = [&](Codec codec) {
        const auto text = reduced_for_webrtcbin(remote, chosen_of(remote, {codec}), true);
        return test::lines_with(text, "a=rtpmap:").front();
    };
    EXPECT_EQ(rtpmap(Codec::Opus16), "a=rtpmap:109 OPUS/16000");
    EXPECT_EQ(rtpmap(Codec::Opus), "a=rtpmap:111 OPUS/48000/2");
    EXPECT_EQ(rtpmap(Codec::Pcmu), "a=rtpmap:0 PCMU/8000");
    EXPECT_EQ(rtpmap(Codec::Pcma), "a=rtpmap:8 PCMA/8000");
}

TEST(Reduced, SetupIsOneThatWebrtcbinCanActOn) {
    const auto setup = [](std::optional<sdp::Setup> written, bool is_offer) {
        WebRemote remote = remote_of("ice-lite");
        remote.setup = written;
        const auto text =
            reduced_for_webrtcbin(remote, chosen_of(remote, test::web_codecs()), is_offer);
        return test::lines_with(text, "a=setup:").front();
    };
    EXPECT_EQ(setup(sdp::Setup::ActPass, true), "a=setup:actpass");
    EXPECT_EQ(setup(sdp::Setup::Active, true), "a=setup:active");
    EXPECT_EQ(setup(sdp::Setup::Passive, true), "a=setup:passive");
    EXPECT_EQ(setup(std::nullopt, true), "a=setup:active");
    EXPECT_EQ(setup(sdp::Setup::ActPass, false), "a=setup:passive");
    EXPECT_EQ(setup(sdp::Setup::Active, false), "a=setup:active");
    EXPECT_EQ(setup(std::nullopt, false), "a=setup:passive");
    const WebRemote linphone = remote_of("linphone");
    const auto text =
        reduced_for_webrtcbin(linphone, chosen_of(linphone, test::web_codecs()), true);
    EXPECT_TRUE(test::has_line(text, "a=setup:active")) << text;
}

TEST(Read, SeveralFingerprintsAndThoseOfTheSession) {
    const WebRemote remote = remote_of("session-level");
    ASSERT_EQ(remote.fingerprints.size(), 2U);  // MD5 is none
    EXPECT_EQ(remote.fingerprints[0].hash, Fingerprint::Hash::Sha384);
    EXPECT_EQ(remote.fingerprints[0].bytes.size(), 48U);
    EXPECT_EQ(remote.fingerprints[1].hash, Fingerprint::Hash::Sha256);
    EXPECT_EQ(remote.fingerprints[1].bytes.front(), 0x7a);
    EXPECT_EQ(remote.setup, sdp::Setup::Passive);
    EXPECT_EQ(remote_of("ringcentral").fingerprints.front().hash, Fingerprint::Hash::Sha1);
    EXPECT_EQ(remote_of("asterisk").fingerprints.front().hash, Fingerprint::Hash::Sha256);
}

TEST(Read, ALineWithoutTransportOfItsOwnIsRefused) {
    const auto error = [](const std::string& text) {
        const auto remote = read_web(text, {});
        return remote ? std::string("taken") : remote.error().message;
    };
    // Until something is gathered nobody can tell; the first of a group shares with nobody.
    const std::string shared = test::offer("max-bundle-video-first");
    EXPECT_NE(error(shared).find("shares the transport"), std::string::npos);
    std::string trickled = shared;
    for (std::size_t at = 0; (at = trickled.find("a=candidate:")) != std::string::npos;)
        trickled.erase(at, trickled.find("\r\n", at) + 2 - at);
    EXPECT_EQ(error(trickled), "taken");
    trickled.erase(trickled.rfind("a=ice-ufrag:"), std::string("a=ice-ufrag:WvvD\r\n").size());
    EXPECT_NE(error(trickled).find("shares the transport"), std::string::npos);
    std::string bundle_only = test::offer("chromium-video-first");
    bundle_only.replace(bundle_only.find("m=audio 9"), 9, "m=audio 0");
    EXPECT_NE(error(bundle_only).find("shares the transport"), std::string::npos);
}

TEST(Read, RestartIsOtherCredentials) {
    const WebRemote before = remote_of("firefox");
    WebRemote after = before;
    EXPECT_FALSE(before.restarts(after));
    after.ice_pwd += "x";
    EXPECT_TRUE(before.restarts(after));
}

// What webrtcbin 1.22.0 said, shortened only in its addresses.
constexpr const char* kAnswer =
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 109\r\nc=IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:XXzMpJ510qVO6ENExuLX71Ca4MxpYvHy\r\n"
    "a=ice-pwd:GgdmvvxbDPAdaKu1PK4cf2un6/54Ab3k\r\na=mid:0\r\na=rtcp-mux\r\na=setup:active\r\n"
    "a=rtpmap:109 OPUS/16000\r\na=sendrecv\r\n"
    "a=fingerprint:sha-256 F4:AA:E9:2F:C3:6A:11:89:00:4B:CC:E9:FB:B7:03:AF:5C:C2:8E:C7:0C:26:2E:EB:"
    "45:03:7A:B8:51:8C:3F:FF\r\n"
    "a=candidate:1 1 UDP 2015363327 192.0.2.2 56092 typ host\r\n"
    "a=candidate:2 1 TCP 1015021823 192.0.2.2 9 typ host tcptype active\r\n"
    "a=candidate:7 1 UDP 2015363839 fe80::fc:ff:fe00:1 51595 typ host\r\n";

TEST(Local, IsWhatWebrtcbinSaidAndGathered) {
    const auto local =
        read_local(kAnswer,
                   109,
                   {"candidate:1 1 UDP 2015363327 192.0.2.2 56092 typ host",
                    "candidate:8 1 UDP 1677721855 198.51.100.9 56092 typ srflx raddr 192.0.2.2 "
                    "rport 56092"});
    ASSERT_TRUE(local) << local.error().text();
    EXPECT_EQ(local->ice_ufrag, "XXzMpJ510qVO6ENExuLX71Ca4MxpYvHy");
    EXPECT_EQ(local->ice_pwd, "GgdmvvxbDPAdaKu1PK4cf2un6/54Ab3k");
    EXPECT_EQ(local->setup, sdp::Setup::Active);
    EXPECT_EQ(local->fingerprint.substr(0, 14), "sha-256 F4:AA:");
    EXPECT_EQ(local->candidates,
              (std::vector<std::string>{
                  "candidate:1 1 UDP 2015363327 192.0.2.2 56092 typ host",
                  "candidate:8 1 UDP 1677721855 198.51.100.9 56092 typ srflx raddr 0.0.0.0 rport "
                  "0"}));
}

TEST(Local, ThatWouldNotDoWhatWasAgreedIsRefused) {
    const auto refused = [](std::string from, const std::string& to) {
        std::string text = kAnswer;
        const std::size_t at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        text.replace(at, from.size(), to);
        const auto local = read_local(text, 109, {});
        return local ? base::ErrorCode::Internal : local.error().code;
    };
    for (const char* direction : {"a=recvonly", "a=sendonly", "a=inactive", "a=nothing"})
        EXPECT_EQ(refused("a=sendrecv", direction), base::ErrorCode::Unsupported) << direction;
    EXPECT_EQ(refused("audio 9", "audio 0"), base::ErrorCode::Unsupported);
    EXPECT_EQ(refused("SAVPF 109", "SAVPF 0"), base::ErrorCode::Unsupported);
    EXPECT_EQ(refused("a=ice-ufrag", "a=x-ufrag"), base::ErrorCode::Unsupported);
    EXPECT_EQ(refused("a=fingerprint", "a=x-print"), base::ErrorCode::Unsupported);
    EXPECT_EQ(refused("a=setup:", "a=x-setup:"), base::ErrorCode::Unsupported);
    EXPECT_EQ(read_local("", 109, {}).error().code, base::ErrorCode::Malformed);
}

}  // namespace
}  // namespace offhook::sdp

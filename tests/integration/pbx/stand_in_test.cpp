// The PBX itself, proven with phones not written by us: one that answers and sends nothing loses its
// call to the voicemail, one that talks keeps it, and only who knows the password registers.

#include <glib.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <iostream>

#include "harness/call_test.h"
#include "pbx/path_relay.h"
#include "pbx/pbx.h"
#include "pbx/phones.h"
#include "pbx/sockets.h"

namespace offhook::harness {
namespace {

using Transport = Pbx::Transport;
using Media = Pbx::Media;
using Location = Pbx::Location;

constexpr double kLimit_s = 3;
constexpr const char* kPassword = "white-rabbit";

class StandInTest : public testing::Test {
protected:
    void SetUp() override {
        if (const std::string reason = Pbx::missing(); !reason.empty()) {
            GTEST_SKIP() << reason;
        }
    }

    void start(Pbx::Options options = {}) {
        options.no_media_limit = milliseconds(static_cast<int>(kLimit_s * 1000));
        pbx_ = std::make_unique<Pbx>(folder_, options);
        capture_ = std::make_unique<Capture>(folder_, pbx_->filter());
    }

    /// SIPp calls from outside, says a tone of `kCaller_hz` and hangs up after `length`.
    void call(milliseconds length) {
        const std::filesystem::path says = folder_ / "caller.ulaw";
        write_mulaw(says, tone(8000, kCaller_hz, 1));
        Scenario scenario;
        scenario.invite({}).may_receive(100).may_receive(180).receive(200).ack().stream(says);
        scenario.pause(length).bye().receive(200);
        call(scenario);
    }

    void call(const Scenario& scenario) {
        Sipp::Options options;
        options.user = "alice";
        caller_ = std::make_unique<Sipp>(folder_, pbx_->trunk_port(), scenario, options);
    }

    /// Tones that the relay sent, of at least 0.2 s.
    std::vector<HeardTone> heard(double frequency_hz) {
        const std::uint16_t first = pbx_->first_rtp_port();
        const std::uint16_t last = pbx_->last_rtp_port();
        std::vector<HeardTone> result;
        for (const RtpStream& stream : streams(capture_->rtp(first, last), first, last, true)) {
            for (const HeardTone& one : heard_tones(stream.sound("PCMU"), {frequency_hz})) {
                if (one.length_s >= 0.2) {
                    result.push_back(one);
                }
            }
        }
        return result;
    }

    void TearDown() override {
        if (HasFailure() && pbx_ != nullptr) {
            std::cerr << pbx_->log();
        }
    }

    static constexpr double kCaller_hz = 700, kPhone_hz = 440;
    TempDir folder_;
    std::unique_ptr<Pbx> pbx_;
    std::unique_ptr<Capture> capture_;
    std::unique_ptr<Sipp> caller_;
};

TEST_F(StandInTest, MuteCalleeLosesTheCallToTheVoicemail) {
    start();
    SippPhone phone(folder_, *pbx_, "alice", kPassword);
    phone.answer(Sound{});
    call(seconds(7));
    const auto diversion = pbx_->wait_diversion(seconds(20));
    ASSERT_TRUE(diversion) << caller_->problem() << phone.problem();
    EXPECT_NEAR(diversion->after_answer_s, kLimit_s, 0.5);
    ASSERT_TRUE(phone.is_hung_up(seconds(10))) << phone.problem();
    EXPECT_NE(phone.bye().find("Reason: SIP;cause=480"), std::string::npos) << phone.bye();
    // The caller notices nothing but the greeting, and its BYE is answered.
    EXPECT_TRUE(caller_->succeeds()) << caller_->problem();
    const auto greetings = heard(Pbx::kGreeting_hz);
    ASSERT_FALSE(greetings.empty());
    EXPECT_GT(greetings.front().length_s, 2);
    EXPECT_FALSE(std::filesystem::is_empty(pbx_->voicemail()));
}

TEST_F(StandInTest, TalkingCalleeKeepsTheCall) {
    start();
    SippPhone phone(folder_, *pbx_, "alice", kPassword);
    phone.answer(tone(8000, kPhone_hz, 1));
    call(milliseconds(static_cast<int>(kLimit_s * 2500)));
    EXPECT_TRUE(caller_->succeeds()) << caller_->problem();
    ASSERT_TRUE(phone.is_hung_up(seconds(10))) << phone.problem();
    EXPECT_EQ(phone.bye().find("Reason:"), std::string::npos) << phone.bye();
    EXPECT_TRUE(pbx_->diversions().empty());
    EXPECT_TRUE(heard(Pbx::kGreeting_hz).empty());
    EXPECT_FALSE(heard(kPhone_hz).empty());
}

// Over TLS with SDES: the caller speaks plain RTP, so the relay translates.
TEST_F(StandInTest, EncryptedCalleeKeepsTheCall) {
    Pbx::Options options;
    options.users = {{.name = "alice", .media = Media::Sdes}};
    start(options);
    BaresipPhone phone(folder_, *pbx_, "alice", kPassword, Transport::Tls, Media::Sdes);
    ASSERT_TRUE(pbx_->wait_registered("alice")) << phone.process().output();
    call(milliseconds(static_cast<int>(kLimit_s * 2500)));
    EXPECT_TRUE(caller_->succeeds()) << caller_->problem() << phone.process().output();
    EXPECT_TRUE(pbx_->diversions().empty());
    EXPECT_TRUE(heard(Pbx::kGreeting_hz).empty());
    EXPECT_FALSE(heard(kPhone_hz).empty());
}

// Hold and resume after the proxy was restarted: the profiles and the way to the phone stand in the
// Record-Route. A callee that the caller holds owes no media.
TEST_F(StandInTest, HeldCallOutlivesARestart) {
    start();
    BaresipPhone phone(folder_, *pbx_, "alice", kPassword, Transport::Udp);
    ASSERT_TRUE(pbx_->wait_registered("alice")) << phone.process().output();
    const auto length = milliseconds(static_cast<int>(kLimit_s * 1300));
    Scenario::Media held;
    held.version = 2;
    held.direction = "inactive";
    Scenario::Media resumed;
    resumed.version = 3;
    Scenario scenario;
    scenario.invite({}).may_receive(100).may_receive(180).receive(200).ack();
    scenario.pause(seconds(3)).reinvite(held).may_receive(100).receive(200).ack();
    scenario.pause(length).reinvite(resumed).may_receive(100).receive(200).ack();
    scenario.pause(length).bye().receive(200);
    call(scenario);
    ASSERT_TRUE(phone.process().wait_output("Call established", seconds(10)))
        << phone.process().output();
    pbx_->restart(Location::Kept);
    EXPECT_TRUE(caller_->succeeds()) << caller_->problem() << phone.process().output();
    EXPECT_TRUE(pbx_->diversions().empty());
    EXPECT_TRUE(heard(Pbx::kGreeting_hz).empty());
    // Before the hold and after it.
    EXPECT_EQ(heard(kPhone_hz).size(), 2U);
}

struct DigestCase {
    const char* name;
    Transport transport;
    bool has_qop;
};

void PrintTo(const DigestCase& one, std::ostream* out) {
    *out << one.name;
}

class RegistrarTest : public StandInTest, public testing::WithParamInterface<DigestCase> {};

TEST_P(RegistrarTest, TakesTheRightPasswordAlone) {
    Pbx::Options options;
    options.users = {{"alice"}, {"bob"}};
    options.has_qop = GetParam().has_qop;
    start(options);
    BaresipPhone right(folder_, *pbx_, "alice", kPassword, GetParam().transport);
    BaresipPhone wrong(folder_, *pbx_, "bob", "black-rabbit", GetParam().transport);
    EXPECT_TRUE(pbx_->wait_registered("alice")) << right.process().output();
    EXPECT_TRUE(eventually(seconds(10), &wrong.process(), [&] {
        return pbx_->wrong_passwords("bob") > 0;
    })) << wrong.process().output();
    EXPECT_EQ(pbx_->registrations("alice"), 1U);
    EXPECT_TRUE(pbx_->contacts("bob").empty());
}

INSTANTIATE_TEST_SUITE_P(Transports,
                         RegistrarTest,
                         testing::Values(DigestCase{"Udp", Transport::Udp, true},
                                         DigestCase{"Tcp", Transport::Tcp, false},
                                         DigestCase{"Tls", Transport::Tls, true}),
                         [](const auto& one) { return std::string(one.param.name); });

/// Sends a masked text frame (RFC 6455 §5.2) of fewer than 64 KiB.
void send_frame(const Socket& socket, const std::string& text) {
    std::string frame{'\x81', static_cast<char>(0x80 | 126)};
    frame += static_cast<char>(text.size() >> 8U);
    frame += static_cast<char>(text.size() & 0xFFU);
    frame += std::string(4, '\0') + text;
    ASSERT_EQ(::send(socket.fd(), frame.data(), frame.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(frame.size()));
}

std::string receive_until(const Socket& socket, const std::string& text) {
    const timeval limit{5, 0};
    ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    std::string all;
    std::array<char, 4096> chunk{};
    while (all.find(text) == std::string::npos) {
        const ssize_t got = ::recv(socket.fd(), chunk.data(), chunk.size(), 0);
        if (got <= 0) {
            break;
        }
        all.append(chunk.data(), static_cast<std::size_t>(got));
    }
    return all;
}

TEST_F(StandInTest, SpeaksSipOverWebSocket) {
    start();
    const Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(pbx_->port(Transport::Ws));
    ASSERT_EQ(::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    const std::string hello =
        "GET / HTTP/1.1\r\nHost: pbx.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n";
    ASSERT_GT(::send(socket.fd(), hello.data(), hello.size(), MSG_NOSIGNAL), 0);
    const std::string welcome = receive_until(socket, "\r\n\r\n");
    EXPECT_NE(welcome.find("101 "), std::string::npos) << welcome;
    EXPECT_NE(welcome.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos) << welcome;
    send_frame(
        socket,
        "REGISTER sip:pbx.test SIP/2.0\r\nVia: SIP/2.0/WS ws.invalid;branch=z9hG4bKws\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:alice@pbx.test>;tag=1\r\nTo: <sip:alice@pbx.test>\r\n"
        "Call-ID: ws\r\nCSeq: 1 REGISTER\r\nContact: <sip:alice@ws.invalid;transport=ws>\r\n"
        "Content-Length: 0\r\n\r\n");
    EXPECT_NE(receive_until(socket, "\r\n\r\n").find("401 Unauthorized"), std::string::npos);
}

TEST_F(StandInTest, RestartKeepsOrLosesWhoRegistered) {
    start();
    SippPhone phone(folder_, *pbx_, "alice", kPassword);
    EXPECT_EQ(pbx_->contacts("alice").size(), 1U);
    pbx_->restart(Location::Kept);
    EXPECT_EQ(pbx_->contacts("alice").size(), 1U);
    pbx_->restart(Location::Lost);
    EXPECT_TRUE(pbx_->contacts("alice").empty());
}

std::string register_request(int cseq, const std::string& more = {}) {
    return "REGISTER sip:pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK" +
           std::to_string(cseq) +
           "\r\nMax-Forwards: 70\r\nFrom: <sip:alice@pbx.test>;tag=1\r\nTo: "
           "<sip:alice@pbx.test>\r\n"
           "Call-ID: raw\r\nCSeq: " +
           std::to_string(cseq) + " REGISTER\r\nContact: <sip:alice@127.0.0.1>\r\n" + more +
           "Content-Length: 0\r\n\r\n";
}

std::string sha256(const std::string& text) {
    char* sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text.c_str(), -1);
    const std::string result = sum;
    g_free(sum);
    return result;
}

// Debian's baresip and SIPp know MD5 alone, so this digest (RFC 7616) is computed here.
TEST_F(StandInTest, AsksForSha256) {
    Pbx::Options options;
    options.algorithm = "SHA-256";
    options.has_qop = false;
    start(options);
    const std::uint16_t port = pbx_->port(Transport::Udp);
    const std::string challenge = ask(port, register_request(1), seconds(5)).value_or("");
    EXPECT_NE(challenge.find("algorithm=SHA-256"), std::string::npos) << challenge;
    const std::size_t start = challenge.find("nonce=\"") + 7;
    const std::string nonce = challenge.substr(start, challenge.find('"', start) - start);
    const auto credentials = [&](const std::string& password) {
        return "Authorization: Digest username=\"alice\",realm=\"pbx.test\",nonce=\"" + nonce +
               "\",uri=\"sip:pbx.test\",algorithm=SHA-256,response=\"" +
               sha256(sha256("alice:pbx.test:" + password) + ":" + nonce + ":" +
                      sha256("REGISTER:sip:pbx.test")) +
               "\"\r\n";
    };
    const auto answer_to = [&](int cseq, const std::string& password) {
        return ask(port, register_request(cseq, credentials(password)), seconds(5)).value_or("");
    };
    EXPECT_TRUE(answer_to(2, "black-rabbit").starts_with("SIP/2.0 401 "));
    EXPECT_TRUE(answer_to(3, kPassword).starts_with("SIP/2.0 200 "));
    EXPECT_EQ(pbx_->contacts("alice").size(), 1U);
}

TEST_F(StandInTest, AnswersRegistersAsTold) {
    start();
    const std::uint16_t port = pbx_->port(Transport::Udp);
    pbx_->answer_registers_with(503, seconds(7));
    const std::string refusal = ask(port, register_request(1), seconds(5)).value_or("");
    EXPECT_TRUE(refusal.starts_with("SIP/2.0 503 ")) << refusal;
    EXPECT_NE(refusal.find("\r\nRetry-After: 7\r\n"), std::string::npos) << refusal;
    EXPECT_EQ(pbx_->refused_registers(), 1U);
    pbx_->ignore_registers();
    EXPECT_FALSE(ask(port, register_request(2), milliseconds(300)));
    pbx_->answer_registers();
    const std::string challenge = ask(port, register_request(3), seconds(5)).value_or("");
    EXPECT_TRUE(challenge.starts_with("SIP/2.0 401 ")) << challenge;
}

TEST_F(StandInTest, PathIsCutAndRestored) {
    start();
    UdpRelay way(pbx_->port(Transport::Udp));
    EXPECT_TRUE(ask(way.port(), register_request(1), seconds(5)));
    way.set(Path::Blackhole);
    EXPECT_FALSE(ask(way.port(), register_request(2), milliseconds(300)));
    way.set(Path::Open);
    EXPECT_TRUE(ask(way.port(), register_request(3), seconds(5)));

    TcpRelay stream(pbx_->port(Transport::Tcp));
    const auto connected = [&stream] {
        Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_in address = loopback(stream.port());
        if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
            0) {
            socket.close();
        }
        return socket;
    };
    const auto asks = [](const Socket& socket, int cseq) {
        std::string request = register_request(cseq);
        request.replace(request.find("/UDP"), 4, "/TCP");
        ::send(socket.fd(), request.data(), request.size(), MSG_NOSIGNAL);
        return receive_until(socket, "\r\n\r\n");
    };
    const Socket first = connected();
    EXPECT_TRUE(asks(first, 4).starts_with("SIP/2.0 401 "));
    stream.set(Path::Cut);
    EXPECT_EQ(receive_until(first, "\r\n\r\n"), "");
    EXPECT_FALSE(connected().is_open());
    stream.set(Path::Open);
    EXPECT_TRUE(asks(connected(), 5).starts_with("SIP/2.0 401 "));
    EXPECT_EQ(stream.accepted(), 2U);
}

}  // namespace
}  // namespace offhook::harness

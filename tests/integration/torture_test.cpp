// The messages of RFC 4475 hammer the daemon while somebody is on the phone.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/call_test.h"
#include "messages.h"

namespace offhook::harness {
namespace {

class TortureTest : public CallTest {
protected:
    /// Sends `bytes` in one datagram, or over a connection that is closed at once.
    void send(int type, std::uint16_t port, const std::string& bytes) const {
        const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
        sockaddr_in peer{};
        peer.sin_family = AF_INET;
        peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        peer.sin_port = htons(port);
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0) {
            std::size_t sent = 0;
            while (sent < bytes.size()) {
                const ssize_t n =
                    ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
                if (n <= 0) break;
                sent += static_cast<std::size_t>(n);
            }
        }
        ::close(fd);
    }
};

TEST_F(TortureTest, LiveCallKeepsItsPace) {
    Daemon::Options options;
    options.has_tcp = true;
    start(options);
    start_capture();
    const Sound sentence = spoken(folder_, 8000);
    write_mulaw(folder_ / "spoken.ul", sentence);
    Scenario scenario = answered();
    scenario.stream(folder_ / "spoken.ul").pause(seconds(8)).bye().receive(200);
    Sipp sipp(folder_, daemon_->sip_port(), scenario);
    ASSERT_TRUE(daemon_->wait_event("rtp.first_packet_received"));

    // 30 rounds of 98 messages in some 6 s. Each round asks for calls as well, and its callers never
    // acknowledge.
    for (int round = 0; round < 30; ++round) {
        for (const test::TortureMessage& message : test::torture_messages()) {
            send(SOCK_DGRAM, daemon_->sip_port(), message.bytes);
            send(SOCK_STREAM, daemon_->tcp_port(), message.bytes);
        }
        ASSERT_TRUE(stays_alive(daemon_->process(), milliseconds(200)));
    }
    EXPECT_TRUE(sipp.succeeds()) << sipp.problem();
    const RtpStream sent = outbound();
    EXPECT_TRUE(keeps_promise(sent.judge()));
    const double listened_s = std::min(sentence.seconds(), sent.judge().duration_s - 1);
    EXPECT_TRUE(is_intact(sentence.part(0, listened_s), sent.sound("PCMU")));

    Scenario after;
    after.options().receive(200);
    Sipp asking(folder_, daemon_->sip_port(), after);
    EXPECT_TRUE(asking.succeeds()) << asking.problem();
}

}  // namespace
}  // namespace offhook::harness

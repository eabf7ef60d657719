// CANCEL and the answer at the same moment (RFC 3261 §9.1). SIPp needs a millisecond between two
// steps, so this caller is a bare socket: INVITE and CANCEL leave back to back, and whatever comes
// is answered as the RFC says.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "harness/call_test.h"

namespace offhook::harness {
namespace {

struct Outcome {
    int invite_status = 0, cancel_status = 0, bye_status = 0;
};

class RacingCaller {
public:
    explicit RacingCaller(std::uint16_t port)
        : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        sockaddr_in own{};
        socklen_t length = sizeof own;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &length);
        own_ = "127.0.0.1:" + std::to_string(ntohs(own.sin_port));
        uri_ = "sip:echo@127.0.0.1:" + std::to_string(port);
    }
    ~RacingCaller() { ::close(fd_); }
    RacingCaller(const RacingCaller&) = delete;
    RacingCaller& operator=(const RacingCaller&) = delete;

    /// @param wait_us  between INVITE and CANCEL
    Outcome race(int number, int wait_us) {
        call_id_ = "race-" + std::to_string(number) + "@" + own_;
        const std::string branch = "z9hG4bK-race-" + std::to_string(number);
        const std::string sdp =
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 "
            "RTP/AVP 0\r\n";
        const std::string invite =
            head("INVITE", 1, branch, {}) + "Contact: <sip:race@" + own_ +
            ">\r\nContent-Type: application/sdp\r\nContent-Length: " + std::to_string(sdp.size()) +
            "\r\n\r\n" + sdp;
        const std::string cancel = head("CANCEL", 1, branch, {}) + "Content-Length: 0\r\n\r\n";
        send(invite);
        for (const auto until = Clock::now() + std::chrono::microseconds(wait_us);
             Clock::now() < until;) {
        }
        send(cancel);

        Outcome outcome;
        const auto deadline = Clock::now() + seconds(10);
        while (Clock::now() < deadline &&
               (outcome.invite_status == 0 || outcome.cancel_status == 0)) {
            const std::string answer = receive();
            const int status = status_of(answer);
            if (answer.find("CSeq: 1 CANCEL") != std::string::npos) {
                outcome.cancel_status = status;
            } else if (status >= 200 && outcome.invite_status == 0) {
                outcome.invite_status = status;
                to_ = line_of(answer, "To: ");
                // An ACK to 2xx is a transaction of its own, to anything else it is the INVITE's.
                send(head("ACK", 1, status < 300 ? branch + "-ack" : branch, to_) +
                     "Content-Length: 0\r\n\r\n");
            }
        }
        if (outcome.invite_status == 200) {
            send(head("BYE", 2, branch + "-bye", to_) + "Content-Length: 0\r\n\r\n");
            while (Clock::now() < deadline && outcome.bye_status == 0) {
                const std::string answer = receive();
                if (answer.find("CSeq: 2 BYE") != std::string::npos) {
                    outcome.bye_status = status_of(answer);
                }
            }
        }
        return outcome;
    }

private:
    std::string head(const std::string& method,
                     int cseq,
                     const std::string& branch,
                     const std::string& to) {
        return method + " " + uri_ + " SIP/2.0\r\nVia: SIP/2.0/UDP " + own_ + ";branch=" + branch +
               "\r\nFrom: <sip:race@" + own_ +
               ">;tag=r\r\nTo: " + (to.empty() ? "<" + uri_ + ">" : to) +
               "\r\nCall-ID: " + call_id_ + "\r\nCSeq: " + std::to_string(cseq) + " " + method +
               "\r\nMax-Forwards: 70\r\n";
    }

    void send(const std::string& text) { ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }

    /// One message; empty after 100 ms without.
    std::string receive() {
        pollfd watched{fd_, POLLIN, 0};
        std::array<char, 4096> buffer{};
        if (::poll(&watched, 1, 100) <= 0) {
            return {};
        }
        const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
        return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string();
    }

    static int status_of(const std::string& answer) {
        return answer.starts_with("SIP/2.0 ") ? std::stoi(answer.substr(8, 3)) : 0;
    }

    static std::string line_of(const std::string& answer, const std::string& name) {
        const std::size_t at = answer.find("\r\n" + name);
        if (at == std::string::npos) {
            return {};
        }
        const std::size_t start = at + 2 + name.size();
        return answer.substr(start, answer.find("\r\n", start) - start);
    }

    int fd_;
    std::string own_, uri_, call_id_, to_;
};

class CancelRaceTest : public CallTest {};

TEST_F(CancelRaceTest, EitherOrderEndsTheCall) {
    start();
    RacingCaller caller(daemon_->sip_port());
    int answered = 0;
    int cancelled = 0;
    constexpr int kCalls = 300;
    for (int number = 0; number < kCalls; ++number) {
        // 0 to 1.5 ms: around the time that an answer takes.
        const Outcome outcome = caller.race(number, number % 16 * 100);
        EXPECT_EQ(outcome.cancel_status, 200) << "call " << number;
        if (outcome.invite_status == 200) {
            ++answered;
            EXPECT_EQ(outcome.bye_status, 200) << "call " << number;
        } else {
            ++cancelled;
            EXPECT_EQ(outcome.invite_status, 487) << "call " << number;
        }
    }
    // Both orders were seen, or this was no race.
    EXPECT_GT(answered, 0);
    EXPECT_GT(cancelled, 0);
    EXPECT_TRUE(daemon_->wait_live_calls(0));
    EXPECT_TRUE(eventually(seconds(10), &daemon_->process(), [&] {
        return daemon_->count_events("call.ended") == kCalls;
    })) << daemon_->count_events("call.ended");
    RecordProperty("answered", answered);
    RecordProperty("cancelled", cancelled);
}

}  // namespace
}  // namespace offhook::harness

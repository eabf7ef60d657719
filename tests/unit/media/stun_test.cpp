// Asking a STUN server: what is believed, what is not, and what happens while it is silent.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <random>
#include <vector>

#include "base/monotonic.h"
#include "media/stun_client.h"
#include "media/stun_message.h"
#include "session/socket_pair.h"

namespace offhook::media {
namespace {

using Bytes = std::vector<std::uint8_t>;
using std::chrono::milliseconds;
using Status = model::HealthCheck::Status;

// RFC 5769 §2.2 and §2.3: the same transaction, answered over IPv4 and IPv6.
constexpr StunTransaction kTransaction{
    0xB7, 0xE7, 0xA7, 0x01, 0xBC, 0x34, 0xD6, 0x86, 0xFA, 0x87, 0xDF, 0xAE};
const Bytes kAnswerV4{
    0x01, 0x01, 0x00, 0x3C, 0x21, 0x12, 0xA4, 0x42, 0xB7, 0xE7, 0xA7, 0x01, 0xBC, 0x34, 0xD6, 0x86,
    0xFA, 0x87, 0xDF, 0xAE, 0x80, 0x22, 0x00, 0x0B, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6F, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xA1, 0x47, 0xE1, 0x12, 0xA6, 0x43,
    0x00, 0x08, 0x00, 0x14, 0x2B, 0x91, 0xF5, 0x99, 0xFD, 0x9E, 0x90, 0xC3, 0x8C, 0x74, 0x89, 0xF9,
    0x2A, 0xF9, 0xBA, 0x53, 0xF0, 0x6B, 0xE7, 0xD7, 0x80, 0x28, 0x00, 0x04, 0xC0, 0x7D, 0x4C, 0x96};
const Bytes kAnswerV6{
    0x01, 0x01, 0x00, 0x48, 0x21, 0x12, 0xA4, 0x42, 0xB7, 0xE7, 0xA7, 0x01, 0xBC, 0x34, 0xD6, 0x86,
    0xFA, 0x87, 0xDF, 0xAE, 0x80, 0x22, 0x00, 0x0B, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6F, 0x72, 0x20, 0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xA1, 0x47, 0x01, 0x13, 0xA9, 0xFA,
    0xA5, 0xD3, 0xF1, 0x79, 0xBC, 0x25, 0xF4, 0xB5, 0xBE, 0xD2, 0xB9, 0xD9, 0x00, 0x08, 0x00, 0x14,
    0xA3, 0x82, 0x95, 0x4E, 0x4B, 0xE6, 0x7B, 0xF1, 0x17, 0x84, 0xC9, 0x7C, 0x82, 0x92, 0xC2, 0x75,
    0xBF, 0xE3, 0xED, 0x41, 0x80, 0x28, 0x00, 0x04, 0xC8, 0xFB, 0x0B, 0x4C};

TEST(StunMessage, ReadsTheVectorsOfRfc5769) {
    const auto v4 = parse_stun_answer(kAnswerV4, kTransaction);
    ASSERT_TRUE(v4);
    EXPECT_EQ(v4->error_code, 0);
    EXPECT_EQ(v4->mapped.text(), "192.0.2.1:32853");
    const auto v6 = parse_stun_answer(kAnswerV6, kTransaction);
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->mapped.text(), "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
}

TEST(StunMessage, BelievesNothingThatIsNotTheAnswer) {
    StunTransaction other = kTransaction;
    other[11] ^= 1;
    EXPECT_FALSE(parse_stun_answer(kAnswerV4, other));
    EXPECT_FALSE(parse_stun_answer({}, kTransaction));
    const auto request = stun_binding_request(kTransaction);
    EXPECT_FALSE(parse_stun_answer(request, kTransaction)) << "a request";
    Bytes changed = kAnswerV4;
    changed[4] ^= 1;
    EXPECT_FALSE(parse_stun_answer(changed, kTransaction)) << "another cookie";
    for (std::size_t size = 0; size < kAnswerV4.size(); ++size) {
        EXPECT_FALSE(parse_stun_answer(std::span(kAnswerV4).first(size), kTransaction)) << size;
    }
}

/// A success with one attribute.
Bytes success(std::uint16_t attribute, const Bytes& value) {
    Bytes message(kAnswerV4.begin(), kAnswerV4.begin() + 20);
    message.insert(message.end(),
                   {static_cast<std::uint8_t>(attribute >> 8),
                    static_cast<std::uint8_t>(attribute),
                    static_cast<std::uint8_t>(value.size() >> 8),
                    static_cast<std::uint8_t>(value.size())});
    message.insert(message.end(), value.begin(), value.end());
    while (message.size() % 4 != 0) message.push_back(0);
    message[2] = 0;
    message[3] = static_cast<std::uint8_t>(message.size() - 20);
    return message;
}

TEST(StunMessage, AnAddressThatNobodyHasIsNone) {
    const auto code = [](const Bytes& message) {
        const auto answer = parse_stun_answer(message, kTransaction);
        return answer ? answer->error_code : -1;
    };
    EXPECT_EQ(code(success(0x8022, {1, 2, 3})), 1) << "no address at all";
    EXPECT_EQ(code(success(0x0020, {0, 1, 0xA1, 0x47, 0x21, 0x12, 0xA4, 0x42})), 1) << "0.0.0.0";
    EXPECT_EQ(code(success(0x0020, {0, 1, 0xA1, 0x47, 0xC1, 0x12, 0xA4, 0x43})), 1) << "multicast";
    EXPECT_EQ(code(success(0x0020, {0, 3, 0xA1, 0x47, 0xE1, 0x12, 0xA6, 0x43})), 1) << "family";
    EXPECT_EQ(code(success(0x0020, {0, 1})), 1) << "short";
    EXPECT_EQ(code(success(0x7001, {1, 2, 3, 4})), 1) << "to be understood, and unknown";
    Bytes refused = success(0x0009, {0, 0, 4, 20, 'n', 'o'});
    refused[1] = 0x11;
    EXPECT_EQ(code(refused), 420);
}

TEST(StunMessage, MutationsDoNoHarm) {
    std::mt19937 random(7);
    for (int i = 0; i < 200'000; ++i) {
        Bytes mutant = random() % 2 == 0 ? kAnswerV4 : kAnswerV6;
        for (unsigned k = 0; k <= random() % 4; ++k)
            mutant[random() % mutant.size()] = static_cast<std::uint8_t>(random());
        mutant.resize(mutant.size() - random() % 8 / 7 * (random() % 20));
        const auto answer = parse_stun_answer(mutant, kTransaction);
        if (answer) {
            EXPECT_EQ(answer->mapped.is_set(), answer->error_code == 0);
        }
    }
}

/// A server on a socket of the test's own, which answers what the test wants.
class StunClientTest : public testing::Test {
protected:
    StunClientTest() : server_(std::move(*session::SocketPair::open("127.0.0.1", 0))) {
        g_main_context_push_thread_default(context_);
        options_.host = "127.0.0.1";
        options_.port = server_.port();
        options_.first_timeout = milliseconds(5);
        options_.refresh = milliseconds(30);
        options_.retry = milliseconds(30);
    }
    ~StunClientTest() override {
        client_.reset();
        while (g_main_context_iteration(context_, FALSE) != 0) {
        }
        g_main_context_pop_thread_default(context_);
        g_main_context_unref(context_);
    }

    void start() { client_ = std::make_unique<StunClient>(options_, context_); }

    /// Runs the loop until `done`, five seconds at most; requests are given to `serve`.
    template <class Done, class Serve>
    bool run(Done done, Serve serve) {
        const std::int64_t until = base::monotonic_ns() + 5 * base::kNsPerS;
        while (!done() && base::monotonic_ns() < until) {
            while (g_main_context_iteration(context_, FALSE) != 0) {
            }
            pollfd wait{.fd = server_.rtp_fd(), .events = POLLIN, .revents = 0};
            if (poll(&wait, 1, 1) <= 0) continue;
            Bytes request(200);
            sockaddr_storage from{};
            socklen_t size = sizeof from;
            const ssize_t got = recvfrom(server_.rtp_fd(),
                                         request.data(),
                                         request.size(),
                                         0,
                                         reinterpret_cast<sockaddr*>(&from),
                                         &size);
            request.resize(static_cast<std::size_t>(got));
            for (const Bytes& answer : serve(request)) {
                (void)!sendto(server_.rtp_fd(),
                              answer.data(),
                              answer.size(),
                              0,
                              reinterpret_cast<sockaddr*>(&from),
                              size);
            }
        }
        return done();
    }

    /// The vector's answer for this request, so that its address is 192.0.2.1.
    static Bytes answer_to(const Bytes& request) {
        Bytes answer = kAnswerV4;
        std::copy(request.begin() + 8, request.begin() + 20, answer.begin() + 8);
        return answer;
    }
    static std::vector<Bytes> silent(const Bytes&) { return {}; }

    GMainContext* context_ = g_main_context_new();
    session::SocketPair server_;
    StunClient::Options options_;
    std::unique_ptr<StunClient> client_;
};

TEST_F(StunClientTest, LearnsAndAsksAgain) {
    start();
    EXPECT_TRUE(client_->address().empty());
    EXPECT_EQ(client_->health().status, Status::Degraded);
    int served = 0;
    EXPECT_TRUE(run([&] { return served >= 3; },
                    [&](const Bytes& request) {
                        ++served;
                        return std::vector<Bytes>{answer_to(request)};
                    }));
    EXPECT_EQ(client_->address(), "192.0.2.1");
    EXPECT_EQ(client_->health().status, Status::Ok);
}

TEST_F(StunClientTest, ASilentServerIsAskedSevenTimesThenLater) {
    start();
    EXPECT_TRUE(
        run([&] { return client_->health().detail.find("does not answer") != std::string::npos; },
            silent));
    EXPECT_EQ(client_->requests(), 7U);
    EXPECT_EQ(client_->health().status, Status::Degraded);
    EXPECT_TRUE(run([&] { return !client_->address().empty(); },
                    [](const Bytes& request) { return std::vector<Bytes>{answer_to(request)}; }));
    EXPECT_EQ(client_->health().status, Status::Ok) << client_->health().detail;
}

TEST_F(StunClientTest, WhatItKnewStaysWhileTheServerIsSilent) {
    start();
    ASSERT_TRUE(run([&] { return !client_->address().empty(); },
                    [](const Bytes& request) { return std::vector<Bytes>{answer_to(request)}; }));
    EXPECT_TRUE(run([&] { return client_->health().status == Status::Degraded; }, silent));
    EXPECT_EQ(client_->address(), "192.0.2.1");
    EXPECT_NE(client_->health().detail.find("192.0.2.1"), std::string::npos);
}

TEST_F(StunClientTest, AnswersOfOthersAreLeftUnread) {
    start();
    int served = 0;
    EXPECT_TRUE(run([&] { return served >= 3; },
                    [&](const Bytes& request) {
                        ++served;
                        Bytes forged = answer_to(request);
                        forged[19] ^= 1;  // a guess at the transaction
                        return std::vector<Bytes>{forged, Bytes(3, 0), Bytes(600, 0x55)};
                    }));
    EXPECT_TRUE(client_->address().empty());
}

TEST_F(StunClientTest, ARefusalAndAClosedPortSayWhy) {
    start();
    EXPECT_TRUE(run([&] { return client_->health().detail.find("420") != std::string::npos; },
                    [&](const Bytes& request) {
                        Bytes refused = success(0x0009, {0, 0, 4, 20, 'n', 'o'});
                        refused[1] = 0x11;
                        std::copy(request.begin() + 8, request.begin() + 20, refused.begin() + 8);
                        return std::vector<Bytes>{refused};
                    }));
    {
        const auto gone = session::SocketPair::open("127.0.0.1", 0);
        options_.port = gone->port();
    }
    start();
    EXPECT_TRUE(
        run([&] { return client_->health().detail.find("nobody listens") != std::string::npos; },
            silent));
}

TEST_F(StunClientTest, ANameIsLookedUpWithoutWaiting) {
    options_.host = "localhost";
    start();
    EXPECT_TRUE(run([&] { return client_->address() == "192.0.2.1"; },
                    [](const Bytes& request) { return std::vector<Bytes>{answer_to(request)}; }));
    options_.host = "nobody.invalid";
    start();
    EXPECT_TRUE(
        run([&] { return client_->health().detail.find("does not resolve") != std::string::npos; },
            silent));
    // Gone while a look-up is under way: the answer that still comes meets nobody.
    start();
    client_.reset();
}

}  // namespace
}  // namespace offhook::media

// Ten thousand connections that bring no request, from one address and from thousands, while a good
// client comes and goes.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "http/rfc6455_server.h"

namespace offhook::testing {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kConnections = 10'000;
constexpr seconds kAttack{6};

/// False: the system does not allow so many descriptors.
bool allow_descriptors(rlim_t wanted) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= wanted) return true;
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur >= wanted;
}

/// Opens connections by the thousand and keeps them as far as it is let: a quarter says nothing,
/// the others half a request, a byte of a header a second, a byte of a body a second. What is closed is opened again.
class Attack {
public:
    Attack(const std::string& address, bool from_everywhere)
        : port_(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)))),
          from_everywhere_(from_everywhere),
          fds_(kConnections, -1),
          thread_([this] { run(); }) {}
    ~Attack() {
        {
            const std::lock_guard lock(mutex_);
            is_over_ = true;
        }
        changed_.notify_all();
        thread_.join();
        for (const int fd : fds_)
            if (fd >= 0) ::close(fd);
    }
    Attack(const Attack&) = delete;
    Attack& operator=(const Attack&) = delete;

    [[nodiscard]] std::size_t opened() const { return opened_; }

private:
    void run() {
        while (!is_over_) {
            const auto next_round = Clock::now() + seconds(1);
            for (std::size_t i = 0; i < fds_.size() && !is_over_; ++i) touch(i);
            std::unique_lock lock(mutex_);
            changed_.wait_until(lock, next_round, [this] { return is_over_.load(); });
        }
    }

    void touch(std::size_t i) {
        int& fd = fds_[i];
        char byte = 0;
        if (fd >= 0 && ::recv(fd, &byte, 1, MSG_DONTWAIT) == 0) {
            ::close(fd);
            fd = -1;
        }
        if (fd < 0) return open(i);
        if (i % 4 >= 2 && ::send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
            ::close(fd);
            fd = -1;
        }
    }

    void open(std::size_t i) {
        int& fd = fds_[i];
        fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_in from{};
        from.sin_family = AF_INET;
        from.sin_addr.s_addr =
            htonl(0x7F000001U + (from_everywhere_ ? static_cast<std::uint32_t>(i) << 4U : 0U));
        if (from_everywhere_) ::bind(fd, reinterpret_cast<sockaddr*>(&from), sizeof from);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port_);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to);
        ++opened_;
        static constexpr std::string_view kHalf = "GET /ws HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
        static constexpr std::string_view kNoBody =
            "POST /plain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Content-Length: 60000\r\n\r\n";
        const std::string_view begin = i % 4 == 0 ? "" : i % 4 == 3 ? kNoBody : kHalf;
        if (!begin.empty()) ::send(fd, begin.data(), begin.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }

    const std::uint16_t port_;
    const bool from_everywhere_;
    std::vector<int> fds_;
    std::atomic<bool> is_over_{false};
    std::atomic<std::size_t> opened_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::thread thread_;
};

class HalfOpen : public ::testing::TestWithParam<bool> {};

TEST_P(HalfOpen, TenThousandDoNotDelayAGoodClient) {
    if (!allow_descriptors(kConnections + 5'000))
        GTEST_SKIP() << "the hard limit of descriptors is too low: ulimit -Hn";
    EchoServer server;
    std::vector<double> took_ms;
    std::size_t opened = 0;
    {
        Attack attack(server.address(), GetParam());
        const auto end = Clock::now() + kAttack;
        while (Clock::now() < end || attack.opened() < kConnections) {
            const auto begin = Clock::now();
            ASSERT_EQ(ask(server.address(), "GET", "/plain").status, 200);
            RawWebSocket client(server.address(), "/ws");
            ASSERT_TRUE(client.is_open());
            client.send("hello");
            ASSERT_EQ(client.read().payload, "hello");
            took_ms.push_back(
                std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
        }
        opened = attack.opened();
    }
    std::sort(took_ms.begin(), took_ms.end());
    const auto at = [&](double share) {
        return took_ms[static_cast<std::size_t>(share * static_cast<double>(took_ms.size() - 1))];
    };
    std::printf("%zu opened, good client %zu times: p50 %.1f ms, p99 %.1f ms, longest %.1f ms\n",
                opened,
                took_ms.size(),
                at(0.5),
                at(0.99),
                took_ms.back());
    EXPECT_GE(opened, kConnections);
    EXPECT_GT(took_ms.size(), 100U);
    EXPECT_LT(at(0.99), 200);
}

std::string name_of(const ::testing::TestParamInfo<bool>& info) {
    return info.param ? "FromThousandsOfAddresses" : "FromOneAddress";
}
INSTANTIATE_TEST_SUITE_P(Sources, HalfOpen, ::testing::Bool(), name_of);

}  // namespace
}  // namespace offhook::testing

#include "race_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <deque>
#include <stdexcept>

namespace offhook::harness {
namespace {

constexpr int kReplaced = 4000;

/// One WebSocket (RFC 6455), as far as this test needs it.
class Runner {
public:
    enum class State { Opening, Joining, Live, Replaced, Refused, Broken };

    Runner(const std::string& address, const std::string& join) : join_(join) {
        const std::size_t colon = address.rfind(':');
        sockaddr_in target{};
        target.sin_family = AF_INET;
        target.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
        inet_pton(AF_INET, address.substr(0, colon).c_str(), &target.sin_addr);
        fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int yes = 1;
        setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        if (connect(fd_, reinterpret_cast<sockaddr*>(&target), sizeof(target)) != 0)
            throw std::runtime_error("nobody listens at " + address);
        fcntl(fd_, F_SETFL, O_NONBLOCK);
        write("GET /api/v1/channels/ws HTTP/1.1\r\nHost: " + address +
              "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
              "Sec-WebSocket-Protocol: offhook.v1\r\n\r\n");
    }
    ~Runner() { stop(); }
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] bool was_live() const { return was_live_; }
    void leave() { frame(1, "{\"type\":\"leave\"}"); }

    void read() {
        std::array<char, 16 * 1024> bytes{};
        ssize_t n = 0;
        while ((n = recv(fd_, bytes.data(), bytes.size(), 0)) > 0)
            in_.append(bytes.data(), static_cast<std::size_t>(n));
        if (state_ == State::Opening) {
            const std::size_t end = in_.find("\r\n\r\n");
            if (end != std::string::npos) {
                if (!in_.starts_with("HTTP/1.1 101")) return over(State::Refused);
                in_.erase(0, end + 4);
                state_ = State::Joining;
                frame(1, join_);
            }
        }
        while (state_ == State::Joining || state_ == State::Live) {
            if (!take()) break;
        }
        if (n == 0 && fd_ >= 0) over(State::Broken);
    }

private:
    /// One whole frame of the server: never masked, and none of ours is longer than 64 KiB.
    bool take() {
        if (in_.size() < 2) return false;
        const int opcode = static_cast<unsigned char>(in_[0]) & 15;
        std::size_t length = static_cast<unsigned char>(in_[1]) & 127, header = 2;
        if (length == 126) {
            if (in_.size() < 4) return false;
            length = (static_cast<std::size_t>(static_cast<unsigned char>(in_[2])) << 8U) |
                     static_cast<unsigned char>(in_[3]);
            header = 4;
        } else if (length == 127) {
            over(State::Broken);
            return false;
        }
        if (in_.size() < header + length) return false;
        const std::string body = in_.substr(header, length);
        in_.erase(0, header + length);
        if (opcode == 8) {
            const int code = body.size() < 2 ? 0
                                             : (static_cast<unsigned char>(body[0]) << 8) |
                                                   static_cast<unsigned char>(body[1]);
            over(code == kReplaced ? State::Replaced : was_live_ ? State::Broken : State::Refused);
        } else if (opcode == 9) {
            frame(10, body);
        } else if (opcode == 1 && body.find("\"type\":\"joined\"") != std::string::npos) {
            state_ = State::Live;
            was_live_ = true;
        }
        return true;
    }
    void frame(int opcode, const std::string& body) {
        // Masked with zeros (RFC 6455 §5.3 asks for a mask, not for a good one of a test).
        std::string bytes{static_cast<char>(0x80 | opcode)};
        if (body.size() < 126) {
            bytes += static_cast<char>(0x80 | body.size());
        } else {
            bytes += static_cast<char>(0x80 | 126);
            bytes += static_cast<char>(body.size() >> 8U);
            bytes += static_cast<char>(body.size() & 255U);
        }
        bytes.append(4, '\0');
        write(bytes + body);
    }
    /// Little enough for the kernel to take it at once.
    void write(const std::string& bytes) const {
        if (send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return;
    }
    void over(State state) {
        state_ = state;
        stop();
    }
    void stop() {
        if (fd_ >= 0) close(fd_);
        fd_ = -1;
    }

    const std::string join_;
    int fd_ = -1;
    State state_ = State::Opening;
    bool was_live_ = false;
    std::string in_;
};

void turn(std::deque<Runner>& runners, milliseconds limit) {
    std::vector<pollfd> waits;
    std::vector<Runner*> whose;
    for (Runner& runner : runners) {
        if (runner.fd() < 0) continue;
        waits.push_back({runner.fd(), POLLIN, 0});
        whose.push_back(&runner);
    }
    if (waits.empty() || poll(waits.data(), waits.size(), static_cast<int>(limit.count())) <= 0)
        return;
    for (std::size_t i = 0; i < waits.size(); ++i)
        if (waits[i].revents != 0) whose[i]->read();
}

std::string join_of(const std::string& channel, const std::string& user) {
    return R"({"type":"join","channel":")" + channel + R"(","user":")" + user + "\"}";
}

RaceResult count(const std::deque<Runner>& runners) {
    RaceResult result;
    for (const Runner& runner : runners) {
        result.joined += runner.was_live() ? 1 : 0;
        switch (runner.state()) {
            case Runner::State::Live:
                ++result.live;
                break;
            case Runner::State::Replaced:
                ++result.replaced;
                break;
            case Runner::State::Refused:
                ++result.refused;
                break;
            case Runner::State::Broken:
                ++result.broken;
                break;
            default:
                break;
        }
    }
    return result;
}

}  // namespace

RaceResult race(const std::vector<std::string>& addresses,
                const std::string& channel,
                const std::string& user,
                int attempts,
                milliseconds limit) {
    const std::string join = join_of(channel, user);
    std::deque<Runner> runners;
    for (int i = 0; i < attempts; ++i)
        runners.emplace_back(addresses[static_cast<std::size_t>(i) % addresses.size()], join);
    const auto end = Clock::now() + limit;
    RaceResult result;
    while (Clock::now() < end) {
        turn(runners, milliseconds(20));
        result = count(runners);
        if (result.over() == attempts - 1 && result.live == 1) break;
        if (result.over() == attempts) return result;
    }
    // Whoever was let in stays, and nobody comes behind it.
    for (Runner& runner : runners)
        if (runner.state() == Runner::State::Live) runner.leave();
    while (Clock::now() < end && count(runners).over() < attempts) turn(runners, milliseconds(20));
    return result;
}

std::shared_ptr<void> come(const std::string& address,
                           const std::string& channel,
                           const std::string& user,
                           milliseconds limit) {
    auto runners = std::make_shared<std::deque<Runner>>();
    runners->emplace_back(address, join_of(channel, user));
    const auto end = Clock::now() + limit;
    while (runners->front().state() != Runner::State::Live) {
        if (runners->front().fd() < 0 || Clock::now() >= end) return nullptr;
        turn(*runners, milliseconds(20));
    }
    return runners;
}

}  // namespace offhook::harness

#include "harness/web_peer_callee.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace offhook::harness {
namespace {

/// The lines of the headers that a response repeats (RFC 3261 §8.2.6.2), `To` with a tag.
std::string repeated(const std::string& request) {
    std::string result;
    std::istringstream lines(request);
    for (std::string line; std::getline(lines, line) && line != "\r";) {
        for (const std::string name : {"Via:", "From:", "To:", "Call-ID:", "CSeq:"}) {
            if (::strncasecmp(line.c_str(), name.c_str(), name.size()) == 0) {
                line.pop_back();
                const bool wants_tag = name == "To:" && line.find(";tag=") == std::string::npos;
                result += line + (wants_tag ? ";tag=callee" : "") + "\r\n";
            }
        }
    }
    return result;
}

std::string contact_of(const std::string& request) {
    const std::size_t at = request.find("\r\nContact:");
    return at == std::string::npos ? std::string()
                                   : request.substr(at + 2, request.find("\r\n", at + 2) - at - 2);
}

}  // namespace

WebCallee::WebCallee(Answer answer)
    : answer_(std::move(answer)),
      fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
      stop_fd_(::eventfd(0, EFD_CLOEXEC)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof own;
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &length) != 0) {
        throw std::runtime_error("no UDP socket for the callee");
    }
    port_ = ntohs(own.sin_port);
    thread_ = std::thread([this] { serve(); });
}

WebCallee::~WebCallee() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(stop_fd_, &one, sizeof one);
    thread_.join();
    ::close(fd_);
    ::close(stop_fd_);
}

std::string WebCallee::account() const {
    return "[[account]]\nname = \"office\"\nuser = \"200\"\ndomain = \"pbx.example.com\"\n"
           "transport = \"udp\"\nmedia = \"web\"\noutbound_proxy = \"127.0.0.1:" +
           std::to_string(port_) + "\"\nallow_outbound = true\noutbound_allow = [\"1??\"]\n";
}

void WebCallee::serve() {
    std::array<pollfd, 2> watched{{{fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
    std::array<char, 16384> buffer{};
    for (;;) {
        if (::poll(watched.data(), watched.size(), -1) < 0 || watched[1].revents != 0) {
            return;
        }
        sockaddr_in from{};
        socklen_t length = sizeof from;
        const ssize_t got = ::recvfrom(
            fd_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
        const std::string text =
            got > 0 ? response(std::string(buffer.data(), static_cast<std::size_t>(got)))
                    : std::string();
        ::sendto(fd_,
                 text.data(),
                 text.size(),
                 MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&from),
                 text.empty() ? 0 : length);
    }
}

std::string WebCallee::response(const std::string& request) {
    const std::string method = request.substr(0, request.find(' '));
    if (method == "ACK" || method == "SIP/2.0") {
        return {};
    }
    const std::string ok = "SIP/2.0 200 OK\r\n" + repeated(request);
    if (method == "REGISTER") {
        return ok + contact_of(request) + ";expires=300\r\nContent-Length: 0\r\n\r\n";
    }
    if (method == "INVITE") {
        const std::string sdp = answer_(request.substr(request.find("\r\n\r\n") + 4));
        return ok + "Contact: <sip:callee@127.0.0.1:" + std::to_string(port_) +
               ">\r\nContent-Type: application/sdp\r\nContent-Length: " +
               std::to_string(sdp.size()) + "\r\n\r\n" + sdp;
    }
    was_hung_up_ = was_hung_up_ || method == "BYE";
    return ok + "Content-Length: 0\r\n\r\n";
}

}  // namespace offhook::harness

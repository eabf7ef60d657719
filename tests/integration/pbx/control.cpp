#include "pbx/control.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "pbx/sockets.h"

namespace offhook::harness {
namespace {

constexpr int kLimit_ms = 2000;
constexpr std::size_t kMaxAnswer = 262144;

sockaddr_un unix_address(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

std::atomic<unsigned> g_questions{0};

}  // namespace

ProxyControl::ProxyControl(std::filesystem::path socket, std::filesystem::path folder)
    : socket_(std::move(socket)), folder_(std::move(folder)) {}

Json ProxyControl::call(const std::string& method, const std::string& params) {
    const Socket socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const std::filesystem::path own = folder_ / ("rpc-" + std::to_string(++g_questions));
    const sockaddr_un here = unix_address(own);
    const sockaddr_un there = unix_address(socket_);
    const std::string question =
        R"({"jsonrpc":"2.0","method":")" + method + R"(","params":)" + params + R"(,"id":1})";
    std::string answer;
    if (::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0 &&
        ::sendto(socket.fd(),
                 question.data(),
                 question.size(),
                 0,
                 reinterpret_cast<const sockaddr*>(&there),
                 sizeof there) > 0) {
        pollfd watched{socket.fd(), POLLIN, 0};
        if (::poll(&watched, 1, kLimit_ms) > 0) {
            answer.resize(kMaxAnswer);
            const ssize_t got = ::recv(socket.fd(), answer.data(), answer.size(), 0);
            answer.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        }
    }
    ::unlink(own.c_str());
    return Json(answer);
}

Bencode RelayControl::call(std::map<std::string, std::string> request) {
    // Each question has a cookie of its own: a repeated one would get the old answer.
    const std::string cookie =
        std::to_string(::getpid()) + "_" + std::to_string(++g_questions) + " ";
    const auto answer = ask(port_, cookie + bencoded(request), milliseconds(kLimit_ms));
    if (!answer || !answer->starts_with(cookie)) {
        return {};
    }
    return Bencode::parse(std::string_view(*answer).substr(cookie.size())).value_or(Bencode{});
}

bool RelayControl::answers_ping() {
    return call({{"command", "ping"}})["result"].text == "pong";
}

std::optional<RelayControl::Party> RelayControl::party(const std::string& call_id,
                                                       const std::string& tag) {
    const auto has = [](const Bencode& flags, const std::string& wanted) {
        return std::any_of(flags.items.begin(), flags.items.end(), [&](const Bencode& flag) {
            return flag.text == wanted;
        });
    };
    const Bencode answer = call({{"command", "query"}, {"call-id", call_id}});
    if (answer["result"].text != "ok") {
        return std::nullopt;
    }
    Party party;
    for (const Bencode& media : answer["tags"][tag]["medias"].items) {
        party.is_both_ways |= has(media["flags"], "send") && has(media["flags"], "recv");
        for (const Bencode& stream : media["streams"].items) {
            party.packets += has(stream["flags"], "RTP") ? stream["stats"]["packets"].number : 0;
        }
    }
    return party;
}

}  // namespace offhook::harness

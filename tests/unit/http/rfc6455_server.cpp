#include "http/rfc6455_server.h"

#include <chrono>
#include <stdexcept>
#include <utility>

namespace offhook::testing {
namespace {

constexpr std::chrono::seconds kPatience{10};

}  // namespace

std::string client_frame(int opcode, std::string_view payload, const Odd& odd) {
    std::string frame;
    frame += static_cast<char>((odd.is_final ? 0x80 : 0) | (odd.reserved << 4) | opcode);
    const std::uint64_t length = odd.says != 0 ? odd.says : payload.size();
    const int bytes = odd.length_bytes >= 0 ? odd.length_bytes
                      : length < 126        ? 0
                      : length <= 0xFFFF    ? 2
                                            : 8;
    const int marker = bytes == 0 ? static_cast<int>(length) : bytes == 2 ? 126 : 127;
    frame += static_cast<char>((odd.is_masked ? 0x80 : 0) | marker);
    for (int i = bytes - 1; i >= 0; --i) frame += static_cast<char>((length >> (8 * i)) & 0xFF);
    if (!odd.is_masked) return frame + std::string(payload);
    frame += odd.mask;
    for (std::size_t i = 0; i < payload.size(); ++i)
        frame += static_cast<char>(payload[i] ^ odd.mask[i % odd.mask.size()]);
    return frame;
}

std::string close_payload(int code, std::string_view reason) {
    std::string payload;
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code & 0xFF);
    return payload.append(reason);
}

class EchoServer::Client final : public http::ServerWebSocket::Listener {
public:
    Client(EchoServer& owner, std::unique_ptr<http::ServerWebSocket> socket)
        : owner_(owner), socket_(std::move(socket)) {
        socket_->listen(*this);
    }
    ~Client() = default;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void on_websocket_message(std::string_view message) override { socket_->send(message); }
    void on_websocket_closed(base::Error, int) override { owner_.gone(this, socket_->ended()); }
    http::ServerWebSocket& socket() { return *socket_; }

private:
    EchoServer& owner_;
    std::unique_ptr<http::ServerWebSocket> socket_;
};

EchoServer::EchoServer(http::WebSocketLimits limits, http::ServerOptions options) {
    loop_.run([&] {
        auto server = http::Server::listen(options);
        if (!server) throw std::runtime_error(server.error().text());
        server_ = *std::move(server);
        server_->websocket(
            "/ws",
            {.admit = [](const http::Request&) { return std::nullopt; },
             .open =
                 [this](const http::Request&, std::unique_ptr<http::ServerWebSocket> socket) {
                     auto client = std::make_unique<Client>(*this, std::move(socket));
                     Client* key = client.get();
                     clients_.emplace(key, std::move(client));
                 }},
            {.websocket = limits, .protocols = {"offhook.v1", "offhook.v0"}});
        server_->route("GET", "/plain", [](const http::Request&) {
            return http::Response{200, "text/plain", "hello", {}};
        });
        address_ = server_->address();
    });
}

EchoServer::~EchoServer() {
    loop_.run([&] {
        clients_.clear();
        server_.reset();
    });
}

void EchoServer::gone(Client* client, http::WebSocketEnd end) {
    clients_.erase(client);
    const std::lock_guard lock(mutex_);
    ends_.push_back(end);
    changed_.notify_all();
}

http::WebSocketEnd EchoServer::first_end() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return !ends_.empty(); });
    return ends_.empty() ? http::WebSocketEnd::None : ends_.front();
}

http::WebSocketTraffic EchoServer::traffic() {
    return loop_.run([&] {
        return clients_.empty() ? http::WebSocketTraffic{}
                                : clients_.begin()->second->socket().traffic();
    });
}

bool EchoServer::send(std::string_view text) {
    return loop_.run(
        [&] { return !clients_.empty() && clients_.begin()->second->socket().send(text); });
}

}  // namespace offhook::testing

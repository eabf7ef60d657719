#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "http/loop_thread.h"
#include "http/raw_websocket.h"
#include "http/server.h"

namespace offhook::testing {

/// How a frame differs from what a client has to send.
struct Odd {
    bool is_final = true;
    int reserved = 0;        ///< three bits: RSV1 is 4
    bool is_masked = true;   ///< a server takes nothing else
    int length_bytes = -1;   ///< 0, 2 or 8 whatever the length; -1: the fewest
    std::uint64_t says = 0;  ///< this length instead of the payload's; 0: the payload's
    std::string mask = "\x11\x22\x33\x44";
};

/// One frame's bytes.
[[nodiscard]] std::string client_frame(int opcode,
                                       std::string_view payload = {},
                                       const Odd& odd = {});
/// The payload of a close frame.
[[nodiscard]] std::string close_payload(int code, std::string_view reason = {});

/// Sends back each message that any of its clients sends, and remembers how they ended.
class EchoServer {
public:
    explicit EchoServer(http::WebSocketLimits limits = {}, http::ServerOptions options = {});
    ~EchoServer();
    EchoServer(const EchoServer&) = delete;
    EchoServer& operator=(const EchoServer&) = delete;

    [[nodiscard]] const std::string& address() const { return address_; }
    /// How the first that ended did; waits for it. `None`: none did in 10 s.
    [[nodiscard]] http::WebSocketEnd first_end();
    /// Of the only client.
    [[nodiscard]] http::WebSocketTraffic traffic();
    /// As the loop's thread, for the only client.
    bool send(std::string_view text);

private:
    class Client;
    void gone(Client* client, http::WebSocketEnd end);

    LoopThread loop_;
    std::unique_ptr<http::Server> server_;
    std::string address_;
    std::map<Client*, std::unique_ptr<Client>> clients_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<http::WebSocketEnd> ends_;
};

}  // namespace offhook::testing

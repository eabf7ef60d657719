#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "signalling/sip/flow.h"

namespace offhook::test {

/// The far end of client flows: a server on 127.0.0.1, over TCP, TLS, WS or WSS, on a thread of its
/// own, that sends what the test says and keeps what it hears. One client at a time; a new one
/// replaces the last.
class SipServer {
public:
    struct Options {
        signalling::sip::Transport transport = signalling::sip::Transport::Tcp;
        std::string pem{};  ///< key and certificate, for TLS and WSS
        /// WS: what it accepts of the subprotocols offered.
        std::string subprotocol = "sip";
        bool answers_pings = true;  ///< TCP, TLS: CRLF to CRLF CRLF
    };
    explicit SipServer(const Options& options);
    ~SipServer();
    SipServer(const SipServer&) = delete;
    SipServer& operator=(const SipServer&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    /// Bytes as they are; on a WebSocket one text frame.
    void send(std::string_view bytes);
    void send_binary(std::string_view bytes);  ///< WS, WSS
    /// Closes the connection: with the code and reason on a WebSocket (1000), at once elsewhere.
    void close(int code = 1000, const std::string& reason = {});

    /// The next frame, or on a byte stream the next read that was no keep-alive; empty after
    /// `limit`.
    [[nodiscard]] std::string receive(std::chrono::milliseconds limit = std::chrono::seconds(5));
    [[nodiscard]] bool wait_connected(std::chrono::milliseconds limit = std::chrono::seconds(5));
    [[nodiscard]] bool wait_closed(std::chrono::milliseconds limit = std::chrono::seconds(5));
    [[nodiscard]] std::size_t pings() const;  ///< CRLF CRLF seen on a byte stream
    [[nodiscard]] int close_code() const;     ///< of the client's close frame; 0: none yet
    [[nodiscard]] std::string header(const std::string& name) const;  ///< of the WebSocket request
    [[nodiscard]] std::string path() const;                           ///< of the WebSocket request
    /// From now on it neither reads nor answers anything, as if the path were cut; the kernel still
    /// acknowledges.
    void freeze();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace offhook::test

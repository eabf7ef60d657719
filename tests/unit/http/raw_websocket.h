#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/raw_client.h"

namespace offhook::testing {

/// One frame as it came (RFC 6455 §5.2); opcode 0: the connection ended.
struct RawFrame {
    int opcode = 0;
    std::string payload;
    bool is_plain = true;  ///< whole, no reserved bit, not masked: as a server's has to be
    /// Of a close frame; 0: none.
    [[nodiscard]] int code() const {
        if (opcode != 8 || payload.size() < 2) return 0;
        return (static_cast<std::uint8_t>(payload[0]) << 8) | static_cast<std::uint8_t>(payload[1]);
    }
};

/// A WebSocket client that sends exactly the frames it is told to.
class RawWebSocket {
public:
    /// Asks to open `target`; `extra` are header lines with \r\n.
    RawWebSocket(const std::string& address,
                 const std::string& target,
                 const std::string& extra = {});

    [[nodiscard]] const RawAnswer& answer() const { return answer_; }
    [[nodiscard]] bool is_open() const { return answer_.status == 101; }
    /// One masked frame. @param opcode 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong
    void send(std::string_view payload, int opcode = 1, bool is_final = true);
    void send_bytes(std::string_view bytes) { client_.send(bytes); }
    /// The next frame of any kind.
    [[nodiscard]] RawFrame read();
    /// The next text or close, whatever stands in between.
    [[nodiscard]] RawFrame read_message();
    [[nodiscard]] bool ended() { return client_.ended(); }
    /// Nothing more will be sent.
    void finish() { client_.finish(); }

private:
    RawClient client_;
    RawAnswer answer_;
};

}  // namespace offhook::testing

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "socket/frame_codec.h"
#include "socket/stream_link.h"

namespace offhook::socket {

/// RFC 6455 after the handshake, either end of it.
/// @thread the loop's
class WebSocketLink final : public StreamLink {
public:
    WebSocketLink(EventLoop& loop, Role role, const LinkLimits& limits, LinkEvents& events)
        : StreamLink(loop, limits, events),
          role_(role),
          reader_(role, limits.max_message_bytes, commons().assembled()) {}

    bool send_text(std::string_view text) override;
    bool send_binary(std::span<const std::byte> bytes) override;

private:
    void on_bytes(std::span<std::byte> bytes) override;
    bool queue_goodbye(std::uint16_t code, std::string_view reason) override;
    [[nodiscard]] LinkEnd end_of_stream() const override;
    bool queue_ping() override;

    bool send(Opcode opcode, std::span<const std::byte> payload);
    void put(Opcode opcode, std::span<const std::byte> payload);
    void put_close(std::uint16_t code, std::string_view reason);
    void on_close_frame(const FrameReader::Event& event);

    const Role role_;
    FrameReader reader_;
    std::uint64_t pings_ = 0;  ///< the payload of the last
};

}  // namespace offhook::socket

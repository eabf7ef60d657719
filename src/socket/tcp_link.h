#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "socket/stream_link.h"

namespace offhook::socket {

/// Bytes as they come and go. The kernel's keep-alive stands for pings.
/// @thread the loop's
class TcpLink final : public StreamLink {
public:
    TcpLink(EventLoop& loop, const LinkLimits& limits, LinkEvents& events)
        : StreamLink(loop, limits, events) {}

    bool send_text(std::string_view) override { return false; }
    bool send_binary(std::span<const std::byte> bytes) override;

private:
    void on_bytes(std::span<std::byte> bytes) override;
    bool queue_goodbye(std::uint16_t, std::string_view) override { return false; }
    [[nodiscard]] LinkEnd end_of_stream() const override;
    void on_opened(int fd) noexcept override;
};

}  // namespace offhook::socket

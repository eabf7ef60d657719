#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/error.h"
#include "model/leg_counters.h"

namespace offhook::session {

/// A numeric IPv4 or IPv6 address and port, ready for sendto.
class Endpoint {
public:
    Endpoint() = default;
    /// @errors InvalidArgument when `address` is not numeric
    [[nodiscard]] static base::Result<Endpoint> make(const std::string& address,
                                                     std::uint16_t port);
    [[nodiscard]] static Endpoint from(const sockaddr_storage& address, socklen_t size) noexcept;

    [[nodiscard]] bool is_set() const noexcept { return size_ != 0; }
    [[nodiscard]] const sockaddr* data() const noexcept {
        return reinterpret_cast<const sockaddr*>(&address_);
    }
    [[nodiscard]] socklen_t size() const noexcept { return size_; }
    [[nodiscard]] int family() const noexcept { return address_.sin6_family; }
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::string host() const;  ///< "127.0.0.1", "::1"; empty when not set
    [[nodiscard]] std::string text() const;  ///< "127.0.0.1:4000", "[::1]:4000"
    [[nodiscard]] bool same_address(const Endpoint& other) const noexcept;
    bool operator==(const Endpoint& other) const noexcept {
        return same_address(other) && port() == other.port();
    }

private:
    sockaddr_in6 address_{};  ///< or a sockaddr_in: 28 bytes instead of sockaddr_storage's 128
    socklen_t size_ = 0;
};

/// Notes where packets come from. @thread the worker
void note_source(model::SourceCells& cells, const Endpoint& source) noexcept;
/// What was noted; not set: nothing yet. @thread any
[[nodiscard]] Endpoint source_of(const model::SourceCells& cells);

}  // namespace offhook::session

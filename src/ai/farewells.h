#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "socket/link.h"

namespace offhook::ai {

class Farewells;

/// A link, and who hears of it. Apart from its session, because the last words of a link leave
/// after the session has gone.
/// @thread the ai thread
class Connection final : public socket::LinkEvents {
public:
    /// @param to  outlives this, or until Farewells took it
    explicit Connection(socket::LinkEvents& to) noexcept : to_(&to) {}

    void hold(std::unique_ptr<socket::Link> link) noexcept { link_ = std::move(link); }
    [[nodiscard]] socket::Link* link() const noexcept { return link_.get(); }

    void on_open() override;
    void on_text(std::string_view text) override;
    void on_binary(std::span<const std::byte> bytes) override;
    void on_closed(const socket::LinkEnd& end) override;

private:
    friend class Farewells;
    socket::LinkEvents* to_;  ///< null: it is in `farewells_`
    Farewells* farewells_ = nullptr;
    std::unique_ptr<socket::Link> link_;
};

/// Links that close without anybody waiting for it. Each is gone within the 2 s that
/// `Link::close` takes.
/// @thread the ai thread
class Farewells {
public:
    static constexpr std::size_t kMost = 4096;  ///< one more ends without a close

    /// What was queued leaves, then the close frame. What the peer still says is not heard.
    void take(std::unique_ptr<Connection> connection, std::uint16_t code, std::string_view reason);
    [[nodiscard]] std::size_t size() const noexcept { return leaving_.size(); }

private:
    friend class Connection;
    void forget(const Connection* connection) noexcept;

    std::vector<std::unique_ptr<Connection>> leaving_;
};

}  // namespace offhook::ai

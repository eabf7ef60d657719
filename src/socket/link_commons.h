#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "socket/event_loop.h"
#include "socket/frame_codec.h"
#include "socket/resolver.h"
#include "socket/tls_contexts.h"

namespace offhook::socket {

/// Somebody with something to do at the end of the turn.
class TurnEnd {
public:
    virtual ~TurnEnd() = default;
    virtual void on_turn_end() = 0;

private:
    friend class LinkCommons;
    bool is_marked_ = false;
};

/// What the links of one loop share, so that a link in steady traffic allocates nothing and a
/// thousand of them hold one buffer.
/// @thread the loop's
class LinkCommons {
public:
    explicit LinkCommons(EventLoop& loop) : loop_(loop), resolver_(loop) {}
    LinkCommons(const LinkCommons&) = delete;
    LinkCommons& operator=(const LinkCommons&) = delete;

    /// For one read; what is incomplete when the reader returns has to be kept elsewhere.
    [[nodiscard]] std::span<std::byte> buffer() noexcept { return buffer_; }
    /// In which a message of several reads is handed out.
    [[nodiscard]] std::vector<std::byte>& assembled() noexcept { return assembled_; }
    /// Unpredictable (RFC 6455 §5.3).
    [[nodiscard]] MaskKey new_mask() noexcept;

    /// `on_turn_end` once at the end of this turn, or of the next when none is under way.
    void mark(TurnEnd& who);
    void unmark(TurnEnd& who) noexcept;

    /// Whether this turn may still spend time on TLS handshakes, which take as long as the messages
    /// of hundreds of links; who may not comes again next turn.
    [[nodiscard]] bool may_handshake();
    void add_handshake(std::int64_t spent_ns) noexcept { handshake_ns_ += spent_ns; }

    [[nodiscard]] Resolver& resolver() noexcept { return resolver_; }
    [[nodiscard]] TlsContexts& tls() noexcept { return tls_; }

private:
    void end_turn();

    EventLoop& loop_;
    std::array<std::byte, 64 * 1024> buffer_{};
    std::vector<std::byte> assembled_;
    std::array<MaskKey, 1024> masks_{};
    std::size_t masks_used_ = masks_.size();
    std::vector<TurnEnd*> marked_, ending_;  ///< null: withdrawn
    bool is_deferred_ = false;
    std::int64_t handshake_ns_ = 0;  ///< in this turn
    Resolver resolver_;
    TlsContexts tls_;
};

}  // namespace offhook::socket

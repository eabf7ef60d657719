#pragma once

#include <gio/gio.h>
#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "glib/fd_watch.h"
#include "glib/ref.h"
#include "glib/timer.h"

namespace offhook::http {

/// Where connections wait until their first request is there, with a body up to 64 KiB. Whoever sends nothing, or a
/// byte now and then, costs a descriptor and a few hundred bytes here, and nothing of what lies
/// behind.
///
///     listening socket -> accept, so many in a turn -> waiting -> a whole request -> `enter`
///                                                        \-- too late, or the oldest of too many: closed
///
/// What came is only looked at (MSG_PEEK): who takes the connection reads it from the beginning.
/// @thread the one that runs the context
class Lobby {
public:
    struct Limits {
        std::chrono::milliseconds wait{10'000};  ///< for the request
        std::size_t waiting = 1'024;             ///< more end the oldest
        /// Of one address; more end its oldest. Loopback and proxies have no such limit.
        std::size_t of_address = 64;
        std::function<bool(std::string_view address)> is_proxy{};
    };
    /// Takes over a connection whose request is there, or is too long.
    using Enter = std::function<void(glib::Ref<GSocket>)>;

    /// @param listener  bound and listening
    Lobby(GMainContext* context, glib::Ref<GSocket> listener, Limits limits, Enter enter);
    ~Lobby();
    Lobby(const Lobby&) = delete;
    Lobby& operator=(const Lobby&) = delete;

    struct Counters {
        std::size_t waiting = 0;
        std::uint64_t accepted = 0, entered = 0, too_late = 0, evicted = 0;
    };
    [[nodiscard]] Counters counters() const;

private:
    struct Visitor;
    using Visitors = std::list<std::unique_ptr<Visitor>>;

    void watch();
    void accept();
    void welcome(int fd, const sockaddr_storage& from);
    void make_room(const std::string& address);
    void look(Visitors::iterator visitor);
    void let_in(Visitors::iterator visitor);
    void show_out(Visitors::iterator visitor);
    void sweep();
    void rest();

    const glib::Ref<GMainContext> context_;
    const glib::Ref<GSocket> listener_;
    const Limits limits_;
    const Enter enter_;
    glib::FdWatch knocking_;
    Visitors visitors_;  ///< oldest first
    Counters counters_;
    glib::Timer sweeper_, rest_;
};

}  // namespace offhook::http

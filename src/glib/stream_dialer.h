#pragma once

#include <gio/gio.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "glib/ref.h"

namespace offhook::glib {

/// What a TLS client checks (RFC 5280, RFC 6125): chain and name, always both.
struct TlsCheck {
    std::string server_name;  ///< SNI and the name in the certificate; an address is one, too
    std::string ca_file;      ///< PEM; empty: the system's authorities
    bool insecure = false;    ///< accept any certificate
};

struct DialOptions {
    sockaddr_storage address{};  ///< numeric, with port
    socklen_t length = 0;
    std::optional<TlsCheck> tls{};
    std::chrono::milliseconds timeout{5'000};  ///< for TCP and TLS together
    /// How long sent bytes may stay unacknowledged before the connection counts as dead
    /// (TCP_USER_TIMEOUT, RFC 5482); 0: the kernel's.
    std::chrono::milliseconds user_timeout{0};
    int dscp = 0;  ///< 0-63
};

struct DialledStream {
    Ref<GIOStream> stream;  ///< its input and output are pollable
    Ref<GSocket> socket;
    sockaddr_storage local{};
    socklen_t local_length = 0;
};

/// Makes one TCP or TLS (1.2 or later) connection to an address. The name to check is given apart
/// from it, so that whoever resolved the name decides where to connect, and nobody else's name
/// passes. No proxy of the environment is used.
///
/// GIO runs the TLS handshake on a thread of its pool; results come on the context.
/// @thread the one that runs the thread-default context of `dial`
class StreamDialer {
public:
    /// Errors are sentences that say what to check: Timeout, Unavailable (refused, unreachable,
    /// certificate, not TLS), InvalidArgument (the CA file cannot be used), Io.
    using Done = std::function<void(base::Result<DialledStream>)>;

    StreamDialer();
    /// Gives up: `done` is not called any more.
    ~StreamDialer();
    StreamDialer(const StreamDialer&) = delete;
    StreamDialer& operator=(const StreamDialer&) = delete;

    /// Begins; `done` is called once, later, and may destroy the dialer.
    void dial(const DialOptions& options, Done done);
    /// The socket that is being connected, whose local address is known already; null when there is
    /// none.
    [[nodiscard]] GSocket* socket() const;

private:
    class Attempt;
    std::shared_ptr<Attempt> attempt_;
};

/// Closes a dialled or accepted stream without ever waiting: TLS says goodbye only when the socket
/// takes it at once. (Dropping the last reference to a TLS stream waits for a peer that reads
/// nothing.)
void close_at_once(GIOStream* stream);

/// Sets the differentiated services code point of what a socket sends (RFC 2474); best effort.
void set_dscp(int fd, int family, int dscp);

/// "192.0.2.1:5061", "[2001:db8::1]:5061".
[[nodiscard]] std::string address_text(const sockaddr_storage& address, socklen_t length);

}  // namespace offhook::glib

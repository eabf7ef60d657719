#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"

namespace offhook::socket {

/// A connected socket that never waits, in clear or under TLS. Closed with the object.
/// @thread the loop's
class Transport {
public:
    enum class State : std::uint8_t {
        Ok,
        Later,   ///< the socket takes or has nothing more now
        Closed,  ///< the peer said that it sends nothing more
        Failed,  ///< `why` has the words
    };
    struct Moved {
        std::size_t bytes = 0;
        State state = State::Ok;
    };

    /// @param fd  non-blocking, taken over
    explicit Transport(int fd) noexcept : fd_(fd) {}
    ~Transport();
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    [[nodiscard]] int fd() const noexcept { return fd_; }

    /// Begins TLS as a client; `handshake` does it.
    /// @param host  the name or address that the certificate has to be for
    [[nodiscard]] base::Result<void> secure(SSL_CTX& context, const std::string& host);
    struct Handshake {
        State state = State::Ok;
        bool wants_write = false;  ///< with Later
    };
    [[nodiscard]] Handshake handshake();

    /// Reads until `buffer` is full, the socket is empty or, in clear, once.
    [[nodiscard]] Moved read(std::span<std::byte> buffer);
    /// Writes as much as the socket takes now.
    [[nodiscard]] Moved write(std::span<const std::byte> bytes);
    /// Bytes of TLS that epoll does not know of.
    [[nodiscard]] bool has_pending() const noexcept;
    /// Says that nothing more follows; does not wait.
    void say_goodbye() noexcept;

    /// Why the last call failed.
    [[nodiscard]] const std::string& why() const noexcept { return why_; }
    [[nodiscard]] int error_number() const noexcept { return errno_; }

private:
    [[nodiscard]] State fail_errno(int number);
    [[nodiscard]] State fail_tls(int result);

    struct FreeSsl {
        void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
    };
    int fd_;
    std::unique_ptr<SSL, FreeSsl> ssl_;
    std::string host_;
    std::string why_;
    int errno_ = 0;
};

}  // namespace offhook::socket

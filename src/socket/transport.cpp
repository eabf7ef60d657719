#include "socket/transport.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <system_error>

#include "socket/address.h"

namespace offhook::socket {
namespace {

// OpenSSL's own socket BIO writes with write(2), which raises SIGPIPE once the peer is gone.

int fd_of(BIO* bio) noexcept {
    return static_cast<Transport*>(BIO_get_data(bio))->fd();
}

int bio_result(BIO* bio, ssize_t moved, int retry) noexcept {
    BIO_clear_retry_flags(bio);
    if (moved < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_flags(bio, retry);
    return static_cast<int>(moved);
}

int bio_write(BIO* bio, const char* bytes, int size) {
    const ssize_t sent = ::send(fd_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    return bio_result(bio, sent, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY);
}

int bio_read(BIO* bio, char* bytes, int size) {
    const ssize_t got = ::recv(fd_of(bio), bytes, static_cast<std::size_t>(size), 0);
    return bio_result(bio, got, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
}

long bio_control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int bio_create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
}

const BIO_METHOD* bio_method() {
    static const BIO_METHOD* const method = [] {
        BIO_METHOD* made =
            BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "offhook socket");
        BIO_meth_set_write(made, bio_write);
        BIO_meth_set_read(made, bio_read);
        BIO_meth_set_ctrl(made, bio_control);
        BIO_meth_set_create(made, bio_create);
        return made;
    }();
    return method;
}

std::string last_tls_error() {
    const unsigned long code = ERR_peek_last_error();
    const char* const reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
    return reason != nullptr ? reason : "the peer ended the connection";
}

}  // namespace

Transport::~Transport() {
    ssl_.reset();
    ::close(fd_);
}

base::Result<void> Transport::secure(SSL_CTX& context, const std::string& host) {
    host_ = host;
    ssl_.reset(SSL_new(&context));
    BIO* const bio = BIO_new(bio_method());
    if (!ssl_ || bio == nullptr) {
        BIO_free(bio);
        return base::fail(base::ErrorCode::LimitReached, "no memory for a TLS connection");
    }
    BIO_set_data(bio, this);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_connect_state(ssl_.get());
    // Certificates name addresses as addresses, and SNI carries names only (RFC 6066 §3).
    if (parse_ip(host, 0)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str());
    } else {
        SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
        SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        SSL_set1_host(ssl_.get(), host.c_str());
    }
    return {};
}

Transport::Handshake Transport::handshake() {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return {};
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            return {.state = State::Later, .wants_write = false};
        case SSL_ERROR_WANT_WRITE:
            return {.state = State::Later, .wants_write = true};
        default:
            break;
    }
    const long verified = SSL_get_verify_result(ssl_.get());
    why_ = verified != X509_V_OK
               ? "the certificate of " + host_ +
                     " is not trusted: " + X509_verify_cert_error_string(verified)
               : "no TLS with " + host_ + ": " +
                     (errno != 0 ? std::system_category().message(errno) : last_tls_error());
    return {.state = State::Failed, .wants_write = false};
}

Transport::Moved Transport::read(std::span<std::byte> buffer) {
    if (!ssl_) {
        ssize_t got = 0;
        do {
            got = ::recv(fd_, buffer.data(), buffer.size(), 0);
        } while (got < 0 && errno == EINTR);
        if (got > 0) return {.bytes = static_cast<std::size_t>(got), .state = State::Ok};
        if (got == 0) return {.bytes = 0, .state = State::Closed};
        return {.bytes = 0, .state = fail_errno(errno)};
    }
    Moved moved;
    while (moved.bytes < buffer.size()) {
        const auto room = std::min<std::size_t>(buffer.size() - moved.bytes, INT_MAX);
        ERR_clear_error();
        errno = 0;
        const int got = SSL_read(ssl_.get(), buffer.data() + moved.bytes, static_cast<int>(room));
        if (got <= 0) {
            moved.state = fail_tls(got);
            break;
        }
        moved.bytes += static_cast<std::size_t>(got);
        // Nothing is left of what was read ahead: the next read would only ask the kernel in vain.
        if (SSL_has_pending(ssl_.get()) == 0) break;
    }
    return moved;
}

Transport::Moved Transport::write(std::span<const std::byte> bytes) {
    Moved moved;
    while (moved.bytes < bytes.size()) {
        const std::span<const std::byte> rest = bytes.subspan(moved.bytes);
        if (!ssl_) {
            const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0) return {.bytes = moved.bytes, .state = fail_errno(errno)};
            moved.bytes += static_cast<std::size_t>(sent);
            continue;
        }
        ERR_clear_error();
        errno = 0;
        const int sent = SSL_write(
            ssl_.get(), rest.data(), static_cast<int>(std::min<std::size_t>(rest.size(), INT_MAX)));
        if (sent <= 0) return {.bytes = moved.bytes, .state = fail_tls(sent)};
        moved.bytes += static_cast<std::size_t>(sent);
    }
    return moved;
}

bool Transport::has_pending() const noexcept {
    return ssl_ && SSL_has_pending(ssl_.get()) != 0;
}

void Transport::say_goodbye() noexcept {
    if (ssl_ && SSL_is_init_finished(ssl_.get()) != 0) {
        ERR_clear_error();
        SSL_shutdown(ssl_.get());
    }
    ::shutdown(fd_, SHUT_WR);
}

Transport::State Transport::fail_errno(int number) {
    if (number == EAGAIN || number == EWOULDBLOCK) return State::Later;
    errno_ = number;
    why_ = std::system_category().message(number);
    return State::Failed;
}

Transport::State Transport::fail_tls(int result) {
    const int number = errno;
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            return State::Later;
        case SSL_ERROR_ZERO_RETURN:
            return State::Closed;
        case SSL_ERROR_SYSCALL:
            if (number != 0) return fail_errno(number);
            return State::Closed;
        default:
            break;
    }
    // The end of the stream without TLS's own goodbye: WebSocket's close frame says what matters.
    if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        return State::Closed;
    }
    why_ = "TLS: " + last_tls_error();
    return State::Failed;
}

}  // namespace offhook::socket

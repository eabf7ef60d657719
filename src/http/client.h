#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace offhook::http {

struct ClientOptions {
    /// PEM file with the authorities to trust instead of the system's; empty: the system's.
    std::string ca_file;
    std::string user_agent = "offhook/" OFFHOOK_VERSION;
};

struct HttpRequest {
    std::string method = "GET";
    /// https, or http to a loopback address (`localhost`, 127.0.0.0/8, ::1); no user or password
    /// in it.
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers{};
    std::string content_type{};  ///< of `body`
    std::string body{};
    std::chrono::milliseconds timeout{10'000};  ///< for all of it: name, TLS, answer, last byte
    std::size_t max_reply_bytes = 256 * 1024;   ///< of body
};

/// Any answer, whatever its status. Strings come from the network: bounded, not escaped.
struct HttpReply {
    int status = 0;
    std::map<std::string, std::string> headers;  ///< names in lower case; repeated ones joined
    std::string body;

    /// Empty when the answer has no such header. @param name in lower case
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// An HTTPS client on the main context that is the thread's default when it is made.
///
/// Certificates are checked always, chain and name. A redirect is an answer like any other and is
/// not followed, so that a credential never goes to another origin. Nothing is decompressed, no
/// cookie is kept, no proxy is used.
/// @thread the one of the context: create, use and destroy there
class Client {
    class Transfer;

public:
    using Done = std::function<void(base::Result<HttpReply>)>;

    /// A request under way. Destroying it (or the client) cancels the request, and `done` is not
    /// called.
    class Exchange {
    public:
        Exchange() = default;
        ~Exchange() { cancel(); }
        Exchange(Exchange&&) noexcept = default;
        Exchange& operator=(Exchange&& other) noexcept;
        Exchange(const Exchange&) = delete;
        Exchange& operator=(const Exchange&) = delete;
        void cancel();

    private:
        friend class Client;
        explicit Exchange(std::shared_ptr<Transfer> transfer) : transfer_(std::move(transfer)) {}
        std::shared_ptr<Transfer> transfer_;
    };

    /// @errors Io, Malformed: `ca_file` cannot be read or has no certificate
    [[nodiscard]] static base::Result<std::unique_ptr<Client>> create(const ClientOptions& options);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Sends `request`; `done` comes once, later, never from within this call, and may destroy the
    /// exchange and the client.
    /// @errors to `done`: InvalidArgument: a URL or header that is not allowed; Unavailable: no
    ///         name, no connection, a certificate that is not good (the message says which);
    ///         Timeout; LimitReached: the answer is larger than `max_reply_bytes`
    [[nodiscard]] Exchange send(HttpRequest request, Done done);

private:
    class Impl;
    explicit Client(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace offhook::http

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/http_get.h"

namespace offhook::cli {

/// A TCP connection to the API, with a deadline for each step. Moves; closes at its end.
/// @thread any; blocks
class HttpSocket {
public:
    /// @param deadline_ns  CLOCK_MONOTONIC
    /// @errors Unavailable: nobody listens, the name is unknown; Timeout
    [[nodiscard]] static base::Result<HttpSocket> open(const ApiAddress& address,
                                                       std::int64_t deadline_ns);
    ~HttpSocket();
    HttpSocket(HttpSocket&& other) noexcept;
    HttpSocket& operator=(HttpSocket&&) = delete;
    HttpSocket(const HttpSocket&) = delete;
    HttpSocket& operator=(const HttpSocket&) = delete;

    [[nodiscard]] base::Result<void> send(std::string_view bytes, std::int64_t deadline_ns);
    /// Appends what came to `to`; false: the other side closed. @errors Timeout, Unavailable
    [[nodiscard]] base::Result<bool> receive(std::string& to, std::int64_t deadline_ns);

private:
    HttpSocket(int descriptor, std::string name) : fd_(descriptor), name_(std::move(name)) {}
    [[nodiscard]] tl::unexpected<base::Error> too_late() const;
    [[nodiscard]] tl::unexpected<base::Error> lost(int error) const;

    int fd_;
    std::string name_;  ///< "http://127.0.0.1:5000"
};

}  // namespace offhook::cli

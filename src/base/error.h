#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace offhook::base {

/// What went wrong, in the few classes that callers act on. SIP and HTTP map these in one table
/// each.
enum class ErrorCode {
    InvalidArgument,  ///< the caller passed something that can never work
    Malformed,        ///< input from the network or a file that does not parse
    NotFound,
    Unsupported,   ///< well-formed, but not something we do (codec, content type, scheme)
    LimitReached,  ///< out of ports, slots, calls, memory: try again later
    Unavailable,   ///< a peer or a part of ourselves is not there now
    Denied,        ///< whoever asks may not
    Conflict,      ///< the object is in a state that does not allow this
    Timeout,
    Io,        ///< the operating system said no; `cause` has its words
    Internal,  ///< a broken invariant of ours
};

/// One sentence for a person, and the words of whoever caused it.
struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string message;  ///< says what failed and, where it helps, what to do
    std::string cause;    ///< lower-level text (errno, GError), may be empty

    /// "message: cause", for logs and terminals.
    [[nodiscard]] std::string text() const;
};

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] tl::unexpected<Error> fail(ErrorCode code,
                                         std::string message,
                                         std::string cause = {});

/// `fail` with the text of `errno_value` as cause.
[[nodiscard]] tl::unexpected<Error> fail_errno(std::string message, int errno_value);

/// Stable lower-case name ("limit-reached"), used in logs, metrics and API bodies.
[[nodiscard]] std::string_view name_of(ErrorCode code) noexcept;

}  // namespace offhook::base

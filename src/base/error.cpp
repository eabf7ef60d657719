#include "base/error.h"

#include <system_error>

namespace offhook::base {

std::string Error::text() const {
    return cause.empty() ? message : message + ": " + cause;
}

tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string cause) {
    return tl::unexpected<Error>(Error{code, std::move(message), std::move(cause)});
}

tl::unexpected<Error> fail_errno(std::string message, int errno_value) {
    return fail(ErrorCode::Io,
                std::move(message),
                std::error_code(errno_value, std::generic_category()).message());
}

std::string_view name_of(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::InvalidArgument:
            return "invalid-argument";
        case ErrorCode::Malformed:
            return "malformed";
        case ErrorCode::NotFound:
            return "not-found";
        case ErrorCode::Unsupported:
            return "unsupported";
        case ErrorCode::LimitReached:
            return "limit-reached";
        case ErrorCode::Unavailable:
            return "unavailable";
        case ErrorCode::Denied:
            return "denied";
        case ErrorCode::Conflict:
            return "conflict";
        case ErrorCode::Timeout:
            return "timeout";
        case ErrorCode::Io:
            return "io";
        case ErrorCode::Internal:
            break;
    }
    return "internal";
}

}  // namespace offhook::base

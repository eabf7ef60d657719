#pragma once

#include <string>
#include <utility>

#include "base/error.h"
#include "signalling/sip/osip.h"

namespace offhook::signalling::sip {

/// The one place where libosip2's `int` becomes an Error. `code` is what the failing call returned
/// (negative).
[[nodiscard]] inline tl::unexpected<base::Error> osip_failure(int code, std::string message) {
    using base::ErrorCode;
    switch (code) {
        case OSIP_BADPARAMETER:
        case OSIP_WRONG_STATE:
        case OSIP_API_NOT_INITIALIZED:
            return base::fail(ErrorCode::Internal, std::move(message), "libosip2: wrong use");
        case OSIP_NOMEM:
            return base::fail(
                ErrorCode::LimitReached, std::move(message), "libosip2: out of memory");
        case OSIP_NO_NETWORK:
        case OSIP_UNKNOWN_HOST:
            return base::fail(ErrorCode::Unavailable, std::move(message), "libosip2: no network");
        default:
            return base::fail(ErrorCode::Malformed, std::move(message), "libosip2: syntax error");
    }
}

}  // namespace offhook::signalling::sip

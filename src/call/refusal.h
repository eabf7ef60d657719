#pragma once

#include <string>
#include <utility>

#include "model/call_end.h"

namespace offhook::call {

/// Why a call does not come about: the final answer it gets, and what is noted of it.
struct Refusal {
    int status = 500;  ///< 400-699
    std::string phrase;
    model::CallEnd end;
    bool retry_later = false;  ///< with Retry-After
};

[[nodiscard]] inline Refusal not_acceptable(std::string why) {
    return {488,
            "Not Acceptable Here",
            model::ended(model::EndReason::NotAcceptable, std::move(why)),
            false};
}

}  // namespace offhook::call

#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "cli/http_get.h"

namespace CLI {
class App;
}

namespace offhook::cli {

/// Where the daemon is and what it is shown, as every verb takes it.
struct ApiOptions {
    std::string url = "http://127.0.0.1:5000";
    std::string token_file{};  ///< empty: $OFFHOOK_TOKEN_FILE, and none without it

    /// @errors InvalidArgument: not an address; the token cannot be read
    [[nodiscard]] base::Result<ApiAddress> address() const;
};

/// Adds `--url` and `--token-file`. @param command  outlives the result's use
[[nodiscard]] std::shared_ptr<ApiOptions> add_api_options(CLI::App& command);

/// What to do about an answer that is a refusal, as one sentence: "401: show a token ...". `body` is
/// problem+json or anything.
[[nodiscard]] std::string refusal_text(const ApiAddress& address, const HttpReply& reply);

}  // namespace offhook::cli

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/http_get.h"
#include "cli/verb.h"

namespace offhook::cli {

/// Exit codes of verbs, after sysexits.h.
inline constexpr int kExitFailed = 1;        ///< refused, not found, or not well
inline constexpr int kExitUsage = 2;         ///< the command line cannot work
inline constexpr int kExitUnavailable = 69;  ///< no daemon there
inline constexpr int kExitTryAgain = 75;     ///< it refuses for now
inline constexpr int kExitNotPermitted = 77;

/// What a refusal of the API is to a shell.
[[nodiscard]] int exit_code_of(int http_status) noexcept;

/// One verb's talk with the daemon: whatever goes wrong is on standard error, with what to do, and
/// in `code()`.
class ApiTalk {
public:
    ApiTalk(std::string verb, const Given& given);

    /// The body of a 2xx answer; empty when there was none.
    std::optional<std::string> get(const std::string& path);
    std::optional<std::string> send(const std::string& method,
                                    const std::string& path,
                                    const std::string& json = {});
    /// The same, and a 404 is empty without a word.
    std::optional<std::string> get_if_there(const std::string& path);
    /// The id of the one call that begins like this, with or without `c-`; also of the last ended
    /// ones when no live one does. Empty when there is none, or several.
    std::optional<std::string> call_id(const std::string& prefix);

    /// Tells why, once, and keeps the code.
    void fail(int code, std::string_view why);
    [[nodiscard]] int code() const { return code_; }
    [[nodiscard]] const std::optional<ApiAddress>& address() const { return address_; }

private:
    std::optional<HttpReply> ask(const std::string& method,
                                 const std::string& path,
                                 const std::string& json);

    const std::string verb_;
    std::optional<ApiAddress> address_;  ///< empty: it cannot work, which was told
    int code_ = 0;
};

/// Writes all of it. @returns 0, or kExitFailed when nobody takes it
int print(std::string_view text);

}  // namespace offhook::cli

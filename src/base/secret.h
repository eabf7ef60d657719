#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::base {

/// A password, token or key. It has no stream operator and no implicit conversion, so that it does
/// not end up in a log by accident, and its bytes are overwritten when it goes.
/// @thread as a std::string
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string text) : text_(std::move(text)) {}
    Secret(const Secret&) = default;
    Secret& operator=(const Secret& other);
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    ~Secret() { wipe(); }

    /// The bytes themselves; say so where they go.
    [[nodiscard]] const std::string& reveal() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
    [[nodiscard]] bool operator==(const Secret&) const = default;

private:
    void wipe() noexcept;

    std::string text_;
};

/// Where a secret may come from; the first that is set is taken. Never the command line.
struct SecretSource {
    std::string file{};         ///< path; one trailing newline is dropped, <= 64 KiB
    std::string environment{};  ///< name of an environment variable
    std::string credential{};   ///< name of a systemd credential: a file in $CREDENTIALS_DIRECTORY
};

/// Reads a secret.
/// @param what  for the error: "account \"front\": the password"
/// @errors InvalidArgument: no source is named, or it is empty; Io: the file cannot be read, or
/// others than its owner and group may read it
[[nodiscard]] Result<Secret> load_secret(const SecretSource& source, std::string_view what);

}  // namespace offhook::base

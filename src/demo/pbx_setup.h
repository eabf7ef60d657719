#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "config/config.h"
#include "glib/timer.h"
#include "model/account.h"

namespace offhook::demo {

/// What a person fills in to register at a PBX; the meaning of each is that of the key of the same
/// name in `[[account]]`.
struct PbxForm {
    std::string domain{}, user{};
    base::Secret password{};
    std::string transport = "udp";  ///< udp, tcp, tls, ws, wss
    std::string outbound_proxy{}, auth_user{}, tls_name{}, ca_file{};
};

/// The first field that cannot be right.
struct FieldProblem {
    std::string field, sentence;
};
[[nodiscard]] std::optional<FieldProblem> problem_of(const PbxForm& form);

/// How a REGISTER fared.
struct PbxVerdict {
    bool is_registered = false;
    /// registered, wrong-password, forbidden, unknown-user, unknown-host, connection-refused,
    /// tls-name, tls-certificate, no-tls, timeout, refused
    std::string cause;
    std::string sentence;  ///< what came, and what to do; escaped
    int status = 0;        ///< of the answer; 0: there was none
};
/// What a report of signalling says about a try; empty: it is under way.
[[nodiscard]] std::optional<PbxVerdict> verdict_of(const model::AccountInfo& account);

/// *Connect your PBX*: tries what was filled in by a real REGISTER of an account that exists for
/// that long, and writes it down as a configuration that was checked.
///
/// The password goes to signalling and into a file of its own (mode 0600), nowhere else.
/// @thread control
class PbxSetup {
public:
    static constexpr std::chrono::milliseconds kLimit{12'000};

    struct Parts {
        config::Demo settings;
        GMainContext* context = nullptr;
        /// Makes an account register, as SipStack::set_account.
        std::function<base::Result<void>(const config::Account&, const base::Secret&)> set_account;
        std::function<void(const std::string& name)> remove_account;
        std::chrono::milliseconds limit = kLimit;
    };
    explicit PbxSetup(Parts parts) : parts_(std::move(parts)) {}

    /// @param told  comes once, from the loop, within `limit`
    /// @errors InvalidArgument; Conflict: another try is under way
    [[nodiscard]] base::Result<void> test(const PbxForm& form,
                                          std::function<void(const PbxVerdict&)> told);
    /// Nobody waits for the verdict any more.
    void cancel();
    /// Takes a report of signalling. @return whether it was of such a try, and of nobody else
    [[nodiscard]] bool seen(const model::AccountInfo& account);

    struct Written {
        std::string config_file, password_file, command;
        bool has_replaced = false;  ///< the one before is beside it, with `.old`
    };
    /// Writes offhook.toml and the password into the folder of the settings, at once or not at all.
    /// @errors InvalidArgument: the configuration would be refused; Conflict: no folder is set; Io
    [[nodiscard]] base::Result<Written> write(const PbxForm& form) const;

private:
    void finish(const PbxVerdict& verdict);

    Parts parts_;
    std::uint64_t tries_ = 0;
    std::string account_;  ///< name of the one that is tried; empty: none
    std::function<void(const PbxVerdict&)> told_;
    glib::Timer limit_timer_;
};

}  // namespace offhook::demo

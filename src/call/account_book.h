#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "model/account.h"
#include "model/call_directory.h"

namespace offhook::call {

/// What is known of the accounts of this process: as configured, then as signalling reports them.
/// @thread control
class AccountBook final : public model::AccountDirectory {
public:
    explicit AccountBook(const std::vector<config::Account>& accounts);

    /// Takes a report of `SignallingEvents::on_account`; accounts that are not configured are left
    /// out.
    void update(model::AccountInfo account);

    // model::AccountDirectory
    [[nodiscard]] std::vector<model::AccountInfo> accounts() const override { return accounts_; }
    /// Null when there is none of that name.
    [[nodiscard]] const model::AccountInfo* find(std::string_view name) const;

    /// Ok when all are registered; Failed when none is; Degraded in between, when a refresh was
    /// refused, and when certificates are not checked. Its sentence names the first account in
    /// trouble and says what to do. Off without accounts.
    [[nodiscard]] model::HealthCheck health() const;

private:
    std::vector<model::AccountInfo> accounts_;
};

}  // namespace offhook::call

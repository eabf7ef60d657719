#include "call/account_book.h"

#include <algorithm>

namespace offhook::call {
namespace {

using model::AccountInfo;
using model::AccountState;

bool is_registered(const AccountInfo& account) {
    return account.state == AccountState::Registered;
}

/// Registered, but the last refresh was refused or not answered.
bool is_shaky(const AccountInfo& account) {
    return is_registered(account) && account.last_status >= 300;
}

std::string trouble_of(const AccountInfo& account) {
    const std::string who = "account \"" + account.name + "\" ";
    const std::string why = account.last_answer.empty() ? "" : ": " + account.last_answer;
    if (is_shaky(account)) return who + "could not be refreshed" + why;
    if (account.state == AccountState::Failed) return who + "gave up" + why;
    if (why.empty()) return who + "is not registered yet";
    return who + "is not registered" + why;
}

}  // namespace

AccountBook::AccountBook(const std::vector<config::Account>& accounts) {
    for (const config::Account& account : accounts) {
        AccountInfo info;
        info.name = account.name;
        info.kind = account.kind;
        info.user = account.user;
        info.domain = account.domain;
        accounts_.push_back(std::move(info));
    }
}

void AccountBook::update(AccountInfo account) {
    for (AccountInfo& known : accounts_) {
        if (known.name == account.name) known = std::move(account);
    }
}

const AccountInfo* AccountBook::find(std::string_view name) const {
    const auto found = std::find_if(accounts_.begin(), accounts_.end(), [&](const auto& account) {
        return account.name == name;
    });
    return found == accounts_.end() ? nullptr : &*found;
}

model::HealthCheck AccountBook::health() const {
    using Status = model::HealthCheck::Status;
    if (accounts_.empty())
        return {Status::Off, "no account is configured; calls come in directly", {}};
    const auto is_leaving = [](const AccountInfo& account) {
        return account.state == AccountState::Unregistered;
    };
    const auto count = std::count_if(accounts_.begin(), accounts_.end(), is_registered);
    const auto all = static_cast<std::ptrdiff_t>(accounts_.size());
    model::HealthCheck check;
    check.figures = {{"configured", std::int64_t{all}}, {"registered", std::int64_t{count}}};
    check.detail = std::to_string(count) + " of " + std::to_string(all) + " registered";
    if (std::all_of(accounts_.begin(), accounts_.end(), is_leaving)) {
        check.status = Status::Ok;
        check.detail += ": we are stopping";
        return check;
    }
    check.status = count == 0 ? Status::Failed : count < all ? Status::Degraded : Status::Ok;
    // One that gave up needs a person; the others may come back by themselves.
    const AccountInfo* worst = nullptr;
    for (const AccountInfo& account : accounts_) {
        if (is_leaving(account) || (is_registered(account) && !is_shaky(account))) continue;
        if (worst == nullptr ||
            (account.state == AccountState::Failed && worst->state != AccountState::Failed)) {
            worst = &account;
        }
    }
    if (worst != nullptr) {
        check.detail += "; " + trouble_of(*worst);
        check.status = std::max(check.status, Status::Degraded);
    }
    const auto insecure =
        std::find_if(accounts_.begin(), accounts_.end(), [](const AccountInfo& account) {
            return account.is_insecure;
        });
    if (insecure != accounts_.end()) {
        check.detail += "; account \"" + insecure->name +
                        "\" takes any certificate: whoever is on the way can listen in; set "
                        "ca_file and remove insecure";
        check.status = std::max(check.status, Status::Degraded);
    }
    return check;
}

}  // namespace offhook::call

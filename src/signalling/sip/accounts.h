#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "glib/timer.h"
#include "signalling/sip/account.h"
#include "signalling/sip/agent_core.h"
#include "signalling/sip/client_flow.h"

namespace offhook::signalling::sip {

/// All accounts of the process, on one timer.
/// @thread sip, whose context is thread-default (destruction: also after it ended)
class Accounts {
public:
    /// @param messages  gets what comes on the accounts' flows
    Accounts(AgentCore& core, FlowEvents& messages);
    ~Accounts();
    Accounts(const Accounts&) = delete;
    Accounts& operator=(const Accounts&) = delete;

    /// These and no others, from now on; see `set`.
    void set_all(std::vector<AccountSettings> settings);
    /// Adds an account, or gives one new settings: it leaves its registrar first, then registers
    /// anew. Calls go on, on the new flow. Equal settings change nothing.
    void set(AccountSettings settings);
    void remove(const std::string& name);
    /// Removes every contact from its registrar, for good, for at most `grace`; flows stay open.
    /// @param done  runs once, also when there is nothing to do; may be empty
    void stop(std::chrono::milliseconds grace, std::function<void()> done);

    /// True for the address of a proxy that an open flow leads to, whatever the port: it may call
    /// without `[sip] allow`.
    [[nodiscard]] bool is_proxy(const SocketAddress& from) const;

    /// How long a contact that is replaced or removed is waited for.
    static constexpr std::chrono::milliseconds kLeaveGrace{2'000};

private:
    struct Slot {
        std::unique_ptr<Account> account;
        std::optional<std::int64_t> queued_ns{};  ///< its place in `queue_`
        std::optional<AccountSettings> next{};    ///< once `account` is over
        bool is_leaving = false;
        std::string announced{};  ///< the Contact that calls were told of
    };
    void begin(Slot& slot, AccountSettings settings);
    void on_change(Account& account);
    void leave(Slot& slot, std::chrono::milliseconds grace);
    void tell_soon();
    void queue(Slot& slot);
    void arm();
    void run_due();
    void settle();

    AgentCore& core_;
    ClientFlows flows_;
    RegisterPacer pacer_;
    std::map<std::string, Slot, std::less<>> slots_;
    std::set<std::pair<std::int64_t, std::string>> queue_;
    glib::Timer timer_;
    std::set<std::string, std::less<>> changed_;
    glib::Timer teller_;
    std::map<std::string, std::size_t, std::less<>> proxies_;  ///< hosts, open flows to each
    bool is_stopped_ = false;
    std::function<void()> stop_done_;
};

}  // namespace offhook::signalling::sip

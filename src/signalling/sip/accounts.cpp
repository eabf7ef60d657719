#include "signalling/sip/accounts.h"

#include <algorithm>
#include <random>

#include "base/monotonic.h"

namespace offhook::signalling::sip {
namespace {

std::uint64_t random_seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

Accounts::Accounts(AgentCore& core, FlowEvents& messages)
    : core_(core), flows_(core.context(), messages, core.settings().dscp) {}

Accounts::~Accounts() {
    for (const auto& [name, slot] : slots_) core_.accounts().remove(name);
    slots_.clear();  // they tell `proxies_` about their flows
}

void Accounts::begin(Slot& slot, AccountSettings settings) {
    const std::string name = settings.name;
    core_.accounts().remove(name);
    if (slot.queued_ns) queue_.erase({*slot.queued_ns, name});
    slot.queued_ns.reset();
    slot.is_leaving = false;
    slot.account = std::make_unique<Account>(
        std::move(settings),
        Account::Surroundings{.context = core_.context(),
                              .transactions = &core_.transactions(),
                              .flows = &flows_,
                              .paths = &core_.paths(),
                              .pacer = &pacer_,
                              .user_agent = core_.settings().user_agent,
                              .on_change = [this](Account& account) { on_change(account); },
                              .on_proxy =
                                  [this](const SocketAddress& address, bool is_open) {
                                      const std::string host = address.host();
                                      if (is_open) {
                                          ++proxies_[host];
                                      } else if (const auto found = proxies_.find(host);
                                                 found != proxies_.end() && --found->second == 0) {
                                          proxies_.erase(found);
                                      }
                                  }},
        random_seed());
    core_.accounts().add(*slot.account);
    slot.account->start(base::monotonic_ns());
}

void Accounts::set_all(std::vector<AccountSettings> settings) {
    std::vector<std::string> gone;
    for (const auto& [name, slot] : slots_) {
        if (std::none_of(settings.begin(), settings.end(), [&, &key = name](const auto& each) {
                return each.name == key;
            })) {
            gone.push_back(name);
        }
    }
    for (const std::string& name : gone) remove(name);
    for (AccountSettings& each : settings) set(std::move(each));
}

void Accounts::set(AccountSettings settings) {
    if (is_stopped_) return;
    Slot& slot = slots_[settings.name];
    if (!slot.account) return begin(slot, std::move(settings));
    if (!slot.is_leaving && slot.account->settings() == settings) return;
    slot.next = std::move(settings);
    leave(slot, kLeaveGrace);
}

void Accounts::remove(const std::string& name) {
    const auto found = slots_.find(name);
    if (found == slots_.end()) return;
    found->second.next.reset();
    leave(found->second, kLeaveGrace);
}

void Accounts::leave(Slot& slot, std::chrono::milliseconds grace) {
    slot.is_leaving = true;
    slot.account->stop(base::monotonic_ns(), grace);
    changed_.emplace(slot.account->name());
    queue(slot);
    tell_soon();
}

void Accounts::stop(std::chrono::milliseconds grace, std::function<void()> done) {
    is_stopped_ = true;
    stop_done_ = std::move(done);
    const std::int64_t now_ns = base::monotonic_ns();
    for (auto& [name, slot] : slots_) {
        slot.next.reset();
        slot.account->stop(now_ns, grace);
        queue(slot);
    }
    tell_soon();
}

bool Accounts::is_proxy(const SocketAddress& from) const {
    return !proxies_.empty() && proxies_.contains(from.host());
}

void Accounts::on_change(Account& account) {
    const auto found = slots_.find(account.name());
    if (found == slots_.end() || found->second.account.get() != &account) return;
    changed_.emplace(account.name());
    queue(found->second);
    tell_soon();
}

void Accounts::tell_soon() {
    if (!teller_.is_armed())
        teller_.once(core_.context(), std::chrono::milliseconds(0), [this] { settle(); });
}

void Accounts::queue(Slot& slot) {
    const std::string name(slot.account->name());
    const auto next = slot.account->next_ns();
    if (next == slot.queued_ns) return;
    if (slot.queued_ns) queue_.erase({*slot.queued_ns, name});
    if (next) queue_.emplace(*next, name);
    slot.queued_ns = next;
    arm();
}

void Accounts::arm() {
    if (queue_.empty()) return timer_.cancel();
    const std::int64_t wait_ns =
        std::max<std::int64_t>(0, queue_.begin()->first - base::monotonic_ns());
    const auto wait = std::chrono::milliseconds((wait_ns + base::kNsPerMs - 1) / base::kNsPerMs);
    timer_.once(core_.context(), wait, [this] { run_due(); });
}

void Accounts::run_due() {
    const std::int64_t now_ns = base::monotonic_ns();
    while (!queue_.empty() && queue_.begin()->first <= now_ns) {
        const std::string name = queue_.begin()->second;
        queue_.erase(queue_.begin());
        Slot& slot = slots_.find(name)->second;
        slot.queued_ns.reset();
        slot.account->tick(now_ns);
        queue(slot);
    }
    arm();
}

void Accounts::settle() {
    for (const std::string& name : std::exchange(changed_, {})) {
        const auto found = slots_.find(name);
        if (found == slots_.end()) continue;
        Slot& slot = found->second;
        const model::AccountInfo info = slot.account->info();
        core_.post([info](model::SignallingEvents& events) { events.on_account(info); });
        if (info.state == model::AccountState::Registered &&
            slot.announced != slot.account->contact()) {
            slot.announced = slot.account->contact();
            core_.accounts().announce_move(*slot.account);
        }
        if (!slot.is_leaving || !slot.account->is_over()) continue;
        if (auto next = std::exchange(slot.next, std::nullopt)) {
            begin(slot, std::move(*next));
        } else {
            core_.accounts().remove(name);
            if (slot.queued_ns) queue_.erase({*slot.queued_ns, name});
            slots_.erase(found);
        }
    }
    const bool is_quiet = std::all_of(slots_.begin(), slots_.end(), [](const auto& each) {
        return each.second.account->is_over();
    });
    if (!is_stopped_ || !is_quiet) return;
    if (const auto done = std::exchange(stop_done_, nullptr)) done();
}

}  // namespace offhook::signalling::sip

#include "connection/refusals.h"

#include "base/log.h"
#include "base/monotonic.h"

namespace offhook::connection {
namespace {

constexpr std::size_t kMaxReasons = 32;

}  // namespace

void Refusals::add(std::string_view why, std::string_view who, std::string_view detail) {
    auto found = reasons_.find(why);
    if (found == reasons_.end()) {
        const std::string_view name = reasons_.size() < kMaxReasons ? why : "other";
        found = reasons_.try_emplace(std::string(name)).first;
    }
    Reason& reason = found->second;
    ++reason.count;
    ++total_;
    const std::int64_t now_ns = base::monotonic_ns();
    if (reason.logged_ns != 0 && now_ns - reason.logged_ns < base::kNsPerS) return;
    log::write(log::Level::Warning,
               log::Mark::Warning,
               "ws.refused",
               {},
               detail,
               {{"reason", found->first}, {"who", who}, {"count", reason.count - reason.logged}});
    reason.logged = reason.count;
    reason.logged_ns = now_ns;
}

std::vector<std::pair<std::string, std::uint64_t>> Refusals::by_reason() const {
    std::vector<std::pair<std::string, std::uint64_t>> all;
    for (const auto& [name, reason] : reasons_) all.emplace_back(name, reason.count);
    return all;
}

}  // namespace offhook::connection

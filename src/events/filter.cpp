#include "events/filter.h"

#include <algorithm>

namespace offhook::events {

// One place to come back to is enough: a later `*` can do whatever an earlier one could.
bool matches(std::string_view glob, std::string_view text) noexcept {
    std::size_t g = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t from = 0;
    while (t < text.size()) {
        if (g < glob.size() && glob[g] == '*') {
            star = g++;
            from = t;
        } else if (g < glob.size() && glob[g] == text[t]) {
            ++g;
            ++t;
        } else if (star != std::string_view::npos) {
            g = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    return glob.find_first_not_of('*', g) == std::string_view::npos;
}

bool Filter::takes(const Event& event) const {
    if (event.level < level) return false;
    if (!call.empty() && call != event.call) return false;
    if (!channel.empty() && channel != event.channel) return false;
    if (!account.empty() && account != event.account) return false;
    return types.empty() || std::any_of(types.begin(), types.end(), [&](const std::string& glob) {
               return matches(glob, event.type);
           });
}

base::Result<std::vector<std::string>> parse_types(std::string_view list) {
    std::vector<std::string> globs;
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        const std::string_view glob = list.substr(0, comma);
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
        const bool is_good = !glob.empty() && glob.size() <= kMaxGlobBytes &&
                             glob.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._*") ==
                                 std::string_view::npos;
        if (!is_good || globs.size() == kMaxGlobs) {
            return base::fail(base::ErrorCode::InvalidArgument,
                              "types must be at most 64 names of events with commas between, "
                              "letters a-z, digits, . _ and * for any text: call.*,rtp.*");
        }
        globs.emplace_back(glob);
    }
    return globs;
}

base::Result<log::Level> parse_level(std::string_view name) {
    for (const log::Level level : {log::Level::Info, log::Level::Warning, log::Level::Error}) {
        if (name == name_of(level)) return level;
    }
    return base::fail(base::ErrorCode::InvalidArgument, "level must be info, warning or error");
}

}  // namespace offhook::events

#include "base/log.h"

#include <atomic>
#include <cstdio>

namespace offhook::log {
namespace {
std::atomic<Level> g_level{Level::Info};
}

base::Result<void> setup(const Options& options) {
    g_level = options.level;
    return {};
}

void set_level(Level level) noexcept {
    g_level = level;
}

bool enabled(Level level) noexcept {
    return level >= g_level.load(std::memory_order_relaxed);
}

void write(Level level,
           Mark,
           std::string_view event,
           std::string_view call,
           std::string_view message,
           std::initializer_list<Field>) {
    if (!enabled(level)) return;
    std::fprintf(stderr, "%.*s %.*s %.*s\n", static_cast<int>(event.size()), event.data(),
                 static_cast<int>(call.size()), call.data(), static_cast<int>(message.size()), message.data());
}

void shutdown() {}

}  // namespace offhook::log

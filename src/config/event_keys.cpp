#include "config/event_keys.h"

#include "config/key_kinds.h"

namespace offhook::config {

using namespace kind;

// clang-format off: one key, one paragraph
std::vector<Key<Config>> event_keys() {
    using C = Config;
    return {
        whole<C>("events",
                 "keep",
                 [](C & c) -> auto& { return c.events.keep; },
                 100,
                 1'000'000,
                 {"events",
                  "",
                  "How many of the last events are kept in memory, some 1 KiB each, for readers "
                  "that come back (events.md)."}),
    };
}
// clang-format on

}  // namespace offhook::config

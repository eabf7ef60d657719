#include "config/store_keys.h"

#include "config/checks.h"
#include "config/key_kinds.h"

namespace offhook::config {

using namespace kind;

// clang-format off: one key, one paragraph
std::vector<Key<Config>> store_keys() {
    using C = Config;
    return {
        yes_no<C>(
            "store",
            "enabled",
            [](C & c) -> auto& { return c.store.enabled; },
            {"", "", "Keeps a record of each INVITE: who, when, how it ended, how it sounded."}),
        text<C>("store",
                "directory",
                [](C & c) -> auto& { return c.store.directory; },
                check::path_or_empty,
                {"",
                 "path, or empty: `records` in the state directory",
                 "Where records are kept, in `records.db`; made when it is missing. One daemon "
                 "writes into it at a time. Without it and without a state directory there are no "
                 "records, and `/health` says so."}),
        whole<C>("store",
                 "retention_days",
                 [](C & c) -> auto& { return c.store.retention_days; },
                 0,
                 36'500,
                 {"d", "", "Older records are erased; 0: never."}),
    };
}
// clang-format on

}  // namespace offhook::config

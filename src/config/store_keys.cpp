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

        text<C>("recording",
                "directory",
                [](C & c) -> auto& { return c.recording.directory; },
                check::path_or_empty,
                {"",
                 "path, or empty: `recordings` in the state directory",
                 "Where the sound of calls is kept, one file a call; made when it is missing. What "
                 "is recorded is said by `record` of a `[[route]]`, and by the API."}),
        choice<C>(
            "recording",
            "format",
            [](C & c) -> auto& { return c.recording.format; },
            Names<std::string>{{"opus", "opus"}, {"wav", "wav"}},
            {"",
             "",
             "Stereo, the caller left and the AI right. opus: Ogg Opus, some 20 MB an hour; wav: "
             "16-bit PCM of 16 kHz, 230 MB an hour."}),
        whole<C>("recording",
                 "retention_days",
                 [](C & c) -> auto& { return c.recording.retention_days; },
                 0,
                 36'500,
                 {"d", "", "Older recordings are erased; 0: never."}),
        whole<C>("recording",
                 "max_minutes",
                 [](C & c) -> auto& { return c.recording.max_minutes; },
                 1,
                 1'000,
                 {"min", "", "Of one recording; then it ends, and the call goes on."}),
        text<C>("recording",
                "consent_prompt",
                [](C & c) -> auto& { return c.recording.consent_prompt; },
                check::name_or_empty,
                {"",
                 "name of a `[[prompt]]`, or empty",
                 "Says that the call is recorded, where a route has `record = \"consent\"`."}),
    };
}
// clang-format on

}  // namespace offhook::config

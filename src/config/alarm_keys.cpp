#include "config/alarm_keys.h"

#include "config/key_kinds.h"

namespace offhook::config {

using namespace kind;

// clang-format off: one key, one paragraph
std::vector<Key<Config>> alarm_keys() {
    using C = Config;
    return {
        whole<C>("alarm",
                 "rtp_gap_ms",
                 [](C & c) -> auto& { return c.alarm.rtp_gap_ms; },
                 21,
                 10'000,
                 {"ms",
                  "",
                  "More time than this between two RTP packets of ours is told as rtp.gap and "
                  "counted. Calls that run keep what they began with."}),
    };
}
// clang-format on

}  // namespace offhook::config

#include <algorithm>

#include "config/checks.h"
#include "config/key_kinds.h"
#include "config/keys.h"

namespace offhook::config {

using namespace kind;

namespace {

// Those of supervised calls have names of their own.
std::string channel_name(const std::string& given) {
    if (given.starts_with("call-")) return "must not begin with call-, as supervised calls do";
    if (given == "ws") return "must not be ws, where clients come in";
    return check::name(given);
}

}  // namespace

// clang-format off: one key, one paragraph
const std::vector<Key<Channel>>& channel_keys() {
    using C = Channel;
    static const std::vector<Key<C>> keys{
        text<C>("channel",
                "name",
                [](C & c) -> auto& { return c.name; },
                channel_name,
                {"",
                 "1 to 64 letters, digits, . _ -; unique; not call-...; required",
                 "What clients, routes and the API call it."}),
        choice<C>("channel",
                  "policy",
                  [](C & c) -> auto& { return c.policy; },
                  Names<std::string>{{"everybody", "everybody"}, {"supervised", "supervised"}},
                  {"",
                   "",
                   "Who is who: everybody hears everybody, or some watch over the others. What a "
                   "member hears follows from its role either way."}),
        text<C>("channel",
                "ai",
                [](C & c) -> auto& { return c.ai; },
                check::name_or_empty,
                {"",
                 "name of an `[[ai]]`, or empty: none",
                 "Joins with the first member that has sound, leaves with the last."}),
        whole<C>("channel",
                 "max_members",
                 [](C & c) -> auto& { return c.max_members; },
                 1,
                 64,
                 {"members", "", "Its AI is one of them. Who comes then is told that it is full."}),
    };
    return keys;
}
// clang-format on

}  // namespace offhook::config

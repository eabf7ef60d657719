#include "config/demo_keys.h"

#include "config/checks.h"
#include "config/endpoint.h"
#include "config/key_kinds.h"

namespace offhook::config {
namespace {

using namespace kind;

bool is_loopback_listener(const std::string& listener) {
    const auto colon = listener.find(':');
    const auto at = parse_host_port(listener.substr(colon == std::string::npos ? 0 : colon + 1));
    return at && at->is_loopback();
}

}  // namespace

// clang-format off: one key, one paragraph
std::vector<Key<Config>> demo_keys() {
    using C = Config;
    return {
        yes_no<C>("demo",
                  "enabled",
                  [](C & c) -> auto& { return c.demo.enabled; },
                  {"",
                   "",
                   "The first run: a bot and a caller as children of the daemon, and faults on "
                   "purpose, for the page's Start. `scripts/run` switches it on. Only where "
                   "`[http]` and `[sip]` listen on loopback."}),
        text<C>("demo",
                "bot",
                [](C & c) -> auto& { return c.demo.bot; },
                check::path_or_empty,
                {"",
                 "path, or empty: none is started",
                 "Program of the local bot (examples/local-ai). It becomes the AI `kitchen`, and "
                 "the built-in route goes to it."}),
        text<C>(
            "demo",
            "caller_sound",
            [](C & c) -> auto& { return c.demo.caller_sound; },
            check::readable_file,
            {"", "path, or empty: beeps", "WAV that the built-in caller speaks, again and again."}),
        yes_no<C>("demo",
                  "caller_calls",
                  [](C & c) -> auto& { return c.demo.caller_calls; },
                  {"",
                   "",
                   "The built-in caller calls as soon as the daemon is ready, and again after "
                   "each call. Without it, when it is told to."}),
        text<C>("demo",
                "transcript",
                [](C & c) -> auto& { return c.demo.transcript; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "File that what bot and caller say is appended to, a line each."}),
        text<C>("demo",
                "setup_directory",
                [](C & c) -> auto& { return c.demo.setup_directory; },
                check::path_or_empty,
                {"",
                 "path, or empty: nothing is written",
                 "Where *Connect your PBX* writes offhook.toml and the password."}),
        text<C>("demo",
                "setup_command",
                [](C & c) -> auto& { return c.demo.setup_command; },
                check::line,
                {"",
                 "up to 500 printable ASCII characters, or empty: offhook serve --config",
                 "What starts a daemon with a configuration file, told to whoever wrote one; the "
                 "file's path is put behind it."}),
    };
}
// clang-format on

std::vector<std::pair<std::string, std::string>> demo_problems(const Config& config) {
    if (!config.demo.enabled) return {};
    std::vector<std::pair<std::string, std::string>> problems;
    if (const auto at = parse_host_port(config.http.listen); at && !at->is_loopback()) {
        problems.emplace_back("demo.enabled",
                              "is for loopback alone, and http.listen is \"" + config.http.listen +
                                  "\": listen on 127.0.0.1, or switch the demonstration off");
    }
    for (const std::string& listener : config.sip.listen) {
        if (is_loopback_listener(listener)) continue;
        problems.emplace_back("demo.enabled",
                              "is for loopback alone, and sip.listen has \"" + listener +
                                  "\": listen on 127.0.0.1, or switch the demonstration off");
    }
    return problems;
}

}  // namespace offhook::config

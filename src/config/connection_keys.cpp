#include "config/connection_keys.h"

#include "config/checks.h"
#include "config/key_kinds.h"
#include "config/redis_url.h"

namespace offhook::config {
namespace {

using namespace kind;

std::string redis_url_or_empty(const std::string& text) {
    if (text.empty()) return {};
    const auto url = parse_redis_url(text);
    return url ? std::string() : url.error().message;
}

std::string key_prefix(const std::string& text) {
    constexpr std::size_t kMaxBytes = 64;
    const bool is_good =
        !text.empty() && text.size() <= kMaxBytes &&
        text.find_first_not_of(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:._-") ==
            std::string::npos;
    return is_good ? std::string() : "must be 1 to 64 letters, digits, : . _ -";
}

}  // namespace

// clang-format off: one key, one paragraph
std::vector<Key<Config>> connection_keys() {
    using C = Config;
    return {
        whole<C>("connections",
                 "max_claims",
                 [](C & c) -> auto& { return c.connections.max_claims; },
                 1,
                 1'000'000,
                 {"",
                  "",
                  "How often one user may come for one place (a channel) within `claim_window_s`; "
                  "more is refused until it was quiet, so that two tabs do not fight for ever."}),
        whole<C>("connections",
                 "claim_window_s",
                 [](C & c) -> auto& { return c.connections.claim_window_s; },
                 1,
                 3600,
                 {"s", "", "See `max_claims`."}),

        text<C>(
            "redis",
            "url",
            [](C & c) -> auto& { return c.redis.url; },
            redis_url_or_empty,
            {"",
             "redis://[USER@]HOST[:PORT][/DATABASE], rediss:// (TLS), unix:/PATH[?db=DATABASE], "
             "or empty: none",
             "Where daemons that share their users' places keep them, so that a user has one "
             "live connection in a channel whichever daemon it is at. Empty: places are this "
             "daemon's own. One Redis, 5 or later; not Redis Cluster."}),
        text<C>("redis",
                "password_file",
                [](C & c) -> auto& { return c.redis.password_file; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "File with the password and nothing else; only its owner and group may read it."}),
        text<C>("redis",
                "password_env",
                [](C & c) -> auto& { return c.redis.password_env; },
                check::environment_name_or_empty,
                {"", "name, or empty", "Environment variable that has the password."}),
        text<C>("redis",
                "password_credential",
                [](C & c) -> auto& { return c.redis.password_credential; },
                check::name_or_empty,
                {"",
                 "name, or empty",
                 "systemd credential (`LoadCredential=`) that has the password."}),
        text<C>("redis",
                "ca_file",
                [](C & c) -> auto& { return c.redis.ca_file; },
                check::readable_file,
                {"",
                 "PEM file, or empty: the system's authorities",
                 "Who may have signed the certificate of a `rediss://` server."}),
        text<C>("redis",
                "prefix",
                [](C & c) -> auto& { return c.redis.prefix; },
                key_prefix,
                {"",
                 "1 to 64 letters, digits, : . _ -",
                 "What keys and channels in Redis begin with; the same for all daemons that share "
                 "places."}),
        whole<C>("redis",
                 "lease_s",
                 [](C & c) -> auto& { return c.redis.lease_s; },
                 2,
                 300,
                 {"s",
                  "",
                  "A place is free again when its daemon was silent for so long. It is renewed at "
                  "a third of it."}),
        choice<C>("redis",
                  "when_away",
                  [](C & c) -> auto& { return c.redis.when_away; },
                  Names<std::string>{{"admit", "admit"}, {"refuse", "refuse"}},
                  {"",
                   "",
                   "While Redis does not answer. `admit`: places are given by what this daemon "
                   "alone knows; once Redis is back, who came last keeps a place. `refuse`: nobody "
                   "gets one, and who has one loses it with its lease: never two at a time."}),
    };
}
// clang-format on

std::vector<std::pair<std::string, std::string>> redis_problems(const Config& config) {
    const Redis& redis = config.redis;
    std::vector<std::pair<std::string, std::string>> problems;
    const int sources = !redis.password_file.empty() + !redis.password_env.empty() +
                        !redis.password_credential.empty();
    if (sources > 1) {
        problems.emplace_back("redis.password_file",
                              "is not the only source: keep one of password_file, password_env, "
                              "password_credential");
    }
    if (redis.url.empty()) {
        if (sources > 0) problems.emplace_back("redis.url", "is missing: whose password is it?");
        return problems;
    }
    const auto url = parse_redis_url(redis.url);
    if (url && !url->is_tls && !redis.ca_file.empty())
        problems.emplace_back("redis.ca_file", "is for a rediss:// url only");
    if (url && !url->user.empty() && sources == 0)
        problems.emplace_back("redis.password_file", "is missing: url names a user");
    return problems;
}

}  // namespace offhook::config

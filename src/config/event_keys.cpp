#include "config/event_keys.h"

#include "config/bot_url.h"
#include "config/checks.h"
#include "config/key_kinds.h"

namespace offhook::config {

using namespace kind;

namespace {

using Problems = std::vector<std::pair<std::string, std::string>>;

std::string sink_url_or_empty(const std::string& text) {
    if (text.empty()) return {};
    const auto url = parse_sink_url(text);
    return url ? std::string() : url.error().message;
}

std::string event_glob(const std::string& text) {
    constexpr std::size_t kMaxBytes = 64;
    const bool is_good =
        !text.empty() && text.size() <= kMaxBytes &&
        text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._*") == std::string::npos;
    return is_good ? std::string() : "must be a name of an event, perhaps with *: call.*";
}

int sources(const std::string& file, const std::string& env, const std::string& credential) {
    return !file.empty() + !env.empty() + !credential.empty();
}

void check_url(const std::string& path,
               const std::string& text,
               bool allow_private,
               const std::string& ca_file,
               Problems& problems) {
    const auto url = parse_sink_url(text);
    if (!url) return;  // told where the key is
    if (url->is_private && !allow_private) {
        problems.emplace_back(path,
                              "is at an address of a private network: set allow_private = true if "
                              "that is meant");
    }
    if (!url->is_tls && !ca_file.empty()) {
        problems.emplace_back(path.substr(0, path.rfind('.')) + ".ca_file",
                              "is for https:// only: there is no certificate otherwise");
    }
}

}  // namespace

base::Result<SinkUrl> parse_sink_url(const std::string& text) {
    const std::string shape = "must be https://HOST/PATH, or http://HOST:PORT/PATH of this machine";
    const bool is_tls = text.starts_with("https://");
    if (!is_tls && !text.starts_with("http://"))
        return base::fail(base::ErrorCode::InvalidArgument, shape);
    const auto url = parse_bot_url((is_tls ? "wss" : "ws") + text.substr(text.find(':')));
    if (!url || (!is_tls && !url->is_loopback())) {
        const bool has_user = text.substr(0, text.find('/', 8)).find('@') != std::string::npos;
        return base::fail(base::ErrorCode::InvalidArgument,
                          has_user ? "must have no user and password" : shape);
    }
    return SinkUrl{.is_tls = is_tls, .is_private = url->is_private()};
}

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
        text<C>("events",
                "file",
                [](C & c) -> auto& { return c.events.file; },
                check::path_or_empty,
                {"",
                 "path, or empty: none",
                 "Every event is appended here, one JSON text a line. SIGHUP opens it anew."}),
        text<C>("otlp",
                "endpoint",
                [](C & c) -> auto& { return c.otlp.endpoint; },
                sink_url_or_empty,
                {"",
                 "https://HOST, or http://HOST:PORT of this machine; or empty",
                 "Collector of OpenTelemetry that gets a span for each call, by OTLP/HTTP in JSON; "
                 "/v1/traces is added. Empty: what OTEL_EXPORTER_OTLP_ENDPOINT says, or none."}),
        text<C>("otlp",
                "service",
                [](C & c) -> auto& { return c.otlp.service; },
                check::display_name,
                {"",
                 "up to 128 bytes",
                 "Its `service.name`. Empty: what OTEL_SERVICE_NAME says, or offhook."}),
        text<C>("otlp",
                "headers_file",
                [](C & c) -> auto& { return c.otlp.headers_file; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "File with headers for the collector, name=value,name=value; only its owner and "
                 "group may read it. Empty: what OTEL_EXPORTER_OTLP_HEADERS says, or none."}),
        text<C>("otlp",
                "headers_env",
                [](C & c) -> auto& { return c.otlp.headers_env; },
                check::environment_name_or_empty,
                {"", "name, or empty", "Environment variable that has them."}),
        text<C>("otlp",
                "headers_credential",
                [](C & c) -> auto& { return c.otlp.headers_credential; },
                check::name_or_empty,
                {"", "name, or empty", "systemd credential (`LoadCredential=`) that has them."}),
        text<C>("otlp",
                "ca_file",
                [](C & c) -> auto& { return c.otlp.ca_file; },
                check::readable_file,
                {"",
                 "PEM file, or empty: the system's authorities",
                 "Who may have signed the collector's certificate."}),
        yes_no<C>("otlp",
                  "allow_private",
                  [](C & c) -> auto& { return c.otlp.allow_private; },
                  {"", "", "Lets `endpoint` be at an address of a private network."}),
    };
}

const std::vector<Key<Webhook>>& webhook_keys() {
    using W = Webhook;
    static const std::vector<Key<W>> keys{
        text<W>("webhook",
                "name",
                [](W & w) -> auto& { return w.name; },
                check::name,
                {"",
                 "1 to 64 letters, digits, . _ -; unique; required",
                 "What the log and its folder in the state directory call it."}),
        text<W>("webhook",
                "url",
                [](W & w) -> auto& { return w.url; },
                sink_url_or_empty,
                {"",
                 "https://HOST/PATH, or http://HOST:PORT/PATH of this machine; required",
                 "Where events are posted to. Redirects are not followed."}),
        texts<W>("webhook",
                 "types",
                 [](W & w) -> auto& { return w.types; },
                 {0, 64},
                 event_glob,
                 {"", "names of events, * is any text", "Which events; empty: all."}),
        choice<W>("webhook",
                  "level",
                  [](W & w) -> auto& { return w.level; },
                  Names<std::string>{{"info", "info"}, {"warning", "warning"}, {"error", "error"}},
                  {"", "", "This, or worse."}),
        text<W>("webhook",
                "secret_file",
                [](W & w) -> auto& { return w.secret_file; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "File with the secret that deliveries are signed with, at least 16 characters, "
                 "and nothing else; only its owner and group may read it."}),
        text<W>("webhook",
                "secret_env",
                [](W & w) -> auto& { return w.secret_env; },
                check::environment_name_or_empty,
                {"", "name, or empty", "Environment variable that has the secret."}),
        text<W>(
            "webhook",
            "secret_credential",
            [](W & w) -> auto& { return w.secret_credential; },
            check::name_or_empty,
            {"", "name, or empty", "systemd credential (`LoadCredential=`) that has the secret."}),
        text<W>("webhook",
                "ca_file",
                [](W & w) -> auto& { return w.ca_file; },
                check::readable_file,
                {"",
                 "PEM file, or empty: the system's authorities",
                 "Who may have signed the certificate."}),
        yes_no<W>("webhook",
                  "allow_private",
                  [](W & w) -> auto& { return w.allow_private; },
                  {"", "", "Lets `url` be at an address of a private network."}),
        whole<W>("webhook",
                 "timeout_s",
                 [](W & w) -> auto& { return w.timeout_s; },
                 1,
                 60,
                 {"s", "", "For the whole of a delivery; then it is tried again."}),
        whole<W>("webhook",
                 "spool_mib",
                 [](W & w) -> auto& { return w.spool_mib; },
                 1,
                 1024,
                 {"MiB", "", "What may wait on the disk; beyond it the oldest goes, announced."}),
    };
    return keys;
}
// clang-format on

Problems event_problems(const Config& config) {
    Problems problems;
    for (std::size_t i = 0; i < config.webhook.size(); ++i) {
        const Webhook& hook = config.webhook[i];
        const std::string path = "webhook[" + std::to_string(i) + "].";
        if (hook.url.empty())
            problems.emplace_back(path + "url", "is missing: who gets the events");
        if (sources(hook.secret_file, hook.secret_env, hook.secret_credential) != 1) {
            problems.emplace_back(
                path + "secret_file",
                "or one of secret_env and secret_credential, but only one, has to "
                "say where the secret of the signature is");
        }
        check_url(path + "url", hook.url, hook.allow_private, hook.ca_file, problems);
    }
    const Otlp& otlp = config.otlp;
    if (sources(otlp.headers_file, otlp.headers_env, otlp.headers_credential) > 1) {
        problems.emplace_back("otlp.headers_file",
                              "is not the only source: keep one of headers_file, headers_env, "
                              "headers_credential");
    }
    check_url("otlp.endpoint", otlp.endpoint, otlp.allow_private, otlp.ca_file, problems);
    return problems;
}

}  // namespace offhook::config

#include "app/event_sinks.h"

#include <cstdlib>
#include <string>
#include <utility>

#include "app/account_settings.h"
#include "base/monotonic.h"
#include "base/secret.h"
#include "config/event_keys.h"

namespace offhook::app {
namespace {

using base::Result;

constexpr std::size_t kMinSecretBytes = 16;
constexpr std::int64_t kGoodbyeNs = base::kNsPerS;
constexpr const char* kTracesPath = "/v1/traces";

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

Result<base::Secret> secret_of(const base::SecretSource& source, const std::string& what) {
    auto secret = base::load_secret(source, what);
    if (!secret) secret.error().code = base::ErrorCode::InvalidArgument;
    return secret;
}

// The environment's words are those of the OpenTelemetry specification, "OTLP Exporter Configuration".
std::string traces_url(const config::Otlp& given) {
    const auto with_path = [](std::string base) {
        while (base.ends_with('/')) base.pop_back();
        return base.ends_with(kTracesPath) ? base : base + kTracesPath;
    };
    if (!given.endpoint.empty()) return with_path(given.endpoint);
    if (std::string url = environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"); !url.empty())
        return url;
    const std::string base = environment("OTEL_EXPORTER_OTLP_ENDPOINT");
    return base.empty() ? base : with_path(base);
}

}  // namespace

events::SinkThread& EventSinks::thread() {
    if (!thread_) thread_ = std::make_unique<events::SinkThread>();
    return *thread_;
}

Result<void> EventSinks::start(const config::Config& config) {
    if (!config.webhook.empty()) {
        auto state = open_state(config.state);
        if (!state) {
            return base::fail(
                base::ErrorCode::InvalidArgument,
                "a [[webhook]] keeps what waits in the state directory: " + state.error().text());
        }
        for (const config::Webhook& given : config.webhook) {
            if (auto added = add_webhook(given, state->path()); !added) return added;
        }
    }
    if (!config.events.file.empty()) {
        if (auto added = add_file(config.events.file); !added) return added;
    }
    return add_otlp(config.otlp);
}

Result<void> EventSinks::add_webhook(const config::Webhook& given, const std::string& state) {
    const std::string what = "the secret of [[webhook]] \"" + given.name + "\"";
    auto secret = secret_of({.file = given.secret_file,
                             .environment = given.secret_env,
                             .credential = given.secret_credential},
                            what);
    if (!secret) return tl::unexpected(secret.error());
    if (secret->reveal().size() < kMinSecretBytes) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          what +
                              " has less than 16 characters and could be guessed: `openssl "
                              "rand -hex 32` makes a good one");
    }
    events::Webhook::Settings settings;
    settings.name = given.name;
    settings.url = given.url;
    settings.folder = state + "/webhook-" + given.name;
    settings.secret = *std::move(secret);
    settings.ca_file = given.ca_file;
    settings.spool_bytes = static_cast<std::size_t>(given.spool_mib) << 20;
    settings.timeout = std::chrono::seconds(given.timeout_s);
    events::Filter filter;
    filter.types = given.types;
    if (const auto level = events::parse_level(given.level)) filter.level = *level;
    Hook& hook = hooks_.emplace_back();
    Result<void> done;
    thread().run([&] {
        auto made = events::Webhook::create(
            std::move(settings), log_.instance(), thread_->context(), hook.counters);
        if (made) {
            hook.webhook = *std::move(made);
        } else {
            done = tl::unexpected(made.error());
        }
    });
    if (!done) return done;
    hook.queue = std::make_unique<events::SinkQueue>(
        log_,
        *thread_,
        "webhook",
        given.name,
        std::move(filter),
        [webhook = hook.webhook.get()](const events::EventRef& event) { webhook->take(event); });
    return {};
}

Result<void> EventSinks::add_file(const std::string& path) {
    auto file = events::EventFile::open(path);
    if (!file) return tl::unexpected(file.error());
    file_ = *std::move(file);
    file_queue_ = std::make_unique<events::SinkQueue>(
        log_, thread(), "file", path, events::Filter{}, [this](const events::EventRef& event) {
            file_->write(event);
        });
    return {};
}

Result<void> EventSinks::add_otlp(const config::Otlp& given) {
    events::OtlpSender::Settings settings;
    settings.url = traces_url(given);
    if (settings.url.empty()) return {};
    if (const auto url = config::parse_sink_url(settings.url); !url) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "the endpoint of OTLP, " + settings.url + ", " + url.error().message);
    }
    settings.service = given.service.empty() ? environment("OTEL_SERVICE_NAME") : given.service;
    if (settings.service.empty()) settings.service = "offhook";
    settings.ca_file = given.ca_file;
    base::Secret headers(environment("OTEL_EXPORTER_OTLP_HEADERS"));
    if (!given.headers_file.empty() || !given.headers_env.empty() ||
        !given.headers_credential.empty()) {
        auto read = secret_of({.file = given.headers_file,
                               .environment = given.headers_env,
                               .credential = given.headers_credential},
                              "the headers of [otlp]");
        if (!read) return tl::unexpected(read.error());
        headers = *std::move(read);
    }
    auto parsed = events::parse_otlp_headers(headers.reveal());
    if (!parsed) {
        return base::fail(base::ErrorCode::InvalidArgument, parsed.error().text());
    }
    settings.headers = *std::move(parsed);
    Result<void> done;
    thread().run([&] {
        auto made =
            events::OtlpSender::create(std::move(settings), thread_->context(), otlp_counters_);
        if (made) {
            otlp_ = *std::move(made);
        } else {
            done = tl::unexpected(made.error());
        }
    });
    if (!done) return done;
    otlp_queue_ = std::make_unique<events::SinkQueue>(
        log_,
        *thread_,
        "otlp",
        "otlp",
        events::Filter{.types = {"call.*", "ai.*", "rtp.first_packet_sent"}},
        [this](const events::EventRef& event) { otlp_->take(event); });
    return {};
}

void EventSinks::reopen() {
    if (file_) thread_->post([this] { file_->reopen(); });
}

bool EventSinks::are_idle() const {
    for (const Hook& hook : hooks_) {
        if (hook.webhook && !hook.webhook->is_idle()) return false;
    }
    return !otlp_ || otlp_->is_idle();
}

void EventSinks::close() {
    if (!thread_) return;
    for (Hook& hook : hooks_) {
        if (hook.queue) hook.queue->stop();
    }
    if (file_queue_) file_queue_->stop();
    if (otlp_queue_) otlp_queue_->stop();
    thread_->run([this] {
        for (Hook& hook : hooks_) {
            if (hook.webhook) hook.webhook->flush();
        }
        if (otlp_) otlp_->flush();
        const std::int64_t deadline_ns = base::monotonic_ns() + kGoodbyeNs;
        glib::Timer wake;
        wake.every(thread_->context(), std::chrono::milliseconds(5), [] {});
        while (!are_idle() && base::monotonic_ns() < deadline_ns)
            g_main_context_iteration(thread_->context(), TRUE);
        for (Hook& hook : hooks_) hook.webhook.reset();
        otlp_.reset();
        file_.reset();
    });
    thread_.reset();
}

void EventSinks::count(model::EventCounts& counts) const {
    std::uint64_t webhook = 0;
    for (const Hook& hook : hooks_) {
        webhook += hook.counters.dropped + (hook.queue ? hook.queue->dropped() : 0);
        counts.webhook_delivered += hook.counters.delivered;
        counts.webhook_failed += hook.counters.failed;
    }
    const std::uint64_t file =
        (file_ ? file_->lost() : 0) + (file_queue_ ? file_queue_->dropped() : 0);
    counts.dropped.insert(
        counts.dropped.end(),
        {{"webhook", webhook},
         {"file", file},
         {"otlp", otlp_counters_.dropped + (otlp_queue_ ? otlp_queue_->dropped() : 0)}});
    counts.spans_sent = otlp_counters_.sent;
}

}  // namespace offhook::app

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "events/spans.h"
#include "glib/ref.h"
#include "glib/timer.h"
#include "http/client.h"

namespace offhook::events {

/// "name=value,other=value", percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS has it.
/// @errors Malformed: a pair without "=" or with a bad escape
[[nodiscard]] base::Result<std::vector<std::pair<std::string, base::Secret>>> parse_otlp_headers(
    const std::string& text);

/// Sends the spans of calls to a collector, by OTLP/HTTP in JSON.
///
/// Up to 200 at a time, one request under way; at most 2,000 wait, more push the oldest out. What a
/// collector does not take for now (429, 502, 503, 504, no connection) is tried again; what it
/// refuses is dropped.
/// @thread the one of `context`; create and destroy there
class OtlpSender {
public:
    struct Settings {
        std::string url;  ///< of traces: ".../v1/traces"
        std::string service = "offhook";
        std::vector<std::pair<std::string, base::Secret>> headers{};
        std::string ca_file{};
        std::chrono::milliseconds wait{2'000};  ///< for more, before a batch goes
        std::chrono::milliseconds first_retry{1'000}, last_retry{60'000};
    };
    struct Counters {
        std::atomic<std::uint64_t> sent{0}, dropped{0};  ///< spans
    };
    /// @param counters outlives this  @errors Io, Malformed: `ca_file`
    [[nodiscard]] static base::Result<std::unique_ptr<OtlpSender>> create(Settings settings,
                                                                          GMainContext* context,
                                                                          Counters& counters);
    OtlpSender(const OtlpSender&) = delete;
    OtlpSender& operator=(const OtlpSender&) = delete;

    void take(const EventRef& event);
    /// What waits goes now.
    void flush();
    [[nodiscard]] bool is_idle() const;

private:
    OtlpSender(Settings settings,
               GMainContext* context,
               Counters& counters,
               std::unique_ptr<http::Client> client);
    void send();
    void on_reply(const base::Result<http::HttpReply>& reply);
    void later(const std::string& why);

    const Settings settings_;
    const glib::Ref<GMainContext> context_;
    Counters& counters_;
    SpanMaker maker_;
    std::unique_ptr<http::Client> client_;
    http::Client::Exchange exchange_;
    std::deque<Span> waiting_;
    std::vector<Span> sending_;  ///< empty: nothing is under way
    int failures_ = 0;           ///< in a row
    bool was_refused_ = false;
    glib::Timer timer_;
};

}  // namespace offhook::events

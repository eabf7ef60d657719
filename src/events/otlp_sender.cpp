#include "events/otlp_sender.h"

#include <glib.h>

#include <algorithm>
#include <iterator>

namespace offhook::events {
namespace {

using log::Level;
using log::Mark;

constexpr std::size_t kMaxBatch = 200;
constexpr std::size_t kMaxWaiting = 2'000;

bool may_come_back(int status) {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

std::string trimmed(std::string text) {
    g_strstrip(text.data());
    text.resize(std::char_traits<char>::length(text.c_str()));
    return text;
}

}  // namespace

base::Result<std::vector<std::pair<std::string, base::Secret>>> parse_otlp_headers(
    const std::string& text) {
    std::vector<std::pair<std::string, base::Secret>> headers;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        const std::string pair = trimmed(text.substr(at, comma - at));
        at = comma + 1;
        if (pair.empty()) continue;
        const std::size_t equals = pair.find('=');
        const glib::UniqueString value(
            equals == std::string::npos
                ? nullptr
                : g_uri_unescape_string(pair.c_str() + equals + 1, nullptr));
        if (equals == 0 || !value) {
            return base::fail(base::ErrorCode::Malformed,
                              "headers of the collector must be name=value,name=value with % "
                              "escapes in values");
        }
        headers.emplace_back(trimmed(pair.substr(0, equals)), base::Secret(trimmed(value.get())));
    }
    return headers;
}

base::Result<std::unique_ptr<OtlpSender>> OtlpSender::create(Settings settings,
                                                             GMainContext* context,
                                                             Counters& counters) {
    auto client = http::Client::create({.ca_file = settings.ca_file});
    if (!client) return tl::unexpected(client.error());
    return std::unique_ptr<OtlpSender>(
        new OtlpSender(std::move(settings), context, counters, *std::move(client)));
}

OtlpSender::OtlpSender(Settings settings,
                       GMainContext* context,
                       Counters& counters,
                       std::unique_ptr<http::Client> client)
    : settings_(std::move(settings)),
      context_(glib::Ref<GMainContext>::share(context)),
      counters_(counters),
      client_(std::move(client)) {}

void OtlpSender::take(const EventRef& event) {
    std::vector<Span> spans = maker_.take(*event);
    if (spans.empty()) return;
    std::move(spans.begin(), spans.end(), std::back_inserter(waiting_));
    while (waiting_.size() > kMaxWaiting) {
        waiting_.pop_front();
        ++counters_.dropped;
    }
    if (!sending_.empty() || failures_ > 0) return;
    if (waiting_.size() >= kMaxBatch) return send();
    if (!timer_.is_armed()) timer_.once(context_.get(), settings_.wait, [this] { send(); });
}

void OtlpSender::flush() {
    if (failures_ == 0) send();
}

bool OtlpSender::is_idle() const {
    return failures_ > 0 || (waiting_.empty() && sending_.empty());
}

void OtlpSender::send() {
    timer_.cancel();
    if (!sending_.empty() || waiting_.empty()) return;
    const auto end =
        waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kMaxBatch));
    sending_.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    http::HttpRequest request;
    request.method = "POST";
    request.url = settings_.url;
    request.content_type = "application/json";
    for (const auto& [name, value] : settings_.headers)
        request.headers.emplace_back(name, value.reveal());
    request.body = otlp_json(sending_, settings_.service);
    exchange_ = client_->send(std::move(request), [this](const auto& reply) { on_reply(reply); });
}

void OtlpSender::on_reply(const base::Result<http::HttpReply>& reply) {
    if (!reply) return later(reply.error().text());
    if (may_come_back(reply->status)) return later("it answered " + std::to_string(reply->status));
    if (reply->status < 200 || reply->status > 299) {
        counters_.dropped += sending_.size();
        if (!std::exchange(was_refused_, true)) {
            log::write(Level::Warning,
                       Mark::Warning,
                       "otlp.refused",
                       {},
                       "the collector answered " + std::to_string(reply->status) +
                           ": spans are dropped until it takes some",
                       {});
        }
    } else {
        was_refused_ = false;
        counters_.sent += sending_.size();
        if (std::exchange(failures_, 0) > 0) {
            log::write(
                Level::Info, Mark::Ok, "otlp.back", {}, "the collector takes spans again", {});
        }
    }
    sending_.clear();
    send();
}

void OtlpSender::later(const std::string& why) {
    // They are the oldest, and so they are the first to go when there are too many.
    waiting_.insert(waiting_.begin(),
                    std::make_move_iterator(sending_.begin()),
                    std::make_move_iterator(sending_.end()));
    sending_.clear();
    // Once, however often.
    if (++failures_ == 1) {
        log::write(Level::Warning,
                   Mark::Warning,
                   "otlp.failed",
                   {},
                   why + "; spans of calls wait, at most 2,000",
                   {});
    }
    const auto doubled = settings_.first_retry * (1 << std::min(failures_ - 1, 16));
    timer_.once(context_.get(),
                std::min<std::chrono::milliseconds>(doubled, settings_.last_retry),
                [this] { send(); });
}

}  // namespace offhook::events

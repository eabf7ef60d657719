#include "events/webhook.h"

#include <glib.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/escape.h"
#include "base/monotonic.h"

namespace offhook::events {
namespace {

using log::Level;
using log::Mark;

constexpr std::size_t kMaxBatchEvents = 100;
constexpr std::size_t kMaxBatchBytes = 256 * 1024;
constexpr std::size_t kMaxReplyBytes = 64 * 1024;
constexpr std::chrono::seconds kLongestRetryAfter{3600};
// What every body begins with: the id of the delivery is read back from a spooled one.
constexpr std::string_view kBegin = R"({"delivery":")";

std::string id_in(const std::string& body) {
    if (!body.starts_with(kBegin)) return {};
    return body.substr(kBegin.size(), body.find('"', kBegin.size()) - kBegin.size());
}

std::chrono::milliseconds retry_after(const http::HttpReply& reply) {
    const std::string_view text = reply.header("retry-after");
    int seconds = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || stop != text.data() + text.size() || seconds < 0) return {};
    return std::min<std::chrono::milliseconds>(std::chrono::seconds(seconds), kLongestRetryAfter);
}

}  // namespace

std::string signature(const base::Secret& secret, std::int64_t unix_s, const std::string& body) {
    const std::string t = std::to_string(unix_s);
    const std::string signed_text = t + '.' + body;
    const std::string& key = secret.reveal();
    const glib::UniqueString hex(
        g_compute_hmac_for_data(G_CHECKSUM_SHA256,
                                reinterpret_cast<const guchar*>(key.data()),
                                key.size(),
                                reinterpret_cast<const guchar*>(signed_text.data()),
                                signed_text.size()));
    return "t=" + t + ",v1=" + hex.get();
}

base::Result<std::unique_ptr<Webhook>> Webhook::create(Settings settings,
                                                       std::string instance,
                                                       GMainContext* context,
                                                       Counters& counters) {
    auto spool = Spool::open(settings.folder, settings.spool_bytes);
    if (!spool) return tl::unexpected(spool.error());
    auto client = http::Client::create({.ca_file = settings.ca_file});
    if (!client) return tl::unexpected(client.error());
    std::unique_ptr<Webhook> webhook(new Webhook(std::move(settings),
                                                 std::move(instance),
                                                 context,
                                                 counters,
                                                 *std::move(spool),
                                                 *std::move(client)));
    webhook->pump();
    return webhook;
}

Webhook::Webhook(Settings settings,
                 std::string instance,
                 GMainContext* context,
                 Counters& counters,
                 Spool spool,
                 std::unique_ptr<http::Client> client)
    : settings_(std::move(settings)),
      instance_(std::move(instance)),
      context_(glib::Ref<GMainContext>::share(context)),
      counters_(counters),
      spool_(std::move(spool)),
      client_(std::move(client)) {}

Webhook::~Webhook() {
    flush();
}

void Webhook::take(const EventRef& event) {
    pending_.push_back(event);
    pending_bytes_ += event->json.size() + 1;
    if (pending_.size() >= kMaxBatchEvents || pending_bytes_ >= kMaxBatchBytes) return flush();
    if (!batch_timer_.is_armed())
        batch_timer_.once(context_.get(), settings_.batch_wait, [this] { flush(); });
}

void Webhook::flush() {
    batch_timer_.cancel();
    if (pending_.empty()) return;
    std::string body(kBegin);
    body += instance_ + '-' + std::to_string(pending_.front()->seq) + '-' +
            std::to_string(pending_.back()->seq);
    body +=
        R"(","webhook":")" + settings_.name + R"(","instance":")" + instance_ + R"(","events":[)";
    for (const EventRef& event : pending_) {
        if (event != pending_.front()) body += ',';
        body += event->json;
    }
    body += "]}";
    std::size_t dropped = 0;
    const auto kept = spool_.add(body, pending_.size(), is_sending_, dropped);
    if (!kept) {
        drop(pending_.size(), kept.error().text());
    } else if (dropped > 0) {
        drop(dropped, "the spool is full, and the oldest went");
    }
    pending_.clear();
    pending_bytes_ = 0;
    pump();
}

void Webhook::drop(std::size_t events, const std::string& why) {
    counters_.dropped += events;
    log::write(Level::Warning,
               Mark::Warning,
               "events.dropped",
               {},
               why,
               {{"sink", "webhook"}, {"name", settings_.name}, {"count", events}});
}

bool Webhook::is_idle() const {
    return pending_.empty() && (failures_ > 0 || (spool_.empty() && !is_sending_));
}

void Webhook::pump() {
    while (!is_sending_ && !spool_.empty() && !retry_timer_.is_armed()) {
        auto body = spool_.read_first();
        if (!body) {
            drop(spool_.first().events, body.error().text());
            spool_.remove_first();
            continue;
        }
        http::HttpRequest request;
        request.method = "POST";
        request.url = settings_.url;
        request.content_type = "application/json";
        request.timeout = settings_.timeout;
        request.max_reply_bytes = kMaxReplyBytes;
        request.headers = {
            {"Offhook-Delivery", id_in(*body)},
            {"Offhook-Attempt", std::to_string(failures_ + 1)},
            {"Offhook-Signature",
             signature(settings_.secret, base::realtime_ns() / base::kNsPerS, *body)}};
        request.body = *std::move(body);
        is_sending_ = true;
        exchange_ = client_->send(std::move(request), [this](const auto& reply) {
            is_sending_ = false;
            on_reply(reply);
        });
    }
}

void Webhook::on_reply(const base::Result<http::HttpReply>& reply) {
    if (!reply) return retry(reply.error().text(), {});
    if (reply->status < 200 || reply->status > 299)
        return retry("it answered " + std::to_string(reply->status), retry_after(*reply));
    ++counters_.delivered;
    spool_.remove_first();
    if (const int failures = std::exchange(failures_, 0); failures > 0) {
        log::write(
            Level::Info,
            Mark::Ok,
            "webhook.back",
            {},
            "the webhook takes events again",
            {{"name", settings_.name}, {"failures", failures}, {"waiting_batches", spool_.size()}});
    }
    pump();
}

void Webhook::retry(const std::string& why, std::chrono::milliseconds at_least) {
    ++counters_.failed;
    const double doubled =
        static_cast<double>(settings_.first_retry.count()) * std::pow(2, std::min(failures_, 20));
    const double most = std::min(doubled, static_cast<double>(settings_.last_retry.count()));
    std::uniform_real_distribution<double> jitter(0.5, 1.0);
    const auto wait = std::max(
        at_least, std::chrono::milliseconds(static_cast<std::int64_t>(most * jitter(random_))));
    // Once, however often: each such line is an event that waits as well.
    if (++failures_ == 1) {
        log::write(Level::Warning,
                   Mark::Warning,
                   "webhook.failed",
                   {},
                   why + "; events wait on the disk",
                   {{"name", settings_.name}});
    }
    retry_timer_.once(context_.get(), wait, [this] { pump(); });
}

}  // namespace offhook::events

#include "media/stun_client.h"

#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

#include "base/log.h"
#include "base/monotonic.h"

namespace offhook::media {

using log::Level;
using log::Mark;
using session::Endpoint;

namespace {

/// RFC 8489 §6.2.1: Rc and Rm.
constexpr int kMostTries = 7;
constexpr int kLastWait = 16;
constexpr int kMostDatagrams = 8;

}  // namespace

StunClient::StunClient(Options options, GMainContext* context)
    : options_(std::move(options)),
      context_(context),
      self_(std::make_shared<StunClient*>(this)),
      cancellable_(glib::Ref<GCancellable>::adopt(g_cancellable_new())) {
    begin();
}

StunClient::~StunClient() {
    g_cancellable_cancel(cancellable_.get());
    close();
}

void StunClient::begin() {
    if (Endpoint::make(options_.host, options_.port)) {
        ask(options_.host);
    } else {
        resolve();
    }
}

void StunClient::resolve() {
    const auto resolver = glib::Ref<GResolver>::adopt(g_resolver_get_default());
    g_resolver_lookup_by_name_async(
        resolver.get(),
        options_.host.c_str(),
        cancellable_.get(),
        [](GObject* source, GAsyncResult* result, gpointer data) {
            const std::unique_ptr<std::weak_ptr<StunClient*>> self(
                static_cast<std::weak_ptr<StunClient*>*>(data));
            GError* error = nullptr;
            GList* addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(source), result, &error);
            const std::string problem = error ? error->message : "";
            g_clear_error(&error);
            if (const auto alive = self->lock()) (*alive)->on_resolved(addresses, problem);
            g_resolver_free_addresses(addresses);
        },
        new std::weak_ptr<StunClient*>(self_));
}

// The first one of our own family; without one of ours, IPv4, which is where NAT is.
void StunClient::on_resolved(GList* addresses, const std::string& error) {
    const bool wants_v6 = options_.local.find(':') != std::string::npos;
    std::string chosen;
    for (const GList* each = addresses; each != nullptr; each = each->next) {
        auto* address = G_INET_ADDRESS(each->data);
        const bool is_v6 = g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6;
        if (!chosen.empty() && is_v6 != wants_v6) continue;
        gchar* text = g_inet_address_to_string(address);
        chosen = text;
        g_free(text);
        if (is_v6 == wants_v6) break;
    }
    if (chosen.empty()) return fail("its name does not resolve: " + error);
    ask(chosen);
}

void StunClient::ask(const std::string& server) {
    const auto to = Endpoint::make(server, options_.port);
    if (!to) return fail("its address cannot be used");
    fd_ = socket(to->family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return fail(std::string("no socket: ") + std::strerror(errno));
    if (const auto local = Endpoint::make(options_.local, 0);
        local && local->family() == to->family() && bind(fd_, local->data(), local->size()) != 0) {
        return fail("cannot ask from " + options_.local + ": " + std::strerror(errno));
    }
    // Connected: the kernel drops what others send, and tells when nobody listens there.
    if (connect(fd_, to->data(), to->size()) != 0)
        return fail(std::string("it cannot be reached: ") + std::strerror(errno));
    std::random_device random;
    std::generate(transaction_.begin(), transaction_.end(), [&random] {
        return static_cast<std::uint8_t>(random());
    });
    readable_ = g_unix_fd_source_new(fd_, G_IO_IN);
    g_source_set_callback(readable_,
                          G_SOURCE_FUNC(+[](gint, GIOCondition, gpointer self) -> gboolean {
                              static_cast<StunClient*>(self)->on_readable();
                              return G_SOURCE_CONTINUE;
                          }),
                          this,
                          nullptr);
    g_source_attach(readable_, context_);
    tries_ = 0;
    send();
}

void StunClient::send() {
    const auto request = stun_binding_request(transaction_);
    const ssize_t sent = ::send(fd_, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == ECONNREFUSED) return fail("nobody listens there");
    ++requests_;
    const int factor = ++tries_ < kMostTries ? 1 << (tries_ - 1) : kLastWait;
    timer_.once(context_, options_.first_timeout * factor, [this] {
        if (tries_ < kMostTries) {
            send();
        } else {
            fail("it does not answer");
        }
    });
}

void StunClient::on_readable() {
    std::array<std::uint8_t, 1500> datagram;
    for (int i = 0; i < kMostDatagrams; ++i) {
        const ssize_t got = recv(fd_, datagram.data(), datagram.size(), MSG_DONTWAIT);
        if (got < 0 && errno == ECONNREFUSED) return fail("nobody listens there");
        if (got < 0) return;
        const auto answer = parse_stun_answer(
            std::span(datagram).first(static_cast<std::size_t>(got)), transaction_);
        if (!answer) continue;
        if (answer->error_code == 0) return succeed(answer->mapped);
        return fail(answer->error_code >= 300
                        ? "it refused with " + std::to_string(answer->error_code)
                        : std::string("its answer names no address we can use"));
    }
}

void StunClient::succeed(const Endpoint& mapped) {
    close();
    const std::string told = mapped.host();
    if (told != address_ || !problem_.empty()) {
        log::write(Level::Info,
                   Mark::System,
                   "stun.address",
                   {},
                   address_.empty() || told == address_ ? "our address outside is known"
                                                        : "our address outside has changed",
                   {{"address", told}, {"server", options_.host}});
    }
    address_ = told;
    told_ns_ = base::monotonic_ns();
    problem_.clear();
    timer_.once(context_, options_.refresh, [this] { begin(); });
}

void StunClient::fail(std::string why) {
    close();
    ++failures_;
    if (why != problem_) {
        log::write(Level::Warning,
                   Mark::Warning,
                   "stun.failed",
                   {},
                   "the STUN server of [rtp] stun: " + why,
                   {{"server", options_.host}, {"last_address", address_}});
    }
    problem_ = std::move(why);
    timer_.once(context_, options_.retry, [this] { begin(); });
}

void StunClient::close() {
    timer_.cancel();
    if (readable_ != nullptr) {
        g_source_destroy(readable_);
        g_source_unref(std::exchange(readable_, nullptr));
    }
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

model::HealthCheck StunClient::health() const {
    using Status = model::HealthCheck::Status;
    model::HealthCheck check;
    const std::string server = options_.host + ":" + std::to_string(options_.port);
    check.status = problem_.empty() && told_ns_ != 0 ? Status::Ok : Status::Degraded;
    if (!problem_.empty()) {
        check.detail = "the STUN server " + server + ": " + problem_ +
                       (address_.empty() ? "; SDP names local addresses until it does"
                                         : "; SDP goes on naming " + address_) +
                       "; check [rtp] stun, or set [rtp] advertise";
    } else if (told_ns_ == 0) {
        check.detail = "waiting for the STUN server " + server;
    } else {
        check.detail = "our address outside is " + address_;
    }
    check.figures = {{"requests", static_cast<std::int64_t>(requests_)},
                     {"failures", static_cast<std::int64_t>(failures_)}};
    if (told_ns_ != 0) {
        check.figures.emplace_back("told_s_ago", (base::monotonic_ns() - told_ns_) / base::kNsPerS);
    }
    return check;
}

}  // namespace offhook::media

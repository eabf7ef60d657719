#include "signalling/sip/registrar_lookup.h"

#include <algorithm>
#include <charconv>

#include "base/escape.h"
#include "base/log.h"

namespace offhook::signalling::sip {
namespace {

std::optional<SocketAddress> address_of(GInetAddress* inet, std::uint16_t port) {
    gchar* text = g_inet_address_to_string(inet);
    auto address = SocketAddress::parse(text, port);
    g_free(text);
    return address;
}

/// GLib is C: nothing may be thrown through it.
template <class Fn>
void walled(Fn&& fn) noexcept {
    try {
        fn();
    } catch (const std::exception& e) {
        log::write(log::Level::Error, log::Mark::Error, "system.exception", {}, e.what());
    }
}

const char* service_of(Transport transport) {
    return transport == Transport::Tls ? "sips" : "sip";
}

const char* protocol_of(Transport transport) {
    return transport == Transport::Udp ? "udp" : "tcp";
}

}  // namespace

/// What one question carries until its answer: the lookup may be gone by then.
struct RegistrarLookup::Query {
    std::weak_ptr<RegistrarLookup*> lookup;
    std::size_t target = 0;
};

base::Result<HostSpec> HostSpec::parse(std::string_view text) {
    const auto wrong = [&](const char* why) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "\"" + base::escape_untrusted(text, 128) + "\" " + why);
    };
    HostSpec spec;
    std::string_view rest = text;
    std::string_view port;
    if (rest.starts_with('[')) {
        const auto end = rest.find(']');
        if (end == std::string_view::npos) return wrong("lacks a closing bracket");
        spec.host = rest.substr(1, end - 1);
        rest.remove_prefix(end + 1);
        if (!rest.empty() && !rest.starts_with(':')) return wrong("has text after the bracket");
        if (!rest.empty()) port = rest.substr(1);
        if (!SocketAddress::parse(spec.host, 0)) return wrong("is no IPv6 address");
    } else if (SocketAddress::parse(rest, 0)) {
        spec.host = rest;
        rest = {};
    } else {
        const auto colon = rest.find(':');
        spec.host = rest.substr(0, colon);
        rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon);
        if (!rest.empty()) port = rest.substr(1);
        const auto is_name = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '.' || c == '-' || c == '_';
        };
        if (spec.host.empty() || spec.host.size() > 253 ||
            !std::all_of(spec.host.begin(), spec.host.end(), is_name)) {
            return wrong("must be HOST or HOST:PORT; an IPv6 address with a port in brackets");
        }
    }
    if (!rest.empty()) {
        unsigned number = 0;
        const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
        if (error != std::errc{} || end != port.data() + port.size() || number == 0 ||
            number > 65535) {
            return wrong("needs a port from 1 to 65535 after the colon");
        }
        spec.port = static_cast<std::uint16_t>(number);
    }
    return spec;
}

std::uint16_t default_port(Transport transport) noexcept {
    switch (transport) {
        case Transport::Tls:
            return 5061;
        case Transport::Ws:
            return 80;
        case Transport::Wss:
            return 443;
        default:
            return 5060;
    }
}

RegistrarLookup::RegistrarLookup(GMainContext* context,
                                 const HostSpec& spec,
                                 Transport transport,
                                 std::chrono::milliseconds limit,
                                 Done done)
    : context_(context),
      spec_(spec),
      transport_(transport),
      done_(std::move(done)),
      cancel_(glib::Ref<GCancellable>::adopt(g_cancellable_new())),
      self_(std::make_shared<RegistrarLookup*>(this)) {
    const std::uint16_t port = spec_.port == 0 ? default_port(transport_) : spec_.port;
    plain_ = Target{.name = spec_.host, .port = port};
    if (const auto numeric = SocketAddress::parse(spec_.host, port)) {
        plain_.addresses.push_back(*numeric);
        limit_.once(context_, std::chrono::milliseconds(0), [this] { settle(); });
        return;
    }
    limit_.once(context_, limit, [this] {
        is_service_pending_ = plain_.is_pending = false;
        for (Target& target : services_) target.is_pending = false;
        if (trouble_.empty()) trouble_ = "no answer from the name server";
        settle();
    });
    // A name without a dot is one of this network, for which nobody keeps SRV records.
    const bool has_service =
        spec_.port == 0 && !is_websocket(transport_) && spec_.host.find('.') != std::string::npos;
    if (has_service) ask_service();
    plain_.is_pending = true;
    ask_name(kMaxTargets, plain_.name);
}

RegistrarLookup::~RegistrarLookup() {
    self_.reset();
    g_cancellable_cancel(cancel_.get());
}

void RegistrarLookup::ask_service() {
    is_service_pending_ = true;
    const auto resolver = glib::Ref<GResolver>::adopt(g_resolver_get_default());
    g_resolver_lookup_service_async(
        resolver.get(),
        service_of(transport_),
        protocol_of(transport_),
        spec_.host.c_str(),
        cancel_.get(),
        [](GObject* source, GAsyncResult* result, gpointer data) {
            const std::unique_ptr<Query> query(static_cast<Query*>(data));
            GList* targets = g_resolver_lookup_service_finish(G_RESOLVER(source), result, nullptr);
            if (const auto lookup = query->lookup.lock())
                walled([&] { (*lookup)->on_service(targets); });
            g_resolver_free_targets(targets);
        },
        new Query{self_, 0});
}

void RegistrarLookup::on_service(GList* targets) {
    if (!is_service_pending_) return;
    is_service_pending_ = false;
    // Sorted by priority and weight already.
    for (GList* at = targets; at != nullptr && services_.size() < kMaxTargets; at = at->next) {
        auto* target = static_cast<GSrvTarget*>(at->data);
        const std::string name = g_srv_target_get_hostname(target);
        // A single dot says that the service is decidedly not available (RFC 2782).
        if (name.empty() || name == ".") continue;
        services_.push_back(
            Target{.name = name, .port = g_srv_target_get_port(target), .is_pending = true});
    }
    for (std::size_t i = 0; i < services_.size(); ++i) ask_name(i, services_[i].name);
    settle();
}

void RegistrarLookup::ask_name(std::size_t target, const std::string& name) {
    const auto resolver = glib::Ref<GResolver>::adopt(g_resolver_get_default());
    g_resolver_lookup_by_name_async(
        resolver.get(),
        name.c_str(),
        cancel_.get(),
        [](GObject* source, GAsyncResult* result, gpointer data) {
            const std::unique_ptr<Query> query(static_cast<Query*>(data));
            GError* error = nullptr;
            GList* addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(source), result, &error);
            if (const auto lookup = query->lookup.lock())
                walled([&] { (*lookup)->on_name(query->target, addresses, error); });
            g_resolver_free_addresses(addresses);
            g_clear_error(&error);
        },
        new Query{self_, target});
}

void RegistrarLookup::on_name(std::size_t index, GList* addresses, const GError* error) {
    Target& target = index < services_.size() && index != kMaxTargets ? services_[index] : plain_;
    if (!target.is_pending) return;
    target.is_pending = false;
    if (error != nullptr) trouble_ = base::escape_untrusted(error->message, 128);
    for (GList* at = addresses; at != nullptr && target.addresses.size() < kMaxAddresses;
         at = at->next) {
        if (const auto address = address_of(static_cast<GInetAddress*>(at->data), target.port))
            target.addresses.push_back(*address);
    }
    settle();
}

void RegistrarLookup::settle() {
    const auto is_pending = [](const Target& target) { return target.is_pending; };
    if (is_service_pending_ || std::any_of(services_.begin(), services_.end(), is_pending)) return;
    std::vector<SocketAddress> all;
    for (const Target& target : services_)
        all.insert(all.end(), target.addresses.begin(), target.addresses.end());
    if (all.empty()) {
        if (plain_.is_pending) return;
        all = plain_.addresses;
    }
    if (all.empty()) {
        return finish(base::fail(
            base::ErrorCode::NotFound,
            "cannot find " + spec_.host + ": check the name, and the name servers of this machine",
            trouble_));
    }
    if (all.size() > kMaxAddresses) all.resize(kMaxAddresses);
    finish(std::move(all));
}

void RegistrarLookup::finish(base::Result<std::vector<SocketAddress>> result) {
    limit_.cancel();
    self_.reset();
    // The callback may destroy this.
    const Done done = std::exchange(done_, nullptr);
    if (done) done(std::move(result));
}

}  // namespace offhook::signalling::sip

#include "signalling/sip/account.h"

#include <algorithm>
#include <utility>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"

namespace offhook::signalling::sip {
namespace {

using base::kNsPerMs;
using log::Level;
using log::Mark;
using model::AccountState;

/// With addresses at hand, a name server that is slow must not keep us from a path that is back.
constexpr std::chrono::milliseconds kLookupLimit{4'000};
constexpr std::chrono::milliseconds kAgainLimit{500};
/// Some address translations give a new port to each packet: Contact follows only so often.
constexpr int kMaxMoves = 3;
constexpr std::size_t kMaxPastContacts = 4;

/// A user part as a URI writes it (RFC 3261 §25.1).
std::string escaped_user(std::string_view user) {
    constexpr std::string_view kPlain = "-_.!~*'()&=+$,;?/";
    constexpr char kHex[] = "0123456789ABCDEF";
    std::string text;
    for (const char c : user) {
        const bool is_word =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (is_word || kPlain.find(c) != std::string_view::npos) {
            text += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            text += {'%', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return text;
}

std::string uri_host(const std::string& domain) {
    const auto numeric = SocketAddress::parse(domain, 0);
    return numeric ? numeric->uri_host() : domain;
}

std::string proxy_text(const AccountSettings& settings, Proxy proxy) {
    if (proxy == Proxy::Backup) return settings.backup_proxy;
    return settings.outbound_proxy.empty() ? settings.domain : settings.outbound_proxy;
}

Registration::Plan plan_of(const AccountSettings& settings) {
    return {.user = settings.user,
            .domain = settings.domain,
            .expires = settings.expires,
            .switch_back = settings.switch_back,
            .has_backup = !settings.backup_proxy.empty(),
            .is_connection = is_reliable(settings.transport)};
}

}  // namespace

Account::Account(AccountSettings settings, const Surroundings& surroundings, std::uint64_t seed)
    : settings_(std::move(settings)),
      around_(surroundings),
      auth_(settings_.auth_user.empty() ? settings_.user : settings_.auth_user,
            settings_.password,
            settings_.realm),
      client_({.user = escaped_user(settings_.user),
               .domain = uri_host(settings_.domain),
               .instance_id = settings_.instance_id,
               .user_agent = around_.user_agent},
              auth_,
              *around_.transactions),
      registration_(plan_of(settings_), *this, *around_.pacer, seed) {}

Account::~Account() {
    client_.forget();
    for (Held& held : held_) release(held);
}

void Account::start(std::int64_t now_ns) {
    const bool is_checked =
        settings_.transport == Transport::Tls || settings_.transport == Transport::Wss;
    if (settings_.tls.insecure && is_checked) {
        log::write(Level::Warning,
                   Mark::Warning,
                   "account.insecure",
                   {},
                   "account \"" + settings_.name +
                       "\" takes any certificate (insecure = true): whoever is on the way can "
                       "listen in; use ca_file instead",
                   {{"account", settings_.name}});
    }
    registration_.start(now_ns);
}

void Account::stop(std::int64_t now_ns, std::chrono::milliseconds grace) {
    registration_.stop(now_ns, grace);
}

void Account::tick(std::int64_t now_ns) {
    registration_.tick(now_ns);
}

Account::Held* Account::find(FlowId id) {
    const auto found =
        std::find_if(held_.begin(), held_.end(), [&](const Held& held) { return held.id == id; });
    return found == held_.end() ? nullptr : &*found;
}

Account::Held* Account::find(const Flow& flow) {
    const auto found = std::find_if(
        held_.begin(), held_.end(), [&](const Held& held) { return held.flow.get() == &flow; });
    return found == held_.end() ? nullptr : &*found;
}

void Account::open_flow(FlowId id, Proxy proxy) {
    held_.push_back(Held{.id = id, .proxy = proxy});
    Addresses& addresses = addresses_of(proxy);
    if (addresses.is_fresh && addresses.next < addresses.found.size()) return dial(held_.back());
    auto spec = HostSpec::parse(proxy_text(settings_, proxy));
    // The configuration was checked; what is no host is looked up, and not found.
    addresses.spec = spec ? std::move(*spec) : HostSpec{.host = proxy_text(settings_, proxy)};
    held_.back().lookup = std::make_unique<RegistrarLookup>(
        around_.context,
        addresses.spec,
        settings_.transport,
        addresses.found.empty() ? kLookupLimit : kAgainLimit,
        [this, id](base::Result<std::vector<SocketAddress>> found) {
            on_found(id, std::move(found));
        });
}

void Account::on_found(FlowId id, base::Result<std::vector<SocketAddress>> found) {
    Held* held = find(id);
    if (held == nullptr) return;
    Addresses& addresses = addresses_of(held->proxy);
    if (found) addresses.found = std::move(*found);
    addresses.next = 0;
    addresses.is_fresh = true;
    if (!addresses.found.empty()) {
        const auto lookup = std::move(held->lookup);
        return dial(*held);
    }
    const std::string why = found.error().text();
    close_flow(id);
    registration_.on_flow_closed(base::monotonic_ns(), id, why);
    around_.on_change(*this);
}

void Account::dial(Held& held) {
    const Addresses& addresses = addresses_of(held.proxy);
    held.address = addresses.found[addresses.next];
    held.flow = around_.flows->open(FlowTarget{.transport = settings_.transport,
                                               .address = held.address,
                                               .host = addresses.spec.host,
                                               .tls = settings_.tls,
                                               .websocket_path = settings_.websocket_path,
                                               .account = settings_.name,
                                               .keepalive = settings_.keepalive,
                                               .keepalive_timeout = settings_.keepalive_timeout},
                                    *this);
}

void Account::release(Held& held) {
    held.lookup.reset();
    if (!held.flow) return;
    if (held.was_open) around_.on_proxy(held.address, false);
    around_.flows->close(*held.flow);
    held.flow.reset();
}

void Account::close_flow(FlowId id) {
    Held* held = find(id);
    if (held == nullptr) return;
    release(*held);
    std::erase_if(held_, [&](const Held& each) { return each.id == id; });
}

void Account::on_flow_open(Flow& flow) {
    Held* held = find(flow);
    if (held == nullptr) return;
    held->was_open = true;
    around_.on_proxy(held->address, true);
    registration_.on_flow_open(base::monotonic_ns(), held->id);
    around_.on_change(*this);
}

void Account::on_flow_closed(Flow& flow, base::Error why) {
    Held* held = find(flow);
    if (held == nullptr) return;
    const FlowId id = held->id;
    Addresses& addresses = addresses_of(held->proxy);
    if (held->was_open) {
        addresses.is_fresh = false;
    } else {
        ++addresses.next;
    }
    close_flow(id);
    registration_.on_flow_closed(base::monotonic_ns(), id, why.text());
    around_.on_change(*this);
}

std::string Account::contact_of(const Held& held) const {
    const Flow& flow = *held.flow;
    std::string place;
    if (!flow.host_alias().empty()) {
        place = flow.host_alias();
    } else {
        const SocketAddress address = held.seen.value_or(flow.local());
        place = address.uri_host() + ":" + std::to_string(address.port());
    }
    // RFC 7118 §5.2 has "ws" for both; RingCentral's own phones write "wss".
    const std::string_view transport =
        settings_.control_client.empty() ? uri_transport_of(flow.transport()) : "wss";
    return "sip:" + escaped_user(settings_.user) + "@" + place +
           (transport.empty() ? std::string() : ";transport=" + std::string(transport));
}

void Account::send_register(FlowId id, std::chrono::seconds expires) {
    const Held* held = find(id);
    if (held == nullptr || !held->flow) return;
    const std::string contact =
        expires.count() == 0 && !contact_.empty() ? contact_ : contact_of(*held);
    client_.send(Path{held->flow, held->address},
                 around_.paths->via_for(*held->flow),
                 contact,
                 expires,
                 [this, id, contact, expires](const RegisterOutcome& outcome) {
                     on_outcome(id, contact, expires, outcome);
                 });
}

void Account::on_outcome(FlowId id,
                         const std::string& contact,
                         std::chrono::seconds expires,
                         const RegisterOutcome& outcome) {
    const std::int64_t now_ns = base::monotonic_ns();
    const bool is_bound = outcome.answer.status >= 200 && outcome.answer.status < 300 &&
                          expires.count() > 0 && outcome.answer.granted != std::chrono::seconds(0);
    if (is_bound) {
        if (settings_.removes_old_contacts && !contact_.empty() &&
            past_contacts_.size() < kMaxPastContacts) {
            past_contacts_.push_back(contact_);
        }
        std::erase(past_contacts_, contact);
        contact_ = contact;
        service_routes_ = outcome.service_routes;
    }
    registration_.on_answer(now_ns, id, outcome.answer);
    around_.on_change(*this);
    Held* held = find(id);
    if (!is_bound || held == nullptr || !held->flow) return;
    if (outcome.has_outbound) around_.flows->expect_pongs(*held->flow);
    look_at_address(*held, outcome);
    // The place of a flow that is gone would ring, too, until it expires. Not before Contact is
    // settled: there is one REGISTER at a time.
    if (!past_contacts_.empty() && contact_of(*held) == contact) {
        client_.remove(Path{held->flow, held->address},
                       around_.paths->via_for(*held->flow),
                       std::exchange(past_contacts_, {}));
    }
}

void Account::look_at_address(Held& held, const RegisterOutcome& outcome) {
    if (!outcome.seen || !held.flow->host_alias().empty() || held.moves >= kMaxMoves) return;
    const SocketAddress ours = held.seen.value_or(held.flow->local());
    if (*outcome.seen == ours || outcome.seen->family() != ours.family()) return;
    held.seen = outcome.seen;
    ++held.moves;
    registration_.on_contact_changed(base::monotonic_ns(), held.id);
    around_.on_change(*this);
}

const Account::Held* Account::open_flow_in_use() const {
    const FlowId id = registration_.flow();
    const auto found = std::find_if(held_.begin(), held_.end(), [&](const Held& held) {
        return held.id == id && held.flow && held.flow->is_open();
    });
    return found == held_.end() ? nullptr : &*found;
}

std::optional<Path> Account::path() const {
    const Held* held = open_flow_in_use();
    if (held == nullptr) return std::nullopt;
    return Path{held->flow, held->address};
}

std::string Account::contact() const {
    if (const Held* held = open_flow_in_use()) return "<" + contact_of(*held) + ">";
    if (!contact_.empty()) return "<" + contact_ + ">";
    return "<sip:" + escaped_user(settings_.user) + "@" + uri_host(settings_.domain) + ">";
}

std::string Account::identity() const {
    const std::string address =
        "<sip:" + escaped_user(settings_.user) + "@" + uri_host(settings_.domain) + ">";
    if (settings_.display_name.empty()) return address;
    std::string quoted = "\"";
    for (const char c : single_line(settings_.display_name)) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "\" " + address;
}

std::string Account::flow_text(const Held& held) const {
    const Addresses& addresses = addresses_[static_cast<std::size_t>(held.proxy)];
    const std::string transport(name_of(settings_.transport));
    const std::string host = addresses.spec.host;
    if (SocketAddress::parse(host, 0)) return transport + ":" + held.address.text();
    return transport + ":" + host + ":" + std::to_string(held.address.port()) + " (" +
           held.address.host() + ")";
}

model::AccountInfo Account::info() const {
    const std::int64_t shift_ns = base::realtime_ns() - base::monotonic_ns();
    const auto wall = [&](std::int64_t at_ns) { return at_ns == 0 ? 0 : at_ns + shift_ns; };
    model::AccountInfo info;
    info.name = settings_.name;
    info.kind = settings_.kind;
    info.user = settings_.user;
    info.domain = settings_.domain;
    info.state = registration_.state();
    if (const Held* held = open_flow_in_use()) {
        info.flow = flow_text(*held);
        info.local_address = held->flow->local().host();
    }
    info.proxy = name_of(registration_.proxy());
    if (registration_.is_registered()) info.contact = contact_;
    info.registered_ns = wall(registration_.registered_ns());
    info.expires_ns = wall(registration_.expires_ns());
    info.next_try_ns = wall(registration_.next_try_ns());
    info.last_status = registration_.last_status();
    info.last_answer = registration_.last_answer();
    info.registrations = registration_.registrations();
    info.failures = registration_.failures();
    info.flow_losses = registration_.flow_losses();
    info.is_insecure = settings_.tls.insecure && (settings_.transport == Transport::Tls ||
                                                  settings_.transport == Transport::Wss);
    return info;
}

void Account::on_change() {
    log_change();
    around_.on_change(*this);
}

void Account::log_change() {
    const AccountState state = registration_.state();
    const bool was_registered = told_ == AccountState::Registered;
    const std::int64_t now_ns = base::monotonic_ns();
    if (state == AccountState::Registered && !was_registered) {
        std::string text = "account \"" + settings_.name + "\" is registered";
        const std::int64_t away_ms = outage_ns_ == 0 ? 0 : (now_ns - outage_ns_) / kNsPerMs;
        const Held* held = open_flow_in_use();
        log::write(Level::Info,
                   Mark::Ok,
                   "account.registered",
                   {},
                   text,
                   {{"account", settings_.name},
                    {"flow", held == nullptr ? std::string() : flow_text(*held)},
                    {"proxy", name_of(registration_.proxy())},
                    {"expires_s",
                     (registration_.expires_ns() - now_ns + base::kNsPerS / 2) / base::kNsPerS},
                    {"away_ms", away_ms}});
        is_outage_told_ = false;
        outage_ns_ = 0;
    }
    const bool is_away = state != AccountState::Registered && state != AccountState::Unregistered;
    if (is_away && was_registered) outage_ns_ = now_ns;
    if (state == AccountState::Waiting && !is_outage_told_) {
        is_outage_told_ = true;
        log::write(Level::Warning,
                   Mark::Warning,
                   "account.lost",
                   {},
                   "account \"" + settings_.name +
                       "\" is not registered: " + registration_.last_answer() + "; trying again",
                   {{"account", settings_.name},
                    {"status", registration_.last_status()},
                    {"next_try_ms",
                     std::max<std::int64_t>(0, registration_.next_try_ns() - now_ns) / kNsPerMs}});
    }
    if (state == AccountState::Failed && told_ != AccountState::Failed) {
        log::write(Level::Error,
                   Mark::Error,
                   "account.failed",
                   {},
                   "account \"" + settings_.name + "\" gave up: " + registration_.last_answer(),
                   {{"account", settings_.name}, {"status", registration_.last_status()}});
    }
    if (state == AccountState::Unregistered && told_ != state) {
        log::write(Level::Info,
                   Mark::System,
                   "account.unregistered",
                   {},
                   "account \"" + settings_.name + "\" is no longer registered: we stop",
                   {{"account", settings_.name}});
    }
    // A try in between is no news.
    const bool is_trying = state == AccountState::Connecting || state == AccountState::Registering;
    if (!is_trying) told_ = state;
}

}  // namespace offhook::signalling::sip

#include "signalling/sip/agent_core.h"

#include <netinet/in.h>

#include "base/log.h"
#include "signalling/sip/unreadable.h"

namespace offhook::signalling::sip {
namespace {

constexpr std::uint32_t kMaxRefusalsPerSecond = 50;
constexpr std::size_t kMaxTextBytes = 256;

bool is_loopback(const sockaddr* address) {
    if (address->sa_family == AF_INET) {
        return (ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr) >> 24) == 127;
    }
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

SipSettings completed(SipSettings settings) {
    if (!settings.allow) settings.allow = is_loopback;
    return settings;
}

}  // namespace

AgentCore::AgentCore(GMainContext* context,
                     SipSettings settings,
                     base::Executor& control,
                     model::SignallingEvents& events,
                     SipCounters& counters,
                     FlowEvents& flow_events)
    : context_(context),
      settings_(completed(std::move(settings))),
      control_(control),
      events_(events),
      counters_(counters),
      flow_events_(flow_events),
      wire_(settings_.wire_tap),
      tcp_(context,
           flow_events,
           TcpLimits{.max_connections = settings_.max_connections,
                     .max_per_source = settings_.max_connections_per_source,
                     .idle = settings_.tcp_idle,
                     .incomplete = settings_.tcp_incomplete},
           settings_.dscp),
      paths_(wire_, tcp_, accounts_, settings_.advertise, settings_.allow),
      transactions_(
          context,
          SipTimers{settings_.t1, settings_.t2, settings_.t4},
          Transactions::Limits{.max_live = settings_.max_transactions},
          [this](const Path& path, std::string_view bytes) { return paths_.deliver(path, bytes); },
          [this] { publish_sizes(dialogs_); }),
      sender_(transactions_, accounts_) {}

base::Result<void> AgentCore::listen() {
    for (const std::string& text : settings_.listen) {
        auto spec = ListenSpec::parse(text);
        if (!spec) return tl::unexpected(std::move(spec.error()));
        if (spec->transport == Transport::Udp) {
            auto socket = UdpSocket::open(*spec, context_, flow_events_, settings_.dscp);
            if (!socket) return tl::unexpected(std::move(socket.error()));
            listening_.push_back((*socket)->spec());
            udp_.push_back(std::move(*socket));
        } else {
            auto bound = tcp_.listen(*spec);
            if (!bound) return tl::unexpected(std::move(bound.error()));
            listening_.push_back(*bound);
        }
    }
    return {};
}

std::vector<std::string> AgentCore::listeners() const {
    std::vector<std::string> all;
    for (const ListenSpec& spec : listening_) {
        all.push_back(std::string(name_of(spec.transport)) + ":" + spec.address.text());
    }
    return all;
}

void AgentCore::respond(const Request& request, int status, Headers headers) {
    if (status >= 400 && request.keys.method == "INVITE" && request.keys.to_tag.empty()) {
        const auto reason = static_cast<std::size_t>(model::refused_with(status));
        SipCounters::count(counters_.refused[reason]);
        tell_refused(request, status);
    }
    respond(request.keys.transaction,
            {.status = status,
             .to_tag = status == 100 ? std::string() : random_token(),
             .headers = std::move(headers)});
}

void AgentCore::tell_refused(const Request& request, int status) {
    const osip_message_t& message = request.message;
    model::RefusedInvite refused;
    refused.status = status;
    refused.account = request.path.flow->account();
    refused.sip_call_id = request.keys.call_id.substr(0, kMaxTextBytes);
    if (message.from != nullptr && message.from->url != nullptr)
        refused.from_uri = text_of(message.from->url).substr(0, kMaxTextBytes);
    if (message.req_uri != nullptr)
        refused.to_uri = text_of(message.req_uri).substr(0, kMaxTextBytes);
    refused.peer = std::string(name_of(request.received.flow->transport())) + ":" +
                   request.received.from.text();
    refused.user_agent = std::string(header_of(message, "user-agent").substr(0, kMaxTextBytes));
    post([refused = std::move(refused)](model::SignallingEvents& events) {
        events.on_refused(refused);
    });
}

void AgentCore::respond_busy(const Request& request) {
    respond(request, 503, {{"Retry-After", std::to_string(settings_.retry_after.count())}});
}

std::string AgentCore::respond(const std::string& transaction, const Answer& answer) {
    const osip_message_t* request = transactions_.request_of(transaction);
    if (request == nullptr) return {};
    UniqueMessage response =
        make_response(*request,
                      answer.status,
                      single_line(answer.reason),
                      answer.to_tag,
                      answer.status == 100 ? std::string() : settings_.user_agent);
    if (answer.status > 100 && answer.status < 300) {
        osip_list_clone(&request->record_routes,
                        &response->record_routes,
                        reinterpret_cast<int (*)(void*, void**)>(&osip_record_route_clone));
    }
    for (const auto& [name, value] : answer.headers) {
        if (name == "Contact") {
            osip_message_set_contact(response.get(), value.c_str());
        } else {
            add_header(*response, name.c_str(), value);
        }
    }
    if (!answer.content_type.empty()) set_body(*response, answer.content_type, answer.body);
    return transactions_.respond(transaction, std::move(response));
}

void AgentCore::post(std::function<void(model::SignallingEvents&)> event) {
    control_.post([&events = events_, event = std::move(event)] { event(events); });
}

void AgentCore::repeat(const Path& path, std::string_view bytes) {
    ++repeats_;
    (void)paths_.deliver(path, bytes);
}

void AgentCore::publish_sizes(std::size_t dialogs) {
    dialogs_ = dialogs;
    SipCounters::set(counters_.dialogs, dialogs);
    SipCounters::set(counters_.transactions, transactions_.live() + transactions_.retired());
    SipCounters::set(counters_.retransmissions, transactions_.retransmissions() + repeats_);
}

bool AgentCore::admit(const SocketAddress& from) {
    if (settings_.allow(from.raw())) return true;
    SipCounters::count(counters_.refused_sources);
    ++unlogged_refused_;
    log_soon();
    return false;
}

void AgentCore::count_malformed(const SocketAddress& from, std::string_view why) {
    SipCounters::count(counters_.malformed);
    ++unlogged_malformed_;
    last_malformed_ = std::string(why) + ", from " + from.text();
    log_soon();
}

void AgentCore::refuse_unreadable(const Received& received, std::string_view why) {
    count_malformed(received.from, why);
    // To where it came from, not to what its Via says; and a flood is not answered.
    if (++refusals_ > kMaxRefusalsPerSecond) return;
    if (const auto answer = answer_unreadable(received.bytes, settings_.user_agent))
        (void)wire_.send(*received.flow, *answer, received.from);
}

void AgentCore::log_soon() {
    if (log_timer_.is_armed()) return;
    log_timer_.once(context_, std::chrono::seconds(1), [this] { flush_log(); });
}

void AgentCore::flush_log() {
    log::write(log::Level::Warning,
               log::Mark::Warning,
               "sip.refused",
               {},
               "input refused in the last second",
               {{"malformed", unlogged_malformed_},
                {"last_malformed", last_malformed_},
                {"outside_allow", unlogged_refused_}});
    unlogged_malformed_ = 0;
    unlogged_refused_ = 0;
    last_malformed_.clear();
    refusals_ = 0;
    log_timer_.cancel();
}

}  // namespace offhook::signalling::sip

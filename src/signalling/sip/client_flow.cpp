#include "signalling/sip/client_flow.h"

#include <utility>

#include "signalling/sip/client_flow_kind.h"

namespace offhook::signalling::sip {

ClientFlow::ClientFlow(
    GMainContext* context, const FlowTarget& target, int dscp, FlowEvents& messages, Report report)
    : context_(context),
      target_(target),
      dscp_(dscp),
      messages_(messages),
      report_(std::move(report)) {
    if (target_.host.empty()) target_.host = target_.address.host();
    if (target_.tls.server_name.empty()) target_.tls.server_name = target_.host;
}

void ClientFlow::close() {
    if (std::exchange(state_, State::Closed) == State::Closed) return;
    report_ = nullptr;
    shut();
}

bool ClientFlow::is_insecure() const {
    return target_.tls.insecure &&
           (target_.transport == Transport::Tls || target_.transport == Transport::Wss);
}

void ClientFlow::opened(const SocketAddress& local) {
    local_ = local;
    state_ = State::Open;
    report_(*this, std::nullopt);
}

void ClientFlow::lost(base::Error why) {
    if (std::exchange(state_, State::Closed) == State::Closed) return;
    const auto keep = shared_from_this();
    shut();
    std::exchange(report_, nullptr)(*this, std::move(why));
}

void ClientFlow::received(std::string_view message) {
    messages_.on_message(Received{shared_from_this(), target_.address, message});
}

void ClientFlow::malformed(std::string_view why) {
    messages_.on_malformed(target_.address, why);
}

glib::DialOptions ClientFlow::dial_options() const {
    glib::DialOptions options;
    options.address = target_.address.storage;
    options.length = target_.address.length;
    options.timeout = ClientFlows::kConnectTimeout;
    options.user_timeout = target_.keepalive_timeout;
    options.dscp = dscp_;
    if (target_.transport == Transport::Tls || target_.transport == Transport::Wss) {
        options.tls = glib::TlsCheck{.server_name = target_.tls.server_name,
                                     .ca_file = target_.tls.ca_file,
                                     .insecure = target_.tls.insecure};
    }
    return options;
}

std::chrono::milliseconds ClientFlow::next_keepalive() const {
    const double share = g_random_double_range(0.8, 1.0);
    return std::chrono::milliseconds(
        static_cast<std::int64_t>(static_cast<double>(target_.keepalive.count()) * share));
}

ClientFlows::ClientFlows(GMainContext* context, FlowEvents& messages, int dscp)
    : context_(context), messages_(messages), dscp_(dscp) {}

ClientFlows::~ClientFlows() {
    for (auto& [key, entry] : entries_) entry.flow->close();
}

std::shared_ptr<ClientFlow> ClientFlows::make(const FlowTarget& target) {
    const auto tell = [this](ClientFlow& flow, std::optional<base::Error> lost) {
        report({std::static_pointer_cast<ClientFlow>(flow.shared_from_this()), std::move(lost)});
    };
    if (target.transport == Transport::Udp) {
        return make_udp_client_flow(context_, target, dscp_, messages_, tell);
    }
    if (is_websocket(target.transport)) {
        return make_ws_client_flow(context_, target, dscp_, messages_, tell);
    }
    return make_stream_client_flow(context_, target, dscp_, messages_, tell);
}

std::shared_ptr<Flow> ClientFlows::open(const FlowTarget& target, ClientFlowEvents& events) {
    auto flow = make(target);
    entries_[flow.get()] = Entry{flow, &events};
    flow->start();
    return flow;
}

void ClientFlows::close(Flow& flow) {
    const auto found = entries_.find(&flow);
    if (found == entries_.end()) return;
    const auto closing = std::move(found->second.flow);
    entries_.erase(found);
    closing->close();
}

void ClientFlows::expect_pongs(Flow& flow) {
    const auto found = entries_.find(&flow);
    if (found != entries_.end()) found->second.flow->expect_pongs();
}

void ClientFlows::report(Report report) {
    reports_.push_back(std::move(report));
    if (!teller_.is_armed()) {
        teller_.once(context_, std::chrono::milliseconds(0), [this] { tell(); });
    }
}

void ClientFlows::tell() {
    while (!reports_.empty()) {
        const Report report = std::move(reports_.front());
        reports_.pop_front();
        const auto found = entries_.find(report.flow.get());
        if (found == entries_.end()) continue;  // closed meanwhile
        ClientFlowEvents& events = *found->second.events;
        if (!report.lost) {
            // Lost again before anybody heard that it was open: that report follows.
            if (report.flow->is_open()) events.on_flow_open(*report.flow);
            continue;
        }
        entries_.erase(found);
        events.on_flow_closed(*report.flow, *report.lost);
    }
}

}  // namespace offhook::signalling::sip

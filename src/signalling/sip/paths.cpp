#include "signalling/sip/paths.h"

namespace offhook::signalling::sip {

bool Paths::deliver(const Path& path, std::string_view bytes) {
    if (path.flow->is_open() && wire_.send(*path.flow, bytes, path.to)) return true;
    if (const auto account = path.flow->account(); !account.empty()) {
        // The registered flow was lost and found: what was due on the old one goes on the new one.
        AccountPort* port = accounts_.find(account);
        const auto current = port == nullptr ? std::nullopt : port->path();
        return current && current->flow != path.flow && current->flow->is_open() &&
               wire_.send(*current->flow, bytes, current->to);
    }
    if (path.flow->transport() != Transport::Tcp) return false;
    const auto flow = tcp_.flow_to(path.to);
    return flow && wire_.send(*flow, bytes, path.to);
}

Path Paths::for_dialog(const Dialog& dialog) const {
    if (AccountPort* port = accounts_.find(dialog.account)) {
        if (auto current = port->path()) return *current;
        return dialog.path;
    }
    Path path = dialog.path;
    if (is_reliable(path.flow->transport()) && path.flow->is_open()) return path;
    const UniqueUri uri = parse_uri(dialog.next_hop());
    if (!uri) return path;
    // A Contact that names a host, or one that we would not hear anyway: back the way the call
    // came. It also keeps a peer from aiming our BYE at somebody else.
    const auto target = address_of(*uri);
    if (target && target->family() == path.to.family() && allow_(target->raw())) path.to = *target;
    return path;
}

std::string Paths::host_port_for(const Flow& flow) const {
    if (!flow.host_alias().empty()) return std::string(flow.host_alias());
    const SocketAddress local = flow.local();
    std::string host = local.uri_host();
    if (!advertise_.empty()) {
        const auto numeric = SocketAddress::parse(advertise_, 0);
        host = numeric ? numeric->uri_host() : advertise_;
    }
    return host + ":" + std::to_string(local.port());
}

std::string Paths::via_for(const Flow& flow) const {
    return "SIP/2.0/" + std::string(via_name_of(flow.transport())) + ' ' + host_port_for(flow);
}

std::string Paths::contact_for(const Flow& flow) const {
    if (AccountPort* port = accounts_.find(flow.account())) return port->contact();
    const std::string_view transport = uri_transport_of(flow.transport());
    return "<sip:offhook@" + host_port_for(flow) +
           (transport.empty() ? std::string() : ";transport=" + std::string(transport)) + ">";
}

}  // namespace offhook::signalling::sip

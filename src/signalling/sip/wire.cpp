#include "signalling/sip/wire.h"

#include "base/monotonic.h"

namespace offhook::signalling::sip {

void Wire::received(const Received& message) const {
    if (tap_) tell(true, *message.flow, message.from, message.bytes);
}

bool Wire::send(Flow& flow, std::string_view bytes, const SocketAddress& to) const {
    if (!flow.send(bytes, to)) return false;
    if (tap_) tell(false, flow, to, bytes);
    return true;
}

void Wire::tell(bool is_inbound,
                const Flow& flow,
                const SocketAddress& remote,
                std::string_view bytes) const {
    tap_({.is_inbound = is_inbound,
          .realtime_ns = base::realtime_ns(),
          .transport = std::string(name_of(flow.transport())),
          .local = flow.local().text(),
          .remote = remote.text(),
          .text = std::string(bytes)});
}

}  // namespace offhook::signalling::sip

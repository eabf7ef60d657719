#include "call/call.h"

#include "base/escape.h"
#include "base/monotonic.h"

namespace offhook::call {

Call::Call(model::IncomingCall incoming) : id(incoming.id), incoming_ns(base::monotonic_ns()) {
    const auto safe = [](const std::string& text) { return base::escape_untrusted(text); };
    info.id = incoming.id;
    info.sip_call_id = safe(incoming.sip_call_id);
    info.from = safe(incoming.from_uri);
    info.to = safe(incoming.to_uri);
    info.peer = safe(incoming.peer);
    info.user_agent = safe(incoming.user_agent);
    quirks = incoming.quirks;
    local_address = std::move(incoming.local_address);
    info.created_ns = base::realtime_ns();
    session_id = std::to_string(info.created_ns / base::kNsPerUs);
}

void Call::update_state() {
    if (answered_ns != 0)
        info.state = is_held() ? model::CallState::Held : model::CallState::Answered;
}

}  // namespace offhook::call

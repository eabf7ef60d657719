#pragma once

#include <string_view>

#include "model/wire_tap.h"
#include "signalling/sip/flow.h"

namespace offhook::signalling::sip {

/// The one place where each message passes, in and out, whatever its flow: for those who watch the
/// wire.
/// @thread sip
class Wire {
public:
    /// @param tap  may be null: nobody watches, and nothing is copied
    explicit Wire(model::SipWireTap tap) : tap_(std::move(tap)) {}

    void received(const Received& message) const;
    /// `Flow::send`; told when it left.
    bool send(Flow& flow, std::string_view bytes, const SocketAddress& to) const;

private:
    void tell(bool is_inbound,
              const Flow& flow,
              const SocketAddress& remote,
              std::string_view bytes) const;

    model::SipWireTap tap_;
};

}  // namespace offhook::signalling::sip

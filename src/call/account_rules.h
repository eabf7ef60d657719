#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "call/outbound_policy.h"
#include "model/codec.h"
#include "model/leg_kind.h"
#include "model/srtp.h"

namespace offhook::call {

/// What the call room has to know of an account.
struct AccountRules {
    std::string uri;                   ///< "sip:101@pbx.example.com": who calls
    std::string domain;                ///< completes a number that is called
    std::string route;                 ///< what its calls are made of; empty: as the [[route]]s say
    std::vector<model::Codec> codecs;  ///< empty: those of [rtp]
    OutboundRules outbound;
    std::optional<std::chrono::milliseconds> answer_delay{};  ///< empty: that of [sip]
    std::optional<model::SrtpPolicy> srtp{};                  ///< empty: that of [rtp]
    model::LegKind media = model::LegKind::Phone;             ///< what we offer on it
    std::string local_address;  ///< numeric, our side of its flow; empty: not known
};

/// Empty when there is no account of that name. @thread control
using AccountLookup = std::function<std::optional<AccountRules>(const std::string& name)>;

}  // namespace offhook::call

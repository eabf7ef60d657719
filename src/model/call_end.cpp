#include "model/call_end.h"

#include <array>
#include <utility>

namespace offhook::model {
namespace {

struct ReasonFacts {
    EndReason reason;
    std::string_view name;
    EndClass end_class;
};

constexpr std::array<ReasonFacts, 17> kReasons{{
    {EndReason::CallerHangup, "caller-hangup", EndClass::Success},
    {EndReason::CallerCancelled, "caller-cancelled", EndClass::Caller},
    {EndReason::ApiHangup, "api-hangup", EndClass::Success},
    {EndReason::AiHangup, "ai-hangup", EndClass::Success},
    {EndReason::Drained, "drained", EndClass::Policy},
    {EndReason::RtpTimeout, "rtp-timeout", EndClass::Caller},
    {EndReason::AckTimeout, "ack-timeout", EndClass::Caller},
    {EndReason::NoRoute, "no-route", EndClass::Config},
    {EndReason::NotAcceptable, "not-acceptable", EndClass::Caller},
    {EndReason::Malformed, "malformed", EndClass::Caller},
    {EndReason::UnsupportedMedia, "unsupported-media", EndClass::Caller},
    {EndReason::BadExtension, "bad-extension", EndClass::Caller},
    {EndReason::LimitCalls, "limit-calls", EndClass::Policy},
    {EndReason::LimitPorts, "limit-ports", EndClass::Policy},
    {EndReason::TransportLost, "transport-lost", EndClass::Upstream},
    {EndReason::PipelineError, "pipeline-error", EndClass::Internal},
    {EndReason::InternalError, "internal-error", EndClass::Internal},
}};

const ReasonFacts& facts_of(EndReason reason) noexcept {
    for (const ReasonFacts& facts : kReasons) {
        if (facts.reason == reason) return facts;
    }
    return kReasons.back();
}

}  // namespace

std::string_view name_of(EndClass end_class) noexcept {
    switch (end_class) {
        case EndClass::Success:
            return "success";
        case EndClass::Caller:
            return "caller";
        case EndClass::Config:
            return "config";
        case EndClass::Policy:
            return "policy";
        case EndClass::Upstream:
            return "upstream";
        case EndClass::Internal:
            break;
    }
    return "internal";
}

std::string_view name_of(EndReason reason) noexcept {
    return facts_of(reason).name;
}

EndClass class_of(EndReason reason) noexcept {
    return facts_of(reason).end_class;
}

CallEnd ended(EndReason reason, std::string detail) {
    return CallEnd{class_of(reason), reason, std::move(detail)};
}

}  // namespace offhook::model

#pragma once

#include <memory>
#include <optional>

#include "base/error.h"
#include "model/srtp_agreement.h"
#include "srtp/srtp_inbound.h"
#include "srtp/srtp_outbound.h"

namespace offhook::session {

/// What a leg's worker protects and opens packets with; both are null for plain RTP.
struct SrtpPair {
    std::shared_ptr<srtp::SrtpOutbound> outbound;
    std::shared_ptr<srtp::SrtpInbound> inbound;
};

/// Makes a leg's SRTP contexts from what signalling agreed on, again with each re-INVITE: a context
/// whose key did not change goes on (its rollover counter and replay window with it), also one that
/// comes back because the re-INVITE between was cancelled.
/// @thread control; the contexts themselves belong to the worker and are only passed on from here
class SrtpContexts {
public:
    /// @return the pair in force from now on
    /// @errors Internal: OpenSSL refused; the old pair stays in force
    [[nodiscard]] base::Result<SrtpPair> update(const std::optional<model::SrtpAgreement>& agreed);

private:
    struct Inbound {
        model::SrtpSuite suite{};
        model::SrtpKey key;
        std::shared_ptr<srtp::SrtpInbound> context;
    };
    [[nodiscard]] std::shared_ptr<srtp::SrtpInbound> known(
        const model::SrtpAgreement& agreed) const;

    std::optional<model::SrtpAgreement> agreed_;
    std::shared_ptr<srtp::SrtpOutbound> outbound_;
    Inbound current_;
    Inbound previous_;
};

}  // namespace offhook::session

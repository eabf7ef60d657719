#include "session/srtp_contexts.h"

#include <utility>

namespace offhook::session {

std::shared_ptr<srtp::SrtpInbound> SrtpContexts::known(const model::SrtpAgreement& agreed) const {
    for (const Inbound* one : {&current_, &previous_}) {
        if (one->context && one->suite == agreed.suite && one->key == agreed.remote)
            return one->context;
    }
    return nullptr;
}

base::Result<SrtpPair> SrtpContexts::update(const std::optional<model::SrtpAgreement>& agreed) {
    if (!agreed) {
        agreed_.reset();
        outbound_.reset();
        current_ = previous_ = {};
        return SrtpPair{};
    }
    auto outbound = outbound_;
    const bool sends_on =
        agreed_ && agreed_->suite == agreed->suite && agreed_->local == agreed->local;
    if (!sends_on) {
        auto made = srtp::SrtpOutbound::create(agreed->suite, agreed->local);
        if (!made) return tl::unexpected(made.error());
        outbound = std::make_shared<srtp::SrtpOutbound>(std::move(*made));
    }
    auto inbound = known(*agreed);
    if (!inbound) {
        auto made = srtp::SrtpInbound::create(agreed->suite, agreed->remote);
        if (!made) return tl::unexpected(made.error());
        inbound = std::make_shared<srtp::SrtpInbound>(std::move(*made));
    }
    if (inbound != current_.context)
        previous_ = std::exchange(current_, {agreed->suite, agreed->remote, inbound});
    outbound_ = outbound;
    agreed_ = agreed;
    return SrtpPair{std::move(outbound), std::move(inbound)};
}

}  // namespace offhook::session

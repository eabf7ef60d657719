#include "media/phone_leg.h"

#include <sys/socket.h>

#include <utility>

namespace offhook::media {

using session::Endpoint;
using session::RtpSession;

namespace {

Endpoint local_of(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
    return Endpoint::from(address, size);
}

}  // namespace

base::Result<std::unique_ptr<PhoneLeg>> PhoneLeg::create(Parts parts) {
    const model::ChosenAudio& chosen = parts.chosen;
    auto session = std::make_shared<RtpSession>(
        std::move(parts.sockets),
        RtpSession::Settings{.codec = chosen.codec,
                             .payload_type = chosen.payload_type,
                             .telephone_event_type = chosen.telephone_event_type,
                             .telephone_event_clock_hz = chosen.telephone_event_clock_hz,
                             .comfort_noise_type = chosen.comfort_noise_type,
                             .codec_settings = parts.codec_settings,
                             .rtcp_mux = chosen.rtcp_mux,
                             .quirks = parts.quirks,
                             .cname = parts.id.text,
                             .gap_limit_ns = std::chrono::nanoseconds(parts.gap_limit).count()});
    auto chains = LegChains::build({.name = parts.id.text,
                                    .session = session,
                                    .chosen = chosen,
                                    .launch = std::move(parts.launch),
                                    .fill = std::move(parts.fill),
                                    .worker = parts.worker,
                                    .bus = parts.bus});
    if (!chains) return tl::unexpected(chains.error());
    return std::unique_ptr<PhoneLeg>(
        new PhoneLeg(std::move(session), std::move(parts.worker), std::move(*chains)));
}

PhoneLeg::PhoneLeg(std::shared_ptr<RtpSession> session,
                   std::shared_ptr<worker::MediaWorker> worker,
                   std::unique_ptr<LegChains> chains)
    : session_(std::move(session)), worker_(std::move(worker)), chains_(std::move(chains)) {}

base::Result<void> PhoneLeg::set_remote(const model::RemoteAudio& remote) {
    const auto rtp = Endpoint::make(remote.address, remote.rtp_port);
    if (!rtp) return tl::unexpected(rtp.error());
    const auto rtcp = Endpoint::make(remote.address, remote.rtcp_port);
    announced_ = *rtp;
    worker_->post(
        [session = session_, rtp = *rtp, rtcp = *rtcp] { session->set_remote(rtp, rtcp); });
    return {};
}

base::Result<void> PhoneLeg::set_srtp(const std::optional<model::SrtpAgreement>& agreed) {
    auto pair = srtp_.update(agreed);
    if (!pair) return tl::unexpected(pair.error());
    worker_->post([session = session_, pair = *pair] { session->set_srtp(pair); });
    srtp_suite_ = agreed ? model::facts_of(agreed->suite).name : std::string_view();
    return {};
}

model::LegPath PhoneLeg::path() const {
    model::LegPath path;
    path.srtp_cipher = srtp_suite_;
    const Endpoint local = local_of(session_->sockets().rtp_fd());
    if (local.is_set()) path.local.push_back({.address = local.host(), .port = local.port()});
    if (announced_.is_set())
        path.remote.push_back({.address = announced_.host(), .port = announced_.port()});
    const Endpoint source = session::source_of(counters().remote_source);
    if (!source.is_set() || path.local.empty()) return path;
    if (!(source == announced_)) {
        path.remote.push_back({.address = source.host(),
                               .port = source.port(),
                               .type = model::PathCandidate::Type::PeerReflexive});
    }
    path.selected_local = 0;
    path.selected_remote = path.remote.size() - 1;
    path.pair_changes = model::LegCounters::get(counters().remote_source.changes);
    return path;
}

}  // namespace offhook::media

#include "call/phone_media.h"

#include <utility>

#include "base/log.h"

namespace offhook::call {

using log::Level;
using log::Mark;
using model::EndReason;

namespace {

model::Direction direction_of(bool sends, bool receives) {
    return sends ? (receives ? model::Direction::SendRecv : model::Direction::SendOnly)
                 : (receives ? model::Direction::RecvOnly : model::Direction::Inactive);
}

}  // namespace

PhoneMedia::PhoneMedia(Parts parts)
    : parts_(std::move(parts)),
      ports_(parts_.config->rtp.first_port, parts_.config->rtp.last_port, parts_.config->rtp.dscp) {
}

media::PhoneLeg& PhoneMedia::leg_of(Call& call) {
    return static_cast<media::PhoneLeg&>(*call.leg);
}

std::optional<Refusal> PhoneMedia::reserve(Call& call, const model::RemoteSdp* offer) {
    const config::Rtp& rtp = parts_.config->rtp;
    auto address = media::choose_media_address(
        {.configured = rtp.address,
         .advertise = rtp.advertise,
         .learned = parts_.learned_address ? parts_.learned_address() : std::string(),
         .flow_local = call.local_address,
         .remote = offer ? offer->audio.address : std::string()});
    if (!address) return not_acceptable(address.error().text());
    call.phone.address = std::move(*address);
    auto sockets = ports_.open(call.phone.address.bind);
    if (!sockets) {
        return Refusal{503,
                       "Service Unavailable",
                       model::ended(EndReason::LimitPorts, sockets.error().text()),
                       true};
    }
    call.phone.port = sockets->port();
    call.phone.sockets = std::move(*sockets);
    return std::nullopt;
}

std::optional<Refusal> PhoneMedia::build(Call& call, const model::RemoteSdp& said) {
    if (said.audio.rtp_port == 0) return not_acceptable("no audio that we speak was offered");
    model::RemoteSdp remote = said;
    const auto agreed = agree_on_srtp(call, remote);
    if (!agreed) return not_acceptable(agreed.error().text());
    if (!call.phone.address.reaches(remote.audio.address)) {
        return not_acceptable("the peer's media address is of another IP version than our offer's");
    }
    const auto chosen = model::choose_codec(remote.audio, call.codecs);
    if (!chosen) return not_acceptable("no codec of ours was offered");
    auto worker = parts_.workers->pick();
    call.info.worker = worker->stats().index;
    auto leg = media::PhoneLeg::create(
        {.id = call.id,
         .sockets = std::move(call.phone.sockets),
         .chosen = *chosen,
         .codec_settings = {.opus_complexity = parts_.config->rtp.opus_complexity,
                            .opus_bitrate_bps = parts_.config->rtp.opus_bitrate_bps},
         .quirks = call.quirks,
         .gap_limit = std::chrono::milliseconds(parts_.config->alarm.rtp_gap_ms),
         .launch = call.launch,
         .fill = call.info.fill,
         .worker = worker,
         .bus = parts_.bus});
    if (!leg) {
        parts_.workers->give_back(*worker);
        return Refusal{500,
                       "Server Internal Error",
                       model::ended(EndReason::PipelineError, leg.error().text()),
                       false};
    }
    call.leg = std::move(*leg);
    if (auto applied = apply_srtp(call, *agreed); !applied)
        return not_acceptable(applied.error().text());
    call.phone.rtcp_mux = chosen->rtcp_mux;
    call.info.codec = model::facts_of(chosen->codec).name;
    apply_remote(call, remote);
    return std::nullopt;
}

base::Result<void> PhoneMedia::renegotiate(Call& call, const model::RemoteSdp& said) {
    model::RemoteSdp remote = said;
    const auto agreed = agree_on_srtp(call, remote);
    if (!agreed) {
        log::write(
            Level::Warning, Mark::Warning, "call.no_srtp", call.id.text, agreed.error().text());
        return tl::unexpected(agreed.error());
    }
    const bool is_usable =
        remote.audio.rtp_port != 0 && call.phone.address.reaches(remote.audio.address);
    const auto chosen =
        is_usable ? model::choose_codec(remote.audio, {call.leg->chosen().codec}) : std::nullopt;
    if (!chosen)
        return base::fail(base::ErrorCode::Unsupported,
                          "it has no audio that this call could go on with");
    if (auto applied = apply_srtp(call, *agreed); !applied) return applied;
    call.phone.rtcp_mux = chosen->rtcp_mux;
    leg_of(call).renegotiate(*chosen);
    apply_remote(call, remote);
    return {};
}

model::SrtpPolicy PhoneMedia::policy_of(const Call& call) const {
    return call.phone.srtp_policy.value_or(parts_.config->rtp.srtp);
}

base::Result<std::optional<model::SrtpAgreement>> PhoneMedia::agree_on_srtp(
    const Call& call, model::RemoteSdp& remote) const {
    const model::SrtpPolicy policy = policy_of(call);
    const auto& offered = call.phone.srtp_offered;
    return offered ? model::agree_on_answer(remote.audio, *offered, policy)
                   : model::agree_on_offer(remote, policy, call.phone.srtp);
}

base::Result<void> PhoneMedia::apply_srtp(Call& call,
                                          const std::optional<model::SrtpAgreement>& agreed) {
    if (auto set = leg_of(call).set_srtp(agreed); !set) return set;
    const bool is_new = agreed.has_value() && !call.phone.srtp;
    call.phone.srtp = agreed;
    call.phone.srtp_offered.reset();
    const auto starts_with = [&](std::string_view transport) {
        return call.info.peer.compare(0, transport.size(), transport) == 0;
    };
    call.info.srtp = agreed ? model::facts_of(agreed->suite).name : std::string_view();
    call.info.srtp_key_exchange_protected =
        agreed.has_value() && (starts_with("tls:") || starts_with("wss:"));
    if (is_new && !call.info.srtp_key_exchange_protected) {
        log::write(Level::Info,
                   Mark::Call,
                   "call.srtp_keys_in_the_clear",
                   call.id.text,
                   "the keys of SRTP came over a transport without TLS: whoever reads that reads "
                   "the sound",
                   {{"peer", call.info.peer}});
    }
    return {};
}

void PhoneMedia::apply_remote(Call& call, const model::RemoteSdp& remote) {
    call.phone.offered_lines = remote.lines;
    call.remote_direction = remote.audio.direction;
    // Old-style hold (c=0.0.0.0) names no address: whom we heard so far stays the peer.
    const bool names_address = remote.audio.address != "0.0.0.0" && remote.audio.address != "::";
    const auto set = names_address ? leg_of(call).set_remote(remote.audio) : base::Result<void>();
    if (!set) {
        log::write(
            Level::Warning, Mark::Warning, "call.bad_address", call.id.text, set.error().text());
    }
}

model::LocalSdp PhoneMedia::offer(Call& call) const {
    model::LocalSdp sdp =
        local_sdp(call, model::offer_formats(call.codecs), model::Direction::SendRecv);
    const model::SrtpPolicy policy = policy_of(call);
    // Without random bytes there is no key to offer; a peer that needs one then refuses.
    sdp.crypto =
        model::crypto_to_offer(policy, std::nullopt).value_or(std::vector<model::SdpCrypto>{});
    sdp.protocol = model::profile_to_offer(policy);
    call.phone.srtp_offered = sdp.crypto;
    return sdp;
}

model::LocalSdp PhoneMedia::answer(Call& call) const {
    const model::Direction asked = model::mirrored(call.remote_direction);
    const model::Direction ours = call.wanted_direction();
    return local_sdp(call,
                     model::answer_formats(call.leg->chosen()),
                     direction_of(model::sends(asked) && model::sends(ours),
                                  model::receives(asked) && model::receives(ours)));
}

model::LocalSdp PhoneMedia::reoffer(Call& call) const {
    return local_sdp(call, model::answer_formats(call.leg->chosen()), call.wanted_direction());
}

model::LocalSdp PhoneMedia::local_sdp(Call& call,
                                      std::vector<model::SdpFormat> formats,
                                      model::Direction direction) const {
    std::vector<model::SdpCrypto> crypto;
    if (call.phone.srtp) crypto.push_back(call.phone.srtp->local_crypto());
    return {.session_id = call.session_id,
            .version = call.phone.sdp_version++,
            .address = call.phone.address.advertise,
            .rtp_port = call.phone.port,
            .direction = direction,
            .formats = std::move(formats),
            .rtcp_mux = call.phone.rtcp_mux,
            .crypto = std::move(crypto),
            .lines = call.phone.offered_lines,
            .web_text = {}};
}

}  // namespace offhook::call

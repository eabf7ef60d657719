#include "call/call_media.h"

#include <utility>

#include "base/log.h"
#include "base/monotonic.h"

namespace offhook::call {

using log::Level;
using log::Mark;
using model::EndReason;

namespace {

Refusal not_acceptable(std::string why) {
    return Refusal{
        488, "Not Acceptable Here", model::ended(EndReason::NotAcceptable, std::move(why)), false};
}

model::Direction direction_of(bool sends, bool receives) {
    return sends ? (receives ? model::Direction::SendRecv : model::Direction::SendOnly)
                 : (receives ? model::Direction::RecvOnly : model::Direction::Inactive);
}

// Who holds asks for nothing and goes on sending (RFC 3264 §8.4).
model::Direction wanted(const Call& call) {
    return call.is_holding ? model::Direction::SendOnly : model::Direction::SendRecv;
}

}  // namespace

CallMedia::CallMedia(Parts parts)
    : parts_(std::move(parts)),
      ports_(parts_.config->rtp.first_port, parts_.config->rtp.last_port, parts_.config->rtp.dscp) {
}

std::optional<Refusal> CallMedia::reserve(Call& call, const model::RemoteSdp* offer) {
    const config::Rtp& rtp = parts_.config->rtp;
    auto address = media::choose_media_address(
        {.configured = rtp.address,
         .advertise = rtp.advertise,
         .learned = parts_.learned_address ? parts_.learned_address() : std::string(),
         .flow_local = call.local_address,
         .remote = offer ? offer->audio.address : std::string()});
    if (!address) return not_acceptable(address.error().text());
    call.media_address = std::move(*address);
    auto sockets = ports_.open(call.media_address.bind);
    if (!sockets) {
        return Refusal{503,
                       "Service Unavailable",
                       model::ended(EndReason::LimitPorts, sockets.error().text()),
                       true};
    }
    call.rtp_port = sockets->port();
    call.sockets = std::move(*sockets);
    return std::nullopt;
}

std::optional<Refusal> CallMedia::build(Call& call, const model::RemoteSdp& said) {
    if (said.audio.rtp_port == 0) return not_acceptable("no audio that we speak was offered");
    model::RemoteSdp remote = said;
    const auto agreed = agree_on_srtp(call, remote);
    if (!agreed) return not_acceptable(agreed.error().text());
    if (!call.media_address.reaches(remote.audio.address)) {
        return not_acceptable("the peer's media address is of another IP version than our offer's");
    }
    const auto chosen = model::choose_codec(remote.audio, call.codecs);
    if (!chosen) return not_acceptable("no codec of ours was offered");
    auto worker = parts_.workers->pick();
    call.info.worker = worker->stats().index;
    auto leg = media::PhoneLeg::create(
        {.id = call.id,
         .sockets = std::move(call.sockets),
         .chosen = *chosen,
         .codec_settings = {.opus_complexity = parts_.config->rtp.opus_complexity,
                            .opus_bitrate_bps = parts_.config->rtp.opus_bitrate_bps},
         .quirks = call.quirks,
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
    call.rtcp_mux = chosen->rtcp_mux;
    call.info.codec = model::facts_of(chosen->codec).name;
    apply_remote(call, remote);
    return std::nullopt;
}

base::Result<void> CallMedia::start(Call& call) {
    call.media_started_ns = base::monotonic_ns();
    call.expected_since_ns = call.media_started_ns;
    call.last_keepalive_ns = call.media_started_ns;
    if (auto started = call.leg->start(); !started) return started;
    parts_.ai->attach(call.id, *call.ai, call.leg->audio_port());
    return {};
}

bool CallMedia::renegotiate(Call& call, const model::RemoteSdp& said) {
    model::RemoteSdp remote = said;
    const auto agreed = agree_on_srtp(call, remote);
    if (!agreed) {
        log::write(
            Level::Warning, Mark::Warning, "call.no_srtp", call.id.text, agreed.error().text());
        return false;
    }
    const bool is_usable =
        remote.audio.rtp_port != 0 && call.media_address.reaches(remote.audio.address);
    const auto chosen =
        is_usable ? model::choose_codec(remote.audio, {call.leg->chosen().codec}) : std::nullopt;
    if (!chosen || !apply_srtp(call, *agreed)) return false;
    call.rtcp_mux = chosen->rtcp_mux;
    call.leg->renegotiate(*chosen);
    apply_remote(call, remote);
    return true;
}

model::SrtpPolicy CallMedia::policy_of(const Call& call) const {
    return call.srtp_policy.value_or(parts_.config->rtp.srtp);
}

base::Result<std::optional<model::SrtpAgreement>> CallMedia::agree_on_srtp(
    const Call& call, model::RemoteSdp& remote) const {
    const model::SrtpPolicy policy = policy_of(call);
    return call.srtp_offered ? model::agree_on_answer(remote.audio, *call.srtp_offered, policy)
                             : model::agree_on_offer(remote, policy, call.srtp);
}

base::Result<void> CallMedia::apply_srtp(Call& call,
                                         const std::optional<model::SrtpAgreement>& agreed) {
    if (auto set = call.leg->set_srtp(agreed); !set) return set;
    const bool is_new = agreed.has_value() && !call.srtp;
    call.srtp = agreed;
    call.srtp_offered.reset();
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

void CallMedia::apply_remote(Call& call, const model::RemoteSdp& remote) {
    const bool was_held = call.is_held();
    const bool was_expected = call.is_sound_expected();
    call.offered_lines = remote.lines;
    call.remote_direction = remote.audio.direction;
    // Old-style hold (c=0.0.0.0) names no address: whom we heard so far stays the peer.
    const bool names_address = remote.audio.address != "0.0.0.0" && remote.audio.address != "::";
    const auto set = names_address ? call.leg->set_remote(remote.audio) : base::Result<void>();
    if (!set) {
        log::write(
            Level::Warning, Mark::Warning, "call.bad_address", call.id.text, set.error().text());
    }
    const bool keeps = parts_.config->rtp.hold_media == config::HoldMedia::Keep;
    call.leg->set_sending(!call.is_held() || keeps);
    // A mere refresh must not put off the RTP timeout.
    if (!was_expected) call.expected_since_ns = base::monotonic_ns();
    if (was_held == call.is_held()) return;
    call.update_state();
    log::write(Level::Info,
               Mark::Call,
               call.is_held() ? "call.held" : "call.resumed",
               call.id.text,
               call.is_held() ? (keeps ? "the peer holds; filler goes on (hold_media = keep)"
                                       : "the peer holds and asked for nothing")
                              : "the peer is back");
}

void CallMedia::mute(Call& call, bool is_muted) {
    call.leg->audio_port()->is_voice_muted.store(is_muted, std::memory_order_relaxed);
}

void CallMedia::dismiss_ai(Call& call) {
    parts_.ai->detach(call.id);
}

void CallMedia::stop(Call& call) {
    if (!call.leg) return;
    parts_.ai->detach(call.id);
    parts_.workers->give_back(call.leg->worker());
    call.leg->retire(*parts_.reaper, {});
}

model::LocalSdp CallMedia::offer(Call& call) const {
    model::LocalSdp sdp =
        local_sdp(call, model::offer_formats(call.codecs), model::Direction::SendRecv);
    const model::SrtpPolicy policy = policy_of(call);
    // Without random bytes there is no key to offer; a peer that needs one then refuses.
    sdp.crypto =
        model::crypto_to_offer(policy, std::nullopt).value_or(std::vector<model::SdpCrypto>{});
    sdp.protocol = model::profile_to_offer(policy);
    call.srtp_offered = sdp.crypto;
    return sdp;
}

model::LocalSdp CallMedia::answer(Call& call) const {
    if (!call.leg) return offer(call);
    const model::Direction asked = model::mirrored(call.remote_direction);
    const model::Direction ours = wanted(call);
    return local_sdp(call,
                     model::answer_formats(call.leg->chosen()),
                     direction_of(model::sends(asked) && model::sends(ours),
                                  model::receives(asked) && model::receives(ours)));
}

model::LocalSdp CallMedia::reoffer(Call& call) const {
    return local_sdp(call, model::answer_formats(call.leg->chosen()), wanted(call));
}

model::LocalSdp CallMedia::local_sdp(Call& call,
                                     std::vector<model::SdpFormat> formats,
                                     model::Direction direction) const {
    std::vector<model::SdpCrypto> crypto;
    if (call.srtp) crypto.push_back(call.srtp->local_crypto());
    return {.session_id = call.session_id,
            .version = call.sdp_version++,
            .address = call.media_address.advertise,
            .rtp_port = call.rtp_port,
            .direction = direction,
            .formats = std::move(formats),
            .rtcp_mux = call.rtcp_mux,
            .crypto = std::move(crypto),
            .lines = call.offered_lines};
}

}  // namespace offhook::call

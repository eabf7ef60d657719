#include "media/web_leg.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <utility>

#include "base/log.h"

namespace offhook::media {
namespace {

using model::ChosenAudio;
using model::Codec;
using model::Direction;
using sdp::Setup;
using sdp::WebRemote;

/// Whether `later` cannot be served by the transport that `first` was given to: other ICE
/// credentials, another certificate, or the DTLS role that we have (RFC 8842 §5).
bool begins_anew(const WebRemote& first, Setup our_role, const WebRemote& later) {
    if (first.restarts(later)) return true;
    const bool shows_same_certificate = std::any_of(
        later.fingerprints.begin(), later.fingerprints.end(), [&](const auto& fingerprint) {
            return std::find(first.fingerprints.begin(), first.fingerprints.end(), fingerprint) !=
                   first.fingerprints.end();
        });
    return !shows_same_certificate || (later.setup != Setup::ActPass && later.setup == our_role);
}

/// How long the transport before an ICE restart goes on receiving.
constexpr std::chrono::milliseconds kOverlap{500};

std::vector<Codec> usable(std::vector<Codec> codecs, const LaunchFile& launch) {
    std::erase_if(codecs,
                  [&](Codec codec) { return codec == Codec::G722 || !launch.supports(codec); });
    return codecs;
}

}  // namespace

std::unique_ptr<WebLeg> WebLeg::create(Parts parts) {
    return std::unique_ptr<WebLeg>(new WebLeg(std::move(parts)));
}

WebLeg::WebLeg(Parts parts)
    : parts_(std::move(parts)),
      port_(std::make_shared<session::WebPort>()),
      identity_{.session_id = parts_.session_id,
                .version = 1,
                .ssrc = std::random_device()(),
                .cname = parts_.id.text} {
    parts_.codecs = usable(std::move(parts_.codecs), *parts_.launch);
    if (!parts_.make_transport) parts_.make_transport = &WebTransport::create;
}

WebLeg::~WebLeg() {
    alive_.reset();
    drop(next_);
    drop(live_);
    for (auto& way : replaced_) drop(way);
}

WebLeg::Way* WebLeg::newest() noexcept {
    return next_ ? &*next_ : live_ ? &*live_ : nullptr;
}

WebLeg::Way* WebLeg::way_of(std::uint64_t number) noexcept {
    if (next_ && next_->number == number) return &*next_;
    return live_ && live_->number == number ? &*live_ : nullptr;
}

base::Result<ChosenAudio> WebLeg::choose(const WebRemote& remote) const {
    const auto& codecs = chains_ ? std::vector{chains_->chosen().codec} : parts_.codecs;
    auto chosen = model::choose_codec(remote.sdp.audio, codecs);
    if (!chosen) {
        std::string ours;
        for (const Codec codec : codecs)
            ours += (ours.empty() ? "" : ", ") + std::string(model::facts_of(codec).name);
        return base::fail(base::ErrorCode::Unsupported,
                          "none of our codecs is in the description: " + ours);
    }
    chosen->rtcp_mux = true;
    return *chosen;
}

base::Result<void> WebLeg::ensure_chains(const ChosenAudio& chosen) {
    if (chains_) return {};
    auto session = std::make_shared<session::RtpSession>(
        port_,
        session::RtpSession::Settings{
            .codec = chosen.codec,
            .payload_type = chosen.payload_type,
            .telephone_event_type = chosen.telephone_event_type,
            .telephone_event_clock_hz = chosen.telephone_event_clock_hz,
            .comfort_noise_type = chosen.comfort_noise_type,
            .codec_settings = parts_.codec_settings,
            .rtcp_mux = true,
            .quirks = parts_.quirks,
            .cname = identity_.cname,
            .ssrc = identity_.ssrc,
            .gap_limit_ns = std::chrono::nanoseconds(parts_.gap_limit).count()});
    auto chains = LegChains::build({.name = parts_.id.text,
                                    .session = session,
                                    .chosen = chosen,
                                    .launch = parts_.launch,
                                    .fill = parts_.fill,
                                    .worker = parts_.worker,
                                    .bus = parts_.bus});
    if (!chains) return tl::unexpected(chains.error());
    session_ = std::move(session);
    chains_ = std::move(*chains);
    if (!is_sending_) chains_->set_sending(false);
    if (seat_) chains_->take_seat(seat_, {});
    return {};
}

base::Result<void> WebLeg::open_way() {
    const std::uint64_t number = ++ways_;
    const std::weak_ptr<const bool> alive = alive_;
    // The transport's events come by the executor, so that the leg may be gone when they arrive.
    const auto told = [this, alive, number](auto handle) {
        return [this, alive, number, handle](auto&&... values) {
            if (!alive.expired())
                (this->*handle)(number, std::forward<decltype(values)>(values)...);
        };
    };
    auto transport = parts_.make_transport({.name = parts_.id.text,
                                            .settings = parts_.settings,
                                            .control = parts_.control,
                                            .context = parts_.context,
                                            .port = port_,
                                            .ssrc = identity_.ssrc,
                                            .events = {.on_local = told(&WebLeg::on_local),
                                                       .on_verified = told(&WebLeg::on_verified),
                                                       .on_failed = told(&WebLeg::on_failed),
                                                       .on_lost = told(&WebLeg::on_lost)}});
    if (!transport) return tl::unexpected(transport.error());
    drop(next_);
    next_ = Way{.number = number,
                .transport = std::move(*transport),
                .remote = {},
                .local = {},
                .candidates = {}};
    return {};
}

void WebLeg::drop(std::optional<Way>& way, std::function<void()> after) {
    if (!way) return;
    way->transport->retire(*parts_.worker, *parts_.reaper, std::move(after));
    // It may be telling us something right now: it goes when it has.
    parts_.control->post(
        [last = std::move(way->transport)]() mutable { std::exchange(last, nullptr).reset(); });
    way.reset();
}

void WebLeg::give_new_candidates(Way& way, const std::vector<std::string>& candidates) {
    std::vector<std::string> fresh;
    for (const std::string& candidate : candidates) {
        if (way.candidates.size() >= parts_.settings->candidates.max_candidates) break;
        const bool is_known = std::find(way.candidates.begin(), way.candidates.end(), candidate) !=
                              way.candidates.end();
        if (is_known) continue;
        way.candidates.push_back(candidate);
        fresh.push_back(candidate);
    }
    if (!fresh.empty()) way.transport->add_candidates(fresh);
}

base::Result<void> WebLeg::accept(std::string_view offer, Direction ours) {
    auto remote = sdp::read_web(offer, parts_.settings->candidates);
    if (!remote) return tl::unexpected(remote.error());
    const auto chosen = choose(*remote);
    if (!chosen) return tl::unexpected(chosen.error());
    if (auto built = ensure_chains(*chosen); !built) return built;
    const auto is_other = [&remote](const Way* known) {
        return known == nullptr || !known->remote ||
               begins_anew(
                   *known->remote, known->local ? known->local->setup : Setup::ActPass, *remote);
    };
    // A restart that was taken back: its re-INVITE was cancelled, and what was before holds.
    if (next_ && live_ && !is_other(&*live_)) drop(next_);
    const bool is_new = is_other(newest());
    if (is_new) {
        // A browser that restarts keeps the DTLS before until it has read our answer, and loses what
        // begins the new one earlier; OpenSSL would repeat it after a second, then after two. So who
        // reads last begins. Another certificate is another peer (a server that takes the call
        // over), which has no DTLS before and may insist on being the server.
        if (live_ && live_->remote->fingerprints == remote->fingerprints) {
            remote->must_begin_dtls = true;
        }
        if (auto opened = open_way(); !opened) return opened;
    }
    chains_->renegotiate(*chosen);
    remote_ = std::move(*remote);
    ours_ = ours;
    due_ = Due::Answer;
    awaits_answer_ = false;
    Way& way = *newest();
    if (is_new) {
        way.remote = remote_;
        way.candidates = remote_->candidates;
        way.transport->accept(*remote_, *chosen);
    } else {
        give_new_candidates(way, remote_->candidates);
        describe_soon();
    }
    return {};
}

base::Result<void> WebLeg::offer(Direction ours) {
    if (newest() == nullptr) {
        model::RemoteAudio all;
        all.formats = model::offer_formats(parts_.codecs);
        const auto chosen = model::choose_codec(all, parts_.codecs);
        if (!chosen) {
            return base::fail(base::ErrorCode::Unsupported,
                              "no codec of ours serves web legs with " + parts_.launch->path());
        }
        if (auto opened = open_way(); !opened) return opened;
        next_->transport->offer(*chosen);
    } else {
        describe_soon();
    }
    ours_ = ours;
    due_ = Due::Offer;
    return {};
}

base::Result<void> WebLeg::take_answer(std::string_view answer) {
    Way* way = newest();
    if (way == nullptr || !awaits_answer_)
        return base::fail(base::ErrorCode::Conflict, "no offer of ours is open");
    auto remote = sdp::read_web(answer, parts_.settings->candidates);
    if (!remote) return tl::unexpected(remote.error());
    const auto chosen = choose(*remote);
    if (!chosen) return tl::unexpected(chosen.error());
    if (way->remote && begins_anew(*way->remote, way->local->setup, *remote)) {
        return base::fail(base::ErrorCode::Unsupported,
                          "the answer has other ICE credentials or another certificate, and we did "
                          "not ask for a restart");
    }
    if (auto built = ensure_chains(*chosen); !built) return built;
    chains_->renegotiate(*chosen);
    awaits_answer_ = false;
    remote_ = std::move(*remote);
    if (way->remote) {
        give_new_candidates(*way, remote_->candidates);
        return {};
    }
    way->remote = remote_;
    way->candidates = remote_->candidates;
    // From here on it is what was agreed, in answers of ours as well (RFC 8842 §5.3).
    way->local->setup = remote_->setup == Setup::Active ? Setup::Passive : Setup::Active;
    way->transport->take_answer(*remote_, *chosen);
    return {};
}

void WebLeg::add_candidates(const std::vector<std::string>& candidates) {
    Way* way = newest();
    if (way == nullptr) return;
    std::vector<std::string> kept;
    for (const std::string& candidate : candidates) {
        auto read = sdp::read_candidate(
            candidate, parts_.settings->candidates, way->candidates.size() + kept.size());
        if (read) kept.push_back(std::move(*read));
    }
    give_new_candidates(*way, kept);
}

void WebLeg::describe_soon() {
    parts_.control->post([this, alive = std::weak_ptr(alive_)] {
        if (!alive.expired()) describe();
    });
}

void WebLeg::describe() {
    const Way* way = newest();
    if (due_ == Due::Nothing || way == nullptr || !way->local) return;
    std::string text;
    if (due_ == Due::Answer) {
        text = sdp::write_answer(*remote_, chains_->chosen(), *way->local, ours_, identity_);
    } else {
        const auto formats = chains_ ? model::answer_formats(chains_->chosen())
                                     : model::offer_formats(parts_.codecs);
        text =
            sdp::write_offer(formats, *way->local, ours_, identity_, remote_ ? &*remote_ : nullptr);
        awaits_answer_ = true;
    }
    due_ = Due::Nothing;
    ++identity_.version;
    // A copy, here and below: what is called may destroy the leg.
    const auto tell = parts_.events.on_local;
    if (tell) tell(std::move(text));
}

void WebLeg::on_local(std::uint64_t number, sdp::WebLocal local) {
    Way* way = way_of(number);
    if (way == nullptr) return;
    way->local = std::move(local);
    describe();
}

void WebLeg::on_verified(std::uint64_t number) {
    if (!next_ || next_->number != number) return;
    next_->transport->attach(*parts_.worker);
    if (live_) {
        // The worker still sends through it for a moment, the peer until it has heard that the new
        // one is up.
        replaced_.push_back(std::move(live_));
        overlap_.once(parts_.context, kOverlap, [this] {
            for (auto& way : replaced_) drop(way);
            replaced_.clear();
        });
    }
    live_ = std::exchange(next_, std::nullopt);
    const bool is_first = !std::exchange(was_connected_, true);
    const bool is_back = std::exchange(is_lost_, false);
    const auto connected = parts_.events.on_connected;
    const auto lost = parts_.events.on_lost;
    const auto restarted = parts_.events.on_restarted;
    const std::weak_ptr<const bool> alive = alive_;
    if (is_first && connected) connected();
    if (!is_first && restarted) restarted();
    if (!alive.expired() && !is_first && is_back && lost) lost(false);
}

void WebLeg::on_failed(std::uint64_t number, const model::CallEnd& end) {
    if (way_of(number) == nullptr) return;
    const bool is_restart = next_ && next_->number == number;
    drop(is_restart ? next_ : live_);
    // Without the new transport there is no answer to be given.
    const bool goes_on = newest() != nullptr && !(is_restart && due_ != Due::Nothing);
    log::write(log::Level::Warning,
               log::Mark::Warning,
               "web.transport_failed",
               parts_.id.text,
               end.detail,
               {{"reason", model::name_of(end.reason)},
                {"goes_on",
                 goes_on ? (live_ ? "with the transport before" : "with the restart's") : "no"}});
    const auto tell = parts_.events.on_failed;
    if (!goes_on && tell) tell(end);
}

void WebLeg::on_lost(std::uint64_t number, bool is_lost) {
    if (!live_ || live_->number != number || is_lost_ == is_lost) return;
    is_lost_ = is_lost;
    const auto tell = parts_.events.on_lost;
    if (tell) tell(is_lost);
}

Direction WebLeg::remote_direction() const noexcept {
    return remote_ ? remote_->sdp.audio.direction : Direction::SendRecv;
}

bool WebLeg::is_connected() const noexcept {
    return live_.has_value();
}

base::Result<void> WebLeg::start() {
    if (!chains_) return base::fail(base::ErrorCode::Conflict, "no codec is agreed on yet");
    return chains_->start();
}

void WebLeg::set_sending(bool sending) {
    is_sending_ = sending;
    if (chains_) chains_->set_sending(sending);
}

base::Result<void> WebLeg::send_digits(const std::string& digits) {
    if (!chains_) return base::fail(base::ErrorCode::Conflict, "the call is not answered yet");
    return chains_->send_digits(digits);
}

void WebLeg::take_seat(std::shared_ptr<model::ChannelSeat> seat, std::function<void()> after) {
    seat_ = std::move(seat);
    if (chains_) {
        chains_->take_seat(seat_, std::move(after));
    } else if (after) {
        parts_.worker->post(std::move(after));
    }
}

void WebLeg::retire(Reaper& reaper, std::function<void()> after) {
    parts_.reaper = &reaper;
    alive_.reset();
    overlap_.cancel();
    auto ways = std::exchange(replaced_, {});
    for (auto* way : {&next_, &live_}) {
        if (*way) ways.push_back(std::exchange(*way, std::nullopt));
    }
    const auto left = std::make_shared<std::atomic<std::size_t>>(1 + ways.size());
    const auto done = [left, after = std::move(after)] {
        if (left->fetch_sub(1) == 1 && after) after();
    };
    for (auto& way : ways) drop(way, done);
    if (chains_) {
        chains_->retire(reaper, done);
    } else {
        reaper.take({}, done);
    }
}

const std::shared_ptr<model::AudioPort>& WebLeg::audio_port() const noexcept {
    return chains_ ? chains_->audio_port() : no_audio_port_;
}

const model::LegCounters& WebLeg::counters() const noexcept {
    static const model::LegCounters kNone;
    return chains_ ? chains_->counters() : kNone;
}

const ChosenAudio& WebLeg::chosen() const noexcept {
    static const ChosenAudio kNone;
    return chains_ ? chains_->chosen() : kNone;
}

const worker::MediaWorker& WebLeg::worker() const noexcept {
    return *parts_.worker;
}

model::LegStats WebLeg::stats(std::int64_t answered_ns, std::int64_t now_ns) const {
    return chains_ ? chains_->stats(answered_ns, now_ns) : model::LegStats{};
}

// What carries the sound; before that what is being set up.
model::LegPath WebLeg::path() const {
    const auto& way = live_ ? live_ : next_;
    if (!way) return {};
    model::LegPath path = way->transport->path();
    path.pair_changes = live_ ? live_->number : 0;
    if (way->local && way->remote && way->local->setup != Setup::ActPass)
        path.dtls_role = way->local->setup == Setup::Active ? "client" : "server";
    if (way->remote && !way->remote->fingerprints.empty())
        path.remote_fingerprint = sdp::text_of(way->remote->fingerprints.front());
    return path;
}

std::string WebLeg::chain() const {
    return chains_ ? chains_->text() : std::string();
}

}  // namespace offhook::media

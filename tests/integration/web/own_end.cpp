#include "own_end.h"

#include <stdexcept>
#include <utility>

#include "base/monotonic.h"
#include "model/sdp_offer.h"

namespace offhook::tests {

using harness::milliseconds;
using std::chrono::seconds;

namespace {

constexpr milliseconds kLimit = seconds(10);
const sdp::WebIdentity kIdentity{"4711", 1, 0x0FF400C0, "offhook-test"};

template <class T>
T must(base::Result<T> result) {
    if (!result) throw std::runtime_error(result.error().text());
    return std::move(*result);
}

}  // namespace

bool OwnEnd::Leg::on_slot(std::int64_t /*now_ns*/) noexcept {
    timestamp += step;
    if (*is_mute || port->out() == nullptr) return false;
    packet[0] = 0x80;
    packet[1] = payload_type;
    for (std::size_t i = 0; i < 4; ++i) {
        packet[4 + i] = static_cast<std::uint8_t>(timestamp >> (24 - 8 * i));
        packet[8 + i] = static_cast<std::uint8_t>(ssrc >> (24 - 8 * i));
    }
    packet[2] = static_cast<std::uint8_t>(sequence >> 8);
    packet[3] = static_cast<std::uint8_t>(sequence);
    if (port->out()->send(packet)) {
        ++sequence;
        ++sent;
    }
    return false;
}

void OwnEnd::Leg::on_readable(int /*fd*/, std::int64_t now_ns) noexcept {
    std::array<std::uint8_t, session::WebPort::kMaxPacketBytes> got;
    while (const std::size_t size = port->take(got)) {
        if (size >= 2 && got[1] >= 192 && got[1] <= 223) {
            ++rtcp;
        } else {
            if (rtp++ == 0) first_rtp_ns = now_ns;
        }
    }
}

media::WebSettings OwnEnd::loopback() {
    media::WebSettings settings;
    settings.addresses = {"127.0.0.1"};
    return settings;
}

OwnEnd::OwnEnd(Options options)
    : options_(std::move(options)),
      context_(glib::Ref<GMainContext>::adopt(g_main_context_new())),
      control_(context_.get()),
      worker_(must(worker::MediaWorker::for_context("web-test"))) {
    leg_->is_mute = &is_mute_;
    leg_->ssrc = kIdentity.ssrc;
    media::WebTransport::Events events;
    events.on_local = [this](sdp::WebLocal local) { local_ = std::move(local); };
    events.on_verified = [this] {
        is_verified_ = true;
        verified_ns_ = base::monotonic_ns();
        if (options_.is_attached_at_once) attach();
    };
    events.on_failed = [this](model::CallEnd end) { end_ = std::move(end); };
    events.on_lost = [this](bool is_lost) { losses_.push_back(is_lost); };
    transport_ = must(media::WebTransport::create({.name = "test",
                                                   .settings = &options_.settings,
                                                   .control = &control_,
                                                   .context = context_.get(),
                                                   .port = leg_->port,
                                                   .ssrc = kIdentity.ssrc,
                                                   .events = std::move(events)}));
}

OwnEnd::~OwnEnd() {
    retire();
}

void OwnEnd::choose(const sdp::WebRemote& remote) {
    const auto chosen = model::choose_codec(remote.sdp.audio, {options_.codec});
    if (!chosen) throw std::runtime_error("no codec in common");
    chosen_ = *chosen;
    leg_->payload_type = chosen_.payload_type;
    const bool is_opus = options_.codec == model::Codec::Opus;
    leg_->step = is_opus ? 960 : 160;
    leg_->packet.assign(is_opus ? 12 + 40 : 12 + 160, 0xFF);
    if (is_opus) leg_->packet[12] = 0x48;  // SILK wideband, 20 ms, mono
    worker_->run_and_wait([this] {
        worker_->attach(*leg_);
        if (!worker_->watch(leg_->port->fd(), *leg_)) std::abort();
    });
}

void OwnEnd::begin_answer(const std::string& offer) {
    const auto remote = must(sdp::read_web(offer, options_.settings.candidates));
    choose(remote);
    described_ns_ = base::monotonic_ns();
    transport_->accept(remote, chosen_);
}

std::string OwnEnd::answer(const std::string& offer) {
    begin_answer(offer);
    run_until([this] { return local_ || end_; }, kLimit);
    if (!local_) throw std::runtime_error("no answer: " + (end_ ? end_->detail : "in time"));
    const auto remote = must(sdp::read_web(offer, options_.settings.candidates));
    return sdp::write_answer(remote, chosen_, *local_, model::Direction::SendRecv, kIdentity);
}

std::string OwnEnd::offer() {
    std::vector<model::Codec> codecs;
    if (options_.preferred) codecs.push_back(*options_.preferred);
    codecs.push_back(options_.codec);
    const auto formats = model::offer_formats(codecs);
    model::ChosenAudio told;
    told.codec = codecs.front();
    told.payload_type = formats.front().payload_type;
    transport_->offer(told);
    run_until([this] { return local_ || end_; }, kLimit);
    if (!local_) throw std::runtime_error("no offer: " + (end_ ? end_->detail : "in time"));
    return sdp::write_offer(formats, *local_, model::Direction::SendRecv, kIdentity);
}

void OwnEnd::take_answer(const std::string& answer) {
    const auto remote = must(sdp::read_web(answer, options_.settings.candidates));
    choose(remote);
    described_ns_ = base::monotonic_ns();
    transport_->take_answer(remote, chosen_);
}

bool OwnEnd::run_until(const std::function<bool()>& is_done, milliseconds limit) {
    const std::int64_t end_ns = base::monotonic_ns() + limit.count() * base::kNsPerMs;
    while (!is_done()) {
        if (base::monotonic_ns() > end_ns) return false;
        // Woken at least every 5 ms: counters change without control being told.
        GSource* wake = g_timeout_source_new(5);
        g_source_set_callback(
            wake, [](gpointer) -> gboolean { return G_SOURCE_REMOVE; }, nullptr, nullptr);
        g_source_attach(wake, context_.get());
        g_main_context_iteration(context_.get(), TRUE);
        g_source_destroy(wake);
        g_source_unref(wake);
    }
    return true;
}

bool OwnEnd::wait_verified(milliseconds limit) {
    return run_until([this] { return is_verified_ || end_; }, limit) && is_verified_;
}

bool OwnEnd::wait_failed(milliseconds limit) {
    return run_until([this] { return end_.has_value(); }, limit);
}

bool OwnEnd::wait_packets(std::size_t count, milliseconds limit) {
    return run_until([this, count] { return leg_->rtp >= count; }, limit);
}

milliseconds OwnEnd::retire() {
    if (!transport_) return {};
    const std::int64_t begun_ns = base::monotonic_ns();
    std::atomic<bool> is_gone{false};
    transport_->retire(*worker_, reaper_, [&is_gone] { is_gone = true; });
    transport_.reset();
    if (!run_until([&is_gone] { return is_gone.load(); }, kLimit)) std::abort();
    const milliseconds took((base::monotonic_ns() - begun_ns) / base::kNsPerMs);
    worker_->run_and_wait([this] {
        worker_->unwatch(leg_->port->fd());
        worker_->detach(*leg_);
    });
    return took;
}

}  // namespace offhook::tests

#include "media/leg_chains.h"

#include <algorithm>
#include <utility>

#include "aitap/gstaitap.h"
#include "linekeeper/gstlinekeeper.h"
#include "rtp/dtmf.h"
#include "rtpcallsink/gstrtpcallsink.h"
#include "rtpcallsrc/gstrtpcallsrc.h"

namespace offhook::media {

base::Result<std::unique_ptr<LegChains>> LegChains::build(Parts parts) {
    std::unique_ptr<LegChains> chains(new LegChains(std::move(parts)));
    if (auto made = chains->make_pipeline(); !made) return tl::unexpected(made.error());
    return chains;
}

LegChains::LegChains(Parts parts)
    : parts_(std::move(parts)),
      port_(
          std::make_shared<model::AudioPort>(model::facts_of(parts_.chosen.codec).sample_rate_hz)) {
    port_->has_leg = true;
}

// The table of contents of a call: read it top to bottom beside the launch file.
base::Result<void> LegChains::make_pipeline() {
    const auto& session = parts_.session;
    const rtp::CodecSettings& codec = session->settings().codec_settings;
    auto bins = parts_.launch->instantiate({.codec = parts_.chosen.codec,
                                            .payload_type = parts_.chosen.payload_type,
                                            .opus_complexity = codec.opus_complexity,
                                            .opus_bitrate_bps = codec.opus_bitrate_bps});
    if (!bins) return tl::unexpected(bins.error());
    const std::string& context = parts_.worker->name();

    rtpcallsrc::set_session(bins->in, session, context);
    aitap::set_port(bins->tap, port_, session->counters());
    linekeeper::set_voice(bins->voice, port_, session->counters(), context);
    if (!parts_.fill.empty()) g_object_set(bins->voice, "fill", parts_.fill.c_str(), nullptr);
    rtpcallsink::set_session(bins->out, session, context);
    rtpcallsink::set_port(bins->out, port_);
    out_ = bins->out;

    pipeline_ = glib::Ref<GstElement>::sink(gst_pipeline_new(parts_.name.c_str()));
    gst_pipeline_set_auto_flush_bus(GST_PIPELINE(pipeline_.get()),
                                    FALSE);  // the bus is everybody's
    gst_element_set_bus(pipeline_.get(), parts_.bus->get());
    gst_bin_add_many(GST_BIN(pipeline_.get()), bins->inbound.get(), bins->outbound.get(), nullptr);
    if (gst_element_set_state(pipeline_.get(), GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE) {
        return base::fail(base::ErrorCode::Internal,
                          "the pipeline of " + parts_.launch->path() + " does not start");
    }
    return {};
}

LegChains::~LegChains() {
    if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

base::Result<void> LegChains::start() {
    has_started_ = true;
    if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        return base::fail(base::ErrorCode::Internal,
                          "the pipeline of " + parts_.launch->path() + " does not play");
    }
    return {};
}

void LegChains::set_sending(bool sending) {
    parts_.worker->post([session = parts_.session, sending] { session->set_sending(sending); });
}

void LegChains::renegotiate(const model::ChosenAudio& chosen) {
    parts_.chosen = chosen;
    parts_.worker->post([session = parts_.session, chosen] { session->renegotiate(chosen); });
}

base::Result<void> LegChains::send_digits(const std::string& digits) {
    const bool are_digits = !digits.empty() && digits.size() <= rtp::DtmfSender::kMaxDigits &&
                            digits.find_first_not_of("0123456789*#ABCDabcd") == std::string::npos;
    if (!are_digits) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "digits are 0-9, *, # and A-D, 1 to 64 of them");
    }
    if (!parts_.chosen.telephone_event_type) {
        return base::fail(base::ErrorCode::Unsupported,
                          "the caller's phone did not offer telephone-event (RFC 4733)");
    }
    if (!has_started_) return base::fail(base::ErrorCode::Conflict, "the call is not answered yet");
    parts_.worker->post([out = glib::Ref<GstElement>::share(out_), digits] {
        rtpcallsink::send_digits(out.get(), digits);
    });
    return {};
}

void LegChains::take_seat(std::shared_ptr<model::ChannelSeat> seat, std::function<void()> after) {
    // Swapped, so that the seat before is freed with the command and not by the worker.
    parts_.worker->post([port = port_, seat = std::move(seat), after = std::move(after)]() mutable {
        std::swap(port->seat, seat);
        if (after) after();
    });
}

void LegChains::retire(Reaper& reaper, std::function<void()> after) {
    // Nothing may follow the BYE, however long the reaper's queue is. The elements leave the worker
    // behind this command, so the sink is still whole when it runs; a leg that never played has
    // nothing to say.
    if (has_started_) {
        parts_.worker->post([session = parts_.session, out = glib::Ref<GstElement>::share(out_)] {
            rtpcallsink::send_bye(out.get());
            session->set_sending(false);
        });
    }
    reaper.take(std::move(pipeline_), std::move(after));
}

model::LegStats LegChains::stats(std::int64_t answered_ns, std::int64_t now_ns) const {
    model::LegStats stats = model::snapshot_of(counters(), answered_ns, now_ns);
    stats.sample_rate_hz = port_->sample_rate_hz;
    stats.tap_dropped_samples = port_->tap.dropped_samples();
    stats.voice_samples = port_->ledger.left_samples();
    stats.voice_queued_samples = port_->voice.queued_samples();
    stats.voice_dropped_samples = port_->voice.dropped_samples();
    const auto since_ms = [now_ns](std::int64_t then_ns) {
        return then_ns == 0 ? -1.0 : std::max(0.0, static_cast<double>(now_ns - then_ns) / 1e6);
    };
    stats.since_last_tapped_ms = since_ms(port_->tapped_ns.load(std::memory_order_acquire));
    stats.heard_samples = port_->tap.read_samples();
    stats.since_last_heard_ms = since_ms(port_->heard_ns.load(std::memory_order_relaxed));
    stats.given_samples = port_->voice.written_samples();
    stats.since_last_given_ms = since_ms(port_->voice.written_ns());
    stats.since_last_voice_left_ms = since_ms(port_->ledger.left_ns());
    stats.is_voice_muted = port_->is_voice_muted.load(std::memory_order_relaxed);
    stats.is_voice_paused = port_->voice.is_paused();
    return stats;
}

std::string LegChains::text() const {
    std::string text;
    for (const std::string& element : parts_.launch->elements()) {
        if (!text.empty()) text += element == "linekeeper" ? " | " : " ! ";
        text += element;
    }
    return text;
}

}  // namespace offhook::media

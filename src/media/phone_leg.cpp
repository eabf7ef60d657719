#include "media/phone_leg.h"

#include <algorithm>
#include <utility>

#include "aitap/gstaitap.h"
#include "linekeeper/gstlinekeeper.h"
#include "rtp/dtmf.h"
#include "rtpcallsink/gstrtpcallsink.h"
#include "rtpcallsrc/gstrtpcallsrc.h"

namespace offhook::media {

using model::LegStats;
using session::Endpoint;
using session::RtpSession;

base::Result<std::unique_ptr<PhoneLeg>> PhoneLeg::create(Parts parts) {
    MediaBus* bus = parts.bus;
    const std::string fill = parts.fill;
    const rtp::CodecSettings codec_settings = parts.codec_settings;
    std::unique_ptr<PhoneLeg> leg(new PhoneLeg(std::move(parts)));
    if (auto built = leg->build(bus, fill, codec_settings); !built)
        return tl::unexpected(built.error());
    return leg;
}

PhoneLeg::PhoneLeg(Parts parts)
    : id_(parts.id),
      chosen_(parts.chosen),
      launch_(std::move(parts.launch)),
      session_(std::make_shared<RtpSession>(
          std::move(parts.sockets),
          RtpSession::Settings{.codec = chosen_.codec,
                               .payload_type = chosen_.payload_type,
                               .telephone_event_type = chosen_.telephone_event_type,
                               .telephone_event_clock_hz = chosen_.telephone_event_clock_hz,
                               .comfort_noise_type = chosen_.comfort_noise_type,
                               .codec_settings = parts.codec_settings,
                               .rtcp_mux = chosen_.rtcp_mux,
                               .quirks = parts.quirks,
                               .cname = id_.text})),
      port_(std::make_shared<model::AudioPort>(model::facts_of(chosen_.codec).sample_rate_hz)),
      worker_(std::move(parts.worker)) {}

// The table of contents of a call: read it top to bottom beside the launch file.
base::Result<void> PhoneLeg::build(MediaBus* bus,
                                   const std::string& fill,
                                   const rtp::CodecSettings& codec_settings) {
    auto bins = launch_->instantiate({.codec = chosen_.codec,
                                      .payload_type = chosen_.payload_type,
                                      .opus_complexity = codec_settings.opus_complexity,
                                      .opus_bitrate_bps = codec_settings.opus_bitrate_bps});
    if (!bins) return tl::unexpected(bins.error());
    const std::string& context = worker_->name();

    rtpcallsrc::set_session(bins->in, session_, context);
    aitap::set_port(bins->tap, port_, session_->counters());
    linekeeper::set_voice(bins->voice, port_, session_->counters(), context);
    if (!fill.empty()) g_object_set(bins->voice, "fill", fill.c_str(), nullptr);
    rtpcallsink::set_session(bins->out, session_, context);
    out_ = bins->out;

    pipeline_ = glib::Ref<GstElement>::sink(gst_pipeline_new(id_.text.c_str()));
    gst_pipeline_set_auto_flush_bus(GST_PIPELINE(pipeline_.get()),
                                    FALSE);  // the bus is everybody's
    gst_element_set_bus(pipeline_.get(), bus->get());
    gst_bin_add_many(GST_BIN(pipeline_.get()), bins->inbound.get(), bins->outbound.get(), nullptr);
    if (gst_element_set_state(pipeline_.get(), GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE) {
        return base::fail(base::ErrorCode::Internal,
                          "the pipeline of " + launch_->path() + " does not start");
    }
    return {};
}

PhoneLeg::~PhoneLeg() {
    if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

base::Result<void> PhoneLeg::set_remote(const model::RemoteAudio& remote) {
    const auto rtp = Endpoint::make(remote.address, remote.rtp_port);
    if (!rtp) return tl::unexpected(rtp.error());
    const auto rtcp = Endpoint::make(remote.address, remote.rtcp_port);
    worker_->post(
        [session = session_, rtp = *rtp, rtcp = *rtcp] { session->set_remote(rtp, rtcp); });
    return {};
}

base::Result<void> PhoneLeg::set_srtp(const std::optional<model::SrtpAgreement>& agreed) {
    auto pair = srtp_.update(agreed);
    if (!pair) return tl::unexpected(pair.error());
    worker_->post([session = session_, pair = *pair] { session->set_srtp(pair); });
    return {};
}

base::Result<void> PhoneLeg::start() {
    has_started_ = true;
    if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        return base::fail(base::ErrorCode::Internal,
                          "the pipeline of " + launch_->path() + " does not play");
    }
    return {};
}

void PhoneLeg::set_sending(bool sending) {
    worker_->post([session = session_, sending] { session->set_sending(sending); });
}

void PhoneLeg::renegotiate(const model::ChosenAudio& chosen) {
    chosen_ = chosen;
    worker_->post([session = session_, chosen] { session->renegotiate(chosen); });
}

base::Result<void> PhoneLeg::send_digits(const std::string& digits) {
    const bool are_digits = !digits.empty() && digits.size() <= rtp::DtmfSender::kMaxDigits &&
                            digits.find_first_not_of("0123456789*#ABCDabcd") == std::string::npos;
    if (!are_digits) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "digits are 0-9, *, # and A-D, 1 to 64 of them");
    }
    if (!chosen_.telephone_event_type) {
        return base::fail(base::ErrorCode::Unsupported,
                          "the caller's phone did not offer telephone-event (RFC 4733)");
    }
    if (!has_started_) return base::fail(base::ErrorCode::Conflict, "the call is not answered yet");
    worker_->post([out = glib::Ref<GstElement>::share(out_), digits] {
        rtpcallsink::send_digits(out.get(), digits);
    });
    return {};
}

void PhoneLeg::retire(Reaper& reaper, std::function<void()> after) {
    // Nothing may follow the BYE, however long the reaper's queue is. The elements leave the worker
    // behind this command, so the sink is still whole when it runs; a leg that never played has
    // nothing to say.
    if (has_started_) {
        worker_->post([session = session_, out = glib::Ref<GstElement>::share(out_)] {
            rtpcallsink::send_bye(out.get());
            session->set_sending(false);
        });
    }
    reaper.take(std::move(pipeline_), std::move(after));
}

LegStats PhoneLeg::stats(std::int64_t answered_ns, std::int64_t now_ns) const {
    LegStats stats = model::snapshot_of(counters(), answered_ns, now_ns);
    stats.sample_rate_hz = port_->sample_rate_hz;
    stats.tap_dropped_samples = port_->tap.dropped_samples();
    stats.voice_queued_samples = port_->voice.queued_samples();
    stats.voice_dropped_samples = port_->voice.dropped_samples();
    return stats;
}

std::string PhoneLeg::chain() const {
    std::string text;
    for (const std::string& element : launch_->elements()) {
        if (!text.empty()) text += element == "linekeeper" ? " | " : " ! ";
        text += element;
    }
    return text;
}

}  // namespace offhook::media

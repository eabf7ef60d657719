#include "stats/webrtc_report.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "base/monotonic.h"
#include "model/codec.h"

namespace offhook::stats {
namespace {

using model::LegStats;
using model::PathCandidate;

constexpr std::uint64_t kHeaderBytes = 12;  ///< of each packet that we send
constexpr const char* kTransport = "transport";

std::string_view name_of(PathCandidate::Type type) {
    switch (type) {
        case PathCandidate::Type::ServerReflexive:
            return "srflx";
        case PathCandidate::Type::PeerReflexive:
            return "prflx";
        case PathCandidate::Type::Relayed:
            return "relay";
        case PathCandidate::Type::Host:
            break;
    }
    return "host";
}

/// 0 to 1, as W3C's audioLevel: 1 is full scale.
double linear(double dbov) {
    return dbov <= -127 ? 0 : std::pow(10.0, dbov / 20);
}

class Report {
public:
    Report(base::JsonWriter& json, const LegFacts& leg)
        : json_(json),
          leg_(leg),
          s_(leg.stats),
          codec_(model::facts_of(leg.chosen.codec)),
          now_ms_(leg.realtime_ns / base::kNsPerMs),
          local_(std::to_string(leg.stats.local_ssrc)),
          remote_(std::to_string(leg.stats.remote_ssrc)) {}

    void write() {
        json_.begin_array();
        codec();
        outbound();
        if (s_.remote_reports > 0) remote_inbound();
        // Before the first packet there is no stream (W3C has none either).
        if (s_.received_packets > 0) inbound();
        if (s_.sender_reports > 0 && s_.received_packets > 0) remote_outbound();
        media_source();
        media_playout();
        transport();
        candidates("local", leg_.path.local);
        candidates("remote", leg_.path.remote);
        if (has_pair()) pair();
        certificate("local", leg_.path.local_fingerprint);
        certificate("remote", leg_.path.remote_fingerprint);
        json_.end();
    }

private:
    base::JsonWriter& begin(const std::string& id, const char* type, double age_ms = 0) {
        json_.begin_object().field("id", id).field("type", type);
        return json_.field("timestamp", time_ms(age_ms));
    }
    void text(const char* name, const std::string& value) {
        if (!value.empty()) json_.field(name, value);
    }
    [[nodiscard]] std::int64_t time_ms(double age_ms) const {
        return now_ms_ - std::llround(std::max(0.0, age_ms));
    }
    void time(const char* name, double age_ms) {
        if (age_ms >= 0) json_.field(name, time_ms(age_ms));
    }
    [[nodiscard]] double seconds(std::uint64_t samples) const {
        return static_cast<double>(samples) / std::max(1U, s_.sample_rate_hz);
    }
    [[nodiscard]] bool has_pair() const {
        return leg_.path.selected_local && leg_.path.selected_remote;
    }
    [[nodiscard]] static std::string candidate_id(const char* side, std::size_t place) {
        return std::string(side) + "-candidate-" + std::to_string(place);
    }

    void stream(const std::string& ssrc) {
        json_.key("ssrc");
        json_.value(ssrc == local_ ? s_.local_ssrc : s_.remote_ssrc);
        json_.field("kind", "audio").field("transportId", kTransport).field("codecId", "codec");
    }

    void codec() {
        begin("codec", "codec").field("payloadType", leg_.chosen.payload_type);
        json_.field("mimeType", "audio/" + std::string(codec_.rtp_encoding));
        json_.field("clockRate", codec_.rtp_clock_hz).field("channels", codec_.rtp_channels);
        text("sdpFmtpLine", leg_.chosen.fmtp);
        json_.field("transportId", kTransport).end();
    }

    void outbound() {
        begin("outbound-" + local_, "outbound-rtp");
        stream(local_);
        json_.field("mediaSourceId", "source").field("active", leg_.is_sending);
        if (s_.remote_reports > 0) json_.field("remoteId", "remote-inbound-" + local_);
        json_.field("packetsSent", s_.sent_packets).field("bytesSent", s_.sent_bytes);
        json_.field("headerBytesSent", s_.sent_packets * kHeaderBytes).end();
    }

    void remote_inbound() {
        begin("remote-inbound-" + local_, "remote-inbound-rtp", s_.since_last_rtcp_ms);
        stream(local_);
        json_.field("localId", "outbound-" + local_);
        json_.field("packetsLost", s_.remote_lost_packets);
        if (s_.remote_jitter_ms >= 0) json_.field("jitter", s_.remote_jitter_ms / 1000);
        json_.field("fractionLost", s_.remote_fraction_lost);
        if (s_.round_trip_ms >= 0) json_.field("roundTripTime", s_.round_trip_ms / 1000);
        json_.field("totalRoundTripTime", s_.total_round_trip_ms / 1000);
        json_.field("roundTripTimeMeasurements", s_.round_trips).end();
    }

    void inbound() {
        const model::SoundStats& sound = s_.received_sound;
        begin("inbound-" + remote_, "inbound-rtp");
        stream(remote_);
        json_.field("trackIdentifier", "caller");
        if (s_.sender_reports > 0) json_.field("remoteId", "remote-outbound-" + remote_);
        json_.field("packetsReceived", s_.received_packets);
        // RFC 3550 A.3: what was given up and came after all was not lost, and copies count as
        // received.
        json_.field("packetsLost",
                    static_cast<std::int64_t>(s_.lost_packets) -
                        static_cast<std::int64_t>(s_.late_packets + s_.duplicate_packets));
        json_.field("packetsDiscarded", s_.late_packets).field("jitter", s_.jitter_ms / 1000);
        json_.field("bytesReceived", s_.received_bytes);
        json_.field("headerBytesReceived", s_.received_header_bytes);
        time("lastPacketReceivedTimestamp", s_.since_last_received_ms);
        json_.field("jitterBufferDelay", s_.jitter_delay_s);
        json_.field("jitterBufferEmittedCount", s_.decoded_samples);
        json_.field("totalSamplesReceived", sound.samples);
        json_.field("concealedSamples", s_.concealed_samples + s_.comfort_noise_samples);
        json_.field("silentConcealedSamples", s_.comfort_noise_samples);
        json_.field("concealmentEvents", s_.concealment_events);
        level(sound);
        json_.end();
    }

    void remote_outbound() {
        begin("remote-outbound-" + remote_, "remote-outbound-rtp", s_.since_last_rtcp_ms);
        stream(remote_);
        json_.field("localId", "inbound-" + remote_);
        json_.field("packetsSent", s_.remote_sent_packets);
        json_.field("bytesSent", s_.remote_sent_bytes);
        if (s_.remote_sr_realtime_ns != 0)
            json_.field("remoteTimestamp", s_.remote_sr_realtime_ns / base::kNsPerMs);
        json_.field("reportsSent", s_.sender_reports).end();
    }

    void level(const model::SoundStats& sound) {
        json_.field("audioLevel", linear(sound.level_now_dbov));
        json_.field("totalAudioEnergy", sound.energy_s);
        json_.field("totalSamplesDuration", seconds(sound.samples));
    }

    void media_source() {
        begin("source", "media-source").field("kind", "audio").field("trackIdentifier", "line");
        level(s_.sent_sound);
        json_.end();
    }

    // The line keeper is the device that plays the AI's sound: what the AI does not bring in time,
    // it makes.
    void media_playout() {
        const std::uint64_t frame = model::frame_samples(s_.sample_rate_hz);
        const std::uint64_t made = s_.sent_fill_frames * frame;
        const std::uint64_t all = made + s_.sent_ai_frames * frame;
        begin("playout", "media-playout").field("kind", "audio");
        json_.field("synthesizedSamplesDuration", seconds(made));
        json_.field("synthesizedSamplesEvents", s_.voice_underruns);
        json_.field("totalSamplesDuration", seconds(all)).field("totalSamplesCount", all).end();
    }

    void traffic() {
        json_.field("packetsSent", s_.sent_packets + s_.rtcp_sent);
        json_.field("packetsReceived", s_.received_packets + s_.rtcp_received);
        json_.field("bytesSent",
                    s_.sent_bytes + s_.sent_packets * kHeaderBytes + s_.rtcp_sent_bytes);
        json_.field("bytesReceived",
                    s_.received_bytes + s_.received_header_bytes + s_.rtcp_received_bytes);
    }

    void transport() {
        const model::LegPath& path = leg_.path;
        begin(kTransport, "transport");
        traffic();
        text("iceState", path.ice_state);
        text("iceRole", path.ice_role);
        text("iceLocalUsernameFragment", path.local_username_fragment);
        text("dtlsState", path.dtls_state);
        text("dtlsRole", path.dtls_role);
        text("srtpCipher", path.srtp_cipher);
        if (has_pair()) json_.field("selectedCandidatePairId", "pair");
        json_.field("selectedCandidatePairChanges", path.pair_changes);
        if (!path.local_fingerprint.empty()) json_.field("localCertificateId", "local-certificate");
        if (!path.remote_fingerprint.empty())
            json_.field("remoteCertificateId", "remote-certificate");
        json_.end();
    }

    void candidates(const char* side, const std::vector<PathCandidate>& all) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            const PathCandidate& each = all[i];
            begin(candidate_id(side, i),
                  side == std::string_view("local") ? "local-candidate" : "remote-candidate");
            json_.field("transportId", kTransport).field("address", each.address);
            json_.field("port", each.port).field("protocol", "udp");
            json_.field("candidateType", name_of(each.type));
            if (each.priority != 0) json_.field("priority", each.priority);
            text("foundation", each.foundation);
            text("relatedAddress", each.related_address);
            if (!each.related_address.empty()) json_.field("relatedPort", each.related_port);
            json_.end();
        }
    }

    void pair() {
        begin("pair", "candidate-pair").field("transportId", kTransport);
        json_.field("localCandidateId", candidate_id("local", *leg_.path.selected_local));
        json_.field("remoteCandidateId", candidate_id("remote", *leg_.path.selected_remote));
        json_.field("state", "succeeded").field("nominated", true);
        traffic();
        time("lastPacketSentTimestamp", s_.since_last_sent_ms);
        time("lastPacketReceivedTimestamp", s_.since_last_received_ms);
        json_.end();
    }

    void certificate(const char* side, const std::string& fingerprint) {
        const std::size_t space = fingerprint.find(' ');
        if (space == std::string::npos) return;
        begin(std::string(side) + "-certificate", "certificate");
        json_.field("fingerprint", fingerprint.substr(space + 1));
        json_.field("fingerprintAlgorithm", fingerprint.substr(0, space)).end();
    }

    base::JsonWriter& json_;
    const LegFacts& leg_;
    const LegStats& s_;
    const model::CodecFacts& codec_;
    const std::int64_t now_ms_;
    const std::string local_, remote_;  ///< SSRCs
};

}  // namespace

void write_webrtc_stats(base::JsonWriter& json, const LegFacts& leg) {
    Report(json, leg).write();
}

}  // namespace offhook::stats

#include "harness/rtp_judge.h"

#include <opus.h>
// spandsp.h needs stdint and math names first.
#include <spandsp.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>

#include "harness/g711.h"

namespace offhook::harness {
namespace {

/// Payload bytes to samples, for the codecs a call can negotiate.
class Decoder {
public:
    explicit Decoder(const std::string& codec) : codec_(codec) {
        if (codec == "G722") {
            rate_hz_ = 16000;
            g722_.reset(g722_decode_init(nullptr, 64000, 0));
        } else if (codec == "opus") {
            rate_hz_ = 16000;
            int error = 0;
            opus_.reset(opus_decoder_create(rate_hz_, 1, &error));
        } else if (codec != "PCMU" && codec != "PCMA") {
            throw std::runtime_error("no decoder for " + codec);
        }
    }

    [[nodiscard]] int rate_hz() const { return rate_hz_; }
    [[nodiscard]] std::uint32_t clock_hz() const { return codec_ == "opus" ? 48000 : 8000; }

    void decode(const std::vector<std::uint8_t>& payload, std::vector<std::int16_t>& out) {
        if (g722_) {
            std::vector<std::int16_t> samples(payload.size() * 2 + 2);
            const int count = g722_decode(
                g722_.get(), samples.data(), payload.data(), static_cast<int>(payload.size()));
            out.insert(out.end(), samples.begin(), samples.begin() + count);
        } else if (opus_) {
            std::array<std::int16_t, 1920> samples{};
            const int count = opus_decode(opus_.get(),
                                          payload.data(),
                                          static_cast<opus_int32>(payload.size()),
                                          samples.data(),
                                          static_cast<int>(samples.size()),
                                          0);
            if (count < 0) {
                throw std::runtime_error("not an Opus packet");
            }
            out.insert(out.end(), samples.begin(), samples.begin() + count);
        } else {
            for (const std::uint8_t code : payload) {
                out.push_back(codec_ == "PCMU" ? from_mulaw(code) : from_alaw(code));
            }
        }
    }

private:
    struct Free {
        void operator()(g722_decode_state_t* state) const { g722_decode_free(state); }
        void operator()(OpusDecoder* state) const { opus_decoder_destroy(state); }
    };
    std::string codec_;
    int rate_hz_ = 8000;
    std::unique_ptr<g722_decode_state_t, Free> g722_;
    std::unique_ptr<OpusDecoder, Free> opus_;
};

}  // namespace

RtpStream::RtpStream(std::vector<RtpPacket> packets, int dtmf_payload_type)
    : packets_(std::move(packets)), dtmf_payload_type_(dtmf_payload_type) {}

std::string RtpVerdict::text() const {
    std::ostringstream out;
    out << packets << " packets in " << duration_s << " s (" << rate_hz << "/s), longest gap "
        << longest_gap_ms << " ms, p99 " << p99_gap_ms << " ms, " << ssrcs << " SSRC, "
        << sequence_breaks << " sequence and " << timestamp_breaks << " timestamp breaks";
    return out.str();
}

RtpVerdict RtpStream::judge(std::uint32_t step_rtp) const {
    RtpVerdict verdict;
    verdict.packets = packets_.size();
    if (packets_.empty()) {
        return verdict;
    }
    verdict.first_s = packets_.front().at_s;
    verdict.last_s = packets_.back().at_s;
    verdict.duration_s = verdict.last_s - verdict.first_s;
    std::set<std::uint32_t> ssrcs;
    std::vector<double> gaps_ms;
    for (std::size_t index = 0; index < packets_.size(); ++index) {
        const RtpPacket& packet = packets_[index];
        ssrcs.insert(packet.ssrc);
        verdict.markers += packet.has_marker ? 1U : 0U;
        if (std::find(verdict.payload_types.begin(),
                      verdict.payload_types.end(),
                      packet.payload_type) == verdict.payload_types.end()) {
            verdict.payload_types.push_back(packet.payload_type);
        }
        if (index == 0) {
            continue;
        }
        const RtpPacket& previous = packets_[index - 1];
        gaps_ms.push_back((packet.at_s - previous.at_s) * 1000);
        if (packet.sequence != static_cast<std::uint16_t>(previous.sequence + 1)) {
            ++verdict.sequence_breaks;
        }
        const bool is_event = packet.payload_type == dtmf_payload_type_ ||
                              previous.payload_type == dtmf_payload_type_;
        if (!is_event && packet.timestamp != previous.timestamp + step_rtp) {
            ++verdict.timestamp_breaks;
        }
    }
    verdict.ssrcs = ssrcs.size();
    if (!gaps_ms.empty()) {
        std::sort(gaps_ms.begin(), gaps_ms.end());
        verdict.longest_gap_ms = gaps_ms.back();
        verdict.p99_gap_ms = gaps_ms[(gaps_ms.size() - 1) * 99 / 100];
        verdict.rate_hz = double(gaps_ms.size()) / verdict.duration_s;
    }
    return verdict;
}

RtpStream RtpStream::part(double from_s, double to_s) const {
    std::vector<RtpPacket> kept;
    for (const RtpPacket& packet : packets_) {
        const double at = packet.at_s - packets_.front().at_s;
        if (at >= from_s && at < to_s) {
            kept.push_back(packet);
        }
    }
    return RtpStream(std::move(kept), dtmf_payload_type_);
}

Sound RtpStream::sound(const std::string& codec) const {
    Decoder decoder(codec);
    Sound sound{decoder.rate_hz(), {}};
    const std::uint32_t samples_per_tick_den = decoder.clock_hz();
    bool is_first = true;
    std::uint32_t expected = 0;
    for (const RtpPacket& packet : packets_) {
        if (packet.payload_type == dtmf_payload_type_) {
            continue;
        }
        if (!is_first) {
            const auto hole = static_cast<std::int32_t>(packet.timestamp - expected);
            if (hole < 0) {
                continue;  // a duplicate, or one that came late
            }
            sound.append_silence(double(hole) / samples_per_tick_den);
        }
        is_first = false;
        const std::size_t before = sound.samples.size();
        decoder.decode(packet.payload, sound.samples);
        const std::size_t got = sound.samples.size() - before;
        expected =
            packet.timestamp + static_cast<std::uint32_t>(got * samples_per_tick_den /
                                                          static_cast<unsigned>(decoder.rate_hz()));
    }
    return sound;
}

std::vector<RtpStream> streams(const std::vector<RtpPacket>& packets,
                               std::uint16_t first,
                               std::uint16_t last,
                               bool sent_by_daemon,
                               int dtmf_payload_type) {
    std::map<std::pair<std::uint16_t, std::uint16_t>, std::vector<RtpPacket>> by_ports;
    for (const RtpPacket& packet : packets) {
        const bool is_daemons = packet.source_port >= first && packet.source_port <= last;
        if (is_daemons == sent_by_daemon) {
            by_ports[{packet.source_port, packet.target_port}].push_back(packet);
        }
    }
    std::vector<RtpStream> result;
    for (auto& [ports, stream] : by_ports) {
        result.emplace_back(std::move(stream), dtmf_payload_type);
    }
    std::stable_sort(
        result.begin(), result.end(), [](const RtpStream& one, const RtpStream& other) {
            return one.packets().size() > other.packets().size();
        });
    return result;
}

}  // namespace offhook::harness

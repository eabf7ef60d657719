#include "harness/web_peer.h"

#include <opus/opus.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <stdexcept>
#include <utility>

#include "harness/g711.h"
#include "harness/web_peer_sdp.h"

namespace offhook::harness {
namespace {

constexpr std::size_t kFrame = 160;  // samples of 20 ms at 8 kHz
// RFC 4733: a digit of 160 ms, its end three times, then 60 ms of sound before the next.
constexpr int kDigitPackets = 8;
constexpr int kEndPackets = 3;
constexpr int kPausePackets = 3;
constexpr std::string_view kDigits = "0123456789*#ABCD";

struct CodecFacts {
    const char* encoding;
    const char* name;  ///< as RtpStream::sound calls it
    int clock_rate_hz, payload_type, dtmf_payload_type;
};

const CodecFacts& facts(WebPeer::Codec codec) {
    static constexpr CodecFacts kPcmu{"PCMU", "PCMU", 8000, 0, 101};
    static constexpr CodecFacts kPcma{"PCMA", "PCMA", 8000, 8, 101};
    static constexpr CodecFacts kOpus{"OPUS", "opus", 48000, 111, 110};
    switch (codec) {
        case WebPeer::Codec::Pcma:
            return kPcma;
        case WebPeer::Codec::Opus:
            return kOpus;
        default:
            return kPcmu;
    }
}

std::uint32_t big_endian(std::span<const std::uint8_t> bytes) {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : bytes) {
        value = (value << 8) | byte;
    }
    return value;
}

/// The header of a packet that is known to be RTP.
RtpPacket header_of(std::span<const std::uint8_t> packet) {
    RtpPacket result;
    result.at_s =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    result.has_marker = (packet[1] & 0x80) != 0;
    result.payload_type = packet[1] & 0x7f;
    result.sequence = static_cast<std::uint16_t>(big_endian(packet.subspan(2, 2)));
    result.timestamp = big_endian(packet.subspan(4, 4));
    result.ssrc = big_endian(packet.subspan(8, 4));
    return result;
}

std::int64_t monotonic_ns(Clock::time_point when) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count();
}

std::uint8_t alaw_of(std::int16_t sample) {
    // The nearest of the 256 codes: payloads are made once, before the call.
    std::uint8_t best = 0;
    int best_error = 1 << 20;
    for (int code = 0; code < 256; ++code) {
        const int error = std::abs(from_alaw(static_cast<std::uint8_t>(code)) - sample);
        if (error < best_error) {
            best = static_cast<std::uint8_t>(code);
            best_error = error;
        }
    }
    return best;
}

}  // namespace

std::vector<std::vector<std::uint8_t>> web_payloads(WebPeer::Codec codec, const Sound& sound) {
    if (sound.rate_hz != 8000) {
        throw std::runtime_error("web peers are given sound of 8 kHz");
    }
    std::vector<std::int16_t> samples = sound.samples;
    samples.resize(std::max(kFrame, (samples.size() + kFrame - 1) / kFrame * kFrame));
    OpusEncoder* encoder = nullptr;
    if (codec == WebPeer::Codec::Opus) {
        int error = OPUS_OK;
        encoder = opus_encoder_create(8000, 1, OPUS_APPLICATION_VOIP, &error);
        opus_encoder_ctl(encoder, OPUS_SET_BITRATE(24000));
    }
    std::vector<std::vector<std::uint8_t>> payloads;
    for (std::size_t at = 0; at < samples.size(); at += kFrame) {
        std::vector<std::uint8_t> payload;
        if (encoder != nullptr) {
            payload.resize(400);
            const auto length = opus_encode(encoder,
                                            &samples[at],
                                            static_cast<int>(kFrame),
                                            payload.data(),
                                            static_cast<opus_int32>(payload.size()));
            payload.resize(static_cast<std::size_t>(std::max(length, 0)));
        } else {
            for (std::size_t index = at; index < at + kFrame; ++index) {
                payload.push_back(codec == WebPeer::Codec::Pcma ? alaw_of(samples[index])
                                                                : mulaw_of(samples[index]));
            }
        }
        payloads.push_back(std::move(payload));
    }
    if (encoder != nullptr) {
        opus_encoder_destroy(encoder);
    }
    return payloads;
}

WebPeer::WebPeer(Options options) : options_(std::move(options)) {
    const CodecFacts& codec = facts(options_.codec);
    payload_type_ = options_.payload_type >= 0 ? options_.payload_type : codec.payload_type;
    dtmf_payload_type_ =
        options_.dtmf_payload_type >= 0 ? options_.dtmf_payload_type : codec.dtmf_payload_type;
    payloads_ = web_payloads(options_.codec, options_.sound);
    std::random_device random;
    ssrc_ = random();
    sequence_ = static_cast<std::uint16_t>(random());
    timestamp_ = random();
    is_mute_ = options_.is_mute;
    if (!options_.pacer) {
        options_.pacer = std::make_shared<WebPacer>();
    }
}

WebPeer::~WebPeer() {
    if (pace_id_ != 0) {
        options_.pacer->remove(pace_id_);
    }
    // Their threads end before what they write to.
    replaced_.clear();
    next_.reset();
    current_.reset();
}

void WebPeer::warm_up() {
    WebPeer peer{Options{}};
    peer.offer();
}

std::unique_ptr<WebConnection> WebPeer::connection() {
    WebConnection::Parts parts;
    parts.encoding = facts(options_.codec).encoding;
    parts.clock_rate_hz = facts(options_.codec).clock_rate_hz;
    parts.payload_type = payload_type_;
    parts.ssrc = ssrc_;
    parts.address = options_.address;
    parts.on_wire = [this](auto packet) { on_wire(packet); };
    if (options_.keeps_sound) {
        parts.on_packet = [this](auto packet) { on_packet(packet); };
    }
    return std::make_unique<WebConnection>(std::move(parts));
}

std::string WebPeer::written(std::string sdp) {
    if (dtmf_payload_type_ > 0) {
        sdp = with_telephone_event(
            std::move(sdp), dtmf_payload_type_, facts(options_.codec).clock_rate_hz);
    }
    if (options_.has_wrong_fingerprint) {
        sdp = with_wrong_fingerprint(std::move(sdp));
    }
    // All candidates are there (RFC 8840 §8.2); without the word Janus waits for more.
    sdp = with_version(std::move(sdp), version_++) + "a=end-of-candidates\r\n";
    last_written_ = sdp;
    if (pace_id_ == 0) {
        pace_id_ = options_.pacer->add([this] { send_next(); });
    }
    return sdp;
}

std::string WebPeer::offer() {
    current_ = connection();
    return written(current_->offer());
}

std::string WebPeer::restart_offer() {
    auto fresh = connection();
    std::string sdp = fresh->offer();
    {
        const std::lock_guard lock(send_mutex_);
        next_ = std::move(fresh);
    }
    return written(std::move(sdp));
}

std::string WebPeer::offer_again(const std::string& direction) {
    last_written_ = with_version(with_direction(last_written_, direction), version_++);
    return last_written_;
}

void WebPeer::take_answer(const std::string& answer) {
    const CodecFacts& codec = facts(options_.codec);
    remote_ = answer;
    const int chosen = payload_type_of(answer, codec.encoding, codec.clock_rate_hz);
    if (chosen != payload_type_) {
        throw std::runtime_error("the answer has not the codec offered:\n" + answer);
    }
    if (dtmf_payload_type_ > 0) {
        dtmf_payload_type_ =
            std::max(0, payload_type_of(answer, "telephone-event", codec.clock_rate_hz));
    }
    newest().take_answer(reduced(answer, payload_type_));
}

void WebPeer::take_fragment(const std::string& fragment) {
    take_answer(with_fragment(remote_, fragment));
}

std::string WebPeer::answer(const std::string& offer) {
    const CodecFacts& codec = facts(options_.codec);
    remote_ = offer;
    payload_type_ = payload_type_of(offer, codec.encoding, codec.clock_rate_hz);
    if (payload_type_ < 0) {
        throw std::runtime_error("the offer has not our codec:\n" + offer);
    }
    dtmf_payload_type_ =
        std::max(0, payload_type_of(offer, "telephone-event", codec.clock_rate_hz));
    const bool is_first = !current_;
    auto fresh = connection();
    std::string sdp = fresh->answer(reduced(offer, payload_type_));
    {
        const std::lock_guard lock(send_mutex_);
        (is_first ? current_ : next_) = std::move(fresh);
    }
    return written(std::move(sdp));
}

bool WebPeer::wait_packets(std::size_t count, milliseconds limit) {
    std::unique_lock lock(heard_mutex_);
    return arrived_changed_.wait_for(lock, limit, [&] { return wire_.size() >= count; });
}

bool WebPeer::wait_more(std::size_t count, milliseconds limit) {
    return wait_packets(arrived() + count, limit);
}

bool WebPeer::is_peer_verified() {
    const std::string shown = newest().peer_fingerprint();
    return !shown.empty() && attribute(remote_, "fingerprint") == "sha-256 " + shown;
}

void WebPeer::send_digits(const std::string& digits) {
    const std::lock_guard lock(send_mutex_);
    digits_ += digits;
}

void WebPeer::set_mute(bool is_mute) {
    const std::lock_guard lock(send_mutex_);
    is_mute_ = is_mute;
}

void WebPeer::send_next() {
    const std::lock_guard lock(send_mutex_);
    if (next_ && next_->is_connected()) {
        // Not closed here: that takes milliseconds, and other peers wait for this thread.
        replaced_.push_back(std::exchange(current_, std::move(next_)));
    }
    // The clock runs from connected on, also while nothing is said.
    if (!current_ || !current_->is_connected()) {
        return;
    }
    if (is_mute_) {
        timestamp_ += static_cast<std::uint32_t>(facts(options_.codec).clock_rate_hz / 50);
        return;
    }
    current_->send(next_packet());
    ++sent_;
}

std::vector<std::uint8_t> WebPeer::next_packet() {
    const auto step = static_cast<std::uint32_t>(facts(options_.codec).clock_rate_hz / 50);
    std::vector<std::uint8_t> packet(12);
    std::uint32_t timestamp = timestamp_;
    int payload_type = payload_type_;
    bool has_marker = sent_ == 0;
    const bool is_digit = !digits_.empty() && digit_packets_ < kDigitPackets + kEndPackets;
    if (is_digit) {
        const int packets = std::min(digit_packets_ + 1, kDigitPackets);
        const std::uint32_t duration = static_cast<std::uint32_t>(packets) * step;
        payload_type = dtmf_payload_type_;
        // All packets of an event carry the time of its beginning.
        timestamp -= static_cast<std::uint32_t>(digit_packets_) * step;
        has_marker = digit_packets_ == 0;
        packet.insert(packet.end(),
                      {static_cast<std::uint8_t>(kDigits.find(digits_.front())),
                       static_cast<std::uint8_t>(digit_packets_ >= kDigitPackets ? 0x8a : 0x0a),
                       static_cast<std::uint8_t>(duration >> 8),
                       static_cast<std::uint8_t>(duration)});
    } else {
        const std::vector<std::uint8_t>& payload = payloads_[position_];
        packet.insert(packet.end(), payload.begin(), payload.end());
    }
    if (!digits_.empty() && ++digit_packets_ >= kDigitPackets + kEndPackets + kPausePackets) {
        digits_.erase(0, 1);
        digit_packets_ = 0;
    }
    packet[0] = 0x80;
    packet[1] = static_cast<std::uint8_t>(payload_type | (has_marker ? 0x80 : 0));
    for (std::size_t index = 0; index < 4; ++index) {
        const auto shift = static_cast<unsigned>(24 - 8 * index);
        packet[4 + index] = static_cast<std::uint8_t>(timestamp >> shift);
        packet[8 + index] = static_cast<std::uint8_t>(ssrc_ >> shift);
    }
    packet[2] = static_cast<std::uint8_t>(sequence_ >> 8);
    packet[3] = static_cast<std::uint8_t>(sequence_);
    ++sequence_;
    timestamp_ += step;
    position_ = (position_ + 1) % payloads_.size();
    return packet;
}

void WebPeer::on_wire(std::span<const std::uint8_t> packet) {
    before_ordinary_threads();
    const RtpPacket header = header_of(packet);
    const std::lock_guard lock(heard_mutex_);
    if (first_arrival_ns_ == 0) {
        first_arrival_ns_ = monotonic_ns(Clock::now());
    }
    wire_.push_back(header);
    arrived_changed_.notify_all();
}

void WebPeer::on_packet(std::span<const std::uint8_t> packet) {
    RtpPacket whole = header_of(packet);
    const std::size_t begin = 12 + 4 * static_cast<std::size_t>(packet[0] & 0x0f);
    if (packet.size() >= begin && (packet[0] & 0x10) == 0) {
        const auto payload = packet.subspan(begin);
        whole.payload.assign(payload.begin(), payload.end());
    }
    const std::lock_guard lock(heard_mutex_);
    packets_.push_back(std::move(whole));
}

RtpStream WebPeer::wire() const {
    const std::lock_guard lock(heard_mutex_);
    return {wire_, dtmf_payload_type_};
}

RtpStream WebPeer::packets() const {
    const std::lock_guard lock(heard_mutex_);
    return {packets_, dtmf_payload_type_};
}

Sound WebPeer::heard() const {
    return packets().sound(facts(options_.codec).name);
}

std::size_t WebPeer::arrived() const {
    const std::lock_guard lock(heard_mutex_);
    return wire_.size();
}

std::size_t WebPeer::sent() const {
    const std::lock_guard lock(send_mutex_);
    return sent_;
}

std::int64_t WebPeer::first_arrival_ns() const {
    const std::lock_guard lock(heard_mutex_);
    return first_arrival_ns_;
}

std::int64_t WebPeer::connected_ns() {
    const auto when = newest().connected_at();
    return when ? monotonic_ns(*when) : 0;
}

std::string WebPeer::digits() const {
    const std::lock_guard lock(heard_mutex_);
    std::string digits;
    std::optional<std::uint32_t> last;
    for (const RtpPacket& packet : packets_) {
        if (packet.payload_type == dtmf_payload_type_ && packet.payload.size() >= 4 &&
            packet.payload[0] < kDigits.size() && last != packet.timestamp) {
            digits += kDigits[packet.payload[0]];
            last = packet.timestamp;
        }
    }
    return digits;
}

void WebPeer::forget() {
    const std::lock_guard lock(heard_mutex_);
    wire_.clear();
    packets_.clear();
    first_arrival_ns_ = 0;
}

}  // namespace offhook::harness

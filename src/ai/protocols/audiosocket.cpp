#include "ai/protocols/audiosocket.h"

#include <openssl/evp.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ai/protocols/encoding.h"

namespace offhook::ai {
namespace {

constexpr std::size_t kHeaderBytes = 3;

enum class Kind : std::uint8_t {
    End = 0x00,
    Uuid = 0x01,
    Digit = 0x03,
    FirstSound = 0x10,  ///< 8 kHz
    Sound16k = 0x12,
    Sound24k = 0x13,
    LastSound = 0x18,
    Error = 0xff,
};

Kind sound_kind(std::uint32_t rate_hz) {
    if (rate_hz == 16000) return Kind::Sound16k;
    return rate_hz == 24000 ? Kind::Sound24k : Kind::FirstSound;
}

std::uint32_t rate_of(const config::Ai& ai) {
    return ai.sample_rate_hz == 16000 || ai.sample_rate_hz == 24000
               ? static_cast<std::uint32_t>(ai.sample_rate_hz)
               : 8000;
}

std::string reason_of(std::span<const std::byte> payload) {
    if (payload.empty()) return "without saying which";
    switch (std::to_integer<unsigned>(payload[0])) {
        case 1:
            return "1: the far end hung up";
        case 2:
            return "2: a frame was not forwarded";
        case 4:
            return "4: out of memory";
        default:
            return std::to_string(std::to_integer<unsigned>(payload[0]));
    }
}

class AudioSocket final : public BotProtocol {
public:
    explicit AudioSocket(BotHost& host)
        : host_(host), rate_hz_(rate_of(host.settings().ai)), sound_(sound_kind(rate_hz_)) {}

    std::uint32_t sample_rate_hz() const noexcept override { return rate_hz_; }
    Opening opening() const override {
        return {
            .url = host_.settings().ai.url, .subprotocol = {}, .headers = {}, .secret_headers = {}};
    }
    OnClose on_close() const noexcept override { return OnClose::HangUp; }

    void on_open(const Continuation& /*before*/) override {
        received_.clear();
        is_over_ = false;
        send(Kind::Uuid, audiosocket_uuid(host_.call().id.text));
        host_.ready();
    }

    /// TCP: cut anywhere.
    void on_binary(std::span<const std::byte> bytes) override {
        while (!bytes.empty() && !is_over_) {
            if (received_.empty()) {
                // Most packets come whole: those are read where they are.
                const std::size_t n = packet_bytes(bytes);
                if (n != 0 && n <= bytes.size()) {
                    on_packet(bytes.first(n));
                    bytes = bytes.subspan(n);
                    continue;
                }
            }
            const std::size_t wanted =
                received_.size() < kHeaderBytes ? kHeaderBytes : packet_bytes(received_);
            const std::size_t n = std::min(wanted - received_.size(), bytes.size());
            received_.insert(received_.end(), bytes.begin(), bytes.begin() + to_difference(n));
            bytes = bytes.subspan(n);
            if (received_.size() >= kHeaderBytes && received_.size() == packet_bytes(received_)) {
                const std::vector<std::byte> packet = std::move(received_);
                received_.clear();
                on_packet(packet);
            }
        }
    }

    void on_text(std::string_view /*text*/) override {}

    void on_frame(std::span<const std::int16_t> pcm, FrameAt /*at*/) override {
        encode_samples(Encoding::Pcm, pcm, sample_bytes_);
        send(sound_, sample_bytes_);
    }

    /// Some servers take a digit for an error, hence the switch.
    void on_digit(char digit, unsigned /*duration_ms*/) override {
        if (!host_.settings().ai.digits) return;
        const std::array<std::byte, 1> payload{static_cast<std::byte>(digit)};
        send(Kind::Digit, payload);
    }

    void on_mark(const std::string& /*name*/,
                 MarkEnd /*how*/,
                 std::uint64_t /*position*/) override {}
    /// There is no word for it: whoever interrupts is heard.
    void on_barge_in(std::uint64_t /*played*/) override { host_.judge_barge_in(true); }

    void on_end(model::EndReason /*reason*/) override { send(Kind::End, {}); }

private:
    static std::ptrdiff_t to_difference(std::size_t n) { return static_cast<std::ptrdiff_t>(n); }

    /// @return header and payload together; 0: the header is not there yet
    static std::size_t packet_bytes(std::span<const std::byte> bytes) {
        if (bytes.size() < kHeaderBytes) return 0;
        return kHeaderBytes + std::to_integer<std::size_t>(bytes[1]) * 256 +
               std::to_integer<std::size_t>(bytes[2]);
    }

    void send(Kind kind, std::span<const std::byte> payload) {
        packet_.clear();
        packet_.push_back(static_cast<std::byte>(kind));
        packet_.push_back(static_cast<std::byte>(payload.size() >> 8));
        packet_.push_back(static_cast<std::byte>(payload.size() & 0xff));
        packet_.insert(packet_.end(), payload.begin(), payload.end());
        host_.send_binary(packet_);
    }

    void on_packet(std::span<const std::byte> packet) {
        const auto kind = static_cast<Kind>(packet[0]);
        const auto payload = packet.subspan(kHeaderBytes);
        if (kind == sound_) {
            if (payload.size() % 2 != 0)
                host_.complain("sent half a sample at the end of a packet: left out");
            decode_samples(Encoding::Pcm, payload, pcm_);
            if (!pcm_.empty()) host_.play(pcm_);
            trim(pcm_);
        } else if (kind == Kind::End) {
            is_over_ = true;
            host_.finish();
        } else if (kind == Kind::Error) {
            host_.complain("sent the error " + reason_of(payload));
        } else if (kind >= Kind::FirstSound && kind <= Kind::LastSound) {
            host_.complain("sent sound of kind " + std::to_string(static_cast<unsigned>(kind)) +
                           ", not of " + std::to_string(rate_hz_) + " Hz (kind " +
                           std::to_string(static_cast<unsigned>(sound_)) +
                           "): left out; set sample_rate_hz to what it sends");
        } else {
            host_.complain("sent a packet of kind " + std::to_string(static_cast<unsigned>(kind)) +
                           ": ignored");
        }
    }

    BotHost& host_;
    const std::uint32_t rate_hz_;
    const Kind sound_;

    // of the connection
    std::vector<std::byte> received_;  ///< of a packet that is not whole yet, 65538 bytes at most
    bool is_over_ = false;             ///< 0x00 came: nothing after it counts

    std::vector<std::byte> packet_, sample_bytes_;
    std::vector<std::int16_t> pcm_;
};

}  // namespace

std::unique_ptr<BotProtocol> make_audiosocket(BotHost& host) {
    return std::make_unique<AudioSocket>(host);
}

std::array<std::byte, 16> audiosocket_uuid(std::string_view call_id) {
    // The namespace of URLs (RFC 4122 appendix C).
    constexpr std::array<unsigned char, 16> kUrls{0x6b,
                                                  0xa7,
                                                  0xb8,
                                                  0x11,
                                                  0x9d,
                                                  0xad,
                                                  0x11,
                                                  0xd1,
                                                  0x80,
                                                  0xb4,
                                                  0x00,
                                                  0xc0,
                                                  0x4f,
                                                  0xd4,
                                                  0x30,
                                                  0xc8};
    std::string named(kUrls.begin(), kUrls.end());
    named.append("offhook:").append(call_id);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    EVP_Digest(named.data(), named.size(), digest.data(), nullptr, EVP_sha1(), nullptr);
    std::array<std::byte, 16> uuid{};
    std::transform(digest.begin(), digest.begin() + 16, uuid.begin(), [](unsigned char c) {
        return std::byte{c};
    });
    uuid[6] = (uuid[6] & std::byte{0x0f}) | std::byte{0x50};
    uuid[8] = (uuid[8] & std::byte{0x3f}) | std::byte{0x80};
    return uuid;
}

}  // namespace offhook::ai

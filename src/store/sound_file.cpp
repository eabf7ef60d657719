#include "store/sound_file.h"

#include <fcntl.h>
#include <ogg/ogg.h>
#include <opus_multistream.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

namespace offhook::store {
namespace {

using base::ErrorCode;
using base::Result;

constexpr int kBitRate = 48'000;  // of both sides
constexpr int kComplexity = 3;
constexpr std::int64_t kGranulesPerFrame = 960;  // RFC 7845 §4: always at 48 kHz
constexpr std::size_t kMaxPacketBytes = 1'500;

tl::unexpected<base::Error> refused(const std::string& what, int code) {
    const ErrorCode kind = code == ENOSPC || code == EDQUOT || code == EFBIG
                               ? ErrorCode::LimitReached
                           : code == EROFS || code == EACCES || code == EPERM ? ErrorCode::Denied
                           : code == EEXIST                                   ? ErrorCode::Conflict
                                                                              : ErrorCode::Io;
    return base::fail(kind, what, std::strerror(code));
}

void put16(std::string& out, unsigned value) {
    out += static_cast<char>(value & 0xff);
    out += static_cast<char>(value >> 8 & 0xff);
}

void put32(std::string& out, std::uint32_t value) {
    put16(out, value & 0xffff);
    put16(out, value >> 16);
}

/// A file that only grows, but for its head.
class Target {
public:
    Target(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
    ~Target() {
        if (fd_ >= 0) ::close(fd_);
    }
    Target(Target&& other) noexcept
        : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}
    Target& operator=(Target&&) = delete;

    Result<void> append(std::string_view bytes) {
        if (auto done = write_at(bytes, size_); !done) return done;
        size_ += bytes.size();
        return {};
    }
    Result<void> write_at(std::string_view bytes, std::uint64_t at) {
        while (!bytes.empty()) {
            const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return refused("cannot write " + path_, n < 0 ? errno : ENOSPC);
            bytes.remove_prefix(static_cast<std::size_t>(n));
            at += static_cast<std::uint64_t>(n);
        }
        return {};
    }
    [[nodiscard]] std::uint64_t size() const { return size_; }

private:
    std::string path_;
    int fd_;
    std::uint64_t size_ = 0;
};

/// RIFF/WAVE, 16-bit PCM. The sizes in its head are patched with each flush; beyond 4 GiB (18
/// hours) they stay at the most that they can say.
class WavFile final : public SoundFile {
public:
    explicit WavFile(Target target) : target_(std::move(target)) {}

    void add(std::span<const std::int16_t, 2 * kFrameSamples> frame) override {
        for (const std::int16_t sample : frame) put16(waiting_, static_cast<std::uint16_t>(sample));
    }
    Result<void> flush() override {
        if (target_.size() == 0) {
            if (auto done = target_.append(head(0)); !done) return done;
        }
        if (auto done = target_.append(waiting_); !done) return done;
        waiting_.clear();
        return target_.write_at(head(target_.size() - kHeadBytes), 0);
    }
    Result<void> finish() override { return flush(); }

private:
    static constexpr std::uint64_t kHeadBytes = 44;

    static std::string head(std::uint64_t data_bytes) {
        constexpr std::uint64_t kMost = 0xffffffffU - kHeadBytes;
        const auto bytes = static_cast<std::uint32_t>(std::min(data_bytes, kMost));
        std::string out = "RIFF";
        put32(out, bytes + static_cast<std::uint32_t>(kHeadBytes) - 8);
        out += "WAVEfmt ";
        put32(out, 16);
        put16(out, 1);
        put16(out, 2);
        put32(out, kRateHz);
        put32(out, kRateHz * 4);
        put16(out, 4);
        put16(out, 16);
        out += "data";
        put32(out, bytes);
        return out;
    }

    Target target_;
    std::string waiting_;
};

/// Opus in Ogg (RFC 7845): two streams of one channel each (mapping family 1), so that nothing of
/// one side is heard on the other, as it would be in joint stereo. A page with each flush.
class OpusFile final : public SoundFile {
public:
    static Result<std::unique_ptr<SoundFile>> make(Target target) {
        constexpr std::array<unsigned char, 2> kMapping{0, 1};
        int error = OPUS_OK;
        Encoder encoder(opus_multistream_encoder_create(
            kRateHz, 2, 2, 0, kMapping.data(), OPUS_APPLICATION_VOIP, &error));
        if (error != OPUS_OK)
            return base::fail(
                ErrorCode::Internal, "there is no Opus encoder", opus_strerror(error));
        opus_multistream_encoder_ctl(encoder.get(), OPUS_SET_BITRATE(kBitRate));
        opus_multistream_encoder_ctl(encoder.get(), OPUS_SET_COMPLEXITY(kComplexity));
        opus_int32 lookahead = 0;
        opus_multistream_encoder_ctl(encoder.get(), OPUS_GET_LOOKAHEAD(&lookahead));
        std::unique_ptr<OpusFile> file(new OpusFile(
            std::move(target), std::move(encoder), lookahead * (48'000 / int{kRateHz})));
        file->put_heads();
        return file;
    }
    ~OpusFile() override { ogg_stream_clear(&stream_); }

    void add(std::span<const std::int16_t, 2 * kFrameSamples> frame) override {
        std::array<unsigned char, kMaxPacketBytes> packet;
        const int bytes = opus_multistream_encode(encoder_.get(),
                                                  frame.data(),
                                                  static_cast<int>(kFrameSamples),
                                                  packet.data(),
                                                  static_cast<opus_int32>(packet.size()));
        if (bytes <= 0) return;  // a frame that is no sound; the next one stands in its place
        put_held(false);
        held_.assign(packet.data(), packet.data() + bytes);
        granule_ += kGranulesPerFrame;
    }
    Result<void> flush() override {
        put_held(false);
        return write_pages();
    }
    // The encoder still holds what it looked ahead; then the last page says where the sound ends.
    Result<void> finish() override {
        const std::int64_t end = granule_ + preskip_;
        add(std::array<std::int16_t, 2 * kFrameSamples>{});
        granule_ = std::min(granule_, end);
        put_held(true);
        return write_pages();
    }

private:
    struct Destroy {
        void operator()(OpusMSEncoder* raw) const { opus_multistream_encoder_destroy(raw); }
    };
    using Encoder = std::unique_ptr<OpusMSEncoder, Destroy>;

    OpusFile(Target target, Encoder encoder, int preskip)
        : target_(std::move(target)), encoder_(std::move(encoder)), preskip_(preskip) {
        ogg_stream_init(&stream_, static_cast<int>(std::random_device{}()));
    }

    void put_heads() {
        std::string head = "OpusHead";
        head += '\x01';  // version
        head += '\x02';  // channels
        put16(head, static_cast<unsigned>(preskip_));
        put32(head, kRateHz);
        put16(head, 0);                                  // gain
        head += std::string("\x01\x02\x00\x00\x01", 5);  // family, streams, coupled, mapping
        put_packet(head, 0, true, false);
        pages_pending();
        const std::string vendor = opus_get_version_string();
        std::string tags = "OpusTags";
        put32(tags, static_cast<std::uint32_t>(vendor.size()));
        tags += vendor;
        put32(tags, 0);
        put_packet(tags, 0, false, false);
        pages_pending();
    }
    // One packet is held back: only at the end it is known which one is the last.
    void put_held(bool is_last) {
        if (held_.empty()) return;
        put_packet(std::string_view(reinterpret_cast<const char*>(held_.data()), held_.size()),
                   granule_,
                   false,
                   is_last);
        held_.clear();
    }
    void put_packet(std::string_view bytes, std::int64_t granule, bool is_first, bool is_last) {
        std::string copy(bytes);
        ogg_packet packet{};
        packet.packet = reinterpret_cast<unsigned char*>(copy.data());
        packet.bytes = static_cast<long>(copy.size());
        packet.b_o_s = is_first ? 1 : 0;
        packet.e_o_s = is_last ? 1 : 0;
        packet.granulepos = granule;
        packet.packetno = number_++;
        ogg_stream_packetin(&stream_, &packet);
    }
    void pages_pending() {
        ogg_page page{};
        while (ogg_stream_flush(&stream_, &page) != 0) {
            waiting_.append(reinterpret_cast<const char*>(page.header),
                            static_cast<std::size_t>(page.header_len));
            waiting_.append(reinterpret_cast<const char*>(page.body),
                            static_cast<std::size_t>(page.body_len));
        }
    }
    Result<void> write_pages() {
        pages_pending();
        if (auto done = target_.append(waiting_); !done) return done;
        waiting_.clear();
        return {};
    }

    Target target_;
    Encoder encoder_;
    const int preskip_;
    ogg_stream_state stream_{};
    std::vector<unsigned char> held_;
    std::int64_t granule_ = 0, number_ = 0;
    std::string waiting_;
};

}  // namespace

std::string_view name_of(SoundFormat format) noexcept {
    return format == SoundFormat::Wav ? "wav" : "opus";
}

std::string_view extension_of(SoundFormat format) noexcept {
    return format == SoundFormat::Wav ? "wav" : "ogg";
}

Result<std::unique_ptr<SoundFile>> SoundFile::create(const std::string& path, SoundFormat format) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return refused("cannot make " + path, errno);
    Target target(path, fd);
    if (format == SoundFormat::Wav) return std::make_unique<WavFile>(std::move(target));
    return OpusFile::make(std::move(target));
}

}  // namespace offhook::store

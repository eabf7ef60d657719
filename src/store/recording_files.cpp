#include "store/recording_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/monotonic.h"

namespace offhook::store {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::size_t kIdBytes = 14;
constexpr std::uint64_t kWavHeadBytes = 44;
constexpr std::uint64_t kMostPageBytes = 65'307;
constexpr std::size_t kProbeBytes = 4'096;

bool is_id(std::string_view text) {
    return text.size() == kIdBytes && text.starts_with("c-") &&
           text.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
}

class File {
public:
    File(const std::string& path, int flags)
        : fd_(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600)) {}
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] int get() const { return fd_; }
    /// What is there of it.
    [[nodiscard]] std::string read(std::uint64_t at, std::uint64_t bytes) const {
        std::string out(bytes, '\0');
        std::size_t got = 0;
        while (got < out.size()) {
            const ssize_t n =
                ::pread(fd_, out.data() + got, out.size() - got, static_cast<off_t>(at + got));
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) break;
            got += static_cast<std::size_t>(n);
        }
        out.resize(got);
        return out;
    }

private:
    int fd_;
};

std::uint64_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = count; i-- > 0;)
        value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

// The granule of the last whole page head, less what a player skips (RFC 7845 §4).
double ogg_duration_ms(const File& file, std::uint64_t bytes) {
    constexpr std::size_t kGranuleAt = 6, kPreskipAt = 10, kPageHeadBytes = 27;
    const std::uint64_t most = std::min(bytes, kMostPageBytes * 2);
    const std::string tail = file.read(bytes - most, most);
    const std::string head = file.read(0, 256);
    const std::size_t magic = head.find("OpusHead");
    if (magic == std::string::npos || magic + kPreskipAt + 2 > head.size()) return 0;
    for (std::size_t at = tail.rfind("OggS"); at != std::string::npos;
         at = at == 0 ? std::string::npos : tail.rfind("OggS", at - 1)) {
        if (at + kPageHeadBytes > tail.size()) continue;
        const auto granule = static_cast<double>(little_endian(tail, at + kGranuleAt, 8));
        const auto preskip = static_cast<double>(little_endian(head, magic + kPreskipAt, 2));
        return std::max(0.0, (granule - preskip) / 48);
    }
    return 0;
}

}  // namespace

std::string RecordingFiles::path_of(const std::string& call, SoundFormat format) const {
    return directory_ + "/" + call + "." + std::string(extension_of(format));
}

Result<void> RecordingFiles::make() const {
    for (std::size_t end = directory_.find('/', 1);; end = directory_.find('/', end + 1)) {
        const std::string part = directory_.substr(0, end);
        if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST)
            return base::fail_errno("cannot make " + part, errno);
        if (end == std::string::npos) return {};
    }
}

Result<void> RecordingFiles::probe() const {
    if (auto made = make(); !made) return made;
    const std::string path = directory_ + "/.probe";
    const File file(path, O_WRONLY | O_CREAT | O_TRUNC);
    const std::string bytes(kProbeBytes, '\0');
    const bool is_good = file.get() >= 0 && ::write(file.get(), bytes.data(), bytes.size()) ==
                                                static_cast<ssize_t>(bytes.size());
    const int code = errno;
    ::unlink(path.c_str());
    if (is_good) return {};
    return base::fail_errno("cannot write into " + directory_, code);
}

std::optional<Recordings::Entry> RecordingFiles::entry_of(const std::string& name) const {
    const std::size_t dot = name.find('.');
    if (dot == std::string::npos || !is_id(name.substr(0, dot))) return std::nullopt;
    Recordings::Entry entry;
    entry.call = name.substr(0, dot);
    const std::string extension = name.substr(dot + 1);
    for (const SoundFormat format : {SoundFormat::Opus, SoundFormat::Wav}) {
        if (extension == extension_of(format)) entry.format = name_of(format);
    }
    struct stat info {};
    if (entry.format.empty() || ::lstat((directory_ + "/" + name).c_str(), &info) != 0 ||
        !S_ISREG(info.st_mode)) {
        return std::nullopt;
    }
    entry.bytes = static_cast<std::uint64_t>(info.st_size);
    entry.changed_ns = info.st_mtim.tv_sec * base::kNsPerS + info.st_mtim.tv_nsec;
    return entry;
}

std::vector<Recordings::Entry> RecordingFiles::all() const {
    std::vector<Recordings::Entry> entries;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(directory_.c_str()), &::closedir);
    if (!folder) return entries;
    while (const dirent* item = ::readdir(folder.get())) {
        if (auto entry = entry_of(item->d_name)) entries.push_back(std::move(*entry));
    }
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        return std::tie(a.changed_ns, a.call) > std::tie(b.changed_ns, b.call);
    });
    return entries;
}

std::optional<Recordings::Entry> RecordingFiles::find(const std::string& call) const {
    if (!is_id(call)) return std::nullopt;
    for (const SoundFormat format : {SoundFormat::Opus, SoundFormat::Wav}) {
        if (auto entry = entry_of(call + "." + std::string(extension_of(format)))) return entry;
    }
    return std::nullopt;
}

double RecordingFiles::duration_ms(const Recordings::Entry& entry) const {
    const bool is_wav = entry.format == name_of(SoundFormat::Wav);
    if (is_wav) {
        const std::uint64_t bytes = entry.bytes - std::min(entry.bytes, kWavHeadBytes);
        return static_cast<double>(bytes) * 1000 / (SoundFile::kRateHz * 4);
    }
    const File file(path_of(entry.call, SoundFormat::Opus), O_RDONLY);
    return file.get() < 0 ? 0 : ogg_duration_ms(file, entry.bytes);
}

Result<Recordings::Piece> RecordingFiles::read(const std::string& call,
                                               std::uint64_t first,
                                               std::uint64_t most,
                                               bool is_suffix) const {
    const auto entry = find(call);
    const bool is_wav = entry && entry->format == name_of(SoundFormat::Wav);
    const File file(path_of(call, is_wav ? SoundFormat::Wav : SoundFormat::Opus), O_RDONLY);
    if (!entry || file.get() < 0)
        return base::fail(ErrorCode::NotFound, "call " + call + " has no recording");
    Recordings::Piece piece;
    piece.total = entry->bytes;
    piece.content_type = is_wav ? "audio/wav" : "audio/ogg; codecs=opus";
    piece.first = is_suffix ? piece.total - std::min(first, piece.total) : first;
    if (piece.first >= piece.total)
        return base::fail(ErrorCode::InvalidArgument,
                          "the recording has " + std::to_string(piece.total) + " bytes");
    piece.bytes = file.read(piece.first, std::min(most, piece.total - piece.first));
    return piece;
}

bool RecordingFiles::remove(const std::string& call) const {
    if (!is_id(call)) return false;
    bool was_there = false;
    for (const SoundFormat format : {SoundFormat::Opus, SoundFormat::Wav})
        was_there |= ::unlink(path_of(call, format).c_str()) == 0;
    return was_there;
}

}  // namespace offhook::store

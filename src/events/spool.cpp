#include "events/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>

namespace offhook::events {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNew = "new";

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

}  // namespace

base::Result<Spool> Spool::open(const std::string& folder, std::size_t max_bytes) {
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return base::fail_errno("cannot make the folder " + folder, errno);
    Spool spool(folder, max_bytes);
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
        Batch batch;
        const std::string name = entry.path().filename();
        int used = 0;
        if (std::sscanf(
                name.c_str(), "%20" SCNu64 "-%zu.json%n", &batch.number, &batch.events, &used) !=
                2 ||
            static_cast<std::size_t>(used) != name.size()) {
            continue;
        }
        batch.bytes = entry.file_size(error);
        if (error) break;
        spool.bytes_ += batch.bytes;
        spool.batches_.push_back(batch);
    }
    if (error) return base::fail_errno("cannot read the folder " + folder, error.value());
    std::sort(spool.batches_.begin(), spool.batches_.end(), [](const Batch& a, const Batch& b) {
        return a.number < b.number;
    });
    if (!spool.batches_.empty()) spool.next_ = spool.batches_.back().number + 1;
    return spool;
}

std::string Spool::path_of(const Batch& batch) const {
    std::array<char, 64> name{};
    std::snprintf(name.data(), name.size(), "/%020" PRIu64 "-%zu.json", batch.number, batch.events);
    return folder_ + name.data();
}

void Spool::remove(std::deque<Batch>::iterator batch) {
    ::unlink(path_of(*batch).c_str());
    bytes_ -= batch->bytes;
    batches_.erase(batch);
}

base::Result<void> Spool::add(std::string_view text,
                              std::size_t events,
                              bool keeps_first,
                              std::size_t& dropped) {
    const std::size_t kept = keeps_first ? 1 : 0;
    while (bytes_ + text.size() > max_bytes_ && batches_.size() > kept) {
        const auto oldest = batches_.begin() + static_cast<std::ptrdiff_t>(kept);
        dropped += oldest->events;
        remove(oldest);
    }
    const std::string half = folder_ + "/" + kNew;
    const int fd = ::open(half.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return base::fail_errno("cannot write into " + folder_, errno);
    const bool is_written = write_all(fd, text);
    const int why = errno;
    ::close(fd);
    const Batch batch{.number = next_, .events = events, .bytes = text.size()};
    if (!is_written || ::rename(half.c_str(), path_of(batch).c_str()) != 0) {
        const int error = is_written ? errno : why;
        ::unlink(half.c_str());
        return base::fail_errno("cannot write into " + folder_, error);
    }
    ++next_;
    bytes_ += batch.bytes;
    batches_.push_back(batch);
    return {};
}

base::Result<std::string> Spool::read_first() const {
    std::ifstream in(path_of(first()), std::ios::binary);
    if (!in) return base::fail_errno("cannot read " + path_of(first()), errno);
    std::string text(first().bytes + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() != first().bytes)
        return base::fail(base::ErrorCode::Io, path_of(first()) + " is not as it was written");
    return text;
}

}  // namespace offhook::events

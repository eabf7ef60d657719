#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/error.h"
#include "events/event.h"

namespace offhook::events {

/// A file of events, one JSON text a line. What the disk does not take is counted and announced
/// once; a line is there as a whole or not at all, and the next one is tried whatever became of it.
/// @thread one, which may wait for the disk; `lost` any
class EventFile {
public:
    /// Appends to `path`, made with mode 0640. @errors Io
    [[nodiscard]] static base::Result<std::unique_ptr<EventFile>> open(const std::string& path);
    ~EventFile();
    EventFile(const EventFile&) = delete;
    EventFile& operator=(const EventFile&) = delete;

    void write(const EventRef& event);
    /// Opens `path` anew, for rotation; the old file stays in use when that fails.
    void reopen();
    /// Events that are missing in the file, since the start.
    [[nodiscard]] std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

private:
    EventFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
    [[nodiscard]] int put(const std::string& line) const;

    const std::string path_;
    int fd_;
    std::atomic<std::uint64_t> lost_{0};
    std::uint64_t missing_ = 0;  ///< since it last went well
};

}  // namespace offhook::events

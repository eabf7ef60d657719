#include "events/event_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace offhook::events {
namespace {

base::Result<int> open_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0) return base::fail_errno("cannot open the file of events " + path, errno);
    return fd;
}

}  // namespace

base::Result<std::unique_ptr<EventFile>> EventFile::open(const std::string& path) {
    auto fd = open_file(path);
    if (!fd) return tl::unexpected(fd.error());
    return std::unique_ptr<EventFile>(new EventFile(path, *fd));
}

EventFile::~EventFile() {
    ::close(fd_);
}

// 0, or errno.
int EventFile::put(const std::string& line) const {
    const char* at = line.data();
    std::size_t left = line.size();
    while (left > 0) {
        const ssize_t n = ::write(fd_, at, left);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        at += n;
        left -= static_cast<std::size_t>(n);
    }
    if (left == 0) return 0;
    const int error = errno;
    // Half a line would spoil the next one as well.
    struct stat now {};
    const auto written = static_cast<off_t>(line.size() - left);
    if (written > 0 && ::fstat(fd_, &now) == 0 && S_ISREG(now.st_mode) &&
        ::ftruncate(fd_, now.st_size - written) != 0) {
        return errno;
    }
    return error;
}

void EventFile::write(const EventRef& event) {
    const int error = put(event->json + '\n');
    if (error != 0) {
        ++lost_;
        if (++missing_ > 1) return;
        log::write(log::Level::Error,
                   log::Mark::Error,
                   "events.file_failed",
                   {},
                   std::string(std::strerror(error)) +
                       ": events are missing in the file until the disk takes them",
                   {{"file", path_}});
        return;
    }
    const std::uint64_t missing = std::exchange(missing_, 0);
    if (missing == 0) return;
    log::write(log::Level::Warning,
               log::Mark::Ok,
               "events.file_back",
               {},
               "events are written again",
               {{"file", path_}, {"missing", missing}});
}

void EventFile::reopen() {
    const auto fd = open_file(path_);
    if (!fd) {
        log::write(log::Level::Error,
                   log::Mark::Error,
                   "events.file_failed",
                   {},
                   fd.error().text() + "; the old one stays in use",
                   {{"file", path_}});
        return;
    }
    ::close(std::exchange(fd_, *fd));
}

}  // namespace offhook::events

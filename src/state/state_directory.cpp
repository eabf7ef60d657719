#include "state/state_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace offhook::state {
namespace {

using base::ErrorCode;

constexpr std::size_t kMaxNameBytes = 128;

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

base::Result<std::string> checked(std::string_view name) {
    if (name.empty() || name.size() > kMaxNameBytes || name.front() == '.' ||
        !std::all_of(name.begin(), name.end(), is_name_char)) {
        return base::fail(ErrorCode::InvalidArgument,
                          "a name in the state directory has 1 to 128 letters, digits, dots, "
                          "underscores or dashes and does not begin with a dot");
    }
    return std::string(name);
}

// The descriptor of one file, closed at the end of the scope.
class File {
public:
    explicit File(int fd) : fd_(fd) {}
    ~File() { close(); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] int get() const { return fd_; }
    int close() { return fd_ < 0 ? 0 : ::close(std::exchange(fd_, -1)); }

private:
    int fd_;
};

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

base::Result<void> make_folders(const std::string& path) {
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        const std::string part = path.substr(0, end);
        if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
            return base::fail_errno("cannot make the state directory " + part, errno);
        }
        if (end == std::string::npos) return {};
    }
}

}  // namespace

std::string StateDirectory::path_for(const std::string& configured) {
    if (!configured.empty()) return configured;
    if (const std::string given = environment("STATE_DIRECTORY"); !given.empty()) {
        return given.substr(0, given.find(':'));
    }
    if (const std::string xdg = environment("XDG_STATE_HOME"); !xdg.empty()) {
        return xdg + "/offhook";
    }
    const std::string home = environment("HOME");
    return home.empty() ? std::string() : home + "/.local/state/offhook";
}

base::Result<StateDirectory> StateDirectory::open(const std::string& path) {
    if (path.empty()) {
        return base::fail(ErrorCode::InvalidArgument,
                          "no state directory: set [state] directory, or $STATE_DIRECTORY, "
                          "$XDG_STATE_HOME or $HOME");
    }
    if (auto made = make_folders(path); !made) return tl::unexpected(made.error());
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return base::fail_errno("cannot open the state directory " + path, errno);
    StateDirectory directory(path, fd);
    struct stat info {};
    if (::fstat(fd, &info) != 0) {
        return base::fail_errno("cannot look at the state directory " + path, errno);
    }
    if (info.st_uid != ::geteuid()) {
        return base::fail(ErrorCode::InvalidArgument,
                          "the state directory " + path +
                              " belongs to another user: give it to the user that runs offhook, "
                              "or name another in [state] directory");
    }
    // An existing folder keeps its mode: somebody may have named one that others need to read.
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return base::fail(ErrorCode::InvalidArgument,
                          "others may write into the state directory " + path +
                              ": chmod go-w it, or name another in [state] directory");
    }
    return directory;
}

StateDirectory::~StateDirectory() {
    if (fd_ >= 0) ::close(fd_);
}

StateDirectory::StateDirectory(StateDirectory&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

StateDirectory& StateDirectory::operator=(StateDirectory&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(fd_, other.fd_);
    return *this;
}

base::Result<std::string> StateDirectory::read(std::string_view wanted) const {
    const auto name = checked(wanted);
    if (!name) return tl::unexpected(name.error());
    const std::string where = path_ + "/" + *name;
    // Not blocking, so that a pipe under this name is refused instead of waited for.
    const File file(::openat(fd_, name->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file.get() < 0) {
        if (errno == ENOENT) return base::fail(ErrorCode::NotFound, "there is no " + where);
        return base::fail_errno("cannot read " + where, errno);
    }
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) return base::fail_errno("cannot read " + where, errno);
    if (!S_ISREG(info.st_mode)) {
        return base::fail(ErrorCode::Malformed, where + " is no regular file");
    }
    std::string text(kMaxStateBytes + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t n = ::read(file.get(), text.data() + size, text.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return base::fail_errno("cannot read " + where, errno);
        if (n == 0) break;
        size += static_cast<std::size_t>(n);
    }
    if (size > kMaxStateBytes) {
        return base::fail(ErrorCode::Malformed, where + " is larger than 64 KiB: not ours");
    }
    text.resize(size);
    return text;
}

base::Result<void> StateDirectory::write(std::string_view wanted, std::string_view text) const {
    const auto name = checked(wanted);
    if (!name) return tl::unexpected(name.error());
    const std::string where = path_ + "/" + *name;
    if (text.size() > kMaxStateBytes) {
        return base::fail(ErrorCode::LimitReached, where + " would be larger than 64 KiB");
    }
    // One name for all times: what a crash left is overwritten, not added to.
    const std::string beside = "." + *name + ".new";
    if (::unlinkat(fd_, beside.c_str(), 0) != 0 && errno != ENOENT) {
        return base::fail_errno("cannot write " + where, errno);
    }
    File file(
        ::openat(fd_, beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    const bool is_written = file.get() >= 0 && ::fchmod(file.get(), 0600) == 0 &&
                            write_all(file.get(), text) && ::fsync(file.get()) == 0 &&
                            file.close() == 0 &&
                            ::renameat(fd_, beside.c_str(), fd_, name->c_str()) == 0;
    if (!is_written) {
        const int reason = errno;
        ::unlinkat(fd_, beside.c_str(), 0);
        return base::fail_errno("cannot write " + where, reason);
    }
    if (::fsync(fd_) != 0) return base::fail_errno("cannot sync " + path_, errno);
    return {};
}

base::Result<void> StateDirectory::remove(std::string_view wanted) const {
    const auto name = checked(wanted);
    if (!name) return tl::unexpected(name.error());
    if (::unlinkat(fd_, name->c_str(), 0) != 0) {
        if (errno == ENOENT) return {};
        return base::fail_errno("cannot remove " + path_ + "/" + *name, errno);
    }
    if (::fsync(fd_) != 0) return base::fail_errno("cannot sync " + path_, errno);
    return {};
}

}  // namespace offhook::state

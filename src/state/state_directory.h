#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::state {

/// What a text of the state directory may be at most.
inline constexpr std::size_t kMaxStateBytes = 64 * 1024;

/// A folder of small texts that outlive the process: instance ids, credentials that were
/// provisioned. One file for each name, readable by this user only.
///
/// A text is replaced as a whole: written beside the old one, synced, renamed, the folder synced.
/// After a crash or a full disk the old text is still there.
/// @thread any; writers of the same name one at a time. Reads and writes wait for the disk.
class StateDirectory {
public:
    /// `configured` when not empty, else $STATE_DIRECTORY (the first of several, as systemd gives
    /// it), else $XDG_STATE_HOME/offhook, else $HOME/.local/state/offhook; empty when the
    /// environment names none of them.
    [[nodiscard]] static std::string path_for(const std::string& configured);

    /// Opens `path`, made with mode 0700 when it is missing, and its parents as well.
    /// @errors InvalidArgument: empty path, not a folder, of another user, or open to writers
    ///         other than us; Io
    [[nodiscard]] static base::Result<StateDirectory> open(const std::string& path);

    ~StateDirectory();
    StateDirectory(StateDirectory&& other) noexcept;
    StateDirectory& operator=(StateDirectory&& other) noexcept;
    StateDirectory(const StateDirectory&) = delete;
    StateDirectory& operator=(const StateDirectory&) = delete;

    /// The text kept under `name`.
    /// @param name 1 to 128 letters, digits, `.`, `_`, `-`; not beginning with a dot
    /// @errors NotFound: there is none; Malformed: larger than kMaxStateBytes or no regular file;
    ///         InvalidArgument: the name; Io
    [[nodiscard]] base::Result<std::string> read(std::string_view name) const;

    /// Keeps `text` under `name`, mode 0600, on the disk when this returns.
    /// @errors InvalidArgument: the name; LimitReached: larger than kMaxStateBytes; Io
    [[nodiscard]] base::Result<void> write(std::string_view name, std::string_view text) const;

    /// Forgets `name`; nothing to do when it is not there.
    /// @errors InvalidArgument: the name; Io
    [[nodiscard]] base::Result<void> remove(std::string_view name) const;

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    StateDirectory(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
    std::string path_;
    int fd_;
};

}  // namespace offhook::state

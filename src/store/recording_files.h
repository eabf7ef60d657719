#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/recordings.h"

namespace offhook::store {

/// The folder of recordings: "c-0123456789ab.ogg". Other files are not looked at.
/// @thread any; waits for the disk
class RecordingFiles {
public:
    explicit RecordingFiles(std::string directory) : directory_(std::move(directory)) {}

    [[nodiscard]] const std::string& directory() const { return directory_; }
    [[nodiscard]] std::string path_of(const std::string& call, SoundFormat format) const;
    /// Makes the folder, mode 0700. @errors Io
    [[nodiscard]] base::Result<void> make() const;
    /// Whether a file can be made and written. @errors what the disk says
    [[nodiscard]] base::Result<void> probe() const;
    /// Newest first. Durations are not filled in.
    [[nodiscard]] std::vector<Recordings::Entry> all() const;
    [[nodiscard]] std::optional<Recordings::Entry> find(const std::string& call) const;
    [[nodiscard]] double duration_ms(const Recordings::Entry& entry) const;
    [[nodiscard]] base::Result<Recordings::Piece> read(const std::string& call,
                                                       std::uint64_t first,
                                                       std::uint64_t most,
                                                       bool is_suffix) const;
    /// @return whether it was there
    bool remove(const std::string& call) const;

private:
    [[nodiscard]] std::optional<Recordings::Entry> entry_of(const std::string& name) const;
    std::string directory_;
};

}  // namespace offhook::store

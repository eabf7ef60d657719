#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace offhook::cli {

/// A file that somebody else writes line by line, from its beginning.
/// @thread one at a time; reading does not wait
class FollowedFile {
public:
    /// @param path  may not exist yet; "" is a file without lines
    explicit FollowedFile(std::string path) : path_(std::move(path)) {}

    /// The lines that were completed since the last time, without their ends and safe to print.
    [[nodiscard]] std::vector<std::string> lines();

private:
    using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
    std::string path_;
    File file_{nullptr, std::fclose};
    std::string rest_;  ///< a line that is not complete
};

}  // namespace offhook::cli

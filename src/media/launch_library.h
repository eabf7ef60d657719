#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "media/launch_file.h"

namespace offhook::media {

/// What one pass over the folder brought.
struct LaunchReload {
    std::vector<std::string> loaded;  ///< profiles whose file passed
    std::vector<base::Error>
        refused;  ///< one for each file that did not, "path:line: reason (hint)"
};

/// A folder of *.launch files by profile name: "phone" is phone.launch. A profile keeps its last
/// good version for as long as the process runs; calls keep the one they started with.
/// @thread control
class LaunchLibrary {
public:
    LaunchLibrary(std::string folder, LaunchRules rules);

    /// Reads every file of the folder, at start and on SIGHUP. A file that is refused, or gone,
    /// leaves the previous version of its profile in force.
    /// @errors NotFound, Io: the folder cannot be read; nothing changed
    [[nodiscard]] base::Result<LaunchReload> reload();

    /// Null when there is no such profile.
    [[nodiscard]] std::shared_ptr<const LaunchFile> find(std::string_view profile) const;

    /// Sorted.
    [[nodiscard]] std::vector<std::string> profiles() const;
    [[nodiscard]] const std::string& folder() const noexcept { return folder_; }

private:
    std::string folder_;
    LaunchRules rules_;
    std::map<std::string, std::shared_ptr<const LaunchFile>, std::less<>> files_;
};

/// The folder that came with this program: pipelines/ of the source tree it was built in, or
/// share/offhook/pipelines of the prefix it is installed in; empty when neither is there.
[[nodiscard]] std::string shipped_launch_folder();

}  // namespace offhook::media

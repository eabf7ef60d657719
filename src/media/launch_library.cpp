#include "media/launch_library.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

namespace offhook::media {
namespace fs = std::filesystem;

LaunchLibrary::LaunchLibrary(std::string folder, LaunchRules rules)
    : folder_(std::move(folder)), rules_(std::move(rules)) {}

base::Result<LaunchReload> LaunchLibrary::reload() {
    std::set<fs::path> paths;
    std::error_code error;
    for (fs::directory_iterator item(folder_, error), end; !error && item != end;
         item.increment(error)) {
        if (item->path().extension() == ".launch") paths.insert(item->path());
    }
    if (error) {
        return base::fail(error == std::errc::no_such_file_or_directory ? base::ErrorCode::NotFound
                                                                        : base::ErrorCode::Io,
                          "the pipelines folder " + folder_ + " cannot be read",
                          error.message());
    }
    LaunchReload result;
    std::set<std::string, std::less<>> seen;
    for (const fs::path& path : paths) {
        const std::string profile = path.stem().string();
        seen.insert(profile);
        auto file = LaunchFile::load(path.string(), rules_);
        if (!file) {
            result.refused.push_back(std::move(file.error()));
            continue;
        }
        files_.insert_or_assign(profile, std::move(*file));
        result.loaded.push_back(profile);
    }
    for (const auto& [profile, file] : files_) {
        if (seen.contains(profile)) continue;
        result.refused.push_back(
            {base::ErrorCode::NotFound, file->path() + ": the file is gone", {}});
    }
    return result;
}

std::shared_ptr<const LaunchFile> LaunchLibrary::find(std::string_view profile) const {
    const auto found = files_.find(profile);
    return found == files_.end() ? nullptr : found->second;
}

std::vector<std::string> LaunchLibrary::profiles() const {
    std::vector<std::string> names;
    for (const auto& [profile, file] : files_) names.push_back(profile);
    return names;
}

std::string shipped_launch_folder() {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    if (error) return {};
    const fs::path home = program.parent_path();
    // <source>/build/offhook and <prefix>/bin/offhook
    for (const fs::path& folder :
         {home / ".." / "pipelines", home / ".." / "share" / "offhook" / "pipelines"}) {
        if (fs::is_directory(folder, error)) return folder.lexically_normal().string();
    }
    return {};
}

}  // namespace offhook::media

#include "cli/followed_file.h"

#include <array>
#include <span>

#include "base/escape.h"

namespace offhook::cli {
namespace {

constexpr std::size_t kMostBytes = 500;  // of a line

}  // namespace

std::vector<std::string> FollowedFile::lines() {
    if (!file_ && !path_.empty()) file_.reset(std::fopen(path_.c_str(), "re"));
    std::vector<std::string> complete;
    if (!file_) return complete;
    std::clearerr(file_.get());
    std::array<char, 4096> block{};
    while (const std::size_t got = std::fread(block.data(), 1, block.size(), file_.get())) {
        for (const char c : std::span(block).first(got)) {
            if (c != '\n') {
                if (rest_.size() < kMostBytes) rest_ += c;
                continue;
            }
            complete.push_back(base::escape_untrusted(rest_, kMostBytes));
            rest_.clear();
        }
    }
    return complete;
}

}  // namespace offhook::cli

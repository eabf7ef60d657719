#include "base/secret.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

namespace offhook::base {
namespace {

constexpr std::size_t kMaxBytes = 64 * 1024;

Result<Secret> read_file(const std::string& path, const std::string& what) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0)
        return fail_errno(what + " cannot be read from " + path, errno);
    if ((status.st_mode & S_IROTH) != 0) {
        return fail(ErrorCode::Io,
                    what + " is in " + path + ", which everybody may read: chmod 600 " + path);
    }
    std::ifstream in(path, std::ios::binary);
    std::string text(kMaxBytes + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (in.bad() || (!in && !in.eof()))
        return fail(ErrorCode::Io, what + " cannot be read from " + path);
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMaxBytes)
        return fail(ErrorCode::InvalidArgument, what + " in " + path + " is over 64 KiB");
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    if (text.empty()) return fail(ErrorCode::InvalidArgument, what + ": " + path + " is empty");
    return Secret(std::move(text));
}

}  // namespace

Secret& Secret::operator=(const Secret& other) {
    if (this == &other) return *this;
    wipe();
    text_ = other.text_;
    return *this;
}

Secret::Secret(Secret&& other) noexcept : text_(std::move(other.text_)) {
    other.wipe();  // a short string is copied by its move
}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    wipe();
    text_ = std::move(other.text_);
    other.wipe();
    return *this;
}

void Secret::wipe() noexcept {
    explicit_bzero(text_.data(), text_.capacity());
    text_.clear();
}

Result<Secret> load_secret(const SecretSource& source, std::string_view what) {
    const std::string name(what);
    if (!source.file.empty()) return read_file(source.file, name);
    if (!source.environment.empty()) {
        const char* value = std::getenv(source.environment.c_str());
        if (value == nullptr || *value == '\0') {
            return fail(ErrorCode::InvalidArgument,
                        name + ": the environment variable " + source.environment + " is not set");
        }
        return Secret(value);
    }
    if (!source.credential.empty()) {
        const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
        if (folder == nullptr || source.credential.find('/') != std::string::npos) {
            return fail(ErrorCode::InvalidArgument,
                        name + ": there is no systemd credential \"" + source.credential +
                            "\"; the unit needs LoadCredential=" + source.credential + ":PATH");
        }
        return read_file(std::string(folder) + "/" + source.credential, name);
    }
    return fail(ErrorCode::InvalidArgument,
                name + " is missing: name a file, an environment variable or a systemd credential");
}

}  // namespace offhook::base

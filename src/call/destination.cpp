#include "call/destination.h"

#include <algorithm>

#include "call/router.h"

namespace offhook::call {
namespace {

constexpr std::size_t kMaxUser = 64;
constexpr std::size_t kMaxHost = 255;

bool is_letter_or_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_user(std::string_view text) {
    return !text.empty() && text.size() <= kMaxUser &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter_or_digit(c) ||
                      std::string_view("+*#._-").find(c) != std::string_view::npos;
           });
}

bool is_host_and_port(std::string_view text) {
    return !text.empty() && text.size() <= kMaxHost &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter_or_digit(c) ||
                      std::string_view(".-:[]").find(c) != std::string_view::npos;
           });
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

}  // namespace

std::optional<std::string> normal_destination(std::string_view to, std::string_view domain) {
    if (is_user(to)) return std::string(to);
    const std::size_t colon = to.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string scheme = lower(to.substr(0, colon));
    if (scheme != "sip" && scheme != "sips") return std::nullopt;
    std::string_view rest = to.substr(colon + 1);
    if (rest.find('?') != std::string_view::npos) return std::nullopt;
    const std::size_t at = rest.find('@');
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view user = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    const std::string host = lower(rest.substr(0, rest.find(';')));
    if (!is_user(user) || !is_host_and_port(host)) return std::nullopt;
    if (scheme == "sip" && !domain.empty() && host == lower(domain)) return std::string(user);
    return scheme + ":" + std::string(user) + "@" + host;
}

bool is_destination_allowed(std::string_view normal, const std::vector<std::string>& globs) {
    return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
        return glob_matches(glob, normal);
    });
}

}  // namespace offhook::call

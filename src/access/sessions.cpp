#include "access/sessions.h"

#include "access/digest.h"

namespace offhook::access {
namespace {

constexpr std::size_t kMaxTokenBytes = 128;

template <class Duration>
constexpr std::int64_t ns_of(Duration duration) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

base::Secret new_secret(std::string_view prefix) {
    return base::Secret(std::string(prefix) + base64url(random_key().reveal()));
}

std::string digest_of(std::string_view secret) {
    return hex(sha256(secret));
}

// All are looked at: which it was, and whether any, is not told by the time.
template <class Entries>
auto find_in(Entries& entries, std::string_view secret) {
    const std::string digest = digest_of(secret.substr(0, kMaxTokenBytes));
    auto found = entries.end();
    for (auto each = entries.begin(); each != entries.end(); ++each) {
        if (is_same(each->sha256, digest)) found = each;
    }
    return found;
}

}  // namespace

void Sessions::drop_old(std::vector<Entry>& entries, std::int64_t life_ns) const {
    const std::int64_t now_ns = now_ns_();
    std::erase_if(entries, [&](const Entry& each) { return now_ns - each.seen_ns >= life_ns; });
}

base::Secret Sessions::offer() {
    drop_old(offers_, ns_of(kOnceLife));
    if (offers_.size() >= kMaxOffers) offers_.erase(offers_.begin());
    base::Secret secret = new_secret(kOnceTokenPrefix);
    offers_.push_back({.sha256 = digest_of(secret.reveal()), .seen_ns = now_ns_()});
    return secret;
}

std::optional<base::Secret> Sessions::exchange(std::string_view once) {
    drop_old(offers_, ns_of(kOnceLife));
    const auto offer = find_in(offers_, once);
    if (offer == offers_.end()) return std::nullopt;
    offers_.erase(offer);
    drop_old(sessions_, ns_of(kIdleLife));
    if (sessions_.size() >= kMaxSessions) sessions_.erase(sessions_.begin());
    base::Secret token = new_secret(kSessionTokenPrefix);
    sessions_.push_back({.sha256 = digest_of(token.reveal()), .seen_ns = now_ns_()});
    return token;
}

std::optional<Subject> Sessions::find(std::string_view token) {
    drop_old(sessions_, ns_of(kIdleLife));
    const auto session = find_in(sessions_, token);
    if (session == sessions_.end()) return std::nullopt;
    session->seen_ns = now_ns_();
    return Subject{.user = "page", .scopes = scopes_};
}

}  // namespace offhook::access

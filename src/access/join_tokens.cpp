#include "access/join_tokens.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "access/digest.h"
#include "base/json_writer.h"
#include "base/monotonic.h"
#include "base/utf8.h"
#include "glib/json_body.h"

namespace offhook::access {
namespace {

constexpr std::size_t kMaxNameBytes = 128;

tl::unexpected<base::Error> refused(std::string why) {
    return base::fail(base::ErrorCode::Denied, std::move(why));
}

tl::unexpected<base::Error> not_minted(std::string why) {
    return base::fail(base::ErrorCode::InvalidArgument, std::move(why));
}

bool is_printable(std::string_view text) {
    while (!text.empty()) {
        const base::Utf8Char c = base::decode_utf8(text);
        if (c.length == 0 || c.code_point < 0x20 || (c.code_point >= 0x7F && c.code_point < 0xA0))
            return false;
        text.remove_prefix(c.length);
    }
    return true;
}

std::string payload_of(const JoinGrant& grant) {
    base::JsonWriter json;
    json.begin_object()
        .field("user", grant.user)
        .field("channel", grant.channel)
        .field("name", grant.name)
        .field("role", model::name_of(grant.role))
        .field("expires", grant.expires_s)
        .end();
    return std::move(json).text();
}

base::Result<JoinGrant> read(std::string_view payload) {
    const auto unreadable = [] { return refused("the join token cannot be read"); };
    const std::string text = from_base64url(payload);
    const auto json = glib::JsonBody::parse(text, "the join token");
    if (!json) return unreadable();
    const auto role = model::member_role(json->text("role").value_or(""));
    if (!role) return unreadable();
    JoinGrant grant{.user = json->text("user").value_or(""),
                    .channel = json->text("channel").value_or(""),
                    .name = json->text("name").value_or(""),
                    .role = *role,
                    .expires_s = json->whole("expires").value_or(0)};
    if (!is_user_name(grant.user) || !model::is_channel_name(grant.channel) ||
        (!grant.name.empty() && !is_user_name(grant.name))) {
        return unreadable();
    }
    // What json-glib lets pass (more members, more after the end) is not what we write.
    if (payload_of(grant) != text) return unreadable();
    return grant;
}

}  // namespace

bool is_user_name(std::string_view text) {
    return !text.empty() && text.size() <= kMaxNameBytes && is_printable(text);
}

JoinTokens::JoinTokens(base::Secret key) : key_(key.empty() ? random_key() : std::move(key)) {
    if (key_.reveal().size() < kMinJoinKeyBytes)
        throw std::invalid_argument("the key of join tokens is shorter than 32 bytes");
}

base::Result<std::string> JoinTokens::mint(const JoinGrant& grant) const {
    if (!is_user_name(grant.user))
        return not_minted("user must be 1 to 128 bytes of UTF-8 without control characters");
    if (!model::is_channel_name(grant.channel))
        return not_minted("channel must be 1 to 64 letters, digits and -._~+");
    if (!grant.name.empty() && !is_user_name(grant.name))
        return not_minted("name must be at most 128 bytes of UTF-8 without control characters");
    if (!model::member_role(model::name_of(grant.role)))
        return not_minted("role must be speaker, listen, whisper, barge or take-over");
    const std::int64_t now_s = base::realtime_ns() / base::kNsPerS;
    if (grant.expires_s <= now_s || grant.expires_s > now_s + kMaxJoinLife.count())
        return not_minted("a join token lives 1 to 300 s");
    std::string token = std::string(kJoinTokenPrefix) + base64url(payload_of(grant));
    token += "." + base64url(hmac_sha256(key_, token));
    return token;
}

base::Result<JoinGrant> JoinTokens::check(std::string_view token, std::int64_t now_s) const {
    if (token.size() > kMaxJoinTokenBytes || !token.starts_with(kJoinTokenPrefix))
        return refused("this is no join token");
    const std::size_t dot = token.rfind('.');
    const std::string_view covered = token.substr(0, dot);
    if (dot < kJoinTokenPrefix.size()) return refused("the join token is cut short");
    // The texts are compared, not what they decode to: of some bytes there is but one text.
    if (!is_same(base64url(hmac_sha256(key_, covered)), token.substr(dot + 1)))
        return refused("the join token is forged, or of another daemon");
    auto grant = read(covered.substr(kJoinTokenPrefix.size()));
    if (!grant) return grant;
    if (grant->expires_s <= now_s)
        return base::fail(base::ErrorCode::Timeout,
                          "the join token has expired: ask for a new one");
    // Signed by a daemon whose clock is ahead, or that takes another limit.
    if (grant->expires_s > now_s + kMaxJoinLife.count() + 60)
        return refused("the join token would live longer than 300 s");
    return grant;
}

}  // namespace offhook::access

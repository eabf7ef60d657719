#include "signalling/ringcentral/rc_token.h"

#include <algorithm>

#include "base/monotonic.h"
#include "glib/json_body.h"
#include "signalling/ringcentral/rc_refusal.h"

namespace offhook::signalling::ringcentral {
namespace {

using base::ErrorCode;

constexpr std::int64_t kMarginNs = 60 * base::kNsPerS;  // a token that ends sooner is not used
constexpr std::int64_t kMaxSeconds = 365 * 86'400;
constexpr std::size_t kMaxTokenBytes = 16 * 1024;

std::string escaped(const std::string& text) {
    const glib::UniqueString out(g_uri_escape_string(text.c_str(), nullptr, FALSE));
    return out.get();
}

std::string base64(const std::string& text) {
    const glib::UniqueString out(
        g_base64_encode(reinterpret_cast<const guchar*>(text.data()), text.size()));
    return out.get();
}

// In nanoseconds; 0 when it is missing or nonsense, which makes a token good for this once only.
std::int64_t lifetime_ns(const glib::JsonBody& body, const char* name) {
    return std::clamp<std::int64_t>(body.whole(name).value_or(0), 0, kMaxSeconds) * base::kNsPerS;
}

Refusal malformed() {
    return {{ErrorCode::Malformed,
             "RingCentral's answer has no token: check that server is its API",
             {}},
            true};
}

}  // namespace

TokenKeeper::TokenKeeper(http::Client& client,
                         const AppCredentials& app,
                         std::function<std::int64_t()> now_ns)
    : client_(client), app_(app), now_ns_(std::move(now_ns)) {}

void TokenKeeper::get(Done done) {
    const std::int64_t now = now_ns_();
    if (!access_.empty() && now + kMarginNs < access_until_ns_) return done(access_);
    if (!refresh_.empty() && now + kMarginNs < refresh_until_ns_) {
        return ask("grant_type=refresh_token&refresh_token=" + escaped(refresh_.reveal()),
                   true,
                   std::move(done));
    }
    ask("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" +
            escaped(app_.jwt.reveal()),
        false,
        std::move(done));
}

void TokenKeeper::drop_access() {
    access_ = {};
}

void TokenKeeper::revoke() {
    if (!access_.empty()) {
        revocation_ =
            client_.send(request("/restapi/oauth/revoke", "token=" + escaped(access_.reveal())),
                         [](const base::Result<http::HttpReply>&) {});
    }
    access_ = {};
    refresh_ = {};
}

http::HttpRequest TokenKeeper::request(const std::string& path, std::string form) const {
    http::HttpRequest request;
    request.method = "POST";
    request.url = app_.server + path;
    request.headers = {
        {"Accept", "application/json"},
        {"Authorization", "Basic " + base64(app_.client_id + ":" + app_.client_secret.reveal())}};
    request.content_type = "application/x-www-form-urlencoded";
    request.body = std::move(form);
    return request;
}

void TokenKeeper::ask(const std::string& form, bool is_refresh, Done done) {
    exchange_ = client_.send(
        request("/restapi/oauth/token", form + "&client_id=" + escaped(app_.client_id)),
        [this, is_refresh, done = std::move(done)](const base::Result<http::HttpReply>& reply) {
            on_reply(reply, is_refresh, done);
        });
}

void TokenKeeper::on_reply(const base::Result<http::HttpReply>& reply,
                           bool is_refresh,
                           const Done& done) {
    if (!reply) return done(tl::unexpected(refusal_of(reply.error())));
    if (reply->status != 200) {
        const Refusal refusal = refusal_of(*reply, is_refresh ? Step::Refresh : Step::Token);
        if (is_refresh && refusal.is_permanent) {
            refresh_ = {};  // used up or revoked: the JWT still stands
            access_ = {};
            return get(done);
        }
        return done(tl::unexpected(refusal));
    }
    const auto body = glib::JsonBody::parse(reply->body);
    auto access = body ? body->text("access_token") : std::nullopt;
    const bool is_usable =
        access && !access->empty() && access->size() <= kMaxTokenBytes &&
        std::none_of(access->begin(), access->end(), [](char c) { return c <= ' ' || c == 0x7F; });
    if (!is_usable) return done(tl::unexpected(malformed()));
    const std::int64_t now = now_ns_();
    access_ = base::Secret(*std::move(access));
    access_until_ns_ = now + lifetime_ns(*body, "expires_in");
    refresh_ = base::Secret(body->text("refresh_token").value_or(std::string()));
    refresh_until_ns_ = now + lifetime_ns(*body, "refresh_token_expires_in");
    done(access_);
}

}  // namespace offhook::signalling::ringcentral

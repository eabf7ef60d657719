#include "signalling/sip/digest.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "base/escape.h"
#include "signalling/sip/message.h"

namespace offhook::signalling::sip {
namespace {

/// Of one value of a challenge; some servers keep their whole state in the nonce.
constexpr std::size_t kMaxValueBytes = 2048;
constexpr int kMaxChallenges = 8;
constexpr std::size_t kMaxSessions = 8;

constexpr std::array<std::string_view, 4> kAlgorithmNames{
    "MD5", "MD5-sess", "SHA-256", "SHA-256-sess"};

struct GFree {
    void operator()(gchar* text) const { g_free(text); }
};

std::string hex_hash(DigestAlgorithm algorithm, const std::string& text) {
    const bool is_md5 =
        algorithm == DigestAlgorithm::Md5 || algorithm == DigestAlgorithm::Md5Session;
    const std::unique_ptr<gchar, GFree> hex(
        g_compute_checksum_for_data(is_md5 ? G_CHECKSUM_MD5 : G_CHECKSUM_SHA256,
                                    reinterpret_cast<const guchar*>(text.data()),
                                    text.size()));
    return hex.get();
}

bool is_session(DigestAlgorithm algorithm) {
    return algorithm == DigestAlgorithm::Md5Session || algorithm == DigestAlgorithm::Sha256Session;
}

std::string count_text(std::uint32_t nonce_count) {
    std::array<char, 9> text{};
    std::snprintf(text.data(), text.size(), "%08x", nonce_count);
    return text.data();
}

std::string joined(std::initializer_list<std::string_view> parts) {
    std::string all;
    for (const std::string_view part : parts) {
        all += part;
        all += ':';
    }
    all.pop_back();
    return all;
}

/// The value between the quotes, its escapes untouched: it is hashed and sent back as it came
/// (`unq`, RFC 7616 §3.3). Empty when absent, too long or no text.
std::optional<std::string> plain(const char* value) {
    if (value == nullptr) return std::nullopt;
    std::string text = bounded(value, kMaxValueBytes + 1);
    if (text.size() > kMaxValueBytes) return std::nullopt;
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        text = text.substr(1, text.size() - 2);
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    };
    if (std::any_of(text.begin(), text.end(), is_control)) return std::nullopt;
    return text;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

std::optional<DigestAlgorithm> algorithm_of(std::string_view name) {
    for (std::size_t i = 0; i < kAlgorithmNames.size(); ++i) {
        if (same_text(name, kAlgorithmNames[i])) return static_cast<DigestAlgorithm>(i);
    }
    return std::nullopt;
}

bool has_word(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        const auto comma = list.find(',');
        std::string_view item = list.substr(0, comma);
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
        while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
        while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
        if (same_text(item, word)) return true;
    }
    return false;
}

}  // namespace

std::string_view name_of(DigestAlgorithm algorithm) noexcept {
    return kAlgorithmNames[static_cast<std::size_t>(algorithm)];
}

std::string digest_response(const DigestInput& in) {
    const auto hash = [&](const std::string& text) { return hex_hash(in.algorithm, text); };
    std::string secret = hash(joined({in.user, in.realm, in.password}));
    if (is_session(in.algorithm)) secret = hash(joined({secret, in.nonce, in.cnonce}));
    const std::string request = hash(joined({in.method, in.uri}));
    if (!in.has_qop) return hash(joined({secret, in.nonce, request}));
    return hash(joined({secret, in.nonce, count_text(in.nonce_count), in.cnonce, "auth", request}));
}

DigestAuth::DigestAuth(std::string user, base::Secret password, std::string realm)
    : user_(std::move(user)), password_(std::move(password)), realm_(std::move(realm)) {}

bool DigestAuth::offer(std::map<std::string, Session>& best,
                       const osip_www_authenticate_t& challenge,
                       bool is_proxy,
                       std::string& why) const {
    const auto no = [&](std::string reason) {
        why = std::move(reason);
        return false;
    };
    if (!same_text(bounded(challenge.auth_type), "Digest"))
        return no("asks for the scheme " +
                  base::escape_untrusted(bounded(challenge.auth_type, 32)));
    const auto realm = plain(challenge.realm);
    const auto nonce = plain(challenge.nonce);
    if (!realm || !nonce || nonce->empty()) return no("has no usable realm and nonce");
    if (!realm_.empty() && *realm != realm_) {
        return no("asks for realm \"" + base::escape_untrusted(*realm, 64) + "\", not \"" + realm_ +
                  "\" as configured");
    }
    Session session;
    session.names_algorithm = challenge.algorithm != nullptr;
    if (session.names_algorithm) {
        const std::string name = plain(challenge.algorithm).value_or("");
        const auto algorithm = algorithm_of(name);
        if (!algorithm) return no("asks for algorithm " + base::escape_untrusted(name, 32));
        session.algorithm = *algorithm;
    }
    if (const auto qop = plain(challenge.qop_options); qop && !qop->empty()) {
        if (!has_word(*qop, "auth")) return no("asks for qop " + base::escape_untrusted(*qop, 32));
        session.has_qop = true;
    }
    session.is_proxy = is_proxy;
    session.realm = *realm;
    session.nonce = *nonce;
    session.has_opaque = challenge.opaque != nullptr;
    session.opaque = plain(challenge.opaque).value_or("");
    session.is_stale = same_text(plain(challenge.stale).value_or(""), "true");

    const std::string key = (is_proxy ? "p:" : "w:") + *realm;
    const auto known = best.find(key);
    // The order of the enumerators is that of strength.
    if (known != best.end() && known->second.algorithm >= session.algorithm) return true;
    best.insert_or_assign(key, std::move(session));
    return true;
}

base::Result<std::vector<AuthHeader>> DigestAuth::answer(const osip_message_t& response,
                                                         std::string_view method,
                                                         std::string_view uri,
                                                         AuthAttempt& attempt) {
    using base::ErrorCode;
    if (password_.empty()) {
        return base::fail(ErrorCode::InvalidArgument,
                          "a password is asked for, and the account has none");
    }
    const bool is_proxy = response.status_code == 407;
    const osip_list_t& list = is_proxy ? response.proxy_authenticates : response.www_authenticates;
    std::map<std::string, Session> best;
    std::string why = "has no challenge";
    for (int i = 0; i < std::min(osip_list_size(&list), kMaxChallenges); ++i) {
        const auto* challenge =
            static_cast<const osip_www_authenticate_t*>(osip_list_get(&list, i));
        if (challenge != nullptr) (void)offer(best, *challenge, is_proxy, why);
    }
    if (best.empty()) {
        return base::fail(ErrorCode::Unsupported,
                          "the " + std::to_string(response.status_code) + " " + why +
                              ": only Digest with MD5 or SHA-256 and qop none or auth is answered");
    }
    std::vector<AuthHeader> headers;
    for (auto& [key, session] : best) {
        const bool was_answered =
            std::find(attempt.realms.begin(), attempt.realms.end(), key) != attempt.realms.end();
        if (was_answered && (!session.is_stale || attempt.stale_answers >= kMaxStaleAnswers)) {
            sessions_.erase(key);
            return base::fail(ErrorCode::Conflict,
                              "user or password are wrong (realm \"" +
                                  base::escape_untrusted(session.realm, 64) + "\")");
        }
        if (was_answered) {
            ++attempt.stale_answers;
        } else {
            attempt.realms.push_back(key);
        }
        // A nonce seen before goes on counting: a repeated count is a replay to the server.
        const auto known = sessions_.find(key);
        if (known != sessions_.end() && known->second.nonce == session.nonce &&
            known->second.algorithm == session.algorithm) {
            session.nonce_count = known->second.nonce_count;
            session.cnonce = known->second.cnonce;
        } else {
            session.cnonce = random_token() + random_token();
        }
        if (known == sessions_.end() && sessions_.size() >= kMaxSessions) sessions_.clear();
        Session& kept = sessions_.insert_or_assign(key, std::move(session)).first->second;
        headers.push_back(header_of(kept, method, uri));
    }
    // What other servers on the way asked for earlier is still wanted by them.
    for (const std::string& key : attempt.realms) {
        const auto earlier = sessions_.find(key);
        if (best.contains(key) || earlier == sessions_.end()) continue;
        headers.push_back(header_of(earlier->second, method, uri));
    }
    return headers;
}

std::vector<AuthHeader> DigestAuth::in_advance(std::string_view method, std::string_view uri) {
    std::vector<AuthHeader> headers;
    for (auto& [key, session] : sessions_) headers.push_back(header_of(session, method, uri));
    return headers;
}

AuthHeader DigestAuth::header_of(Session& session,
                                 std::string_view method,
                                 std::string_view uri) const {
    ++session.nonce_count;
    const std::string response = digest_response({.algorithm = session.algorithm,
                                                  .user = user_,
                                                  .realm = session.realm,
                                                  .password = password_.reveal(),
                                                  .nonce = session.nonce,
                                                  .method = method,
                                                  .uri = uri,
                                                  .has_qop = session.has_qop,
                                                  .nonce_count = session.nonce_count,
                                                  .cnonce = session.cnonce});
    std::string value = "Digest username=" + quoted(user_) + ", realm=\"" + session.realm +
                        "\", nonce=\"" + session.nonce + "\", uri=\"" + std::string(uri) +
                        "\", response=\"" + response + "\"";
    if (session.names_algorithm) value += ", algorithm=" + std::string(name_of(session.algorithm));
    if (session.has_opaque) value += ", opaque=\"" + session.opaque + "\"";
    if (session.has_qop) value += ", qop=auth, nc=" + count_text(session.nonce_count);
    if (session.has_qop || is_session(session.algorithm))
        value += ", cnonce=\"" + session.cnonce + "\"";
    return {session.is_proxy ? "Proxy-Authorization" : "Authorization", std::move(value)};
}

}  // namespace offhook::signalling::sip

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "signalling/sip/osip.h"

namespace offhook::signalling::sip {

/// What we compute (RFC 8760 §2.1; the session variants: RFC 7616 §3.4.2).
enum class DigestAlgorithm : std::uint8_t { Md5, Md5Session, Sha256, Sha256Session };
/// "MD5", "MD5-sess", "SHA-256", "SHA-256-sess", as on the wire.
[[nodiscard]] std::string_view name_of(DigestAlgorithm algorithm) noexcept;

/// Everything that goes into a `response`.
struct DigestInput {
    DigestAlgorithm algorithm = DigestAlgorithm::Md5;
    std::string_view user, realm, password, nonce, method, uri;
    bool has_qop = false;           ///< qop=auth; false: RFC 2617 without qop
    std::uint32_t nonce_count = 1;  ///< qop and session algorithms only
    std::string_view cnonce{};      ///< the same
};
/// The `response` in lower-case hex (RFC 7616 §3.4.1). @thread any
[[nodiscard]] std::string digest_response(const DigestInput& input);

/// One header that answers a challenge: "Authorization" or "Proxy-Authorization" and its value,
/// ready for `add_header`.
using AuthHeader = std::pair<const char*, std::string>;

/// What one request has answered so far: the same object goes to every retry of that request, and
/// to no other.
struct AuthAttempt {
    std::vector<std::string> realms;  ///< answered without `stale`
    int stale_answers = 0;
};

/// Answers digest challenges with the password of one account: MD5 and SHA-256 (the stronger one
/// when several are offered), qop none and auth, several realms at once.
///
/// A challenge is answered once: the same realm again without `stale=true` means that the password
/// is wrong, whatever the nonce, and a server that calls every nonce stale is left after
/// `kMaxStaleAnswers`. Give it only responses that a client transaction on this account's flow
/// matched: whoever else sends a challenge wants to learn a hash of the password.
/// @thread sip
class DigestAuth {
public:
    /// @param realm  the only one that is answered; empty: any
    DigestAuth(std::string user, base::Secret password, std::string realm = {});

    /// The headers for the next try of a request that `response` (401 or 407) challenged.
    /// @param uri  the Request-URI of that next try, as it will be on the wire
    /// @errors Conflict: answered before, user or password are wrong; Unsupported: no challenge
    /// that we can or may answer (other schemes or algorithms, auth-int alone, another realm);
    /// InvalidArgument: there is no password
    [[nodiscard]] base::Result<std::vector<AuthHeader>> answer(const osip_message_t& response,
                                                               std::string_view method,
                                                               std::string_view uri,
                                                               AuthAttempt& attempt);

    /// Headers for a new request, made from the challenges answered last (RFC 3261 §22.2): saves
    /// the round trip while the server still takes the nonce. Empty before the first challenge.
    [[nodiscard]] std::vector<AuthHeader> in_advance(std::string_view method, std::string_view uri);
    /// Forgets the challenges: nothing is sent in advance until the next one.
    void forget() { sessions_.clear(); }

    static constexpr int kMaxStaleAnswers = 3;

private:
    struct Session {
        DigestAlgorithm algorithm = DigestAlgorithm::Md5;
        bool names_algorithm = false;  ///< the challenge did, so the answer does
        bool has_qop = false;
        bool is_proxy = false;
        std::string realm, nonce, opaque, cnonce;
        bool has_opaque = false;
        bool is_stale = false;
        std::uint32_t nonce_count = 0;
    };
    [[nodiscard]] AuthHeader header_of(Session& session,
                                       std::string_view method,
                                       std::string_view uri) const;
    bool offer(std::map<std::string, Session>& best,
               const osip_www_authenticate_t& challenge,
               bool is_proxy,
               std::string& why) const;

    std::string user_;
    base::Secret password_;
    std::string realm_;
    /// By kind and realm: "w:example.com", "p:example.com"; at most kMaxSessions.
    std::map<std::string, Session> sessions_;
};

}  // namespace offhook::signalling::sip

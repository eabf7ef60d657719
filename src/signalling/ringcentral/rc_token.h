#pragma once

#include <cstdint>
#include <functional>

#include "http/client.h"
#include "signalling/ringcentral/rc_types.h"

namespace offhook::signalling::ringcentral {

/// Gets access tokens: by the JWT (RFC 7523 §2.1), later by the refresh token while that is good.
/// A token is kept in memory only. One request at a time.
/// @thread the http client's
class TokenKeeper {
public:
    using Done = std::function<void(Outcome<base::Secret>)>;
    /// @param client, app  must outlive this  @param now_ns a monotonic clock
    TokenKeeper(http::Client& client,
                const AppCredentials& app,
                std::function<std::int64_t()> now_ns);

    /// A token that is good for another minute. `done` may come within this call, when one is kept.
    void get(Done done);
    /// The access token was refused: the next `get` asks for another.
    void drop_access();
    /// Tells them that the token is no longer needed, and forgets it here at once. Whether they
    /// heard it changes nothing: it expires by itself.
    void revoke();

private:
    void ask(const std::string& form, bool is_refresh, Done done);
    void on_reply(const base::Result<http::HttpReply>& reply, bool is_refresh, const Done& done);
    [[nodiscard]] http::HttpRequest request(const std::string& path, std::string form) const;

    http::Client& client_;
    const AppCredentials& app_;
    std::function<std::int64_t()> now_ns_;
    base::Secret access_, refresh_;
    std::int64_t access_until_ns_ = 0, refresh_until_ns_ = 0;
    http::Client::Exchange exchange_, revocation_;
};

}  // namespace offhook::signalling::ringcentral

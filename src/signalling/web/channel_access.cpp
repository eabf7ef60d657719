#include "signalling/web/channel_access.h"

#include <string_view>
#include <utility>

namespace offhook::signalling::web {
namespace {

std::string_view bearer_of(const http::Request& request) {
    constexpr std::string_view kScheme = "bearer ";
    std::string_view value = request.header("authorization");
    if (value.size() < kScheme.size()) return {};
    for (std::size_t i = 0; i < kScheme.size(); ++i) {
        const char c = value[i];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != kScheme[i]) return {};
    }
    value.remove_prefix(kScheme.size());
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
}

}  // namespace

base::Result<access::JoinGrant> grant_of(access::Keyring& keyring,
                                         const http::Request& request,
                                         const asked::Join& join) {
    using base::ErrorCode;
    auto visitor = keyring.visitor(request, join.token.empty() ? bearer_of(request) : join.token);
    if (!visitor && visitor.error().code == ErrorCode::Unavailable)
        return base::fail(ErrorCode::Unsupported, visitor.error().message);
    if (!visitor) return tl::unexpected(std::move(visitor.error()));
    if (visitor->grant) return *std::move(visitor->grant);
    const access::Subject& subject = visitor->subject;
    if (!subject.scopes.has(access::Scope::Operate)) {
        return base::fail(ErrorCode::Unsupported,
                          "the token lacks the scope \"operate\": join with a join token");
    }
    access::JoinGrant grant;
    grant.user = join.user.empty() && keyring.has_tokens() ? subject.user : join.user;
    if (grant.user.empty())
        return base::fail(ErrorCode::InvalidArgument, "user has to say who joins");
    grant.channel = join.channel;
    return grant;
}

}  // namespace offhook::signalling::web

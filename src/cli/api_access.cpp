#include "cli/api_access.h"

#include <cstdlib>

#include "base/escape.h"
#include "glib/json_body.h"

namespace offhook::cli {
namespace {

constexpr std::size_t kMaxShown = 400;

}  // namespace

base::Result<ApiAddress> ApiOptions::address() const {
    auto address = parse_api_address(url);
    if (!address) return address;
    std::string file = token_file;
    if (const char* named = std::getenv("OFFHOOK_TOKEN_FILE"); file.empty() && named != nullptr)
        file = named;
    if (file.empty()) return address;
    auto token = read_token(file);
    if (!token) return tl::unexpected(token.error());
    address->token = *std::move(token);
    return address;
}

std::string refusal_text(const ApiAddress& address, const HttpReply& reply) {
    std::string text = address.text() + " answers " + std::to_string(reply.status);
    if (reply.status == 401) {
        return text + (address.token.empty()
                           ? ": name a token with --token-file or OFFHOOK_TOKEN_FILE"
                           : ": the token in the file is not one of this daemon");
    }
    const auto problem = glib::JsonBody::parse(reply.body, "the answer");
    if (!problem) return text;
    for (const char* name : {"title", "detail", "hint"}) {
        if (const auto part = problem->text(name))
            text += ": " + base::escape_untrusted(*part, kMaxShown);
    }
    return text;
}

}  // namespace offhook::cli

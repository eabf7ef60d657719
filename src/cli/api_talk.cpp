#include "cli/api_talk.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/escape.h"
#include "glib/json_body.h"

namespace offhook::cli {
namespace {

constexpr std::size_t kIdBytes = 14;
constexpr std::size_t kShownCandidates = 5;

bool is_hex(std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

int exit_code_of(int http_status) noexcept {
    switch (http_status) {
        case 400:
            return kExitUsage;
        case 401:
        case 403:
            return kExitNotPermitted;
        case 429:
        case 503:
            return kExitTryAgain;
        default:
            return kExitFailed;
    }
}

ApiTalk::ApiTalk(std::string verb, const Given& given) : verb_(std::move(verb)) {
    auto address = given.api.address();
    if (address) {
        address_ = *std::move(address);
    } else {
        fail(kExitUsage, address.error().text());
    }
}

void ApiTalk::fail(int code, std::string_view why) {
    std::fprintf(
        stderr, "offhook %s: %.*s\n", verb_.c_str(), static_cast<int>(why.size()), why.data());
    code_ = code;
}

std::optional<HttpReply> ApiTalk::ask(const std::string& method,
                                      const std::string& path,
                                      const std::string& json) {
    if (!address_) return std::nullopt;
    auto reply = http_request(*address_, {.method = method, .path = path, .json = json});
    if (reply) return *std::move(reply);
    fail(kExitUnavailable, reply.error().text() + "; is `offhook serve` running?");
    return std::nullopt;
}

std::optional<std::string> ApiTalk::send(const std::string& method,
                                         const std::string& path,
                                         const std::string& json) {
    auto reply = ask(method, path, json);
    if (!reply) return std::nullopt;
    if (reply->status / 100 == 2) return std::move(reply->body);
    fail(exit_code_of(reply->status), refusal_text(*address_, *reply));
    return std::nullopt;
}

std::optional<std::string> ApiTalk::get(const std::string& path) {
    return send("GET", path);
}

std::optional<std::string> ApiTalk::get_if_there(const std::string& path) {
    auto reply = ask("GET", path, {});
    if (!reply || reply->status == 404) return std::nullopt;
    if (reply->status / 100 == 2) return std::move(reply->body);
    fail(exit_code_of(reply->status), refusal_text(*address_, *reply));
    return std::nullopt;
}

std::optional<std::string> ApiTalk::call_id(const std::string& prefix) {
    const std::string id = prefix.starts_with("c-") ? prefix : "c-" + prefix;
    if (id.size() > kIdBytes || !is_hex(std::string_view(id).substr(2))) {
        fail(
            kExitUsage,
            base::escape_untrusted(prefix, 40) + " is no id of a call; `offhook calls` lists them");
        return std::nullopt;
    }
    if (id.size() == kIdBytes) return id;
    for (const char* state : {"live", "ended"}) {
        std::vector<std::string> found;
        std::string cursor;
        do {
            const auto body = get(std::string("/api/v1/calls?limit=500&state=") + state +
                                  (cursor.empty() ? "" : "&cursor=" + cursor));
            if (!body) return std::nullopt;
            const auto page = glib::JsonBody::parse(*body, "the daemon's list of calls");
            if (!page) {
                fail(kExitUnavailable, page.error().text());
                return std::nullopt;
            }
            for (const glib::JsonBody& call : page->objects("items")) {
                if (auto each = call.text("id"); each && each->starts_with(id))
                    found.push_back(*std::move(each));
            }
            cursor = page->text("next").value_or("");
        } while (!cursor.empty());
        if (found.size() == 1) return found.front();
        if (found.empty()) continue;
        std::string why = std::to_string(found.size()) + " calls begin with " + id + ":";
        for (std::size_t i = 0; i < std::min(found.size(), kShownCandidates); ++i)
            why += " " + base::escape_untrusted(found[i], 40);
        fail(kExitFailed, why + "; write more of it");
        return std::nullopt;
    }
    fail(kExitFailed,
         "no live call and none of the last 1,000 begins with " + id +
             "; `offhook calls` lists them");
    return std::nullopt;
}

int print(std::string_view text) {
    const bool is_written =
        std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    return is_written ? 0 : kExitFailed;
}

}  // namespace offhook::cli

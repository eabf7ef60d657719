#include "call/bot_call.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace offhook::call {
namespace {

constexpr std::size_t kMaxValueBytes = 500;

// "+15550100" of "sip:+15550100@pbx;user=phone": what bots take for a number.
std::string user_of(std::string_view uri) {
    const auto colon = uri.find(':');
    const auto at = uri.find('@');
    const bool is_uri = uri.starts_with("sip:") || uri.starts_with("sips:");
    if (!is_uri || at == std::string_view::npos || at <= colon + 1) return std::string(uri);
    const std::string_view user = uri.substr(colon + 1, at - colon - 1);
    return std::string(user.substr(0, user.find_first_of(";:")));
}

// What is put in is not looked at again: a caller's name may well be "${account}".
std::string filled_in(std::string_view text, const ai::BotCall& call) {
    const std::array<std::pair<std::string_view, const std::string*>, 5> kKnown{
        {{"${from}", &call.from},
         {"${to}", &call.to},
         {"${call_id}", &call.id.text},
         {"${account}", &call.account},
         {"${route}", &call.route}}};
    std::string out;
    while (!text.empty()) {
        bool is_known = false;
        for (const auto& [word, value] : kKnown) {
            if (!text.starts_with(word)) continue;
            out += *value;
            text.remove_prefix(word.size());
            is_known = true;
            break;
        }
        if (is_known) continue;
        out += text.front();
        text.remove_prefix(1);
    }
    if (out.size() > kMaxValueBytes) out.resize(kMaxValueBytes);
    return out;
}

}  // namespace

ai::BotCall bot_call_of(const Call& call, const ai::BotSettings& settings) {
    ai::BotCall out{.id = call.id,
                    .direction = std::string(model::name_of(call.info.direction)),
                    .from = user_of(call.info.from),
                    .to = user_of(call.info.to),
                    .account = call.info.account,
                    .route = call.info.route,
                    .codec = call.info.codec,
                    .facts = call.info.facts,
                    .parameters = {}};
    for (const config::Ai::Parameter& each : settings.ai.parameter)
        out.parameters.emplace_back(each.name, filled_in(each.value, out));
    return out;
}

}  // namespace offhook::call

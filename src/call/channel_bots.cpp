#include "call/channel_bots.h"

#include <memory>
#include <utility>

#include "base/log.h"
#include "config/keys.h"
#include "model/ai_stats.h"

namespace offhook::call {

using log::Level;
using log::Mark;

namespace {

// What a channel's AI may do, in the words of a route. No configured one can have its name.
const config::Route& channel_route() {
    static const config::Route kRoute{.name = ":channel", .verbs = {"hang-up"}};
    return kRoute;
}

}  // namespace

channel::AiComes ChannelBots::attach(const channel::ChannelAi& wanted) {
    if (!parts_.bot) return channel::AiComes::No;
    auto settings = parts_.bot({.route = channel_route(), .ai = wanted.ai, .fallbacks_used = 0});
    if (!settings) return channel::AiComes::No;
    sessions_.insert(wanted.session);
    ai::BotCall about{.id = wanted.session,
                      .direction = "inbound",
                      .from = {},
                      .to = wanted.channel,
                      .account = {},
                      .route = wanted.channel,
                      .codec = {},
                      .facts = {},
                      .parameters = {}};
    const bool is_built_in = config::is_built_in(settings->ai.protocol);
    parts_.ai->attach({.call = std::move(about),
                       .settings = std::move(settings),
                       .port = wanted.port,
                       .stats = std::make_shared<model::AiStats>()});
    log::write(Level::Info,
               Mark::Call,
               "channel.ai",
               wanted.session.text,
               "the channel's AI is called",
               {{"channel", wanted.channel}, {"ai", wanted.ai}});
    return is_built_in ? channel::AiComes::AtOnce : channel::AiComes::Soon;
}

void ChannelBots::dismiss(const model::CallId& session) {
    if (sessions_.erase(session) == 0) return;
    parts_.ai->tell(session, ai::EndNews{model::EndReason::CallerHangup});
}

void ChannelBots::on_request(const model::CallId& session, const ai::BotRequest& request) {
    if (!sessions_.contains(session)) return;
    const bool is_done = request.verb == ai::BotVerb::HangUp;
    if (parts_.on_verb) parts_.on_verb(ai::name_of(request.verb), is_done ? "done" : "refused");
    parts_.ai->tell(session,
                    ai::VerbNews{.number = request.number,
                                 .is_final = true,
                                 .is_done = is_done,
                                 .detail = is_done ? "" : "a channel is no call"});
    if (is_done) on_gone(session);
}

void ChannelBots::on_gone(const model::CallId& session) {
    if (sessions_.contains(session) && parts_.channels != nullptr)
        parts_.channels->on_ai_gone(session);
}

}  // namespace offhook::call

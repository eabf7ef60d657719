#include "app/channel_rooms.h"

#include <algorithm>

namespace offhook::app {

ChannelRooms::ChannelRooms(const Parts& parts)
    : channels_({.context = parts.context,
                 .control = &parts.control,
                 .workers = {.pick =
                                 [&workers = parts.workers](const worker::MediaWorker* preferred) {
                                     auto own = preferred ? workers.join(*preferred) : nullptr;
                                     return own ? own : workers.pick();
                                 },
                             .give_back =
                                 [&workers = parts.workers](const worker::MediaWorker& worker) {
                                     workers.give_back(worker);
                                 }},
                 .hooks = hooks(parts.config)}) {
    channels_.add(parts.config.channel);
}

channel::Channels::Hooks ChannelRooms::hooks(const config::Config& config) {
    return {.end_leg =
                [this](const model::CallId& id, const std::string& why) {
                    if (calls_ != nullptr) calls_->end_member(id, why);
                },
            .on_place =
                [this](const model::CallId& id,
                       const std::string& channel,
                       const model::MemberId& member) {
                    if (calls_ != nullptr) calls_->note_place(id, channel, member);
                },
            .attach_ai =
                [this](const channel::ChannelAi& wanted) {
                    return calls_ != nullptr ? calls_->attach_channel_ai(wanted)
                                             : channel::AiComes::No;
                },
            .dismiss_ai =
                [this](const model::CallId& session) {
                    if (calls_ != nullptr) calls_->dismiss_channel_ai(session);
                },
            .has_ai =
                [&config](const std::string& name) {
                    return std::any_of(config.ai.begin(), config.ai.end(), [&](const auto& ai) {
                        return ai.name == name;
                    });
                }};
}

}  // namespace offhook::app

#include "api/channel_metrics.h"

#include <algorithm>
#include <string>

namespace offhook::api {

ChannelMetrics::ChannelMetrics(prometheus::Registry& registry)
    : channels_(prometheus::BuildGauge()
                    .Name("offhook_channels")
                    .Help("Voice channels, supervised calls among them")
                    .Register(registry)
                    .Add({})),
      members_(prometheus::BuildGauge()
                   .Name("offhook_channel_members")
                   .Help("Members of voice channels")
                   .Register(registry)),
      late_frames_(prometheus::BuildCounter()
                       .Name("offhook_channel_mix_late_frames_total")
                       .Help("Frames of 20 ms that were not mixed since the worker was late")
                       .Register(registry)
                       .Add({})) {
    take({}, 0);
}

void ChannelMetrics::take(const std::vector<model::ChannelInfo>& channels,
                          std::uint64_t late_frames) {
    channels_.Set(static_cast<double>(channels.size()));
    for (const auto kind :
         {model::MemberKind::Browser, model::MemberKind::Phone, model::MemberKind::Ai}) {
        std::size_t count = 0;
        for (const model::ChannelInfo& channel : channels) {
            count += static_cast<std::size_t>(std::count_if(
                channel.members.begin(), channel.members.end(), [kind](const auto& member) {
                    return member.kind == kind;
                }));
        }
        members_.Add({{"kind", std::string(model::name_of(kind))}}).Set(static_cast<double>(count));
    }
    const auto total = static_cast<double>(late_frames);
    if (total > late_frames_.Value()) late_frames_.Increment(total - late_frames_.Value());
}

}  // namespace offhook::api

#include "api/channel_json.h"

#include "base/timestamp.h"

namespace offhook::api {
namespace {

void text_or_null(base::JsonWriter& json, std::string_view name, const std::string& text) {
    json.key(name);
    text.empty() ? json.null() : json.value(text);
}

}  // namespace

void write_member(base::JsonWriter& json, const model::MemberInfo& member) {
    const model::MemberSound& sound = member.sound;
    json.begin_object().field("id", member.id).field("kind", model::name_of(member.kind));
    json.field("role", model::name_of(member.role)).field("state", model::name_of(member.state));
    json.field("user", member.user).field("name", member.name);
    text_or_null(json, "call", member.call.text);
    json.field("muted", member.is_muted).field("muted_by_operator", member.is_muted_by_operator);
    json.field("gain_db", member.gain_db).field("level_dbov", sound.level_dbov);
    json.field("peak_dbov", sound.peak_dbov).field("speaking", sound.is_speaking);
    json.field("clipped_samples", sound.clipped_samples);
    json.field("heard_frames", sound.heard_frames).field("missing_frames", sound.missing_frames);
    json.field("dropped_frames", sound.dropped_frames)
        .field("unheard_frames", sound.unheard_frames);
    json.field("joined", base::rfc3339_utc_ms(member.joined_ns)).end();
}

void write_channel(base::JsonWriter& json, const model::ChannelInfo& channel) {
    json.begin_object().field("name", channel.name);
    json.field("policy", model::name_of(channel.policy));
    json.field("permanent", channel.is_permanent);
    text_or_null(json, "ai", channel.ai);
    json.field("created", base::rfc3339_utc_ms(channel.created_ns)).key("worker");
    channel.worker < 0 ? json.null() : json.value(channel.worker);
    json.field("mixed_frames", channel.mixed_frames).field("late_frames", channel.late_frames);
    json.key("members").begin_array();
    for (const model::MemberInfo& member : channel.members) write_member(json, member);
    json.end().end();
}

}  // namespace offhook::api

#include "ai/protocols/asterisk_words.h"

#include "base/json_writer.h"

namespace offhook::ai {
namespace {

base::JsonWriter begin(std::string_view event, std::string_view channel_id) {
    base::JsonWriter w;
    w.begin_object().field("event", event).field("channel_id", channel_id);
    return w;
}

const char* word(bool yes) {
    return yes ? "true" : "false";
}

}  // namespace

AsteriskWords::AsteriskWords(bool is_json, std::string channel_id)
    : is_json_(is_json), channel_id_(std::move(channel_id)) {}

std::string AsteriskWords::media_start(const Start& start) const {
    if (is_json_) {
        base::JsonWriter w;
        w.begin_object()
            .field("event", "MEDIA_START")
            .field("connection_id", start.connection_id)
            .field("channel", start.channel)
            .field("channel_id", channel_id_)
            .field("format", start.format)
            .field("optimal_frame_size", start.optimal_frame_size)
            .field("ptime", start.ptime_ms)
            .key("channel_variables")
            .begin_object();
        for (const auto& [name, value] : start.variables) w.field(name, value);
        return std::move(w.end().end()).text();
    }
    return "MEDIA_START connection_id:" + start.connection_id + " channel:" + start.channel +
           " channel_id:" + channel_id_ + " format:" + std::string(start.format) +
           " optimal_frame_size:" + std::to_string(start.optimal_frame_size) +
           " ptime:" + std::to_string(start.ptime_ms);
}

std::string AsteriskWords::dtmf_end(char digit) const {
    if (is_json_) {
        return std::move(
                   begin("DTMF_END", channel_id_).field("digit", std::string_view(&digit, 1)).end())
            .text();
    }
    return std::string("DTMF_END digit:") + digit + " channel_id:" + channel_id_;
}

std::string AsteriskWords::status(const Status& status) const {
    if (is_json_) {
        return std::move(begin("STATUS", channel_id_)
                             .field("queue_length", status.queue_length)
                             .field("xon_level", status.xon_level)
                             .field("xoff_level", status.xoff_level)
                             .field("queue_full", status.queue_full)
                             .field("bulk_media", status.bulk_media)
                             .field("media_paused", status.media_paused)
                             .end())
            .text();
    }
    return "STATUS channel_id:" + channel_id_ +
           " queue_length:" + std::to_string(status.queue_length) +
           " xon_level:" + std::to_string(status.xon_level) +
           " xoff_level:" + std::to_string(status.xoff_level) +
           " queue_full:" + word(status.queue_full) + " bulk_media:" + word(status.bulk_media) +
           " media_paused:" + word(status.media_paused);
}

std::string AsteriskWords::bare(std::string_view event) const {
    if (is_json_) return std::move(begin(event, channel_id_).end()).text();
    return std::string(event);
}

std::string AsteriskWords::correlated(std::string_view event, std::string_view id) const {
    if (is_json_)
        return std::move(begin(event, channel_id_).field("correlation_id", id).end()).text();
    std::string text(event);
    if (!id.empty()) text.append(" ").append(id);
    return text;
}

std::string AsteriskWords::error(std::string_view text) const {
    if (is_json_)
        return std::move(begin("ERROR", channel_id_).field("error_text", text).end()).text();
    return "ERROR channel_id:" + channel_id_ + " error_text:" + std::string(text);
}

}  // namespace offhook::ai

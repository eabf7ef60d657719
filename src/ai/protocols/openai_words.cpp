#include "ai/protocols/openai_words.h"

#include "ai/protocols/openai_tools.h"
#include "base/json_writer.h"

namespace offhook::ai::openai {
namespace {

using base::JsonWriter;

JsonWriter begin(std::string_view type) {
    JsonWriter w;
    w.begin_object().field("type", type);
    return w;
}

std::string finish(JsonWriter& w) {
    return std::move(w.end()).text();
}

void write_format(JsonWriter& w, Encoding encoding, bool is_beta) {
    if (is_beta) {
        w.value(encoding == Encoding::Pcmu   ? "g711_ulaw"
                : encoding == Encoding::Pcma ? "g711_alaw"
                                             : "pcm16");
        return;
    }
    w.begin_object();
    if (encoding == Encoding::Pcm) {
        w.field("type", "audio/pcm").field("rate", 24000);
    } else {
        w.field("type", encoding == Encoding::Pcmu ? "audio/pcmu" : "audio/pcma");
    }
    w.end();
}

void write_turn_detection(JsonWriter& w, const std::string& kind, bool interrupts) {
    w.key("turn_detection");
    if (kind == "none") {
        w.null();
        return;
    }
    w.begin_object()
        .field("type", kind)
        .field("create_response", true)
        .field("interrupt_response", interrupts)
        .end();
}

void write_transcription(JsonWriter& w, std::string_view key, const std::string& model) {
    if (!model.empty()) w.key(key).begin_object().field("model", model).end();
}

}  // namespace

std::string session_update(const BotSettings& settings, Encoding encoding, bool interrupts) {
    const auto& session = settings.ai.session;
    JsonWriter w = begin("session.update");
    w.field("event_id", kSessionEvent).key("session").begin_object();
    if (session.beta) {
        w.key("modalities").begin_array().value("text").value("audio").end();
    } else {
        w.field("type", "realtime");
        w.key("output_modalities").begin_array().value("audio").end();
    }
    if (!settings.instructions.empty()) w.field("instructions", settings.instructions);
    if (session.beta) {
        w.key("input_audio_format");
        write_format(w, encoding, true);
        w.key("output_audio_format");
        write_format(w, encoding, true);
        write_transcription(w, "input_audio_transcription", session.transcription);
        write_turn_detection(w, session.turn_detection, interrupts);
        w.field("voice", session.voice);
    } else {
        w.key("audio").begin_object().key("input").begin_object().key("format");
        write_format(w, encoding, false);
        write_transcription(w, "transcription", session.transcription);
        write_turn_detection(w, session.turn_detection, interrupts);
        w.end().key("output").begin_object().key("format");
        write_format(w, encoding, false);
        w.field("voice", session.voice).end().end();
    }
    if (has_openai_tools(settings)) {
        w.key("tools");
        write_openai_tools(settings, w);
        w.field("tool_choice", "auto");
    }
    w.end();
    return finish(w);
}

std::string message_item(const OpenAiConversation::Turn& turn, bool is_beta) {
    using Role = OpenAiConversation::Role;
    const bool is_assistant = turn.role == Role::Assistant;
    JsonWriter w = begin("conversation.item.create");
    w.key("item").begin_object().field("id", turn.item_id).field("type", "message");
    w.field("role", is_assistant ? "assistant" : turn.role == Role::System ? "system" : "user");
    w.key("content").begin_array().begin_object();
    w.field("type", !is_assistant ? "input_text" : is_beta ? "text" : "output_text");
    w.field("text", turn.text).end().end().end();
    return finish(w);
}

std::string function_output(std::string_view call_id, std::string_view output) {
    JsonWriter w = begin("conversation.item.create");
    w.key("item")
        .begin_object()
        .field("type", "function_call_output")
        .field("call_id", call_id)
        .field("output", output)
        .end();
    return finish(w);
}

std::string truncate(std::string_view item_id,
                     std::int64_t content_index,
                     std::uint64_t audio_end_ms) {
    JsonWriter w = begin("conversation.item.truncate");
    w.field("item_id", item_id)
        .field("content_index", content_index)
        .field("audio_end_ms", audio_end_ms);
    return finish(w);
}

std::string response_create() {
    JsonWriter w = begin("response.create");
    w.field("event_id", kResponseEvent);
    return finish(w);
}

std::string response_cancel(std::string_view response_id) {
    JsonWriter w = begin("response.cancel");
    w.field("event_id", kCancelEvent);
    if (!response_id.empty()) w.field("response_id", response_id);
    return finish(w);
}

std::string commit() {
    JsonWriter w = begin("input_audio_buffer.commit");
    return finish(w);
}

}  // namespace offhook::ai::openai

#include "ai/protocols/twilio_jambonz.h"

#include "ai/protocols/base64.h"
#include "ai/protocols/encoding.h"
#include "ai/protocols/twilio_ids.h"
#include "base/escape.h"
#include "base/json_writer.h"

namespace offhook::ai {
namespace {

constexpr std::uint32_t kDefaultHz = 8000;
constexpr std::size_t kMaxMarkBytes = 512;
constexpr std::string_view kSubprotocol = "audio.jambonz.org";
// Marks of our own among those of the bot, whose names may not begin so.
constexpr std::string_view kPlayDone = "\x01play:";

}  // namespace

Jambonz::Jambonz(BotHost& host)
    : host_(host),
      rate_hz_(host.settings().ai.sample_rate_hz == 0
                   ? kDefaultHz
                   : static_cast<std::uint32_t>(host.settings().ai.sample_rate_hz)) {}

Opening Jambonz::opening() const {
    const config::Ai& ai = host_.settings().ai;
    Opening out{.url = ai.url,
                .subprotocol = ai.subprotocol.empty() ? std::string(kSubprotocol) : ai.subprotocol};
    if (const base::Secret& token = host_.settings().signature; !token.empty())
        out.secret_headers.emplace_back("X-Twilio-Signature", twilio_signature(token, out.url));
    return out;
}

void Jambonz::on_open(const Continuation& before) {
    const BotCall& call = host_.call();
    base::JsonWriter json;
    json.begin_object().field("callSid", stable_uuid("call:" + call.id.text));
    json.field("accountSid", stable_uuid("account:" + call.account));
    json.field("direction", call.direction).field("from", call.from).field("to", call.to);
    json.field("callId", call.id.text).field("callStatus", "in-progress").field("sipStatus", 200);
    json.field("sampleRate", rate_hz_).field("mixType", "mono");
    json.key("metadata").begin_object();
    for (const auto& [name, value] : call.parameters) json.field(name, value);
    json.end();
    if (before.attempt > 1 || before.replay_ms > 0) {
        json.key("offhook").begin_object().field("attempt", before.attempt);
        json.field("gap_ms", before.gap_ms).field("played_ms", before.played_ms);
        json.field("replay_ms", before.replay_ms).end();
    }
    json.end();
    host_.send_text(json.text());
    host_.ready();
}

void Jambonz::on_text(std::string_view text) {
    const auto message = Message::read(text);
    if (!message) {
        host_.complain(message.error().text());
        return;
    }
    const auto type = message->text("type");
    if (type == "playAudio") {
        play_audio(*message);
    } else if (type == "killAudio") {
        host_.clear();
    } else if (type == "mark") {
        const auto name = message->text("data.name");
        if (!name || name->size() > kMaxMarkBytes || name->starts_with(kPlayDone)) {
            host_.complain("a mark without a usable data.name");
        } else {
            host_.mark(std::string(*name));
        }
    } else if (type == "disconnect") {
        host_.ask({.verb = BotVerb::HangUp});
    } else if (type != "clearMarks") {  // of it nothing is left to do: marks go with what they mark
        host_.complain(type ? "a message of no known type: " + base::escape_untrusted(*type, 40)
                            : "a message without \"type\"");
    }
}

void Jambonz::play_audio(const Message& message) {
    const auto content = message.text("data.audioContent");
    const auto kind = message.text("data.audioContentType").value_or("raw");
    const auto rate_hz = message.whole("data.sampleRate").value_or(rate_hz_);
    if (kind != "raw") {
        host_.complain("playAudio of \"" + base::escape_untrusted(kind, 40) + "\": only raw S16");
    } else if (rate_hz != rate_hz_) {
        host_.complain("playAudio at " + std::to_string(rate_hz) + " Hz: the call has " +
                       std::to_string(rate_hz_) + " (sample_rate_hz of its AI)");
    } else if (!content || !decode_base64(*content, bytes_)) {
        host_.complain("playAudio without data.audioContent in base64");
    } else {
        play(bytes_);
        trim(bytes_);
        const auto id = message.text("data.id").value_or("");
        if (id.size() <= kMaxMarkBytes) host_.mark(std::string(kPlayDone).append(id));
    }
}

void Jambonz::on_binary(std::span<const std::byte> bytes) {
    play(bytes);
}

void Jambonz::play(std::span<const std::byte> bytes) {
    decode_samples(Encoding::Pcm, bytes, pcm_);
    if (!pcm_.empty()) host_.play(pcm_);
    trim(pcm_);
}

void Jambonz::on_frame(std::span<const std::int16_t> pcm, FrameAt /*at*/) {
    host_.send_binary(std::as_bytes(pcm));
}

void Jambonz::on_digit(char digit, unsigned duration_ms) {
    base::JsonWriter json;
    json.begin_object().field("event", "dtmf").field("dtmf", std::string(1, digit));
    json.field("duration", std::to_string(duration_ms)).end();
    host_.send_text(json.text());
}

void Jambonz::on_mark(const std::string& name, MarkEnd how, std::uint64_t /*position*/) {
    if (how == MarkEnd::Lost) return;
    base::JsonWriter json;
    if (name.starts_with(kPlayDone)) {
        json.begin_object().field("type", "playDone").key("data").begin_object();
        if (name.size() > kPlayDone.size()) json.field("id", name.substr(kPlayDone.size()));
    } else {
        json.begin_object().field("type", "mark").key("data").begin_object();
        json.field("name", name).field("event", how == MarkEnd::Played ? "playout" : "cleared");
    }
    json.end().end();
    host_.send_text(json.text());
}

void Jambonz::on_end(model::EndReason /*reason*/) {}

}  // namespace offhook::ai

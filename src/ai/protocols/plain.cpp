#include "ai/protocols/plain.h"

#include <algorithm>
#include <array>

#include "ai/protocols/encoding.h"
#include "base/escape.h"
#include "base/json_writer.h"
#include "base/monotonic.h"

namespace offhook::ai {
namespace {

constexpr int kVersion = 1;
constexpr std::size_t kMaxTextBytes = 512;  // of a mark's name, an id, an argument
constexpr std::int64_t kPlayedToNs = 200 * base::kNsPerMs;
constexpr int kErrorsPerSecond = 10;

std::string_view name_of(BotProtocol::MarkEnd how) {
    switch (how) {
        case BotProtocol::MarkEnd::Played:
            return "played";
        case BotProtocol::MarkEnd::Cleared:
            return "cleared";
        case BotProtocol::MarkEnd::Lost:
            return "lost";
    }
    return "lost";
}

base::JsonWriter message_of(std::string_view type) {
    base::JsonWriter json;
    json.begin_object().field("type", type);
    return json;
}

void write_texts(base::JsonWriter& json,
                 std::string_view name,
                 const std::vector<std::string>& texts) {
    json.key(name).begin_array();
    for (const std::string& text : texts) json.value(text);
    json.end();
}

void write_ringcentral(base::JsonWriter& json, const model::RingCentralFacts& said) {
    json.begin_object().field("party_id", said.party_id).field("session_id", said.session_id);
    write_texts(json, "call_attributes", said.call_attributes);
    json.field("queue_name", said.queue_name).field("caller_id_name", said.caller_id_name);
    json.field("caller", said.caller).field("caller_name", said.caller_name);
    json.field("called", said.called).field("called_name", said.called_name).end();
}

// The names are those of the call's `facts` in the API.
void write_facts(base::JsonWriter& json, const model::CallFacts& facts) {
    json.begin_object().field("asserted_identity", facts.asserted_identity);
    write_texts(json, "diversion", facts.diversion);
    write_texts(json, "history", facts.history);
    json.field("replaces", facts.replaces).key("headers").begin_array();
    for (const auto& [name, value] : facts.headers)
        json.begin_object().field("name", name).field("value", value).end();
    json.end();
    if (facts.ringcentral) {
        json.key("ringcentral");
        write_ringcentral(json, *facts.ringcentral);
    }
    json.end();
}

void write_call(base::JsonWriter& json, const BotCall& call) {
    json.begin_object().field("id", call.id.text).field("direction", call.direction);
    json.field("from", call.from).field("to", call.to).field("account", call.account);
    json.field("route", call.route).field("codec", call.codec).key("facts");
    write_facts(json, call.facts);
    json.end();
}

void write_allowed(base::JsonWriter& json, const BotSettings& settings) {
    json.begin_array();
    if (settings.may_hang_up) json.value(name_of(BotVerb::HangUp));
    if (settings.may_transfer) json.value(name_of(BotVerb::Transfer));
    if (settings.may_send_digits) json.value(name_of(BotVerb::SendDigits));
    if (settings.may_play_prompt) json.value(name_of(BotVerb::PlayPrompt));
    if (settings.may_hold) json.value(name_of(BotVerb::Hold));
    json.end();
}

void write_connection(base::JsonWriter& json, const Continuation& before) {
    json.begin_object().field("attempt", before.attempt).field("gap_ms", before.gap_ms);
    json.field("played_ms", before.played_ms).field("replay_ms", before.replay_ms);
    write_texts(json, "marks", before.marks);
    write_texts(json, "dropped", before.dropped);
    if (!before.traceparent.empty()) json.field("traceparent", before.traceparent);
    json.end();
}

}  // namespace

Plain::Plain(BotHost& host)
    : host_(host),
      rate_hz_(host.settings().ai.sample_rate_hz == 0
                   ? kDefaultHz
                   : static_cast<std::uint32_t>(host.settings().ai.sample_rate_hz)) {}

Opening Plain::opening() const {
    const config::Ai& ai = host_.settings().ai;
    return {.url = ai.url,
            .subprotocol = ai.subprotocol.empty() ? std::string(kSubprotocol) : ai.subprotocol};
}

void Plain::on_open(const Continuation& before) {
    replay_ms_ = before.replay_ms;
    is_in_replay_ = false;
    has_half_ = false;
    told_position_ = host_.played();
    told_ns_ = 0;
    errors_ = 0;

    base::JsonWriter json = message_of("start");
    json.field("version", kVersion).key("call");
    write_call(json, host_.call());
    json.key("parameters").begin_object();
    for (const auto& [name, value] : host_.call().parameters) json.field(name, value);
    json.end().key("audio").begin_object().field("encoding", "s16le");
    json.field("sample_rate", rate_hz_).field("channels", 1);
    json.field("frame_ms", host_.settings().ai.frame_ms).end().key("allowed");
    write_allowed(json, host_.settings());
    json.key("connection");
    write_connection(json, before);
    host_.send_text(json.end().text());
    host_.ready();
}

void Plain::on_text(std::string_view text) {
    if (has_half_) {
        has_half_ = false;
        host_.complain("sound that ended inside a sample: a message of an odd number of bytes");
    }
    const auto message = Message::read(text);
    if (!message) return refuse(message.error().text());
    const auto type = message->text("type");
    if (!type) return refuse("a message without \"type\"");
    obey(*type, *message);
}

void Plain::obey(std::string_view type, const Message& message) {
    if (type == "mark") {
        const auto name = message.text("name");
        if (!name || name->size() > kMaxTextBytes)
            return refuse("a mark needs \"name\", of at most 512 bytes");
        host_.mark(std::string(*name));
    } else if (type == "clear") {
        host_.clear();
    } else if (type == "pause") {
        host_.pause();
    } else if (type == "resume") {
        host_.resume();
    } else if (type == "barge-in") {
        const auto accept = message.boolean("accept");
        if (!accept) return refuse("barge-in needs \"accept\", true or false");
        host_.judge_barge_in(*accept);
    } else if (type == "speech") {
        const auto state = message.text("state");
        if (state != "started" && state != "stopped")
            return refuse("speech needs \"state\", started or stopped");
        host_.note_caller_speech(state == "started");
    } else if (type == "hangup") {
        ask(BotVerb::HangUp, message, "");
    } else if (type == "transfer") {
        const auto target = message.text("target");
        if (!target || target->empty()) return refuse("transfer needs \"target\", a SIP URI");
        ask(BotVerb::Transfer, message, *target);
    } else if (type == "dtmf") {
        const auto digits = message.text("digits");
        if (!digits || digits->empty() ||
            digits->find_first_not_of("0123456789*#ABCD") != std::string_view::npos)
            return refuse("dtmf needs \"digits\", of 0-9 * # A-D");
        ask(BotVerb::SendDigits, message, *digits);
    } else if (type == "prompt") {
        const auto name = message.text("name");
        if (!name || name->empty()) return refuse("prompt needs \"name\", of a [[prompt]]");
        ask(BotVerb::PlayPrompt, message, *name);
    } else if (type == "hold") {
        const auto on = message.boolean("on");
        if (!on) return refuse("hold needs \"on\", true or false");
        ask(*on ? BotVerb::Hold : BotVerb::Resume, message, "");
    } else {
        refuse("a message of no known type: " + base::escape_untrusted(type, 40));
    }
}

void Plain::ask(BotVerb verb, const Message& message, std::string_view argument) {
    const std::string_view id = message.text("id").value_or("");
    if (argument.size() > kMaxTextBytes || id.size() > kMaxTextBytes)
        return refuse("a member of " + std::string(name_of(verb)) + " is longer than 512 bytes");
    host_.ask({.verb = verb,
               .argument = std::string(argument),
               .correlation = std::string(id),
               .is_after_speech = message.boolean("after_speech").value_or(false)});
}

void Plain::on_binary(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    if (has_half_) {  // the message before was cut inside a sample
        bytes_.clear();
        bytes_.push_back(half_);
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
        bytes = bytes_;
    }
    has_half_ = bytes.size() % 2 != 0;
    if (has_half_) half_ = bytes.back();
    decode_samples(Encoding::Pcm, bytes, pcm_);
    if (!pcm_.empty()) host_.play(pcm_);
    trim(pcm_);
    trim(bytes_);
}

void Plain::on_frame(std::span<const std::int16_t> pcm, FrameAt at) {
    if (at.is_replay != is_in_replay_) {
        is_in_replay_ = at.is_replay;
        base::JsonWriter json = message_of("replay");
        json.field("state", is_in_replay_ ? "begin" : "end");
        if (is_in_replay_) json.field("ms", replay_ms_);
        host_.send_text(json.end().text());
    }
    host_.send_binary(std::as_bytes(pcm));
}

void Plain::on_tick(std::int64_t now_ns) {
    if (now_ns - second_ns_ >= base::kNsPerS) {
        second_ns_ = now_ns;
        errors_ = 0;
    }
    if (now_ns - told_ns_ < kPlayedToNs) return;
    const std::uint64_t position = host_.played();
    if (position == told_position_) return;
    told_ns_ = now_ns;
    told_position_ = position;
    host_.send_text(message_of("played-to").field("ms", to_ms(position)).end().text());
}

void Plain::on_digit(char digit, unsigned duration_ms) {
    base::JsonWriter json = message_of("dtmf");
    json.field("digit", std::string(1, digit)).field("duration_ms", duration_ms).end();
    host_.send_text(json.text());
}

void Plain::on_mark(const std::string& name, MarkEnd how, std::uint64_t position) {
    base::JsonWriter json = message_of("mark");
    json.field("name", name).field("state", name_of(how)).field("played_ms", to_ms(position));
    host_.send_text(json.end().text());
}

void Plain::on_drained() {
    told_position_ = host_.played();
    host_.send_text(message_of("drained").field("played_ms", to_ms(told_position_)).end().text());
}

void Plain::on_dropped(std::uint64_t from, std::uint64_t to) {
    base::JsonWriter json = message_of("dropped");
    host_.send_text(json.field("from_ms", to_ms(from)).field("to_ms", to_ms(to)).end().text());
}

void Plain::on_barge_in(std::uint64_t played) {
    host_.send_text(message_of("barge-in").field("played_ms", to_ms(played)).end().text());
}

void Plain::on_caller_speech(bool is_speaking, std::uint64_t position) {
    base::JsonWriter json = message_of("speech");
    json.field("state", is_speaking ? "started" : "stopped").field("at_ms", to_ms(position)).end();
    host_.send_text(json.text());
}

void Plain::on_hold(bool is_held) {
    host_.send_text(message_of("hold").field("held", is_held).end().text());
}

void Plain::on_verb(const BotRequest& request, std::string_view how, std::string_view detail) {
    constexpr std::array<std::string_view, 3> kEnds{"done", "refused", "failed"};
    const bool is_end = std::find(kEnds.begin(), kEnds.end(), how) != kEnds.end();
    base::JsonWriter json = message_of("verb");
    json.field("verb", name_of(request.verb)).field("id", request.correlation);
    json.field("state", is_end ? how : "progress");
    json.field("detail", is_end || !detail.empty() ? detail : how).end();
    host_.send_text(json.text());
}

void Plain::on_end(model::EndReason reason) {
    host_.send_text(message_of("stop").field("reason", model::name_of(reason)).end().text());
}

void Plain::refuse(std::string sentence) {
    if (++errors_ <= kErrorsPerSecond)
        host_.send_text(message_of("error").field("detail", sentence).end().text());
    host_.complain(std::move(sentence));
}

double Plain::to_ms(std::uint64_t position) const noexcept {
    return static_cast<double>(position) * 1000 / rate_hz_;
}

}  // namespace offhook::ai

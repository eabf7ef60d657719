#include "ai/protocols/twilio.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "ai/protocols/base64.h"
#include "ai/protocols/twilio_ids.h"
#include "ai/protocols/url_query.h"
#include "base/escape.h"
#include "base/json_writer.h"

namespace offhook::ai {
namespace {

constexpr std::uint32_t kTelephoneHz = 8000;
constexpr std::size_t kMaxMarkBytes = 512;

void append(std::string& out, std::uint64_t number) {
    std::array<char, 20> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number);
    out.append(text.data(), end.ptr);
}

Encoding encoding_of(const config::Ai& ai, const TwilioDialect& dialect) {
    const Encoding wanted = encoding_named(ai.encoding, dialect.encoding);
    return dialect.encoding_name(wanted).empty() ? dialect.encoding : wanted;
}

std::uint32_t rate_of(const config::Ai& ai, Encoding encoding) {
    if (encoding != Encoding::Pcm || ai.sample_rate_hz == 0) return kTelephoneHz;
    return static_cast<std::uint32_t>(ai.sample_rate_hz);
}

std::string account_id(const BotCall& call, const TwilioDialect& dialect) {
    const std::string seed = "account:" + call.account;
    return dialect.ids == TwilioDialect::Ids::Sid ? twilio_sid("AC", seed) : stable_uuid(seed);
}

std::string call_id(const BotCall& call, const TwilioDialect& dialect) {
    if (dialect.ids == TwilioDialect::Ids::Sid) return twilio_sid("CA", call.id.text);
    return "v3:" + twilio_sid("", call.id.text);
}

std::string joined(const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : ",") + name;
    return out;
}

/// What start's custom parameters are: those of the settings, the call's facts under names that
/// these do not use, and what was before.
std::vector<std::pair<std::string, std::string>> parameters_of(const BotCall& call,
                                                               const Continuation& before) {
    auto out = call.parameters;
    const auto add = [&](std::string name, std::string value) {
        const bool is_there =
            std::any_of(out.begin(), out.end(), [&](const auto& p) { return p.first == name; });
        if (!is_there && !value.empty()) out.emplace_back(std::move(name), std::move(value));
    };
    add("from", call.from);
    add("to", call.to);
    add("call_id", call.id.text);
    add("direction", call.direction);
    if (before.attempt > 1) {
        add("offhook_attempt", std::to_string(before.attempt));
        add("offhook_gap_ms", base::short_number(before.gap_ms));
        add("offhook_played_ms", base::short_number(before.played_ms));
        add("offhook_marks", joined(before.marks));
        add("offhook_dropped_marks", joined(before.dropped));
    }
    if (before.replay_ms > 0) add("offhook_replay_ms", base::short_number(before.replay_ms));
    return out;
}

}  // namespace

Twilio::Twilio(BotHost& host)
    : host_(host),
      dialect_(twilio_dialect(host.settings().ai.dialect)),
      encoding_(encoding_of(host.settings().ai, dialect_)),
      rate_hz_(rate_of(host.settings().ai, encoding_)),
      chunk_samples_(
          static_cast<std::size_t>(rate_hz_) / 1000 *
          static_cast<std::size_t>(std::max(dialect_.chunk_ms, host.settings().ai.frame_ms))),
      account_id_(account_id(host.call(), dialect_)),
      call_id_(call_id(host.call(), dialect_)) {}

Opening Twilio::opening() const {
    Opening out{.url = host_.settings().ai.url, .subprotocol = host_.settings().ai.subprotocol};
    if (!dialect_.rate_in_query.empty() && rate_hz_ != kTelephoneHz)
        out.url =
            with_query(out.url, {{std::string(dialect_.rate_in_query), std::to_string(rate_hz_)}});
    const base::Secret& token = host_.settings().signature;
    if (!token.empty())
        out.secret_headers.emplace_back("X-Twilio-Signature", twilio_signature(token, out.url));
    return out;
}

void Twilio::on_open(const Continuation& before) {
    ++streams_;
    const std::string seed = host_.call().id.text + "/" + host_.settings().ai.name + "/" +
                             std::to_string(before.attempt) + "/" + std::to_string(streams_);
    stream_id_ =
        dialect_.ids == TwilioDialect::Ids::Sid ? twilio_sid("MZ", seed) : stable_uuid(seed);
    tail_ = "\",\"" + std::string(dialect_.stream) + "\":\"" + stream_id_ + "\"";
    sequence_ = 0;
    chunk_ = 0;
    sent_samples_ = 0;
    is_in_replay_ = false;
    gathered_.clear();
    // The first connection's caller was merely earlier than the bot: no event of ours for that.
    replay_ms_ = before.attempt > 1 ? before.replay_ms : 0;
    host_.send_text(dialect_.connected);
    send_start(before);
    host_.ready();
}

void Twilio::send_start(const Continuation& before) {
    begin("start");
    base::JsonWriter json;
    json.begin_object();
    if (dialect_.start_names_stream) json.field(dialect_.stream, stream_id_);
    json.field(dialect_.account, account_id_).field(dialect_.call, call_id_);
    if (dialect_.start_names_parties)
        json.field("from", host_.call().from).field("to", host_.call().to);
    if (dialect_.start_has_tracks) json.key("tracks").begin_array().value("inbound").end();
    json.key(dialect_.parameters).begin_object();
    for (const auto& [name, value] : parameters_of(host_.call(), before)) json.field(name, value);
    json.end().key(dialect_.format).begin_object();
    json.field("encoding", dialect_.encoding_name(encoding_));
    if (dialect_.format_style == TwilioDialect::FormatStyle::Numbers) {
        json.field(dialect_.sample_rate, rate_hz_).field("channels", 1);
    } else {
        json.field(dialect_.sample_rate, std::to_string(rate_hz_));
        json.field("bit_rate", std::to_string(8 * bytes_per_sample(encoding_)));
    }
    json.end().end();
    out_ += ",\"start\":" + json.text();
    send();
}

void Twilio::on_text(std::string_view text) {
    const auto message = Message::read(text);
    if (!message) {
        host_.complain(message.error().text());
        return;
    }
    // The stream's id is not looked at: servers leave it out, or write that of a stream before.
    const auto event = message->text("event");
    if (event == "media") {
        play(*message);
    } else if (event == "mark") {
        const auto name = message->text("mark.name");
        if (!name) {
            host_.complain("a mark without mark.name, so it cannot be told when it has played");
        } else if (name->size() > kMaxMarkBytes) {
            host_.complain("a mark's name is longer than 512 bytes");
        } else {
            host_.mark(std::string(*name));
        }
    } else if (event == "clear") {
        host_.clear();
    } else {
        host_.complain(event ? "an event that has no meaning towards a caller: " +
                                   base::escape_untrusted(*event, 40)
                             : "a message without \"event\"");
    }
}

void Twilio::play(const Message& message) {
    const auto payload = message.text("media.payload");
    if (!payload) {
        host_.complain("media without media.payload");
    } else if (!decode_base64(*payload, bytes_)) {
        host_.complain("media.payload is not base64");
    } else {
        decode_samples(encoding_, bytes_, pcm_);
        if (!pcm_.empty()) host_.play(pcm_);
        trim(bytes_);
        trim(pcm_);
    }
}

void Twilio::on_binary(std::span<const std::byte> bytes) {
    host_.complain("a binary message of " + std::to_string(bytes.size()) +
                   " bytes: sound comes as media.payload in " + std::string(dialect_.name));
}

void Twilio::on_frame(std::span<const std::int16_t> pcm, FrameAt at) {
    if (at.is_replay != is_in_replay_) {
        if (!gathered_.empty()) send_media();
        is_in_replay_ = at.is_replay;
        if (replay_ms_ > 0) send_replay(at.is_replay);
    }
    gathered_.insert(gathered_.end(), pcm.begin(), pcm.end());
    if (gathered_.size() >= chunk_samples_) send_media();
}

void Twilio::send_replay(bool is_begin) {
    begin("offhook");
    out_ += is_begin ? R"(,"offhook":{"replay":"begin","ms":)" + base::short_number(replay_ms_)
                     : R"(,"offhook":{"replay":"end")";
    out_ += '}';
    send();
    if (!is_begin) replay_ms_ = 0;
}

void Twilio::send_media() {
    const std::size_t samples = gathered_.size();
    encode_samples(encoding_, gathered_, bytes_);
    gathered_.clear();
    begin("media");
    out_ += dialect_.media_has_track ? R"(,"media":{"track":"inbound","chunk":")"
                                     : R"(,"media":{"chunk":")";
    append(out_, chunk_ + 1);
    out_ += R"(","timestamp":")";
    append(out_, (sent_samples_ + samples) * 1000 / rate_hz_);
    out_ += R"(","payload":")";
    append_base64(bytes_, out_);
    out_ += R"("})";
    if (send()) ++chunk_;
    // Of what the link did not take the place stays empty: some servers fill it with silence.
    sent_samples_ += samples;
}

void Twilio::on_digit(char digit, unsigned duration_ms) {
    begin("dtmf");
    out_ += R"(,"dtmf":{)";
    if (dialect_.digit_has_track) out_ += R"("track":"inbound_track",)";
    out_ += R"("digit":")";
    out_ += digit;
    out_ += '"';
    if (dialect_.digit_has_duration) {
        out_ += R"(,"duration":")";
        append(out_, duration_ms);
        out_ += '"';
    }
    out_ += '}';
    send();
}

void Twilio::on_mark(const std::string& name, MarkEnd how, std::uint64_t /*position*/) {
    if (how == MarkEnd::Lost) return;
    begin("mark");
    base::JsonWriter json;
    json.begin_object().field("name", name).end();
    out_ += ",\"mark\":" + json.text();
    send();
}

void Twilio::on_end(model::EndReason reason) {
    if (!gathered_.empty()) send_media();
    begin("stop");
    base::JsonWriter json;
    json.begin_object().field(dialect_.account, account_id_).field(dialect_.call, call_id_);
    if (dialect_.stop_has_reason) json.field("reason", model::name_of(reason));
    json.end();
    out_ += ",\"stop\":" + json.text();
    send();
}

void Twilio::begin(std::string_view event) {
    out_ = "{\"event\":\"";
    out_ += event;
    out_ += "\",\"";
    out_ += dialect_.sequence;
    out_ += "\":\"";
    append(out_, sequence_ + 1);
    out_ += tail_;
}

bool Twilio::send() {
    out_ += '}';
    const bool is_taken = host_.send_text(out_);
    if (is_taken) ++sequence_;
    return is_taken;
}

}  // namespace offhook::ai

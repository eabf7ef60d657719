#include "api/call_json.h"

#include <algorithm>

#include "base/monotonic.h"
#include "base/timestamp.h"

namespace offhook::api {
namespace {

void time_field(base::JsonWriter& json, std::string_view name, std::int64_t realtime_ns) {
    json.key(name);
    realtime_ns == 0 ? json.null() : json.value(base::rfc3339_utc_ms(realtime_ns));
}

// -1 stands for "not known" in the model.
void known_field(base::JsonWriter& json, std::string_view name, double value) {
    json.key(name);
    value < 0 ? json.null() : json.value(value);
}

std::int64_t duration_ms(const model::CallInfo& call) {
    if (call.answered_ns == 0) return 0;
    const std::int64_t until = call.ended_ns == 0 ? base::realtime_ns() : call.ended_ns;
    return std::max<std::int64_t>(0, (until - call.answered_ns) / base::kNsPerMs);
}

}  // namespace

void write_stats(base::JsonWriter& json, const model::LegStats& s) {
    json.begin_object();
    json.field("sent_packets", s.sent_packets).field("sent_bytes", s.sent_bytes);
    json.field("sent_ai_frames", s.sent_ai_frames).field("sent_fill_frames", s.sent_fill_frames);
    json.field("sent_dtmf_packets", s.sent_dtmf_packets).field("send_errors", s.send_errors);
    json.field("skipped_frames", s.skipped_frames).field("held_frames", s.held_frames);
    known_field(json, "first_sent_after_answer_ms", s.first_sent_after_answer_ms);
    known_field(json, "since_last_sent_ms", s.since_last_sent_ms);
    json.field("max_gap_ms", s.max_gap_ms).field("last_source", model::name_of(s.last_source));
    json.field("sent_level_dbov", s.sent_level_dbov);
    json.field("received_packets", s.received_packets).field("received_bytes", s.received_bytes);
    json.field("lost_packets", s.lost_packets).field("late_packets", s.late_packets);
    json.field("duplicate_packets", s.duplicate_packets)
        .field("reordered_packets", s.reordered_packets);
    json.field("refused_packets", s.refused_packets)
        .field("concealed_samples", s.concealed_samples);
    json.field("comfort_noise_samples", s.comfort_noise_samples).field("is_paused", s.is_paused);
    json.field("srtp_auth_failures", s.srtp_auth_failures).field("srtp_replays", s.srtp_replays);
    json.field("received_dtmf_events", s.received_dtmf_events);
    known_field(json, "since_last_received_ms", s.since_last_received_ms);
    json.field("jitter_ms", s.jitter_ms).field("playout_delay_ms", s.playout_delay_ms);
    json.field("received_level_dbov", s.received_level_dbov);
    json.field("sent_level_now_dbov", s.sent_level_now_dbov);
    json.field("received_level_now_dbov", s.received_level_now_dbov);
    json.field("sent_clipped_samples", s.sent_sound.clipped_samples);
    json.field("received_clipped_samples", s.received_sound.clipped_samples);
    json.field("sent_silent_seconds", s.sent_sound.silent_seconds);
    json.field("received_silent_seconds", s.received_sound.silent_seconds);
    known_field(json, "round_trip_ms", s.round_trip_ms);
    known_field(json, "remote_jitter_ms", s.remote_jitter_ms);
    json.field("remote_lost_packets", s.remote_lost_packets);
    json.field("rtcp_received", s.rtcp_received).field("rtcp_sent", s.rtcp_sent);
    json.field("tapped_samples", s.tapped_samples)
        .field("tap_dropped_samples", s.tap_dropped_samples);
    json.field("voice_samples", s.voice_samples)
        .field("voice_queued_samples", s.voice_queued_samples);
    json.field("voice_dropped_samples", s.voice_dropped_samples);
    json.field("voice_underruns", s.voice_underruns).field("sample_rate_hz", s.sample_rate_hz);
    json.end();
}

void write_quality(base::JsonWriter& json, const model::Quality& q) {
    json.begin_object();
    known_field(json, "mos", q.mos);
    known_field(json, "r_factor", q.r_factor);
    known_field(json, "loss_share", q.loss_share);
    known_field(json, "concealed_share", q.concealed_share);
    known_field(json, "jitter_ms", q.jitter_ms);
    known_field(json, "jitter_max_ms", q.jitter_max_ms);
    known_field(json, "round_trip_ms", q.round_trip_ms);
    known_field(json, "round_trip_max_ms", q.round_trip_max_ms);
    known_field(json, "remote_loss_share", q.remote_loss_share);
    known_field(json, "remote_jitter_ms", q.remote_jitter_ms);
    known_field(json, "max_gap_ms", q.max_gap_ms);
    json.field("inbound_level_dbov", q.inbound_level_dbov);
    json.field("outbound_level_dbov", q.outbound_level_dbov);
    known_field(json, "inbound_clipped_share", q.inbound_clipped_share);
    known_field(json, "outbound_clipped_share", q.outbound_clipped_share);
    known_field(json, "inbound_silence_share", q.inbound_silence_share);
    known_field(json, "outbound_silence_share", q.outbound_silence_share);
    json.field("oneway_ms", q.oneway_ms).field("gap_alarms", q.gap_alarms).end();
}

namespace {

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
    json.field("called", said.called).field("called_name", said.called_name);
    json.field("service_level", said.service_level);
    json.field("service_level_ext", said.service_level_ext);
    json.field("recording_url", said.recording_url).field("has_control", said.has_control).end();
}

void write_commands(base::JsonWriter& json,
                    const std::vector<model::RingCentralCommand>& commands) {
    json.begin_array();
    for (const model::RingCentralCommand& each : commands) {
        json.begin_object().field("number", each.number).field("command", each.command);
        json.field("state", model::name_of(each.state)).field("detail", each.detail);
        time_field(json, "at", each.at_ns);
        json.end();
    }
    json.end();
}

void write_facts(base::JsonWriter& json, const model::CallFacts& facts) {
    json.begin_object().field("asserted_identity", facts.asserted_identity);
    write_texts(json, "diversion", facts.diversion);
    write_texts(json, "history", facts.history);
    json.key("replaces");
    facts.replaces.empty() ? json.null() : json.value(facts.replaces);
    json.key("headers").begin_array();
    for (const auto& [name, value] : facts.headers)
        json.begin_object().field("name", name).field("value", value).end();
    json.end().key("answer_after_ms");
    facts.answer_after ? json.value(facts.answer_after->count()) : json.null();
    json.key("ringcentral");
    if (facts.ringcentral) {
        write_ringcentral(json, *facts.ringcentral);
    } else {
        json.null();
    }
    json.end();
}

// What the far end itself said of the end.
void write_end_facts(base::JsonWriter& json, const model::CallEnd& end) {
    json.key("sip_status");
    end.sip_status == 0 ? json.null() : json.value(end.sip_status);
    json.key("peer_reasons").begin_array();
    for (const model::PeerReason& reason : end.peer_reasons) {
        json.begin_object().field("protocol", reason.protocol).field("cause", reason.cause);
        json.field("text", reason.text).end();
    }
    json.end();
}

void write_transfer(base::JsonWriter& json, const model::TransferInfo& transfer) {
    json.begin_object().field("by", transfer.is_by_peer ? "peer" : "us").key("target");
    transfer.target.empty() ? json.null() : json.value(transfer.target);
    json.key("call");
    transfer.call.empty() ? json.null() : json.value(transfer.call.text);
    json.key("status");
    transfer.status == 0 ? json.null() : json.value(transfer.status);
    json.end();
}

void text_field(base::JsonWriter& json, std::string_view name, const std::string& text) {
    json.key(name);
    text.empty() ? json.null() : json.value(text);
}

void write_ai_sound(base::JsonWriter& json, const model::AiFigures& f) {
    json.begin_object().field("given_ms", f.given_ms).field("played_ms", f.played_ms);
    json.field("cleared_ms", f.cleared_ms).field("overflowed_ms", f.overflowed_ms);
    json.field("queued_ms", f.queued_ms).end();
}

void write_ai_latency(base::JsonWriter& json, const model::AiFigures& f) {
    json.begin_object();
    known_field(json, "caller_to_socket_ms", f.caller_to_socket_ms);
    known_field(json, "socket_to_wire_ms", f.socket_to_wire_ms);
    known_field(json, "round_trip_ms", f.round_trip_ms);
    json.field("turns", f.turns).key("turn");
    if (f.turn_ms < 0) {
        json.null().end();
        return;
    }
    json.begin_object();
    known_field(json, "total_ms", f.turn_ms);
    known_field(json, "network_ms", f.turn_network_ms);
    known_field(json, "bot_ms", f.turn_bot_ms);
    known_field(json, "playout_ms", f.turn_playout_ms);
    json.end().end();
}

void write_ai(base::JsonWriter& json, const model::CallInfo& call) {
    const model::AiInfo& bot = call.bot;
    const model::AiFigures& f = bot.figures;
    json.begin_object().field("name", call.ai);
    text_field(json, "protocol", bot.protocol);
    json.field("state", model::name_of(bot.state));
    time_field(json, "since", bot.since_ns);
    text_field(json, "reason", bot.reason);
    text_field(json, "at", bot.where);
    text_field(json, "media_path", bot.media_path);
    json.field("attempts", f.attempts).field("connections", f.connections);
    json.field("losses", f.losses);
    text_field(json, "last_loss", f.last_loss);
    known_field(json, "lost_ms", f.lost_ms);
    known_field(json, "last_gap_ms", f.last_gap_ms);
    json.field("sent_frames", f.sent_frames).field("unsent_frames", f.unsent_frames);
    json.field("replayed_ms", f.replayed_ms).key("sound");
    write_ai_sound(json, f);
    json.field("marks", f.marks).field("barge_ins", f.barge_ins);
    json.field("taken_back_barge_ins", f.taken_back_barge_ins);
    json.field("verbs", f.verbs).field("refused_verbs", f.refused_verbs);
    json.field("bad_messages", f.bad_messages).key("latency");
    write_ai_latency(json, f);
    json.key("echo");
    if (f.echo_delay_ms < 0) {
        json.null();
    } else {
        json.begin_object().field("delay_ms", f.echo_delay_ms);
        json.field("return_loss_db", f.echo_return_loss_db).end();
    }
    json.end();
}

void write_web(base::JsonWriter& json, const model::WebInfo& web) {
    json.begin_object().field("is_connected", web.is_connected).field("is_lost", web.is_lost);
    known_field(json, "connect_ms", web.connect_ms);
    json.field("restarts", web.restarts).field("losses", web.losses);
    json.end();
}

}  // namespace

void write_call(base::JsonWriter& json, const model::CallInfo& call) {
    json.begin_object();
    json.field("id", call.id.text).field("state", model::name_of(call.state));
    json.field("sip_call_id", call.sip_call_id).field("from", call.from).field("to", call.to);
    json.field("peer", call.peer).field("user_agent", call.user_agent);
    json.field("direction", model::name_of(call.direction)).field("account", call.account);
    json.field("transport", call.transport);
    json.field("route", call.route).key("ai");
    if (call.ai.empty()) {
        json.null();
    } else {
        write_ai(json, call);
    }
    json.field("pipeline", call.pipeline);
    json.field("fill", call.fill).field("codec", call.codec);
    json.key("srtp");
    call.srtp.empty() ? json.null() : json.value(call.srtp);
    json.key("srtp_key_exchange_protected");
    call.srtp.empty() ? json.null() : json.value(call.srtp_key_exchange_protected);
    time_field(json, "created", call.created_ns);
    time_field(json, "answered", call.answered_ns);
    time_field(json, "ended", call.ended_ns);
    known_field(json, "answer_ms", call.answer_ms);
    json.field("duration_ms", duration_ms(call));
    json.field("leg", model::name_of(call.leg)).key("web");
    if (call.leg == model::LegKind::Web) {
        write_web(json, call.web);
    } else {
        json.null();
    }
    json.key("worker");
    call.worker < 0 ? json.null() : json.value(call.worker);
    json.field("is_oneway", call.is_oneway);
    json.key("end");
    if (call.end) {
        json.begin_object().field("class", model::name_of(call.end->end_class));
        json.field("reason", model::name_of(call.end->reason)).field("detail", call.end->detail);
        write_end_facts(json, *call.end);
        json.end();
    } else {
        json.null();
    }
    json.field("is_held_by_us", call.is_held_by_us).field("is_held_by_peer", call.is_held_by_peer);
    json.key("channel");
    call.channel.empty() ? json.null() : json.value(call.channel);
    json.key("member");
    call.member.empty() ? json.null() : json.value(call.member);
    json.field("recording", model::name_of(call.recording)).key("recording_detail");
    call.recording_detail.empty() ? json.null() : json.value(call.recording_detail);
    json.key("facts");
    write_facts(json, call.facts);
    json.key("transfer");
    if (call.transfer) {
        write_transfer(json, *call.transfer);
    } else {
        json.null();
    }
    json.key("ringcentral_commands");
    write_commands(json, call.ringcentral_commands);
    json.key("stats");
    write_stats(json, call.stats);
    json.key("quality");
    write_quality(json, call.quality);
    json.end();
}

}  // namespace offhook::api

#include "signalling/web/channel_messages.h"

#include <glib.h>

#include <algorithm>
#include <cmath>

#include "base/escape.h"
#include "base/json_writer.h"
#include "base/monotonic.h"
#include "base/timestamp.h"
#include "glib/json_body.h"
#include "sdp/web_remote.h"

namespace offhook::signalling::web {
namespace {

constexpr std::size_t kMaxNameCharacters = 64;
constexpr std::size_t kMaxTokenBytes = 2'048;
constexpr std::size_t kMaxResumeBytes = 128;
constexpr std::size_t kMaxCandidateBytes = 512;
constexpr std::size_t kMaxReportBytes = 4 * 1024;
constexpr std::size_t kMaxFigures = 64;
constexpr std::size_t kMaxFigureNameBytes = 48;
constexpr std::size_t kMaxFigureTextBytes = 256;
constexpr std::size_t kMaxDetailBytes = 256;

using Read = tl::expected<ChannelMessage, Complaint>;

tl::unexpected<Complaint> refuse(int status,
                                 std::string_view code,
                                 std::string detail,
                                 std::optional<std::int64_t> id = std::nullopt) {
    return tl::unexpected(Complaint{{status, code, std::move(detail), std::nullopt}, id});
}
tl::unexpected<Complaint> malformed(std::string detail,
                                    std::optional<std::int64_t> id = std::nullopt) {
    return refuse(400, "malformed", std::move(detail), id);
}

/// Of a person, as others see it. @pre UTF-8
bool is_name(const std::string& text) {
    std::size_t characters = 0;
    for (const char* at = text.c_str(); *at != '\0'; at = g_utf8_next_char(at)) {
        if (g_unichar_iscntrl(g_utf8_get_char(at)) != FALSE) return false;
        ++characters;
    }
    return characters <= kMaxNameCharacters;
}

Read read_join(const glib::JsonBody& body) {
    asked::Join join{.channel = body.text("channel").value_or(""),
                     .token = body.text("token").value_or(""),
                     .resume = body.text("resume").value_or(""),
                     .user = body.text("user").value_or(""),
                     .name = body.text("name").value_or("")};
    if (!model::is_channel_name(join.channel))
        return malformed("channel has 1 to 64 letters, digits and -._~+");
    if (join.token.size() > kMaxTokenBytes) return malformed("token is too long");
    if (join.resume.size() > kMaxResumeBytes) return malformed("resume is too long");
    if (!is_name(join.user)) return malformed("user has at most 64 characters and no controls");
    if (!is_name(join.name)) return malformed("name has at most 64 characters and no controls");
    return join;
}

Read read_offer(const glib::JsonBody& body) {
    const auto id = body.whole("id");
    std::string sdp = body.text("sdp").value_or("");
    if (sdp.size() > sdp::kMaxBytes) return malformed("sdp is longer than 32 KiB", id);
    if (!sdp::is_web(sdp))
        return refuse(406, "not-acceptable", "sdp has no audio line with DTLS-SRTP", id);
    return asked::Offer{std::move(sdp), id};
}

Read read_candidate(const glib::JsonBody& body) {
    std::string text = body.text("candidate").value_or("");
    if (text.size() > kMaxCandidateBytes) return malformed("candidate is longer than 512 bytes");
    return asked::Candidate{std::move(text)};
}

bool is_figure_name(const std::string& name) {
    return !name.empty() && name.size() <= kMaxFigureNameBytes &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.';
           });
}

Read read_stats(const glib::JsonBody& body, std::size_t bytes) {
    if (bytes > kMaxReportBytes) return malformed("stats is longer than 4 KiB");
    const auto report = body.object("report");
    if (!report) return malformed("report is an object of figures");
    const std::vector<std::string> names = report->names();
    if (names.size() > kMaxFigures) return malformed("report has more than 64 figures");
    asked::Stats stats;
    for (const std::string& name : names) {
        if (!is_figure_name(name))
            return malformed("the figures of report have names of letters, digits and _-.");
        if (const auto yes = report->boolean(name.c_str())) {
            stats.report.emplace_back(name, *yes);
        } else if (const auto number = report->number(name.c_str())) {
            stats.report.emplace_back(name, *number);
        } else if (auto text = report->text(name.c_str())) {
            if (text->size() > kMaxFigureTextBytes)
                return malformed("a text of report is longer than 256 bytes");
            stats.report.emplace_back(name, *std::move(text));
        } else if (!report->is_null(name.c_str())) {
            return malformed("report is flat: numbers, texts, true and false");
        }
    }
    return stats;
}

void write(base::JsonWriter& json, const model::MemberInfo& member) {
    json.begin_object()
        .field("id", member.id)
        .field("kind", model::name_of(member.kind))
        .field("role", model::name_of(member.role))
        .field("state", model::name_of(member.state))
        .field("user", member.user)
        .field("name", member.name)
        .field("muted", member.is_muted)
        .field("muted_by_operator", member.is_muted_by_operator)
        .field("gain_db", member.gain_db)
        .field("level_dbov", member.sound.level_dbov)
        .field("speaking", member.sound.is_speaking)
        .field("joined", base::rfc3339_utc_ms(member.joined_ns))
        .end();
}

void write_members(base::JsonWriter& json, const model::ChannelInfo& channel) {
    json.key("members").begin_array();
    for (const model::MemberInfo& member : channel.members) write(json, member);
    json.end();
}

base::JsonWriter begin(std::string_view type) {
    base::JsonWriter json;
    json.begin_object().field("type", type);
    return json;
}
std::string finish(base::JsonWriter json) {
    json.end();
    return std::move(json).text();
}

/// Milliseconds since 1970.
std::int64_t server_time_ms() {
    return base::realtime_ns() / base::kNsPerMs;
}

/// -1 stands for what is not known.
void figure(base::JsonWriter& json, std::string_view name, double value) {
    json.key(name);
    if (value < 0)
        json.null();
    else
        json.value(value);
}

}  // namespace

Read read_channel_message(std::string_view text) {
    const auto body = glib::JsonBody::parse(text, "the message");
    if (!body) return malformed(body.error().text());
    const std::string type = body->text("type").value_or("");
    const auto id = body->whole("id");
    if (type == "join") return read_join(*body);
    if (type == "offer") return read_offer(*body);
    if (type == "candidate") return read_candidate(*body);
    if (type == "mute") {
        const auto is_muted = body->boolean("muted");
        if (!is_muted) return malformed("muted is true or false");
        return asked::Mute{*is_muted};
    }
    if (type == "leave") return asked::Leave{};
    if (type == "ping") return asked::Ping{body->number("t")};
    if (type == "diagnose") return asked::Diagnose{id};
    if (type == "stats") return read_stats(*body, text.size());
    return malformed(
        "type is none of join, offer, candidate, mute, leave, ping, diagnose and stats", id);
}

std::string message_of(const ChannelWelcome& welcome) {
    auto json = begin("welcome");
    json.field("version", kChannelVersion)
        .field("connection", welcome.connection)
        .field("server_time", server_time_ms())
        .field("ping_s", welcome.ping.count())
        .field("resume_s", welcome.resume.count());
    return finish(std::move(json));
}

std::string message_of(const ChannelJoined& joined) {
    auto json = begin("joined");
    const auto& members = joined.channel.members;
    const auto self = std::find_if(members.begin(), members.end(), [&](const auto& member) {
        return member.id == joined.member;
    });
    json.field("channel", joined.channel.name)
        .field("policy", model::name_of(joined.channel.policy))
        .field("member", joined.member)
        .field("role",
               model::name_of(self == members.end() ? model::MemberRole::Speaker : self->role))
        .field("resume", joined.resume)
        .field("resumed", joined.is_resumed);
    json.key("ice_servers").begin_array();
    for (const std::string& url : joined.ice_servers) json.begin_object().field("urls", url).end();
    json.end();
    write_members(json, joined.channel);
    return finish(std::move(json));
}

std::string answer_message(const std::string& sdp, std::optional<std::int64_t> id) {
    auto json = begin("answer");
    json.field("sdp", sdp);
    if (id) json.field("id", *id);
    return finish(std::move(json));
}

std::string members_message(const model::ChannelInfo& channel) {
    auto json = begin("members");
    json.field("channel", channel.name);
    write_members(json, channel);
    return finish(std::move(json));
}

std::string speaking_message(const std::vector<model::MemberId>& speaking) {
    auto json = begin("speaking");
    json.key("members").begin_array();
    for (const model::MemberId& member : speaking) json.value(member);
    json.end();
    return finish(std::move(json));
}

std::string moved_message(const model::ChannelInfo& to) {
    auto json = begin("moved");
    json.field("channel", to.name).field("policy", model::name_of(to.policy));
    write_members(json, to);
    return finish(std::move(json));
}

std::string removed_message(std::string_view why) {
    auto json = begin("removed");
    json.field("why", why);
    return finish(std::move(json));
}

std::string pong_message(std::optional<double> t) {
    auto json = begin("pong");
    json.key("t");
    // Of a number the writer keeps ten digits: enough for what a page's clock says, not for a date.
    if (t && std::fabs(*t) < 9e15 && std::trunc(*t) == *t)
        json.value(static_cast<std::int64_t>(*t));
    else if (t)
        json.value(*t);
    else
        json.null();
    json.field("server_time", server_time_ms());
    return finish(std::move(json));
}

std::string stats_message(const model::MemberInfo& member, const model::CallInfo& call) {
    const model::LegStats& leg = call.stats;
    auto json = begin("stats");
    json.field("member", member.id)
        .field("state", model::name_of(member.state))
        .field("call", call.id.text)
        .field("codec", call.codec)
        .field("is_connected", call.web.is_connected)
        .field("is_lost", call.web.is_lost)
        .field("is_oneway", call.is_oneway)
        .field("is_muted", member.is_muted)
        .field("is_muted_by_operator", member.is_muted_by_operator)
        .field("gain_db", member.gain_db);
    // From the browser.
    json.field("packets_received", leg.received_packets)
        .field("bytes_received", leg.received_bytes)
        .field("packets_lost", leg.lost_packets)
        .field("jitter_ms", leg.jitter_ms)
        .field("concealed_samples", leg.concealed_samples)
        .field("level_dbov", member.sound.level_dbov)
        .field("peak_dbov", member.sound.peak_dbov)
        .field("is_speaking", member.sound.is_speaking)
        .field("clipped_samples", member.sound.clipped_samples)
        .field("heard_frames", member.sound.heard_frames)
        .field("missing_frames", member.sound.missing_frames)
        .field("dropped_frames", member.sound.dropped_frames);
    figure(json, "since_last_received_ms", leg.since_last_received_ms);
    // To the browser.
    json.field("packets_sent", leg.sent_packets)
        .field("bytes_sent", leg.sent_bytes)
        .field("sent_level_dbov", leg.sent_level_dbov)
        .field("unheard_frames", member.sound.unheard_frames)
        .field("remote_packets_lost", leg.remote_lost_packets);
    figure(json, "since_last_sent_ms", leg.since_last_sent_ms);
    figure(json, "round_trip_ms", leg.round_trip_ms);
    figure(json, "remote_jitter_ms", leg.remote_jitter_ms);
    return finish(std::move(json));
}

std::string diagnosis_message(const std::vector<ChannelFinding>& issues,
                              std::optional<std::int64_t> id) {
    auto json = begin("diagnosis");
    if (id) json.field("id", *id);
    json.key("issues").begin_array();
    for (const ChannelFinding& issue : issues) {
        json.begin_object()
            .field("code", issue.code)
            .field("severity", issue.severity)
            .field("cause", issue.cause)
            .field("evidence", issue.evidence)
            .field("fix", issue.fix)
            .end();
    }
    json.end();
    return finish(std::move(json));
}

std::string error_message(const Complaint& complaint, std::string_view reason) {
    const Refusal& refusal = complaint.refusal;
    auto json = begin("error");
    json.field("code", refusal.code)
        .field("status", refusal.status)
        .field("detail", base::escape_untrusted(refusal.detail, kMaxDetailBytes));
    if (!reason.empty()) json.field("reason", reason);
    if (refusal.retry_after) json.field("retry_after_s", refusal.retry_after->count());
    if (complaint.id) json.field("id", *complaint.id);
    return finish(std::move(json));
}

}  // namespace offhook::signalling::web

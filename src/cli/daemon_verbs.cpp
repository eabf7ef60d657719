// The daemon itself, its channels and its records.

#include <cstdlib>

#include "base/escape.h"
#include "base/json_writer.h"
#include "cli/api_talk.h"
#include "cli/call_views.h"
#include "cli/text_table.h"

namespace offhook::cli {
namespace {

constexpr const char* kExitCodes =
    "Exit code: 0, 1 refused or not there, 69 the daemon is not there, 77 the token is missing or "
    "may not.\n";

/// For a path or a query (RFC 3986 §2.1).
std::string percent_encoded(std::string_view text) {
    constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                              (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '.' ||
                              byte == '_' || byte == '~';
        if (is_plain) {
            out += c;
        } else {
            out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
        }
    }
    return out;
}

int log_level(const Given& given) {
    ApiTalk talk("log-level", given);
    base::JsonWriter wanted;
    wanted.begin_object().field("level", given.value("level")).end();
    const auto body = given.has("level") ? talk.send("PUT", "/api/v1/log-level", wanted.text())
                                         : talk.get("/api/v1/log-level");
    if (!body) return talk.code();
    if (given.has("json")) return print(*body);
    const auto answer = glib::JsonBody::parse(*body, "the daemon's answer");
    return print(answer ? shown(*answer, "level") + "\n" : *body);
}

int drain(const Given& given) {
    ApiTalk talk("drain", given);
    std::string order;
    if (given.has("timeout")) {
        const std::string text = given.value("timeout");
        char* end = nullptr;
        const long seconds = std::strtol(text.c_str(), &end, 10);
        if (text.empty() || *end != '\0' || seconds < 0 || seconds > 86'400) {
            talk.fail(kExitUsage, "--timeout is 0 to 86400 seconds");
            return talk.code();
        }
        base::JsonWriter json;
        json.begin_object().field("timeout_s", seconds).end();
        order = json.text();
    }
    const auto body = talk.send("POST", "/api/v1/drain", order);
    if (!body) return talk.code();
    if (given.has("json")) return print(*body);
    const auto answer = glib::JsonBody::parse(*body, "the daemon's answer");
    if (!answer) return print(*body);
    return print("draining; calls left: " + shown(*answer, "calls") + "\n");
}

std::string channels_table(const glib::JsonBody& list) {
    const auto channels = list.objects("items");
    if (channels.empty()) return "there are none\n";
    TextTable table({"NAME", "POLICY", "AI", "MEMBERS", "SPEAKING"});
    for (const glib::JsonBody& channel : channels) {
        const auto members = channel.objects("members");
        std::size_t speaking = 0;
        for (const glib::JsonBody& member : members)
            if (member.boolean("speaking").value_or(false)) ++speaking;
        table.add({shown(channel, "name"),
                   shown(channel, "policy"),
                   shown(channel, "ai"),
                   std::to_string(members.size()),
                   std::to_string(speaking)});
    }
    return table.text();
}

std::string members_table(const glib::JsonBody& channel) {
    const auto members = channel.objects("members");
    if (members.empty()) return "nobody is in it\n";
    TextTable table({"ID", "KIND", "ROLE", "STATE", "USER", "CALL", "LEVEL", "SPEAKS", "MUTED"});
    for (const glib::JsonBody& member : members) {
        table.add({shown(member, "id"),
                   shown(member, "kind"),
                   shown(member, "role"),
                   shown(member, "state"),
                   shown(member, "user"),
                   shown(member, "call"),
                   number_text(member, "level_dbov", 0),
                   shown(member, "speaking"),
                   member.boolean("muted_by_operator").value_or(false) ? "by operator"
                                                                       : shown(member, "muted")});
    }
    return table.text();
}

int channels(const Given& given) {
    ApiTalk talk("channels", given);
    const bool is_one = given.has("name");
    const auto body = talk.get(
        "/api/v1/channels" + (is_one ? "/" + percent_encoded(given.value("name")) : std::string()));
    if (!body) return talk.code();
    if (given.has("json")) return print(*body);
    const auto answer = glib::JsonBody::parse(*body, "the daemon's answer");
    if (answer) return print(is_one ? members_table(*answer) : channels_table(*answer));
    talk.fail(kExitUnavailable, answer.error().text());
    return talk.code();
}

int records(const Given& given) {
    ApiTalk talk("cdr", given);
    if (given.has("id")) {
        const auto body = talk.get("/api/v1/cdr/" + percent_encoded(given.value("id")));
        if (!body) return talk.code();
        const auto record = glib::JsonBody::parse(*body, "the daemon's call record");
        return print(given.has("json") || !record ? *body : members_text(*record));
    }
    std::string query = "?limit=" + (given.has("limit") ? given.value("limit") : "50");
    for (const char* name : {"from", "to", "since", "until", "cursor"}) {
        if (given.has(name))
            query += std::string("&") + name + "=" + percent_encoded(given.value(name));
    }
    if (given.has("reason")) query += "&end_reason=" + percent_encoded(given.value("reason"));
    if (given.has("max-mos")) query += "&max_mos=" + percent_encoded(given.value("max-mos"));
    if (given.has("csv")) query += "&format=csv";
    const auto body = talk.get("/api/v1/cdr" + query);
    if (!body) return talk.code();
    if (given.has("json") || given.has("csv")) return print(*body);
    const auto text = records_table(*body);
    if (text) return print(*text);
    talk.fail(kExitUnavailable, text.error().text());
    return talk.code();
}

}  // namespace

Verb log_level_verb() {
    return {.name = "log-level",
            .summary = "Show how much the running daemon logs, or change it until it ends",
            .footer = std::string("It takes a token with the scope admin.\n") + kExitCodes +
                      "\nExamples:\n"
                      "  offhook log-level\n"
                      "  offhook log-level debug",
            .options = {{.names = "level",
                         .help = "The new level",
                         .value = "LEVEL",
                         .choices = {"debug", "info", "warning", "error"}},
                        {.names = "--json", .help = "The API's answer"}},
            .run = log_level};
}

Verb drain_verb() {
    return {.name = "drain",
            .summary = "Take no new calls, and end the daemon behind the last one",
            .footer = std::string("It takes a token with the scope admin.\n") + kExitCodes +
                      "\nExamples:\n"
                      "  offhook drain\n"
                      "  offhook drain --timeout 0",
            .options = {{.names = "--timeout",
                         .help = "Seconds that calls may still take; 0 ends them at once; without "
                                 "it [drain] timeout_s",
                         .value = "S"},
                        {.names = "--json", .help = "The API's answer"}},
            .run = drain};
}

Verb channels_verb() {
    return {.name = "channels",
            .summary = "Show the running daemon's voice channels, or who is in one",
            .footer = std::string(kExitCodes) +
                      "\nExamples:\n"
                      "  offhook channels\n"
                      "  offhook channels sales",
            .options = {{.names = "name", .help = "The channel", .value = "NAME"},
                        {.names = "--json", .help = "The API's answer instead of a table"}},
            .run = channels};
}

Verb cdr_verb() {
    return {
        .name = "cdr",
        .summary = "Show call records, newest first, or one of them",
        .footer = std::string(kExitCodes) +
                  "\nExamples:\n"
                  "  offhook cdr --since 2026-11-20T00:00:00Z --reason rtp-timeout\n"
                  "  offhook cdr --max-mos 3.5\n"
                  "  offhook cdr --csv > calls.csv",
        .options =
            {{.names = "id", .help = "One record, by the whole id of its call", .value = "CALL"},
             {.names = "--from", .help = "Part of the caller's URI", .value = "TEXT"},
             {.names = "--to", .help = "Part of the called URI", .value = "TEXT"},
             {.names = "--since", .help = "Not older than this time, RFC 3339", .value = "TIME"},
             {.names = "--until", .help = "Older than this time", .value = "TIME"},
             {.names = "--reason", .help = "Of this end reason", .value = "REASON"},
             {.names = "--max-mos", .help = "Not better than this", .value = "MOS"},
             {.names = "--limit",
              .help = "At most this many, 1 to 500; 50 without it",
              .value = "N"},
             {.names = "--cursor", .help = "Where the page before ended", .value = "CURSOR"},
             {.names = "--csv", .help = "As CSV"},
             {.names = "--json", .help = "The API's answer instead of a table"}},
        .run = records};
}

}  // namespace offhook::cli

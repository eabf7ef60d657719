#include "cli/connections_verb.h"

#include "cli/api_talk.h"
#include "cli/text_table.h"

namespace offhook::cli {
namespace {

std::string messages(const glib::JsonBody& connection, const char* way) {
    const auto amount = connection.object(way);
    return std::to_string(amount ? amount->whole("messages").value_or(0) : 0);
}

int show(const Given& given) {
    ApiTalk talk("connections", given);
    const bool is_cleanup = given.has("cleanup");
    const auto body = is_cleanup ? talk.send("POST", "/api/debug/cleanup-connections")
                                 : talk.get(std::string("/api/v1/connections?limit=5000&ended=") +
                                            (given.has("ended") ? "true" : "false"));
    if (!body) return talk.code();
    if (given.has("json")) return print(*body);
    const auto text = is_cleanup ? cleanup_text(*body) : connections_table(*body);
    if (text) return print(*text);
    talk.fail(kExitUnavailable, text.error().text());
    return talk.code();
}

}  // namespace

base::Result<std::string> connections_table(std::string_view body) {
    const auto list = glib::JsonBody::parse(body, "the daemon's list of connections");
    if (!list) return tl::unexpected(list.error());
    const auto connections = list->objects("items");
    if (connections.empty()) return std::string("there are none\n");
    TextTable table({"ID", "KIND", "STATE", "USER", "CHANNEL", "ADDRESS", "AGE", "IN", "OUT"});
    for (const glib::JsonBody& each : connections) {
        const std::string reason = each.text("end_reason").value_or("");
        table.add({shown(each, "id"),
                   shown(each, "kind"),
                   reason.empty() ? shown(each, "state") : shown(each, "end_reason"),
                   shown(each, "user"),
                   shown(each, "channel"),
                   shown(each, "address"),
                   std::to_string(each.whole("age_s").value_or(0)) + " s",
                   messages(each, "received"),
                   messages(each, "sent")});
    }
    return table.text();
}

base::Result<std::string> cleanup_text(std::string_view body) {
    const auto done = glib::JsonBody::parse(body, "the daemon's answer");
    if (!done) return tl::unexpected(done.error());
    std::string text = std::to_string(done->whole("removed").value_or(0)) + " removed, " +
                       std::to_string(done->whole("kept").value_or(0)) + " kept\n";
    for (const glib::JsonBody& each : done->objects("removed_connections")) {
        text += shown(each, "id") + " " + shown(each, "kind") + " " + shown(each, "user") + " " +
                shown(each, "channel") + ": " + shown(each, "reason") + "\n";
    }
    return text;
}

Verb connections_verb() {
    return {.name = "connections",
            .summary = "Show the running daemon's WebSockets, or clean them up",
            .footer =
                "Exit code: 0, 69 the daemon is not there, 77 the token is missing or may not.\n"
                "\nExamples:\n"
                "  offhook connections\n"
                "  offhook connections --ended --json\n"
                "  offhook connections --cleanup",
            .options = {{.names = "--ended", .help = "The last 1,000 that ended, and why"},
                        {.names = "--cleanup", .help = "End those that nothing is heard of"},
                        {.names = "--json", .help = "The API's answer instead of a table"}},
            .run = show};
}

}  // namespace offhook::cli

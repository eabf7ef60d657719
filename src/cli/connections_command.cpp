#include "cli/connections_command.h"

#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <vector>

#include "base/escape.h"
#include "cli/api_access.h"
#include "cli/http_get.h"
#include "glib/json_body.h"

namespace offhook::cli {
namespace {

constexpr int kUsage = 2;
constexpr std::size_t kColumns = 9;
using Row = std::array<std::string, kColumns>;

struct Wishes {
    std::shared_ptr<ApiOptions> api;
    bool as_json = false, has_ended = false, is_cleanup = false;
};

std::string shown(const glib::JsonBody& connection, const char* name) {
    const std::string text = connection.text(name).value_or("");
    return text.empty() ? "-" : base::escape_untrusted(text, 64);
}

std::string messages(const glib::JsonBody& connection, const char* way) {
    const auto amount = connection.object(way);
    return std::to_string(amount ? amount->whole("messages").value_or(0) : 0);
}

std::string table_of(const std::vector<Row>& rows) {
    std::array<std::size_t, kColumns> widths{};
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < kColumns; ++i) {
            out += row[i];
            if (i + 1 < kColumns) out.append(widths[i] - row[i].size() + 2, ' ');
        }
        out += '\n';
    }
    return out;
}

base::Result<HttpReply> ask(const ApiAddress& address, const Wishes& wishes) {
    if (wishes.is_cleanup) return http_post(address, "/api/debug/cleanup-connections");
    return http_get(address,
                    std::string("/api/v1/connections?limit=5000&ended=") +
                        (wishes.has_ended ? "true" : "false"));
}

int show(const Wishes& wishes) {
    const auto fail = [](int code, const base::Error& error, const char* hint) {
        std::fprintf(stderr, "offhook connections: %s%s\n", error.text().c_str(), hint);
        return code;
    };
    const auto address = wishes.api->address();
    if (!address) return fail(kUsage, address.error(), "");
    const auto reply = ask(*address, wishes);
    if (!reply) return fail(EX_UNAVAILABLE, reply.error(), "; is `offhook serve` running?");
    if (reply->status != 200) {
        return fail(
            EX_UNAVAILABLE, {base::ErrorCode::Unavailable, refusal_text(*address, *reply), {}}, "");
    }
    if (wishes.as_json) return std::fputs(reply->body.c_str(), stdout) < 0 ? EX_UNAVAILABLE : 0;
    const auto text =
        wishes.is_cleanup ? cleanup_text(reply->body) : connections_table(reply->body);
    if (!text) return fail(EX_UNAVAILABLE, text.error(), "");
    std::fputs(text->c_str(), stdout);
    return 0;
}

}  // namespace

base::Result<std::string> connections_table(std::string_view body) {
    const auto list = glib::JsonBody::parse(body, "the daemon's list of connections");
    if (!list) return tl::unexpected(list.error());
    const auto connections = list->objects("items");
    if (connections.empty()) return std::string("there are none\n");
    std::vector<Row> rows{
        {"ID", "KIND", "STATE", "USER", "CHANNEL", "ADDRESS", "AGE", "IN", "OUT"}};
    for (const glib::JsonBody& each : connections) {
        const std::string reason = each.text("end_reason").value_or("");
        rows.push_back({shown(each, "id"),
                        shown(each, "kind"),
                        reason.empty() ? shown(each, "state") : shown(each, "end_reason"),
                        shown(each, "user"),
                        shown(each, "channel"),
                        shown(each, "address"),
                        std::to_string(each.whole("age_s").value_or(0)) + " s",
                        messages(each, "received"),
                        messages(each, "sent")});
    }
    return table_of(rows);
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

void add_connections_command(CLI::App& app, int& exit_code) {
    const auto wishes = std::make_shared<Wishes>();
    CLI::App* command =
        app.add_subcommand("connections", "Show the running daemon's WebSockets, or clean them up");
    wishes->api = add_api_options(*command);
    command->add_flag("--ended", wishes->has_ended, "The last 1,000 that ended, and why");
    command->add_flag("--cleanup", wishes->is_cleanup, "End those that nothing is heard of");
    command->add_flag("--json", wishes->as_json, "The API's answer instead of a table");
    command->footer(
        "Exit code: 0, or 69 when the daemon is not there or refuses.\n"
        "\nExamples:\n"
        "  offhook connections\n"
        "  offhook connections --ended --json\n"
        "  offhook connections --cleanup");
    command->callback([wishes, &exit_code] { exit_code = show(*wishes); });
}

}  // namespace offhook::cli

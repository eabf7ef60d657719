#include "cli/accounts_command.h"

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
constexpr std::size_t kColumns = 5;
using Row = std::array<std::string, kColumns>;

std::string shown(const glib::JsonBody& account, const char* name) {
    const std::string text = account.text(name).value_or("");
    return text.empty() ? "-" : base::escape_untrusted(text, 200);
}

std::string seconds_left(const glib::JsonBody& account, const char* name) {
    const auto left = account.whole(name);
    return left ? std::to_string(*left) + " s" : "-";
}

void write_row(std::string& out, const Row& row, const std::array<std::size_t, kColumns>& widths) {
    std::string line;
    for (std::size_t i = 0; i < kColumns; ++i) {
        line += row[i];
        if (i + 1 < kColumns) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    out += line + '\n';
}

int show(const ApiOptions& api, bool as_json) {
    const auto fail = [](int code, const base::Error& error, const char* hint) {
        std::fprintf(stderr, "offhook accounts: %s%s\n", error.text().c_str(), hint);
        return code;
    };
    const auto address = api.address();
    if (!address) return fail(kUsage, address.error(), "");
    const auto reply = http_get(*address, "/api/v1/accounts");
    if (!reply) return fail(EX_UNAVAILABLE, reply.error(), "; is `offhook serve` running?");
    if (reply->status != 200) {
        return fail(
            EX_UNAVAILABLE, {base::ErrorCode::Unavailable, refusal_text(*address, *reply), {}}, "");
    }
    const auto table = accounts_table(reply->body);
    if (!table) return fail(EX_UNAVAILABLE, table.error(), "");
    std::fputs(as_json ? reply->body.c_str() : table->text.c_str(), stdout);
    return table->is_all_well ? 0 : 1;
}

}  // namespace

base::Result<AccountsTable> accounts_table(std::string_view body) {
    const auto list = glib::JsonBody::parse(body, "the daemon's list of accounts");
    if (!list) return tl::unexpected(list.error());
    const auto accounts = list->objects("items");
    AccountsTable table;
    if (accounts.empty()) {
        table.text = "no [[account]] is configured\n";
        return table;
    }
    std::vector<Row> rows{{"NAME", "STATE", "EXPIRES", "NEXT TRY", "FLOW"}};
    std::string troubles;
    for (const glib::JsonBody& account : accounts) {
        rows.push_back({shown(account, "name"),
                        shown(account, "state"),
                        seconds_left(account, "expires_in_s"),
                        seconds_left(account, "next_try_in_s"),
                        shown(account, "flow")});
        const bool is_well = account.boolean("registered").value_or(false);
        const bool is_shaky = account.whole("last_status").value_or(0) >= 300;
        if (is_well && !is_shaky) continue;
        table.is_all_well = table.is_all_well && is_well;
        troubles += shown(account, "name") + ": " + shown(account, "last_answer") + "\n";
    }
    std::array<std::size_t, kColumns> widths{};
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    for (const Row& row : rows) write_row(table.text, row, widths);
    if (!troubles.empty()) table.text += "\n" + troubles;
    return table;
}

void add_accounts_command(CLI::App& app, int& exit_code) {
    const auto as_json = std::make_shared<bool>(false);
    CLI::App* command =
        app.add_subcommand("accounts", "Show the running daemon's accounts: are they registered?");
    const auto api = add_api_options(*command);
    command->add_flag("--json", *as_json, "The API's answer instead of a table");
    command->footer(
        "Exit code: 0 all are registered, 1 some are not, 69 the daemon is not there.\n"
        "\nExamples:\n"
        "  offhook accounts\n"
        "  offhook accounts --url http://127.0.0.1:5001 --json");
    command->callback([api, as_json, &exit_code] { exit_code = show(*api, *as_json); });
}

}  // namespace offhook::cli

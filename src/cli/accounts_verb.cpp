#include "cli/accounts_verb.h"

#include "cli/api_talk.h"
#include "cli/text_table.h"

namespace offhook::cli {
namespace {

constexpr std::size_t kSentenceBytes = 200;

std::string seconds_left(const glib::JsonBody& account, const char* name) {
    const auto left = account.whole(name);
    return left ? std::to_string(*left) + " s" : "-";
}

int show(const Given& given) {
    ApiTalk talk("accounts", given);
    const auto body = talk.get("/api/v1/accounts");
    if (!body) return talk.code();
    const auto table = accounts_table(*body);
    if (!table) {
        talk.fail(kExitUnavailable, table.error().text());
        return talk.code();
    }
    const int printed = print(given.has("json") ? *body : table->text);
    return printed != 0 ? printed : table->is_all_well ? 0 : kExitFailed;
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
    TextTable lines({"NAME", "STATE", "EXPIRES", "NEXT TRY", "FLOW"});
    std::string troubles;
    for (const glib::JsonBody& account : accounts) {
        lines.add({shown(account, "name"),
                   shown(account, "state"),
                   seconds_left(account, "expires_in_s"),
                   seconds_left(account, "next_try_in_s"),
                   shown(account, "flow", kSentenceBytes)});
        const bool is_well = account.boolean("registered").value_or(false);
        const bool is_shaky = account.whole("last_status").value_or(0) >= 300;
        if (is_well && !is_shaky) continue;
        table.is_all_well = table.is_all_well && is_well;
        troubles +=
            shown(account, "name") + ": " + shown(account, "last_answer", kSentenceBytes) + "\n";
    }
    table.text = lines.text();
    if (!troubles.empty()) table.text += "\n" + troubles;
    return table;
}

Verb accounts_verb() {
    return {.name = "accounts",
            .summary = "Show the running daemon's accounts: are they registered?",
            .footer =
                "Exit code: 0 all are registered, 1 some are not, 69 the daemon is not there, 77 "
                "the token is missing or may not.\n"
                "\nExamples:\n"
                "  offhook accounts\n"
                "  offhook accounts --url http://127.0.0.1:5001 --json",
            .options = {{.names = "--json", .help = "The API's answer instead of a table"}},
            .run = show};
}

}  // namespace offhook::cli

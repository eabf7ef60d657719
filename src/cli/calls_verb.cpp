// What calls there are, what is wrong with one, and its end.

#include <cstdio>

#include "base/escape.h"
#include "cli/api_talk.h"
#include "cli/call_views.h"

namespace offhook::cli {
namespace {

int show_one(ApiTalk& talk, const Given& given) {
    const auto id = talk.call_id(given.value("id"));
    if (!id) return talk.code();
    const auto body = talk.get("/api/v1/calls/" + *id);
    if (!body) return talk.code();
    if (given.has("json")) return print(*body);
    const auto text = call_view(*body);
    if (text) return print(*text);
    talk.fail(kExitUnavailable, text.error().text());
    return talk.code();
}

int show_calls(const Given& given) {
    ApiTalk talk("calls", given);
    if (given.has("id")) return show_one(talk, given);
    const std::string state = given.has("state") ? given.value("state") : "live";
    const auto body = talk.get("/api/v1/calls?limit=500&state=" + state);
    if (!body) return talk.code();
    if (given.has("json")) return print(*body);
    const auto text = given.has("ids") ? call_ids(*body) : calls_table(*body);
    if (text) return print(*text);
    talk.fail(kExitUnavailable, text.error().text());
    return talk.code();
}

int diagnose(const Given& given) {
    ApiTalk talk("diagnose", given);
    const auto id = talk.call_id(given.value("id"));
    if (!id) return talk.code();
    const auto diagnosis = talk.get("/api/v1/calls/" + *id + "/diagnosis");
    if (!diagnosis) return talk.code();
    const auto view = diagnosis_view(*diagnosis);
    if (!view) {
        talk.fail(kExitUnavailable, view.error().text());
        return talk.code();
    }
    const int verdict = view->is_healthy ? 0 : kExitFailed;
    if (given.has("json")) {
        const int printed = print(*diagnosis);
        return printed == 0 ? verdict : printed;
    }
    std::string text = view->text;
    // An older daemon has no hops.
    if (const auto hops = talk.get_if_there("/api/v1/calls/" + *id + "/hops"))
        text += hops_view(*hops).value_or("");
    if (talk.code() != 0) return talk.code();
    const int printed = print(text);
    return printed == 0 ? verdict : printed;
}

int hang_up(const Given& given) {
    ApiTalk talk("hangup", given);
    const auto id = talk.call_id(given.value("id"));
    if (!id) return talk.code();
    const auto body = talk.send("POST", "/api/v1/calls/" + *id + "/hangup");
    if (!body) return talk.code();
    if (given.has("json")) return print(*body);
    return print(hangup_view(*body).value_or(*id + "\n"));
}

}  // namespace

Verb calls_verb() {
    return {
        .name = "calls",
        .summary = "Show the running daemon's calls, or one of them",
        .footer =
            "Exit code: 0, 1 there is no such call, 69 the daemon is not there, 77 the token is "
            "missing or may not.\n"
            "\nExamples:\n"
            "  offhook calls\n"
            "  offhook calls --state ended\n"
            "  offhook calls 3f1c",
        .options = {{.names = "id", .help = "The call, by the beginning of its id", .value = "ID"},
                    {.names = "--state",
                     .help = "Which calls",
                     .value = "STATE",
                     .choices = {"live", "ended", "all"}},
                    {.names = "--ids", .help = "The ids alone, one a line"},
                    {.names = "--json", .help = "The API's answer instead of a table"}},
        .run = show_calls};
}

Verb diagnose_verb() {
    return {.name = "diagnose",
            .summary = "Say what is wrong with the sound of a call, and which hop broke",
            .footer =
                "Exit code: 0 nothing is wrong, 1 something is or there is no such call, 69 the "
                "daemon is not there.\n"
                "\nExamples:\n"
                "  offhook diagnose 3f1c\n"
                "  offhook diagnose c-3f1c00a1b2c3 --json",
            .options = {{.names = "id",
                         .help = "The call, by the beginning of its id",
                         .value = "ID",
                         .is_needed = true},
                        {.names = "--json", .help = "The API's diagnosis instead of sentences"}},
            .run = diagnose};
}

Verb hangup_verb() {
    return {.name = "hangup",
            .summary = "Hang up a call",
            .footer =
                "Exit code: 0 it ends or has ended, 1 there is no such call, 69 the daemon is not "
                "there.\n"
                "\nExamples:\n"
                "  offhook hangup 3f1c",
            .options = {{.names = "id",
                         .help = "The call, by the beginning of its id",
                         .value = "ID",
                         .is_needed = true},
                        {.names = "--json", .help = "The call as the API shows it"}},
            .run = hang_up};
}

}  // namespace offhook::cli

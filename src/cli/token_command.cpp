#include "cli/token_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "access/digest.h"
#include "base/json_writer.h"
#include "cli/api_access.h"
#include "cli/http_get.h"
#include "glib/json_body.h"
#include "model/channel.h"

namespace offhook::cli {
namespace {

constexpr int kRefused = 1, kUsage = 2, kUnavailable = 69;

struct NewOptions {
    std::string name = "operator", user{};
    std::vector<std::string> scopes{"read"};
};

struct JoinOptions {
    std::string channel{}, user{}, name{}, role = "speaker";
    int expires_s = 60;
};

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

int make(const NewOptions& options) {
    const base::Secret token = new_token();
    // The token alone on standard output, so that `> FILE` keeps nothing else.
    std::printf("%s\n", token.reveal().c_str());
    std::fprintf(stderr,
                 "This is shown once; the daemon needs its digest alone:\n\n%s",
                 token_table(token, options.name, options.user, options.scopes).c_str());
    return 0;
}

std::string body_of(const JoinOptions& options) {
    base::JsonWriter json;
    json.begin_object().field("user", options.user).field("role", options.role);
    if (!options.name.empty()) json.field("name", options.name);
    json.field("expires_s", options.expires_s).end();
    return std::move(json).text();
}

int join(const ApiOptions& api, const JoinOptions& options) {
    const auto fail = [](const std::string& why, int code) {
        std::fprintf(stderr, "offhook token join: %s\n", why.c_str());
        return code;
    };
    if (!model::is_channel_name(options.channel))
        return fail("--channel has 1 to 64 letters, digits and -._~+", kUsage);
    const auto address = api.address();
    if (!address) return fail(address.error().text(), kUsage);
    const auto reply =
        http_post(*address, "/api/v1/channels/" + options.channel + "/tokens", body_of(options));
    if (!reply) return fail(reply.error().text(), kUnavailable);
    if (reply->status < 200 || reply->status > 299)
        return fail(refusal_text(*address, *reply), kRefused);
    const auto body = glib::JsonBody::parse(reply->body, "the answer");
    const auto token = body ? body->text("token") : std::nullopt;
    if (!token) return fail(address->text() + " answers without a token", kUnavailable);
    std::printf("%s\n", token->c_str());
    return 0;
}

void add_new(CLI::App& parent, int& exit_code) {
    const auto options = std::make_shared<NewOptions>();
    CLI::App* command = parent.add_subcommand("new", "Make a token for the API");
    command->add_option("--name", options->name, "What logs call it")->capture_default_str();
    command->add_option("--user", options->user, "Who shows it; without it the name");
    command
        ->add_option("--scope",
                     options->scopes,
                     "What it may: read, operate, listen, barge, debug, admin; may be repeated")
        ->capture_default_str()
        ->allow_extra_args(false)
        ->check(CLI::IsMember({"read", "operate", "listen", "barge", "debug", "admin"}));
    command->footer(
        "The token goes to standard output, the [[token]] for the configuration to standard "
        "error. It is kept nowhere else.\n"
        "\nExamples:\n"
        "  offhook token new --name ops --scope read --scope operate\n"
        "  (umask 077; offhook token new --name prometheus > /etc/prometheus/offhook.token)");
    command->callback([options, &exit_code] { exit_code = make(*options); });
}

void add_join(CLI::App& parent, int& exit_code) {
    const auto options = std::make_shared<JoinOptions>();
    CLI::App* command =
        parent.add_subcommand("join", "Ask the running daemon for a token that joins a channel");
    const auto api = add_api_options(*command);
    command->add_option("--channel", options->channel, "The channel it is good for")->required();
    command->add_option("--user", options->user, "Who it is good for")->required();
    command->add_option("--name", options->name, "What the others see; without it the user");
    command->add_option("--role", options->role, "speaker, listen, whisper, barge or take-over")
        ->capture_default_str()
        ->check(CLI::IsMember({"speaker", "listen", "whisper", "barge", "take-over"}));
    command->add_option("--expires", options->expires_s, "Seconds that it is good for")
        ->capture_default_str()
        ->check(CLI::Range(1, 300));
    command->footer(
        "It takes a token with the scope operate (--token-file), or a client of the daemon's "
        "machine while there are none.\n"
        "Exit code: 0, 1 the daemon refuses, 69 it is not there.\n"
        "\nExamples:\n"
        "  offhook token join --channel sales --user anna\n"
        "  offhook token join --channel sales --user boss --role listen --expires 300 "
        "--token-file ~/.offhook-token");
    command->callback([api, options, &exit_code] { exit_code = join(*api, *options); });
}

}  // namespace

base::Secret new_token() {
    return base::Secret("oht1." + access::base64url(access::random_key().reveal()));
}

std::string token_table(const base::Secret& token,
                        const std::string& name,
                        const std::string& user,
                        const std::vector<std::string>& scopes) {
    std::string list;
    for (const std::string& scope : scopes) list += (list.empty() ? "" : ", ") + quoted(scope);
    return "[[token]]\nname = " + quoted(name) + "\n" +
           (user.empty() ? "" : "user = " + quoted(user) + "\n") + "scopes = [" + list +
           "]\nsha256 = " + quoted(access::hex(access::sha256(token.reveal()))) + "\n";
}

void add_token_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("token", "Tokens: for the API, and to join a channel");
    command->require_subcommand(1);
    add_new(*command, exit_code);
    add_join(*command, exit_code);
}

}  // namespace offhook::cli

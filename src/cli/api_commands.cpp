#include "cli/api_commands.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/api_access.h"
#include "cli/api_talk.h"
#include "cli/completion.h"
#include "cli/verb.h"

namespace offhook::cli {
namespace {

/// "-o,--output" is known as "output".
std::string key_of(const std::string& names) {
    const std::size_t dashes = names.find("--");
    return dashes == std::string::npos ? names : names.substr(dashes + 2);
}

void add_option(CLI::App& command, const VerbOption& option, const std::shared_ptr<Given>& given) {
    const std::string key = key_of(option.names);
    if (option.value.empty()) {
        command.add_flag_callback(
            option.names, [given, key] { given->values[key] = "true"; }, option.help);
        return;
    }
    CLI::Option* added = command.add_option_function<std::string>(
        option.names,
        [given, key](const std::string& value) { given->values[key] = value; },
        option.help);
    added->type_name(option.value)->required(option.is_needed);
    if (!option.choices.empty()) added->check(CLI::IsMember(option.choices));
}

void add_verb(CLI::App& app, const Verb& verb, int& exit_code) {
    const auto given = std::make_shared<Given>();
    CLI::App* command = app.add_subcommand(verb.name, verb.summary);
    for (const VerbOption& option : verb.options) add_option(*command, option, given);
    const auto api = add_api_options(*command);
    command->footer(verb.footer);
    command->callback([given, api, run = verb.run, &exit_code] {
        given->api = *api;
        exit_code = run(*given);
    });
}

/// "{a,b}" behind the name of the type is how CLI11 writes down what IsMember lets pass.
std::vector<std::string> choices_of(const std::string& type) {
    const std::size_t open = type.find('{'), close = type.find('}');
    if (open == std::string::npos || close == std::string::npos) return {};
    return CLI::detail::split(type.substr(open + 1, close - open - 1), ',');
}

OptionInfo option_info(const CLI::Option& option) {
    OptionInfo info;
    for (const std::string& name : option.get_snames()) info.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) info.names.push_back("--" + name);
    info.help = option.get_description();
    info.argument = option.get_positional() && info.names.empty() ? option.get_name(true) : "";
    info.is_needed = option.get_required();
    if (option.get_items_expected_max() > 0) {
        const std::string type = option.get_type_name();
        info.value = type.substr(0, type.find_first_of(": "));
        info.choices = choices_of(type);
        info.default_value = option.get_default_str();
    }
    return info;
}

CommandInfo command_info(const CLI::App& app, const std::string& path) {
    CommandInfo info{.path = path, .summary = app.get_description(), .footer = app.get_footer()};
    for (const CLI::Option* option : app.get_options())
        info.options.push_back(option_info(*option));
    for (const CLI::App* inner : app.get_subcommands([](const CLI::App*) { return true; }))
        info.commands.push_back(command_info(*inner, path + " " + inner->get_name()));
    return info;
}

void add_completion(CLI::App& app, int& exit_code) {
    const auto shell = std::make_shared<std::string>();
    CLI::App* command =
        app.add_subcommand("completion", "Print what a shell needs to complete offhook's words");
    command->add_option("shell", *shell, "Which shell; json is the table of all commands")
        ->type_name("SHELL")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish", "json"}));
    command->footer(
        "Examples:\n"
        "  offhook completion bash > /etc/bash_completion.d/offhook\n"
        "  offhook completion zsh > ~/.zfunc/_offhook\n"
        "  offhook completion fish > ~/.config/fish/completions/offhook.fish");
    command->callback([&app, shell, &exit_code] {
        exit_code = print(completion_script(*shell, command_info(app, app.get_name())));
    });
}

}  // namespace

std::shared_ptr<ApiOptions> add_api_options(CLI::App& command) {
    const auto options = std::make_shared<ApiOptions>();
    command.add_option("--url", options->url, "The daemon's HTTP address")->capture_default_str();
    command
        .add_option("--token-file",
                    options->token_file,
                    "File with a token of the daemon; without it $OFFHOOK_TOKEN_FILE")
        ->type_name("FILE");
    return options;
}

void add_api_commands(CLI::App& app, int& exit_code) {
    for (const Verb& verb : api_verbs()) add_verb(app, verb, exit_code);
    add_completion(app, exit_code);
}

}  // namespace offhook::cli

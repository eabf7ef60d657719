#include <CLI/CLI.hpp>

#include "app/daemon.h"
#include "caller/caller_command.h"
#include "cli/ai_command.h"
#include "cli/api_commands.h"
#include "cli/config_command.h"
#include "cli/pipeline_command.h"
#include "cli/token_command.h"
#include "cli/watch_command.h"

namespace {

constexpr int kExitUsage = 2;

void add_serve_command(CLI::App& app, int& exit_code) {
    auto* serve =
        app.add_subcommand("serve", "Run the daemon: answer calls and keep their lines alive");
    auto options = std::make_shared<offhook::app::DaemonOptions>();
    serve->add_option(
        "--config",
        options->load.file,
        "Configuration file (TOML); without it the built-in defaults: loopback, echo AI");
    serve
        ->add_option("--set",
                     options->load.sets,
                     "section.key=value, over file and environment; may be repeated")
        ->allow_extra_args(false);
    serve
        ->add_option("--ready-fd",
                     options->ready_fd,
                     "Descriptor that gets a line \"ready LISTENERS\" once everything listens")
        ->check(CLI::NonNegativeNumber);
    serve->footer(
        "Examples:\n  offhook serve\n  offhook serve --config /etc/offhook/offhook.toml --set "
        "log.level='\"debug\"'");
    serve->callback([options, &exit_code] {
        options->load.environment = offhook::config::process_environment();
        exit_code = offhook::app::run_daemon(*options);
    });
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Offhook answers the phone, keeps the line alive, and hands the sound to an AI.",
                 "offhook"};
    app.set_version_flag("--version", "offhook " OFFHOOK_VERSION);
    app.require_subcommand(1);
    int exit_code = 0;
    add_serve_command(app, exit_code);
    offhook::caller::add_call_command(app, exit_code);
    offhook::cli::add_watch_command(app, exit_code);
    offhook::cli::add_api_commands(app, exit_code);
    offhook::cli::add_token_command(app, exit_code);
    offhook::cli::add_ai_command(app, exit_code);
    offhook::cli::add_pipeline_command(app, exit_code);
    offhook::cli::add_config_command(app, exit_code);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : kExitUsage;
    }
    return exit_code;
}

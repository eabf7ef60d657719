#include "cli/config_command.h"

#include <sysexits.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "config/load.h"
#include "config/reference.h"

namespace offhook::cli {
namespace {

struct Choices {
    std::string file;
    std::vector<std::string> sets;
    bool origin = false;
};

base::Result<config::Loaded> load(const Choices& choices) {
    config::LoadRequest request;
    if (!choices.file.empty()) request.file = choices.file;
    request.environment = config::process_environment();
    request.sets = choices.sets;
    return config::load(request);
}

int refuse(const base::Error& error) {
    std::fprintf(stderr, "%s\n", error.text().c_str());
    return EX_CONFIG;
}

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace

void add_config_command(CLI::App& app, int& exit_code) {
    CLI::App* config = app.add_subcommand("config", "Check and show the configuration");
    config->require_subcommand(1);
    const auto choices = std::make_shared<Choices>();  // lives as long as the callbacks

    CLI::App* check =
        config->add_subcommand("check", "Check a file; exit 78 with every problem when it is bad");
    check->add_option("FILE", choices->file, "Configuration file")->required();
    check->add_option("--set", choices->sets, "section.key=value, as for serve");
    check->callback([choices, &exit_code] {
        const auto loaded = load(*choices);
        if (!loaded) {
            exit_code = refuse(loaded.error());
            return;
        }
        print(choices->file + ": ok\n");
    });

    CLI::App* show = config->add_subcommand("show", "Print the configuration in force as TOML");
    show->add_option("--config", choices->file, "Configuration file");
    show->add_option("--set", choices->sets, "section.key=value, as for serve");
    show->add_flag("--origin", choices->origin, "Say where each value comes from");
    show->callback([choices, &exit_code] {
        const auto loaded = load(*choices);
        if (!loaded) {
            exit_code = refuse(loaded.error());
            return;
        }
        print(config::show(*loaded, choices->origin));
    });

    config->add_subcommand("reference", "Print docs/configuration.md")->callback([] {
        print(config::reference_markdown());
    });
}

}  // namespace offhook::cli

#include "cli/pipeline_command.h"

#include <gst/gst.h>
#include <sysexits.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/load.h"
#include "media/launch_library.h"
#include "offhook_plugin.h"

namespace offhook::cli {
namespace {

constexpr int kRefused = 1;

struct Choices {
    std::vector<std::string> files;
    std::vector<std::string> allow;
    std::string config;
    std::string folder;
};

void print_error(const base::Error& error) {
    std::fprintf(stderr, "%s\n", error.text().c_str());
}

/// The `media` section of the configuration in force, so that a file is judged as the daemon will
/// judge it.
std::optional<config::Media> media_settings(const Choices& choices) {
    config::LoadRequest request;
    if (!choices.config.empty()) request.file = choices.config;
    request.environment = config::process_environment();
    auto loaded = config::load(request);
    if (loaded) return loaded->config.media;
    print_error(loaded.error());
    return std::nullopt;
}

media::LaunchRules rules_from(const config::Media& settings, const Choices& choices) {
    media::LaunchRules rules{.extra_elements = settings.allow_elements};
    rules.extra_elements.insert(
        rules.extra_elements.end(), choices.allow.begin(), choices.allow.end());
    return rules;
}

bool start_gstreamer() {
    gst_init(nullptr, nullptr);
    static const bool is_registered =
        register_elements();  // a second time would replace the factories
    if (is_registered) return true;
    std::fputs("GStreamer refuses Offhook's own elements\n", stderr);
    return false;
}

template <class List, class Text>
std::string joined(const List& list, Text text) {
    std::string out;
    for (const auto& item : list) {
        const std::string one = text(item);
        if (one.empty()) continue;
        if (!out.empty()) out += ", ";
        out += one;
    }
    return out;
}

void print_ok(const std::string& what, const media::LaunchFile& file) {
    const std::string codecs = joined(model::kCodecs, [&](const model::CodecFacts& facts) {
        return file.supports(facts.codec) ? std::string(facts.name) : std::string();
    });
    const std::string elements =
        joined(file.elements(), [](const std::string& name) { return name; });
    std::printf(
        "%s: ok (codecs: %s; elements: %s)\n", what.c_str(), codecs.c_str(), elements.c_str());
}

int check(const Choices& choices) {
    const auto settings = media_settings(choices);
    if (!settings) return EX_CONFIG;
    if (!start_gstreamer()) return kRefused;
    const media::LaunchRules rules = rules_from(*settings, choices);
    int result = 0;
    for (const std::string& path : choices.files) {
        const auto file = media::LaunchFile::load(path, rules);
        if (file) {
            print_ok(path, **file);
        } else {
            print_error(file.error());
            result = kRefused;
        }
    }
    return result;
}

int list(const Choices& choices) {
    const auto settings = media_settings(choices);
    if (!settings) return EX_CONFIG;
    if (!start_gstreamer()) return kRefused;
    std::string folder = choices.folder.empty() ? settings->pipelines : choices.folder;
    if (folder.empty()) folder = media::shipped_launch_folder();
    media::LaunchLibrary library(folder, rules_from(*settings, choices));
    const auto loaded = library.reload();
    if (!loaded) {
        print_error(loaded.error());
        return kRefused;
    }
    for (const std::string& profile : library.profiles()) print_ok(profile, *library.find(profile));
    for (const base::Error& error : loaded->refused) print_error(error);
    return loaded->refused.empty() ? 0 : kRefused;
}

}  // namespace

void add_pipeline_command(CLI::App& app, int& exit_code) {
    CLI::App* pipeline =
        app.add_subcommand("pipeline", "Check and list what legs are made of (*.launch)");
    pipeline->require_subcommand(1);
    const auto choices = std::make_shared<Choices>();  // lives as long as the callbacks

    CLI::App* check_command = pipeline->add_subcommand(
        "check", "Check files as the daemon would; exit 1 when one is refused");
    check_command->add_option("FILE", choices->files, "*.launch files")->required();
    CLI::App* list_command =
        pipeline->add_subcommand("list", "Check and list the profiles of a folder");
    list_command->add_option("--folder", choices->folder, "Folder instead of [media] pipelines");
    for (CLI::App* command : {check_command, list_command}) {
        command->add_option(
            "--config", choices->config, "Configuration file, for [media] allow_elements");
        command->add_option("--allow", choices->allow, "Allow this element as well")
            ->allow_extra_args(false);
    }
    check_command->callback([choices, &exit_code] { exit_code = check(*choices); });
    list_command->callback([choices, &exit_code] { exit_code = list(*choices); });
}

}  // namespace offhook::cli

// The examples start as their pages say, and pass what `offhook ai check` asks of a bot.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "ai/kitchen.h"
#include "harness/call_test.h"

namespace offhook::harness {
namespace {

std::string setting(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

/// One example, and the check of it.
struct Trial {
    std::string name;
    std::unique_ptr<Process> bot;
    std::unique_ptr<Process> check;
};

/// Its address on loopback, from a line "listens on ws://...".
std::string address_of(Process& bot) {
    const std::string says = "listens on ";
    const auto found = bot.wait_output(says, seconds(30));
    if (!found || !bot.wait_output("\n", seconds(10), *found)) return {};
    const std::string output = bot.output();
    return output.substr(*found, output.find('\n', *found) - *found);
}

std::unique_ptr<Process> check(const std::string& url,
                               const std::string& protocol,
                               const std::filesystem::path& wav) {
    return std::make_unique<Process>(std::vector<std::string>{
        offhook_program(), "ai", "check", url, "--protocol", protocol, "--wav", wav.string()});
}

TEST(Examples, PassTheCheck) {
    const std::string examples = setting("OFFHOOK_EXAMPLES");
    const std::string modules = setting("OFFHOOK_BROWSER_MODULES") + "/node_modules";
    const TempDir folder;
    const auto question = folder / "question.wav";
    write_wav(question,
              say(folder, "en-us", 150, {"what time is it now please"}, 0.3, {0.3}).sound);

    std::vector<Trial> trials;
    const auto add =
        [&](const std::string& name, const std::string& protocol, std::unique_ptr<Process> bot) {
            Trial trial{name, std::move(bot), nullptr};
            const std::string url = address_of(*trial.bot);
            ASSERT_FALSE(url.empty()) << name << ": " << trial.bot->output();
            trial.check = check(url, protocol, question);
            trials.push_back(std::move(trial));
        };
    add("plain-bot",
        "plain",
        std::make_unique<Process>(
            std::vector<std::string>{"/usr/bin/python3", examples + "/plain-bot/bot.py", "0"}));
    if (has_program("node") && std::filesystem::exists(modules + "/ws")) {
        Process::Options options;
        options.env["NODE_PATH"] = modules;
        add("twilio-bot",
            "twilio",
            std::make_unique<Process>(
                std::vector<std::string>{"node", examples + "/twilio-bot/bot.js", "0"}, options));
    }
    std::unique_ptr<Kitchen> kitchen;
    if (has_kitchen()) {
        kitchen = std::make_unique<Kitchen>(folder);
        for (const std::string protocol : {"plain", "twilio"})
            trials.push_back(
                {"local-ai, " + protocol,
                 nullptr,
                 check("ws://" + kitchen->address() + "/" + protocol, protocol, question)});
    }
    for (Trial& trial : trials) {
        const auto code = trial.check->wait(seconds(90));
        EXPECT_EQ(code, 0) << trial.name << ":\n"
                           << trial.check->output() << "\nthe bot says:\n"
                           << (trial.bot ? *trial.bot : kitchen->bot()).output();
    }
}

}  // namespace
}  // namespace offhook::harness

#include "cli/completion.h"

#include <gtest/gtest.h>

namespace offhook::cli {
namespace {

CommandInfo some() {
    CommandInfo calls{.path = "offhook calls", .summary = "It's a table: of calls"};
    calls.options = {{.names = {"-h", "--help"}, .help = "help"},
                     {.names = {}, .argument = "id", .value = "ID"},
                     {.names = {"--state"}, .value = "STATE", .choices = {"live", "ended"}},
                     {.names = {"--token-file"}, .value = "TEXT"}};
    CommandInfo fresh{.path = "offhook token new", .summary = "new"};
    CommandInfo token{.path = "offhook token", .summary = "tokens", .commands = {fresh}};
    return {.path = "offhook", .summary = "all", .commands = {calls, token}};
}

TEST(Completion, EveryCommandIsInEachShell) {
    for (const char* shell : {"bash", "zsh", "fish", "json"}) {
        const std::string text = completion_script(shell, some());
        for (const char* word : {"calls", "token", "new", "state", "ended"})
            EXPECT_NE(text.find(word), std::string::npos) << shell << " " << word;
    }
}

TEST(Completion, QuotesAreEachShellsOwn) {
    EXPECT_NE(completion_script("zsh", some()).find(R"('calls:It'\''s a table\: of calls')"),
              std::string::npos);
    EXPECT_NE(completion_script("fish", some()).find(R"('It\'s a table: of calls')"),
              std::string::npos);
}

}  // namespace
}  // namespace offhook::cli

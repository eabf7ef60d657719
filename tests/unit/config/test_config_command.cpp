#include "cli/config_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace offhook::cli {
namespace {

using ::testing::HasSubstr;

struct Ran {
    int exit_code = 0;
    std::string out, err;
};

Ran run(std::vector<std::string> arguments) {
    CLI::App app;
    Ran ran;
    add_config_command(app, ran.exit_code);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants it
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    app.parse(arguments);
    ran.out = ::testing::internal::GetCapturedStdout();
    ran.err = ::testing::internal::GetCapturedStderr();
    return ran;
}

TEST(ConfigCommand, ShowPrintsWhatIsInForce) {
    const Ran ran = run({"config", "show", "--origin", "--set", "rtp.timeout_s=7"});
    EXPECT_EQ(ran.exit_code, 0);
    EXPECT_THAT(ran.out, HasSubstr("timeout_s = 7  # --set rtp.timeout_s"));
}

TEST(ConfigCommand, ABadConfigurationIs78) {
    const Ran shown = run({"config", "show", "--set", "rtp.timeout=7"});
    EXPECT_EQ(shown.exit_code, 78);
    EXPECT_THAT(shown.err, HasSubstr("did you mean \"timeout_s\"?"));
    EXPECT_EQ(shown.out, "");
    const Ran checked = run({"config", "check", "/nowhere/offhook.toml"});
    EXPECT_EQ(checked.exit_code, 78);
    EXPECT_THAT(checked.err, HasSubstr("/nowhere/offhook.toml"));
}

TEST(ConfigCommand, AGoodFileIsOk) {
    const Ran ran = run({"config", "check", "/dev/null"});
    EXPECT_EQ(ran.exit_code, 0);
    EXPECT_EQ(ran.out, "/dev/null: ok\n");
}

TEST(ConfigCommand, ReferenceIsThePage) {
    EXPECT_THAT(run({"config", "reference"}).out, HasSubstr("# Configuration"));
}

}  // namespace
}  // namespace offhook::cli

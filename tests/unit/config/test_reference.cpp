#include "config/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "config/toml_reader.h"

namespace offhook::config {
namespace {

using ::testing::HasSubstr;

TEST(Reference, ThePageInTheRepositoryIsTheOneTheTableMakes) {
    std::ifstream in(OFFHOOK_CONFIGURATION_PAGE);
    std::stringstream page;
    page << in.rdbuf();
    const bool is_the_same =
        page.str() == reference_markdown();  // not EXPECT_EQ: it would print both pages
    EXPECT_TRUE(is_the_same) << "write it anew: offhook config reference > docs/configuration.md";
}

TEST(Show, ReadsBackToTheSame) {
    Loaded loaded;
    loaded.config.log.file = "/tmp/a \"b\"\\c";
    loaded.config.admission.tick_p99_ms = 12.5;
    const std::string shown = show(loaded, false);
    LoadRequest request;
    request.port_range_file = "/nowhere";
    request.file = ::testing::TempDir() + "offhook-shown-" + std::to_string(::getpid()) + ".toml";
    std::ofstream(*request.file) << shown;
    const auto again = load(request);
    ::unlink(request.file->c_str());
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(show(*again, false), shown);
    EXPECT_EQ(again->config.log.file, loaded.config.log.file);
}

TEST(Show, Origins) {
    LoadRequest request;
    request.port_range_file = "/nowhere";
    request.sets = {"rtp.timeout_s=5"};
    const auto loaded = load(request);
    ASSERT_TRUE(loaded);
    const std::string shown = show(*loaded, true);
    EXPECT_THAT(shown, HasSubstr("timeout_s = 5  # --set rtp.timeout_s\n"));
    EXPECT_THAT(shown, HasSubstr("hold_media = \"none\"  # built-in\n"));
    EXPECT_TRUE(read_toml(shown, "shown"));
}

}  // namespace
}  // namespace offhook::config

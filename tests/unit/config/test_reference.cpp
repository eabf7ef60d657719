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

TEST(Effective, HasEveryTableWithWhoSaidWhat) {
    LoadRequest request;
    request.port_range_file = "/nowhere";
    request.sets = {"rtp.timeout_s=5"};
    const auto loaded = load(request);
    ASSERT_TRUE(loaded);
    bool is_found = false;
    bool has_route = false;
    for (const EffectiveTable& table : effective(*loaded)) {
        if (table.label == "route[0]") has_route = table.is_listed && table.section == "route";
        for (const EffectiveKey& key : table.keys) {
            EXPECT_FALSE(key.description.empty()) << table.label << "." << key.name;
            if (table.label != "rtp" || key.name != "timeout_s") continue;
            is_found = true;
            EXPECT_FALSE(table.is_listed);
            EXPECT_EQ(key.value, "5");
            EXPECT_EQ(key.origin.kind, Origin::Kind::Set);
            EXPECT_EQ(key.origin.where, "--set rtp.timeout_s");
        }
    }
    EXPECT_TRUE(is_found);
    EXPECT_TRUE(has_route);
}

}  // namespace
}  // namespace offhook::config

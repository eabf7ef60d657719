#include "media/launch_library.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "glib/error_out.h"
#include "launch_texts.h"

namespace offhook::media {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the texts of this test
namespace fs = std::filesystem;
using base::ErrorCode;
using model::Codec;
using Names = std::vector<std::string>;

class LaunchLibraryTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "launch-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { fs::remove_all(folder_); }
    void write(const std::string& name, const std::string& text) {
        std::ofstream(folder_ / name) << text;
    }

    fs::path folder_;
};

TEST_F(LaunchLibraryTest, KeepsTheLastGoodVersion) {
    write("phone.launch", kPhone);
    write("broken.launch", inbound("rtpcallsrc name=in ! volme ! aitap name=tap"));
    write("notes.txt", "not a pipeline");
    LaunchLibrary library(folder_.string(), {});
    auto first = library.reload();
    ASSERT_TRUE(first) << first.error().text();
    EXPECT_EQ(first->loaded, (Names{"phone"}));
    ASSERT_EQ(first->refused.size(), 1U);
    EXPECT_NE(first->refused[0].text().find("broken.launch:2: "), std::string::npos)
        << first->refused[0].text();
    EXPECT_EQ(library.find("broken"), nullptr);

    const auto before = library.find("phone");
    ASSERT_TRUE(before);
    write("phone.launch", "[inbound]\n");
    write("broken.launch", kPhone);
    auto second = library.reload();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->loaded, (Names{"broken"}));
    EXPECT_EQ(second->refused.size(), 1U);
    EXPECT_EQ(library.find("phone"), before);
    EXPECT_EQ(library.profiles(), (Names{"broken", "phone"}));

    write("phone.launch", kStock);
    ASSERT_TRUE(library.reload());
    EXPECT_NE(library.find("phone"), before);
    EXPECT_TRUE(before->instantiate({.codec = Codec::G722, .payload_type = 9}))
        << "a running call keeps its version";
    EXPECT_FALSE(library.find("phone")->supports(Codec::G722));
}

TEST_F(LaunchLibraryTest, KeepsAProfileWhoseFileIsGone) {
    write("phone.launch", kPhone);
    LaunchLibrary library(folder_.string(), {});
    ASSERT_TRUE(library.reload());
    fs::remove(folder_ / "phone.launch");
    const auto again = library.reload();
    ASSERT_TRUE(again);
    ASSERT_EQ(again->refused.size(), 1U);
    EXPECT_NE(again->refused[0].text().find("gone"), std::string::npos);
    EXPECT_TRUE(library.find("phone"));
}

TEST_F(LaunchLibraryTest, RefusesAFolderThatIsNotThere) {
    LaunchLibrary library((folder_ / "none").string(), {});
    const auto none = library.reload();
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::NotFound);
}

TEST_F(LaunchLibraryTest, ShippedFilesLoad) {
    LaunchLibrary library(OFFHOOK_SOURCE_PIPELINES, {});
    const auto shipped = library.reload();
    ASSERT_TRUE(shipped) << shipped.error().text();
    for (const base::Error& error : shipped->refused) ADD_FAILURE() << error.text();
    EXPECT_EQ(library.profiles(), (Names{"phone", "phone-stock", "web"}));
}

/// The examples are for gst-launch-1.0: no sections, no comments, GStreamer's own parser.
TEST(LaunchExamples, ParseAsTheyAre) {
    int count = 0;
    for (const fs::directory_entry& item :
         fs::directory_iterator(fs::path(OFFHOOK_SOURCE_PIPELINES) / "examples")) {
        std::ifstream file(item.path());
        std::ostringstream text;
        text << file.rdbuf();
        glib::GErrorOut error;
        const auto pipeline = glib::Ref<GstElement>::sink(
            gst_parse_launch_full(text.str().c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, error));
        EXPECT_TRUE(pipeline) << item.path() << ": " << error.text();
        ++count;
    }
    EXPECT_GE(count, 3);
}

}  // namespace
}  // namespace offhook::media

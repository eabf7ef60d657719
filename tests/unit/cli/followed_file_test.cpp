#include "cli/followed_file.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace offhook::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(FollowedFile, GivesWholeLinesOnceAndSafeToPrint) {
    std::string folder = (std::filesystem::temp_directory_path() / "followed-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const std::string path = folder + "/lines";
    FollowedFile followed(path);
    EXPECT_THAT(followed.lines(), IsEmpty());
    std::ofstream file(path);
    file << "one\ntw" << std::flush;
    EXPECT_THAT(followed.lines(), ElementsAre("one"));
    EXPECT_THAT(followed.lines(), IsEmpty());
    file << "o\n\033[2Jthree\n" << std::flush;
    EXPECT_THAT(followed.lines(), ElementsAre("two", "\\x1B[2Jthree"));
    std::filesystem::remove_all(folder);
}

TEST(FollowedFile, WithoutAPathHasNoLines) {
    EXPECT_THAT(FollowedFile("").lines(), IsEmpty());
}

}  // namespace
}  // namespace offhook::cli

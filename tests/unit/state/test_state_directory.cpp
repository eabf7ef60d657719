#include "state/state_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "folder.h"

namespace offhook::state {
namespace {

using base::ErrorCode;
using ::testing::HasSubstr;

unsigned mode_of(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 0777U;
}

void put(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

// One variable of the environment, as it was again at the end.
class Variable {
public:
    Variable(const char* name, const char* value) : name_(name) {
        if (const char* old = std::getenv(name)) old_ = old, had_ = true;
        value == nullptr ? unsetenv(name) : setenv(name, value, 1);
    }
    ~Variable() { had_ ? setenv(name_, old_.c_str(), 1) : unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    const char* name_;
    std::string old_;
    bool had_ = false;
};

TEST(StateDirectory, PathComesFromTheFirstThatSaysOne) {
    const Variable home("HOME", "/home/anna");
    const Variable xdg("XDG_STATE_HOME", nullptr);
    const Variable systemd("STATE_DIRECTORY", nullptr);
    EXPECT_EQ(StateDirectory::path_for(""), "/home/anna/.local/state/offhook");
    const Variable xdg_set("XDG_STATE_HOME", "/x");
    EXPECT_EQ(StateDirectory::path_for(""), "/x/offhook");
    const Variable systemd_set("STATE_DIRECTORY", "/var/lib/offhook:/var/lib/other");
    EXPECT_EQ(StateDirectory::path_for(""), "/var/lib/offhook");
    EXPECT_EQ(StateDirectory::path_for("/configured"), "/configured");
}

TEST(StateDirectory, WithoutAnyPathTheErrorNamesTheKey) {
    const Variable home("HOME", nullptr);
    const Variable xdg("XDG_STATE_HOME", nullptr);
    const Variable systemd("STATE_DIRECTORY", nullptr);
    const auto opened = StateDirectory::open(StateDirectory::path_for(""));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(opened.error().message, HasSubstr("[state] directory"));
}

TEST(StateDirectory, IsMadeForThisUserOnly) {
    const Folder folder;
    const auto opened = StateDirectory::open(folder.path("a/b/offhook"));
    ASSERT_TRUE(opened) << opened.error().text();
    EXPECT_EQ(mode_of(folder.path("a/b/offhook")), 0700U);
    ASSERT_TRUE(opened->write("secret", "text"));
    EXPECT_EQ(mode_of(folder.path("a/b/offhook/secret")), 0600U);
}

TEST(StateDirectory, TextsOutliveTheObjectAndAreReplacedWhole) {
    const Folder folder;
    {
        const auto first = StateDirectory::open(folder.path("s"));
        ASSERT_TRUE(first);
        EXPECT_EQ(first->read("a").error().code, ErrorCode::NotFound);
        ASSERT_TRUE(first->write("a", std::string("one\0two", 7)));
        ASSERT_TRUE(first->write("b", std::string(kMaxStateBytes, 'b')));
        ASSERT_TRUE(first->write("a", "2"));
    }
    const auto again = StateDirectory::open(folder.path("s"));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again->read("a"), "2");
    EXPECT_EQ(again->read("b")->size(), kMaxStateBytes);
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator(folder.path("s"))) {
        ++files;
    }
    EXPECT_EQ(files, 2U);
    ASSERT_TRUE(again->remove("a"));
    EXPECT_EQ(again->read("a").error().code, ErrorCode::NotFound);
    EXPECT_TRUE(again->remove("a"));
}

TEST(StateDirectory, WhatACrashLeftBesideIsOverwritten) {
    const Folder folder;
    const auto directory = StateDirectory::open(folder.path("s"));
    ASSERT_TRUE(directory);
    ASSERT_TRUE(directory->write("a", "old"));
    put(folder.path("s/.a.new"), "half of a te");
    EXPECT_EQ(*directory->read("a"), "old");
    ASSERT_TRUE(directory->write("a", "new"));
    EXPECT_EQ(*directory->read("a"), "new");
    EXPECT_FALSE(std::filesystem::exists(folder.path("s/.a.new")));
}

TEST(StateDirectory, AFailedWriteLeavesTheOldText) {
    const Folder folder;
    const auto directory = StateDirectory::open(folder.path("s"));
    ASSERT_TRUE(directory);
    ASSERT_TRUE(directory->write("a", "old"));
    EXPECT_EQ(directory->write("a", std::string(kMaxStateBytes + 1, 'x')).error().code,
              ErrorCode::LimitReached);
    std::filesystem::create_directory(folder.path("s/.a.new"));  // in the way of the new file
    EXPECT_EQ(directory->write("a", "new").error().code, ErrorCode::Io);
    EXPECT_EQ(*directory->read("a"), "old");
}

TEST(StateDirectory, NamesStayInside) {
    const Folder folder;
    const auto directory = StateDirectory::open(folder.path("s"));
    ASSERT_TRUE(directory);
    put(folder.path("outside"), "x");
    for (const char* name : {"", ".", "..", "../outside", ".hidden", "a/b", "a b", "ä"}) {
        EXPECT_EQ(directory->read(name).error().code, ErrorCode::InvalidArgument) << name;
        EXPECT_EQ(directory->write(name, "x").error().code, ErrorCode::InvalidArgument) << name;
        EXPECT_EQ(directory->remove(name).error().code, ErrorCode::InvalidArgument) << name;
    }
    EXPECT_EQ(directory->read(std::string(129, 'a')).error().code, ErrorCode::InvalidArgument);
    std::filesystem::create_symlink(folder.path("outside"), folder.path("s/link"));
    EXPECT_FALSE(directory->read("link"));
    ASSERT_TRUE(directory->write("link", "ours"));  // replaces the link, not what it points to
    std::ifstream outside(folder.path("outside"));
    EXPECT_EQ(outside.get(), 'x');
}

TEST(StateDirectory, ForeignThingsAreRefusedNotReadForEver) {
    const Folder folder;
    const auto directory = StateDirectory::open(folder.path("s"));
    ASSERT_TRUE(directory);
    put(folder.path("s/big"), std::string(kMaxStateBytes + 1, 'x'));
    EXPECT_EQ(directory->read("big").error().code, ErrorCode::Malformed);
    ASSERT_EQ(mkfifo(folder.path("s/pipe").c_str(), 0600), 0);
    EXPECT_EQ(directory->read("pipe").error().code, ErrorCode::Malformed);
    std::filesystem::create_directory(folder.path("s/folder"));
    EXPECT_EQ(directory->read("folder").error().code, ErrorCode::Malformed);
}

TEST(StateDirectory, AFolderOpenToOtherWritersIsRefusedAndKeepsItsMode) {
    const Folder folder;
    std::filesystem::create_directory(folder.path("s"));
    ASSERT_EQ(chmod(folder.path("s").c_str(), 0770), 0);
    EXPECT_EQ(StateDirectory::open(folder.path("s")).error().code, ErrorCode::InvalidArgument);
    ASSERT_EQ(chmod(folder.path("s").c_str(), 0755), 0);
    EXPECT_TRUE(StateDirectory::open(folder.path("s")));
    EXPECT_EQ(mode_of(folder.path("s")), 0755U);
    put(folder.path("file"), "x");
    EXPECT_FALSE(StateDirectory::open(folder.path("file")));
}

}  // namespace
}  // namespace offhook::state

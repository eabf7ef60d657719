#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "base/secret.h"

namespace offhook::base {
namespace {

class SecretTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/offhook-secret-XXXXXX";
        const int fd = mkstemp(name);
        ASSERT_GE(fd, 0);
        close(fd);
        path_ = name;
    }
    void TearDown() override { unlink(path_.c_str()); }
    void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }

    std::string path_;
};

TEST_F(SecretTest, FileLosesOneNewlineOnly) {
    write("se cret\n\n");
    const auto secret = load_secret({.file = path_}, "the password");
    ASSERT_TRUE(secret.has_value()) << secret.error().text();
    EXPECT_EQ(secret->reveal(), "se cret\n");
}

TEST_F(SecretTest, FileThatEverybodyMayReadIsRefusedWithTheRemedy) {
    write("secret");
    ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
    const auto secret = load_secret({.file = path_}, "account \"front\": the password");
    ASSERT_FALSE(secret.has_value());
    EXPECT_NE(secret.error().text().find("chmod 600 " + path_), std::string::npos);
    EXPECT_NE(secret.error().text().find("account \"front\""), std::string::npos);
}

TEST_F(SecretTest, EmptyFileAndMissingFileAreErrors) {
    EXPECT_FALSE(load_secret({.file = path_}, "x").has_value());
    EXPECT_FALSE(load_secret({.file = path_ + "-none"}, "x").has_value());
    EXPECT_FALSE(load_secret({}, "x").has_value());
}

TEST_F(SecretTest, EnvironmentAndCredential) {
    ASSERT_EQ(setenv("OFFHOOK_TEST_SECRET", "from-env", 1), 0);
    EXPECT_EQ(load_secret({.environment = "OFFHOOK_TEST_SECRET"}, "x")->reveal(), "from-env");
    unsetenv("OFFHOOK_TEST_SECRET");
    EXPECT_FALSE(load_secret({.environment = "OFFHOOK_TEST_SECRET"}, "x").has_value());

    write("from-systemd\n");
    const auto slash = path_.rfind('/');
    ASSERT_EQ(setenv("CREDENTIALS_DIRECTORY", path_.substr(0, slash).c_str(), 1), 0);
    EXPECT_EQ(load_secret({.credential = path_.substr(slash + 1)}, "x")->reveal(), "from-systemd");
    EXPECT_FALSE(load_secret({.credential = "../" + path_}, "x").has_value());
    unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_F(SecretTest, MovedFromIsEmpty) {
    Secret a("a short one");
    const Secret b(std::move(a));
    EXPECT_EQ(b.reveal(), "a short one");
    EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): that it is wiped is the point
}

}  // namespace
}  // namespace offhook::base

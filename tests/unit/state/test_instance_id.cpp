#include "state/instance_id.h"

#include <gtest/gtest.h>

#include <set>

#include "folder.h"

namespace offhook::state {
namespace {

TEST(InstanceId, UuidsAreOfVersion4AndDiffer) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const std::string uuid = make_uuid();
        EXPECT_TRUE(is_uuid(uuid)) << uuid;
        EXPECT_EQ(uuid[14], '4');
        EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos) << uuid;
        EXPECT_TRUE(seen.insert(uuid).second);
    }
}

TEST(InstanceId, KnowsWhatAUuidIs) {
    EXPECT_TRUE(is_uuid("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
    EXPECT_FALSE(is_uuid(""));
    EXPECT_FALSE(is_uuid("f81d4fae-7dec-11d0-a765-00a0c91e6bf"));
    EXPECT_FALSE(is_uuid("f81d4fae-7dec-11d0-a765-00a0c91e6bfg"));
    EXPECT_FALSE(is_uuid("f81d4fae07dec-11d0-a765-00a0c91e6bf6"));
    EXPECT_FALSE(is_uuid("f81d4fae-7dec-11d0-a765-00a0c91e6bf\n"));
}

TEST(InstanceId, IsMadeOnceForAnAccountAndKept) {
    const Folder folder;
    std::string office;
    {
        const auto directory = StateDirectory::open(folder.path("s"));
        ASSERT_TRUE(directory);
        office = *kept_instance_id(*directory, "office");
        EXPECT_EQ(*kept_instance_id(*directory, "office"), office);
        EXPECT_NE(*kept_instance_id(*directory, "home"), office);
    }
    const auto again = StateDirectory::open(folder.path("s"));
    ASSERT_TRUE(again);
    EXPECT_EQ(*kept_instance_id(*again, "office"), office);
}

TEST(InstanceId, AKeptOneThatIsBrokenIsReplaced) {
    const Folder folder;
    const auto directory = StateDirectory::open(folder.path("s"));
    ASSERT_TRUE(directory);
    ASSERT_TRUE(directory->write("instance-office", "not a uuid"));
    const auto made = kept_instance_id(*directory, "office");
    ASSERT_TRUE(made);
    EXPECT_TRUE(is_uuid(*made));
    EXPECT_EQ(*kept_instance_id(*directory, "office"), *made);
}

TEST(InstanceId, ADirectoryThatTakesNothingIsAnError) {
    const Folder folder;
    const auto directory = StateDirectory::open(folder.path("s"));
    ASSERT_TRUE(directory);
    EXPECT_FALSE(kept_instance_id(*directory, "../x"));
}

}  // namespace
}  // namespace offhook::state

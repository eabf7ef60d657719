#include "connection/memory_leases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "loop.h"

namespace offhook::connection {
namespace {

const Place kPlace{"anna", "sales"};

class MemoryLeasesTest : public testing::Test {
protected:
    MemoryLeasesTest() {
        leases_.set_events({.on_wanted =
                                [this](const Place& place, std::uint64_t fence) {
                                    EXPECT_EQ(place, kPlace);
                                    wanted_.push_back(fence);
                                },
                            .on_lost = [](const Place&, std::uint64_t) { FAIL(); }});
    }
    LeaseStore::Done into(std::optional<base::Result<std::uint64_t>>& answer) {
        return [&answer](base::Result<std::uint64_t> fence) { answer = std::move(fence); };
    }

    Loop loop_;
    MemoryLeases leases_{loop_.get()};
    std::vector<std::uint64_t> wanted_;
};

TEST_F(MemoryLeasesTest, AFreePlaceIsGrantedFromTheLoop) {
    std::optional<base::Result<std::uint64_t>> answer;
    leases_.acquire(kPlace, into(answer));
    EXPECT_FALSE(answer) << "told from within the method";
    loop_.settle();
    ASSERT_TRUE(answer && *answer);
    EXPECT_GT(**answer, 0U);
    EXPECT_THAT(wanted_, testing::IsEmpty());
}

TEST_F(MemoryLeasesTest, TheHolderIsToldOnceAndItsReleaseGrants) {
    std::optional<base::Result<std::uint64_t>> first, second;
    leases_.acquire(kPlace, into(first));
    loop_.settle();
    leases_.acquire(kPlace, into(second));
    loop_.settle();
    EXPECT_FALSE(second);
    EXPECT_THAT(wanted_, testing::ElementsAre(**first));

    leases_.release(kPlace, **first + 17);  // not the holder's
    loop_.settle();
    EXPECT_FALSE(second);
    leases_.release(kPlace, **first);
    loop_.settle();
    ASSERT_TRUE(second && *second);
    EXPECT_GT(**second, **first);
    EXPECT_THAT(wanted_, testing::SizeIs(1));
}

TEST_F(MemoryLeasesTest, WhoWaitsIsSupersededByTheNewest) {
    std::optional<base::Result<std::uint64_t>> first, second, third;
    leases_.acquire(kPlace, into(first));
    loop_.settle();
    leases_.acquire(kPlace, into(second));
    loop_.settle();
    leases_.acquire(kPlace, into(third));
    loop_.settle();
    ASSERT_TRUE(second);
    ASSERT_FALSE(*second);
    EXPECT_EQ(second->error().code, base::ErrorCode::Conflict);
    EXPECT_FALSE(third);
    leases_.release(kPlace, **first);
    loop_.settle();
    ASSERT_TRUE(third && *third);
}

TEST_F(MemoryLeasesTest, OtherPlacesAreOthers) {
    std::optional<base::Result<std::uint64_t>> here, there;
    leases_.acquire(kPlace, into(here));
    leases_.acquire({"anna", "support"}, into(there));
    loop_.settle();
    EXPECT_TRUE(here && *here);
    EXPECT_TRUE(there && *there);
}

TEST_F(MemoryLeasesTest, NothingIsToldOnceItIsGone) {
    bool is_told = false;
    {
        MemoryLeases leases(loop_.get());
        leases.acquire(kPlace, [&](const auto&) { is_told = true; });
    }
    loop_.settle();
    EXPECT_FALSE(is_told);
}

TEST_F(MemoryLeasesTest, HealthSaysThatNothingIsShared) {
    EXPECT_EQ(leases_.health().status, model::HealthCheck::Status::Off);
    EXPECT_EQ(leases_.health().detail, "places are kept by this process alone");
}

}  // namespace
}  // namespace offhook::connection

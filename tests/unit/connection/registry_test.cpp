#include "connection/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "connection/memory_leases.h"
#include "test_socket.h"

namespace offhook::connection {
namespace {

using base::ErrorCode;
using testing::Pair;

const Place kPlace{"anna", "sales"};

class RegistryTest : public testing::Test {
protected:
    void make(Registry::Settings settings = {}) {
        registry_ = std::make_unique<Registry>(settings, loop_.get(), leases_);
    }
    TestSocket& socket(Facts facts = {.kind = Kind::Channel}) {
        TestSocket& made = sockets_.emplace_back(*registry_, loop_);
        EXPECT_TRUE(made.open(std::move(facts)));
        return made;
    }
    TestSocket& granted(const Place& place = kPlace) {
        TestSocket& made = socket();
        made.claim(place);
        loop_.settle();
        EXPECT_TRUE(made.holds());
        return made;
    }

    Loop loop_;
    MemoryLeases leases_{loop_.get()};
    std::unique_ptr<Registry> registry_;
    std::deque<TestSocket> sockets_;
};

TEST_F(RegistryTest, KeepsWhatIsKnownOfEach) {
    make();
    TestSocket& one = socket({.kind = Kind::Browser,
                              .address = "127.0.0.1:51000",
                              .forwarded_for = "192.0.2.7",
                              .user_agent = "bad\nagent",
                              .protocol = "offhook.v1"});
    EXPECT_EQ(registry_->find(one.id_)->state, State::Connecting);
    registry_->learn(one.id_, {.user = "anna", .channel = "sales"});
    registry_->live(one.id_);
    one.traffic_.sent_messages = 3;
    const auto all = registry_->connections();
    ASSERT_EQ(all.size(), 1U);
    const Entry& entry = all[0];
    EXPECT_EQ(entry.id, one.id_);
    EXPECT_EQ(entry.facts.kind, Kind::Browser);
    EXPECT_EQ(entry.facts.user, "anna");
    EXPECT_EQ(entry.facts.channel, "sales");
    EXPECT_EQ(entry.facts.address, "127.0.0.1:51000");
    EXPECT_EQ(entry.facts.forwarded_for, "192.0.2.7");
    EXPECT_EQ(entry.facts.user_agent, "bad\\x0Aagent");
    EXPECT_EQ(entry.facts.protocol, "offhook.v1");
    EXPECT_EQ(entry.state, State::Live);
    EXPECT_EQ(entry.traffic.sent_messages, 3U);
    EXPECT_GT(entry.opened_ns, 0);
    EXPECT_EQ(entry.ended_ns, 0);
}

TEST_F(RegistryTest, ThePresentHolderIsGoneBeforeTheNewOneIsGranted) {
    make();
    TestSocket& old = granted();
    old.leaves_ = TestSocket::Leaves::Never;
    const std::uint64_t fence = registry_->find(old.id_)->fence;
    TestSocket& fresh = socket();
    fresh.claim(kPlace);
    loop_.settle();
    EXPECT_EQ(old.ended_, EndReason::Replaced);
    EXPECT_EQ(registry_->find(old.id_)->state, State::Closing);
    EXPECT_FALSE(fresh.answer_);

    old.gone();  // what the registry decided counts, not how it went
    EXPECT_FALSE(fresh.answer_) << "told from within a method";
    loop_.settle();
    EXPECT_TRUE(fresh.holds());
    EXPECT_EQ(registry_->find(old.id_)->end, EndReason::Replaced);
    EXPECT_GT(registry_->find(fresh.id_)->fence, fence);
    EXPECT_EQ(registry_->counters().replaced, 1U);
}

TEST_F(RegistryTest, WhoWaitsAndIsSupersededGetsConflict) {
    make();
    TestSocket& old = granted();
    old.leaves_ = TestSocket::Leaves::Never;
    TestSocket& second = socket();
    second.claim(kPlace);
    loop_.settle();
    TestSocket& third = socket();
    third.claim(kPlace);
    loop_.settle();
    ASSERT_TRUE(second.answer_);
    EXPECT_EQ(second.answer_->error().code, ErrorCode::Conflict);
    old.gone();
    loop_.settle();
    EXPECT_TRUE(third.holds());
    EXPECT_THAT(registry_->counters().refused_by_reason,
                testing::ElementsAre(Pair("superseded", 1)));
}

TEST_F(RegistryTest, AClaimantThatIsGoneGivesThePlaceBack) {
    make();
    TestSocket& first = socket();
    first.claim(kPlace);
    first.gone();
    loop_.settle();
    EXPECT_FALSE(first.answer_);
    granted();
}

TEST_F(RegistryTest, WhoClaimsTooOftenIsRefusedAndTheHolderStays) {
    make({.max_claims = 5, .claim_window = std::chrono::milliseconds(10'000)});
    TestSocket* holder = nullptr;
    for (int i = 0; i < 5; ++i) holder = &granted();
    for (int i = 0; i < 3; ++i) {
        TestSocket& more = socket();
        more.claim(kPlace);
        loop_.settle();
        ASSERT_TRUE(more.answer_);
        EXPECT_EQ(more.answer_->error().code, ErrorCode::LimitReached);
        EXPECT_THAT(more.answer_->error().message, testing::HasSubstr("close one"));
    }
    EXPECT_TRUE(holder->holds());
    EXPECT_FALSE(holder->ended_);
    EXPECT_EQ(registry_->counters().refused, 3U);
    granted({"anna", "support"});  // another place is another matter
    granted({"bo", "sales"});
}

TEST_F(RegistryTest, WhoWasQuietMayComeAgain) {
    make({.max_claims = 2, .claim_window = std::chrono::milliseconds(100)});
    granted();
    granted();
    TestSocket& early = socket();
    early.claim(kPlace);
    loop_.settle();
    ASSERT_TRUE(early.answer_ && !*early.answer_);
    const std::int64_t now_ns = base::monotonic_ns();
    ASSERT_TRUE(loop_.until([&] { return base::monotonic_ns() - now_ns > 150 * base::kNsPerMs; }));
    granted();
}

TEST_F(RegistryTest, OneWhoMovesGivesItsOldPlaceBack) {
    make();
    TestSocket& one = granted();
    one.claim({"anna", "support"});
    loop_.settle();
    TestSocket& two = granted();
    EXPECT_TRUE(one.holds());
    one.claim(kPlace);
    loop_.settle();
    EXPECT_EQ(two.ended_, EndReason::Replaced);
    EXPECT_TRUE(one.holds());
}

TEST_F(RegistryTest, WhoIsToldToEndTakesNoPlace) {
    make();
    TestSocket& holder = granted();
    TestSocket& leaves = socket();
    leaves.leaves_ = TestSocket::Leaves::Never;
    ASSERT_TRUE(registry_->remove(leaves.id_, "test"));
    leaves.claim(kPlace);
    loop_.settle();
    EXPECT_FALSE(holder.ended_);
    EXPECT_FALSE(leaves.answer_);
}

TEST_F(RegistryTest, ClaimingWhatOneHasIsGranted) {
    make();
    TestSocket& one = granted();
    one.answer_.reset();
    one.claim(kPlace);
    loop_.settle();
    EXPECT_TRUE(one.answer_ && *one.answer_);
}

TEST_F(RegistryTest, WhoDoesNotCloseIsCut) {
    make({.closing = std::chrono::milliseconds(20)});
    TestSocket& stubborn = granted();
    stubborn.leaves_ = TestSocket::Leaves::Never;
    TestSocket& fresh = socket();
    fresh.claim(kPlace);
    ASSERT_TRUE(loop_.until([&] { return stubborn.is_cut_; }));
    EXPECT_EQ(registry_->find(stubborn.id_)->state, State::Broken);
    EXPECT_EQ(registry_->health().status, model::HealthCheck::Status::Degraded);
    EXPECT_FALSE(fresh.answer_) << "two would be live";
    stubborn.leaves_ = TestSocket::Leaves::WhenCut;  // it is told again
    ASSERT_TRUE(loop_.until([&] { return fresh.holds(); }));
    EXPECT_EQ(registry_->find(stubborn.id_)->end, EndReason::Replaced);
}

TEST_F(RegistryTest, RemovesByTheApi) {
    make();
    TestSocket& one = granted();
    EXPECT_TRUE(registry_->remove(one.id_, "the API"));
    EXPECT_EQ(one.ended_, EndReason::Removed);
    EXPECT_EQ(one.detail_, "removed by the API");
    EXPECT_EQ(registry_->remove(one.id_, "the API").error().code, ErrorCode::NotFound);
    EXPECT_EQ(registry_->counters().removed, 1U);
}

TEST_F(RegistryTest, TakesNoMoreThanItsLimits) {
    make({.max_connections = 3, .max_of_user = 2});
    socket({.user = "anna"});
    socket({.user = "anna"});
    TestSocket more(*registry_, loop_);
    EXPECT_EQ(more.open({.user = "anna"}).error().code, ErrorCode::LimitReached);
    socket({.user = "bo"});
    EXPECT_EQ(more.open({.user = "cy"}).error().code, ErrorCode::LimitReached);
    EXPECT_EQ(registry_->health().status, model::HealthCheck::Status::Degraded);
    socket({.kind = Kind::Ai, .user = "anna"});  // a call's bot is never refused
    sockets_.back().gone();
    registry_->refused("origin");
    EXPECT_THAT(registry_->counters().refused_by_reason,
                testing::ElementsAre(Pair("limit", 1), Pair("origin", 1), Pair("user-limit", 1)));
    sockets_.front().gone();
    EXPECT_TRUE(more.open({.user = "anna"}));
}

TEST_F(RegistryTest, AUserWhoIsKnownLateIsLimitedAsWell) {
    make({.max_of_user = 2});
    granted({"anna", "a"});
    granted({"anna", "b"});
    TestSocket& third = socket();
    third.claim({"anna", "c"});
    loop_.settle();
    ASSERT_TRUE(third.answer_);
    EXPECT_EQ(third.answer_->error().code, ErrorCode::LimitReached);
}

TEST_F(RegistryTest, ReasonsOfRefusalsAreBounded) {
    make();
    for (int i = 0; i < 100; ++i) registry_->refused("reason-" + std::to_string(i));
    EXPECT_LE(registry_->counters().refused_by_reason.size(), 33U);
    EXPECT_EQ(registry_->counters().refused, 100U);
}

TEST_F(RegistryTest, HistoryIsBoundedAndNewestFirst) {
    make({.history = 1'000});
    std::set<ConnectionId> ids;
    for (int i = 0; i < 1'100; ++i) {
        TestSocket& one = socket({.user = "u" + std::to_string(i)});
        ids.insert(one.id_);
        one.traffic_.received_bytes = static_cast<std::uint64_t>(i);
        one.gone();
    }
    EXPECT_EQ(ids.size(), 1'100U);
    const auto history = registry_->history();
    ASSERT_EQ(history.size(), 1'000U);
    EXPECT_EQ(history.front().facts.user, "u1099");
    EXPECT_EQ(history.front().traffic.received_bytes, 1'099U);
    EXPECT_EQ(history.back().facts.user, "u100");
    EXPECT_GT(history.front().ended_ns, 0);
    EXPECT_TRUE(registry_->find(history.back().id));
    EXPECT_FALSE(registry_->find(sockets_.front().id_));
    EXPECT_EQ(registry_->counters().opened, 1'100U);
    EXPECT_EQ(registry_->counters().closed, 1'100U);
}

TEST_F(RegistryTest, CloseTellsAllAndLetsNobodyIn) {
    make();
    TestSocket& one = granted();
    TestSocket& two = socket();
    registry_->close();
    EXPECT_EQ(one.ended_, EndReason::Shutdown);
    EXPECT_EQ(two.ended_, EndReason::Shutdown);
    TestSocket late(*registry_, loop_);
    EXPECT_EQ(late.open({}).error().code, ErrorCode::Unavailable);
}

TEST_F(RegistryTest, AnOutsideEndIsToldAsItWas) {
    make();
    TestSocket& one = granted();
    one.gone(EndReason::Broken);
    EXPECT_EQ(registry_->history().front().end, EndReason::Broken);
    EXPECT_EQ(registry_->counters().reaped_broken, 1U);
    EXPECT_EQ(registry_->counters().replaced, 0U);
    registry_->ended(one.id_, EndReason::Client, "");  // again: nothing
    EXPECT_EQ(registry_->counters().closed, 1U);
}

/// A store that takes places away.
class WhimsicalLeases final : public LeaseStore {
public:
    void set_events(Events events) override { events_ = std::move(events); }
    void acquire(const Place&, Done done) override { asked_.push_back(std::move(done)); }
    void release(const Place&, std::uint64_t fence) override { released_.push_back(fence); }
    [[nodiscard]] model::HealthCheck health() const override { return {}; }

    Events events_;
    std::deque<Done> asked_;
    std::vector<std::uint64_t> released_;
};

TEST_F(RegistryTest, APlaceThatIsLostIsNotGrantedAgainBeforeItsHolderIsGone) {
    WhimsicalLeases store;
    Registry registry({}, loop_.get(), store);
    TestSocket old(registry, loop_), second(registry, loop_), third(registry, loop_);
    old.leaves_ = TestSocket::Leaves::Never;
    for (TestSocket* each : {&old, &second, &third}) {
        ASSERT_TRUE(each->open({}));
        each->claim(kPlace);
    }
    store.asked_[0](5);
    ASSERT_TRUE(old.holds());
    store.events_.on_lost(kPlace, 5);
    EXPECT_EQ(old.ended_, EndReason::Lost);
    store.asked_[1](6);
    loop_.settle();
    EXPECT_FALSE(second.answer_);
    store.asked_[2](7);
    loop_.settle();
    ASSERT_TRUE(second.answer_);
    EXPECT_EQ(second.answer_->error().code, ErrorCode::Conflict);
    EXPECT_FALSE(third.answer_);
    old.gone();
    loop_.settle();
    EXPECT_TRUE(third.holds());
    EXPECT_EQ(registry.find(third.id_)->fence, 7U);
    EXPECT_THAT(store.released_, testing::ElementsAre(6));
}

TEST_F(RegistryTest, AStoreThatIsAwayRefuses) {
    WhimsicalLeases store;
    Registry registry({}, loop_.get(), store);
    TestSocket one(registry, loop_);
    ASSERT_TRUE(one.open({}));
    one.claim(kPlace);
    store.asked_[0](base::fail(ErrorCode::Unavailable, "the store is away"));
    ASSERT_TRUE(one.answer_);
    EXPECT_EQ(one.answer_->error().code, ErrorCode::Unavailable);
    EXPECT_THAT(registry.counters().refused_by_reason, testing::ElementsAre(Pair("store", 1)));
}

TEST(CloseCodes, TellClientsWhetherToComeBack) {
    EXPECT_EQ(close_code(EndReason::Replaced), 4000);
    EXPECT_EQ(close_code(EndReason::Stale), 4001);
    EXPECT_EQ(close_code(EndReason::Slow), 4002);
    EXPECT_EQ(close_code(EndReason::HalfOpen), 4003);
    EXPECT_EQ(close_code(EndReason::Limit), 4004);
    EXPECT_EQ(close_code(EndReason::Removed), 4005);
    EXPECT_EQ(close_code(EndReason::Left), 4006);
    EXPECT_EQ(close_code(EndReason::Lost), 1001);
    EXPECT_EQ(close_code(EndReason::Shutdown), 1001);
    EXPECT_EQ(close_code(EndReason::Broken), 1002);
    EXPECT_EQ(close_code(EndReason::Client), 1000);
}

TEST(EndReasons, OfAWebSocketThatEndedByItself) {
    using http::WebSocketEnd;
    EXPECT_EQ(reason_of(WebSocketEnd::Closed), EndReason::Client);
    EXPECT_EQ(reason_of(WebSocketEnd::Broken), EndReason::Broken);
    EXPECT_EQ(reason_of(WebSocketEnd::Silent), EndReason::Stale);
    EXPECT_EQ(reason_of(WebSocketEnd::Slow), EndReason::Slow);
    EXPECT_EQ(reason_of(WebSocketEnd::TooLarge), EndReason::Limit);
}

}  // namespace
}  // namespace offhook::connection

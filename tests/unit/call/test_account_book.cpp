// What health says about the accounts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "call/account_book.h"
#include "call/router.h"

namespace offhook::call {
namespace {

using model::AccountInfo;
using model::AccountState;
using ::testing::HasSubstr;
using Status = model::HealthCheck::Status;

AccountBook book() {
    config::Account desk;
    desk.name = "desk";
    desk.user = "200";
    config::Account night;
    night.name = "night";
    return AccountBook({desk, night});
}

AccountInfo info(const std::string& name,
                 AccountState state,
                 int status = 200,
                 const std::string& answer = "registered for 300 s") {
    AccountInfo account;
    account.name = name;
    account.state = state;
    account.last_status = status;
    account.last_answer = answer;
    return account;
}

TEST(AccountBook, is_off_without_accounts) {
    EXPECT_EQ(AccountBook({}).health().status, Status::Off);
}

TEST(AccountBook, shows_the_configured_ones_in_their_order_before_anything_is_known) {
    const AccountBook accounts = book();
    ASSERT_EQ(accounts.accounts().size(), 2U);
    EXPECT_EQ(accounts.accounts().front().user, "200");
    EXPECT_EQ(accounts.accounts().front().state, AccountState::Connecting);
    EXPECT_EQ(accounts.health().status, Status::Failed);
    EXPECT_THAT(accounts.health().detail, HasSubstr("account \"desk\" is not registered yet"));
}

TEST(AccountBook, all_some_and_none) {
    AccountBook accounts = book();
    accounts.update(info("night", AccountState::Registered));
    accounts.update(info("desk", AccountState::Waiting, 503, "503 Service Unavailable: wait"));
    EXPECT_EQ(accounts.health().status, Status::Degraded);
    EXPECT_THAT(accounts.health().detail,
                HasSubstr("1 of 2 registered; account \"desk\" is not registered: 503"));
    EXPECT_EQ(accounts.accounts().front().name, "desk");
    accounts.update(info("desk", AccountState::Registered));
    EXPECT_EQ(accounts.health().status, Status::Ok);
    EXPECT_EQ(accounts.health().detail, "2 of 2 registered");
    accounts.update(info("desk", AccountState::Failed, 401, "401: wrong password"));
    accounts.update(info("night", AccountState::Waiting, 408, "no answer"));
    EXPECT_EQ(accounts.health().status, Status::Failed);
    EXPECT_THAT(accounts.health().detail, HasSubstr("account \"desk\" gave up: 401"));
}

TEST(AccountBook, the_one_that_gave_up_is_named_before_the_one_that_waits) {
    AccountBook accounts = book();
    accounts.update(info("desk", AccountState::Waiting, 408, "no answer"));
    accounts.update(info("night", AccountState::Failed, 403, "403: not allowed"));
    EXPECT_THAT(accounts.health().detail, HasSubstr("account \"night\" gave up: 403"));
}

TEST(AccountBook, refused_refreshes_and_unchecked_certificates_are_complained_about) {
    AccountBook accounts = book();
    accounts.update(info("desk", AccountState::Registered, 503, "503: trouble"));
    accounts.update(info("night", AccountState::Registered));
    EXPECT_EQ(accounts.health().status, Status::Degraded);
    EXPECT_THAT(accounts.health().detail, HasSubstr("could not be refreshed: 503"));
    AccountInfo insecure = info("desk", AccountState::Registered);
    insecure.is_insecure = true;
    accounts.update(insecure);
    EXPECT_EQ(accounts.health().status, Status::Degraded);
    EXPECT_THAT(accounts.health().detail, HasSubstr("takes any certificate"));
}

TEST(AccountBook, stopping_is_no_failure_and_strangers_are_left_out) {
    AccountBook accounts = book();
    accounts.update(info("desk", AccountState::Unregistered));
    accounts.update(info("night", AccountState::Unregistered));
    EXPECT_EQ(accounts.health().status, Status::Ok);
    accounts.update(info("unknown", AccountState::Failed));
    EXPECT_EQ(accounts.accounts().size(), 2U);
    EXPECT_EQ(accounts.find("unknown"), nullptr);
    EXPECT_NE(accounts.find("night"), nullptr);
}

TEST(AccountRoutes, a_route_with_an_account_takes_only_its_calls) {
    std::vector<config::Route> routes(2);
    routes[0].name = "desk-only";
    routes[0].account = "desk";
    routes[1].name = "rest";
    EXPECT_EQ(find_route(routes, "200", "anna", "desk")->name, "desk-only");
    EXPECT_EQ(find_route(routes, "200", "anna", "night")->name, "rest");
    EXPECT_EQ(find_route(routes, "200", "anna")->name, "rest");
    EXPECT_EQ(route_named(routes, "rest"), &routes[1]);
    EXPECT_EQ(route_named(routes, "nobody"), nullptr);
}

}  // namespace
}  // namespace offhook::call

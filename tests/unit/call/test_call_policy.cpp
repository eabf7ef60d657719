// Who may come in and where to: routes, admission, masked numbers.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "call/admission.h"
#include "call/number_mask.h"
#include "call/router.h"

namespace offhook::call {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

struct GlobCase {
    const char* pattern;
    const char* text;
    bool matches;
};

TEST(Router, GlobsMatchWholeUsers) {
    for (const GlobCase& c :
         std::vector<GlobCase>{{"*", "", true},
                               {"*", "anything", true},
                               {"sales-*", "sales-7", true},
                               {"sales-*", "my-sales-7", false},
                               {"*-7", "sales-7", true},
                               {"*-7", "sales-78", false},
                               {"1?3", "123", true},
                               {"1?3", "13", false},
                               {"a*b*c", "axxbyyc", true},
                               {"a*b*c", "axxcyyb", false},
                               {"", "", true},
                               {"", "x", false},
                               {"*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false}}) {
        EXPECT_EQ(glob_matches(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
    }
}

TEST(Router, TheFirstMatchWinsAndNoneIsNone) {
    const std::vector<config::Route> routes{{.name = "sales", .to = "sales-*", .ai = "a"},
                                            {.name = "boss", .to = "*", .from = "boss", .ai = "b"},
                                            {.name = "digits", .to = "1*", .ai = "c"}};
    EXPECT_EQ(find_route(routes, "sales-1", "boss")->name, "sales");
    EXPECT_EQ(find_route(routes, "100", "boss")->name, "boss");
    EXPECT_EQ(find_route(routes, "100", "anna")->name, "digits");
    EXPECT_EQ(find_route(routes, "200", "anna"), nullptr);
}

TEST(AdmissionTest, RefusesAtTheLimitAndWhileDraining) {
    Admission admission({.max_calls = 2, .tick_p99_ms = 10, .cpu_share = 0.9});
    EXPECT_FALSE(admission.refuse(1));
    ASSERT_TRUE(admission.refuse(2));
    EXPECT_NE(admission.refuse(2)->find("max_calls"), std::string::npos);
    admission.set_draining(true);
    EXPECT_TRUE(admission.refuse(0));
}

TEST(AdmissionTest, ALateWorkerClosesTheDoorAfterThreeSecondsAndOpensItAgain) {
    Admission admission({.max_calls = 100, .tick_p99_ms = 10, .cpu_share = 0.9});
    const std::vector<model::WorkerStats> late{{.index = 1, .tick_p99_ms = 25}};
    for (int s = 0; s < 3; ++s) {
        admission.observe(late, s * kSecond);
        EXPECT_FALSE(admission.refuse(0)) << "after " << s << " s";
    }
    admission.observe(late, 3 * kSecond);
    ASSERT_TRUE(admission.refuse(0));
    EXPECT_NE(admission.refuse(0)->find("25.0 ms"), std::string::npos);
    admission.observe({{.index = 1, .tick_p99_ms = 1}}, 4 * kSecond);
    EXPECT_FALSE(admission.refuse(0));
    const std::vector<model::WorkerStats> busy{{.index = 0, .cpu_share = 0.97}};
    admission.observe(busy, 5 * kSecond);
    admission.observe(busy, 8 * kSecond);
    EXPECT_TRUE(admission.refuse(0));
}

TEST(NumberMask, HidesPhoneNumbersOnly) {
    EXPECT_EQ(mask_numbers("sip:+15551234567@pbx.example"), "sip:+***567@pbx.example");
    EXPECT_EQ(mask_numbers("sip:anna@127.0.0.1:5060"), "sip:anna@127.0.0.1:5060");
    EXPECT_EQ(mask_numbers("4930123456 and 123456"), "***456 and 123456");
    EXPECT_EQ(mask_numbers(""), "");
}

}  // namespace
}  // namespace offhook::call

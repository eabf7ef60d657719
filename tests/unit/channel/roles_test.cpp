// Who hears whom, for every pair of roles.
#include "channel/roles.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace offhook::channel {
namespace {

using model::MemberRole;

constexpr std::array kRoles{MemberRole::Speaker,
                            MemberRole::Caller,
                            MemberRole::Ai,
                            MemberRole::Listen,
                            MemberRole::Whisper,
                            MemberRole::Barge,
                            MemberRole::TakeOver};

// A row for each listener, a column for each source, both as in kRoles; x: it is heard.
constexpr std::array<const char*, 7> kHeard{
    // S C A L W B T
    "xxx--xx",  // Speaker
    "xxx--xx",  // Caller
    "xxx-xxx",  // Ai
    "xxx--xx",  // Listen
    "xxx--xx",  // Whisper
    "xxx--xx",  // Barge
    "xx---xx",  // TakeOver: there is one, so the AI is out of it
};

std::string word(MemberRole role) {
    return std::string(model::name_of(role));
}

TEST(Roles, EveryPair) {
    for (std::size_t listener = 0; listener < kRoles.size(); ++listener) {
        for (std::size_t source = 0; source < kRoles.size(); ++source) {
            const bool is_taken_over =
                kRoles[listener] == MemberRole::TakeOver || kRoles[source] == MemberRole::TakeOver;
            const bool is_ai_in_it =
                kRoles[listener] == MemberRole::Ai || kRoles[source] == MemberRole::Ai;
            const bool is_heard =
                kHeard[listener][source] == 'x' && !(is_taken_over && is_ai_in_it);
            const std::vector<Voice> pair{{.role = kRoles[listener]}, {.role = kRoles[source]}};
            EXPECT_EQ(matrix_of(pair).gain(0, 1), is_heard ? 1.0F : 0.0F)
                << word(kRoles[listener]) << " hears " << word(kRoles[source]);
        }
    }
}

TEST(Roles, NobodyHearsItself) {
    for (const MemberRole role : kRoles) {
        const std::vector<Voice> three{{.role = role}, {.role = role}, {.role = role}};
        const mixer::Matrix matrix = matrix_of(three);
        for (std::size_t i = 0; i < three.size(); ++i) EXPECT_EQ(matrix.gain(i, i), 0.0F);
    }
}

TEST(Roles, WhileSomebodyTakesOverTheAiIsOutOfIt) {
    const std::vector<Voice> members{{.role = MemberRole::Caller},
                                     {.role = MemberRole::Ai},
                                     {.role = MemberRole::Whisper},
                                     {.role = MemberRole::TakeOver}};
    const mixer::Matrix matrix = matrix_of(members);
    for (std::size_t i = 0; i < members.size(); ++i) {
        EXPECT_EQ(matrix.gain(i, 1), 0.0F) << i << " hears the AI";
        EXPECT_EQ(matrix.gain(1, i), 0.0F) << "the AI hears " << i;
    }
    EXPECT_EQ(matrix.gain(0, 3), 1.0F);
    EXPECT_EQ(matrix.gain(3, 0), 1.0F);
}

TEST(Roles, WhoIsMutedIsHeardByNobodyAndHearsOn) {
    const std::vector<Voice> members{
        {.role = MemberRole::Speaker, .is_muted = true}, {.role = MemberRole::Speaker}, {}};
    const mixer::Matrix matrix = matrix_of(members);
    EXPECT_EQ(matrix.gain(1, 0), 0.0F);
    EXPECT_EQ(matrix.gain(2, 0), 0.0F);
    EXPECT_EQ(matrix.gain(0, 1), 1.0F);
}

TEST(Roles, GainIsOfTheSourceAndLinear) {
    const std::vector<Voice> members{
        {.role = MemberRole::Speaker, .is_muted = false, .gain_db = 20},
        {.role = MemberRole::Speaker, .is_muted = false, .gain_db = -20}};
    const mixer::Matrix matrix = matrix_of(members);
    EXPECT_FLOAT_EQ(matrix.gain(1, 0), 10.0F);
    EXPECT_FLOAT_EQ(matrix.gain(0, 1), 0.1F);
    EXPECT_FLOAT_EQ(linear_gain(100), 10.0F) << "bounded";
    EXPECT_FLOAT_EQ(linear_gain(-100), 0.001F);
}

TEST(Roles, EmptyAndFull) {
    EXPECT_EQ(matrix_of({}).members(), 0U);
    const std::vector<Voice> all(mixer::Matrix::kMaxMembers);
    const mixer::Matrix matrix = matrix_of(all);
    EXPECT_EQ(matrix.members(), mixer::Matrix::kMaxMembers);
    EXPECT_EQ(matrix.gain(0, mixer::Matrix::kMaxMembers - 1), 1.0F);
}

}  // namespace
}  // namespace offhook::channel

#include "base/log_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace offhook::log {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kNoon = 1'795'176'000'007'000'000;

TEST(TextLine, HasEveryPart) {
    const std::string text =
        text_line({kNoon,
                   Level::Warning,
                   Mark::Call,
                   "call.answered",
                   "c-0123456789ab",
                   "answered",
                   {{"answer_ms", 1.5}, {"codec", "PCMU"}, {"calls", 3}, {"held", false}}},
                  true,
                  false);
    EXPECT_THAT(
        text,
        EndsWith(
            ".007 WARN  🔔 call.answered c-0123456789ab answered answer_ms=1.5 codec=PCMU calls=3 "
            "held=false"));
}

TEST(TextLine, MarksAndColourAreSwitchable) {
    const Line line{kNoon, Level::Error, Mark::Error, "system.x", {}, "m", {}};
    EXPECT_THAT(text_line(line, true, false), HasSubstr("❌"));
    EXPECT_THAT(text_line(line, false, false), EndsWith(" ERROR system.x m"));
    EXPECT_THAT(text_line(line, true, false), Not(HasSubstr("\x1b")));
    EXPECT_THAT(text_line(line, true, true), HasSubstr("\x1b[31mERROR\x1b[0m"));
}

TEST(TextLine, ValuesThatNeedQuotes) {
    const std::string text = text_line({kNoon,
                                        Level::Info,
                                        Mark::None,
                                        {},
                                        {},
                                        "m",
                                        {{"a", "x y"}, {"b", "\"q\""}, {"c", ""}, {"d", "k=v"}}},
                                       true,
                                       false);
    EXPECT_THAT(text, EndsWith(R"( m a="x y" b="\"q\"" c="" d="k=v")"));
}

TEST(TextLine, HostileValuesStayOnOneInertLine) {
    const std::string huge(65536, 'A');
    const std::string text = text_line({kNoon,
                                        Level::Info,
                                        Mark::None,
                                        "e\n",
                                        "c\x1b[2J",
                                        "msg\r\n2026 sip.registered",
                                        {{"from", "\n\x1b]0;owned\x07 \xFF"}, {"big", huge}}},
                                       true,
                                       true);
    EXPECT_EQ(text.find_first_of("\n\r\x07\xFF"), std::string::npos);
    EXPECT_EQ(text.find("\x1b]"), std::string::npos);
    EXPECT_EQ(text.find("\x1b[2J"), std::string::npos);
    EXPECT_LT(text.size(), 2000U);
}

TEST(JsonLine, OrderAndTypes) {
    EXPECT_EQ(
        json_line({kNoon,
                   Level::Info,
                   Mark::Ok,
                   "call.answered",
                   "c-0123456789ab",
                   "answered",
                   {{"answer_ms", 1.5}, {"codec", "PCMU"}, {"calls", 3}, {"held", false}}},
                  true),
        R"({"ts":"2026-11-20T12:00:00.007Z","level":"info","event":"call.answered","msg":"answered",)"
        R"("call_id":"c-0123456789ab","mark":"✅","answer_ms":1.5,"codec":"PCMU","calls":3,"held":false})");
}

TEST(JsonLine, LeavesOutWhatIsNotThere) {
    EXPECT_EQ(json_line({kNoon, Level::Debug, Mark::System, {}, {}, "prose", {}}, false),
              R"({"ts":"2026-11-20T12:00:00.007Z","level":"debug","msg":"prose"})");
}

TEST(JsonLine, HostileValues) {
    const std::string json = json_line(
        {kNoon, Level::Info, Mark::None, {}, {}, "a\"b\n", {{"from", "\",\"level\":\"x\xFF\x1b"}}},
        true);
    EXPECT_THAT(json, HasSubstr(R"("msg":"a\"b\\x0A")"));
    EXPECT_THAT(json, HasSubstr(R"("from":"\",\"level\":\"x\\xFF\\x1B")"));
}

}  // namespace
}  // namespace offhook::log

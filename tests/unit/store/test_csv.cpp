#include <gtest/gtest.h>

#include <algorithm>

#include "store/csv.h"

namespace offhook::store {
namespace {

TEST(Csv, HasAColumnForEachOfTheTable) {
    const std::string header = csv_header();
    EXPECT_TRUE(header.starts_with("id,direction,from,to,"));
    EXPECT_NE(header.find(",created,answered,ended,"), std::string::npos);
    EXPECT_TRUE(header.ends_with("gap_alarms\r\n"));
    const std::string line = csv_line({});
    EXPECT_EQ(std::count(header.begin(), header.end(), ','),
              std::count(line.begin(), line.end(), ','));
    EXPECT_EQ(static_cast<std::size_t>(std::count(header.begin(), header.end(), ',')) + 1,
              columns().size());
}

TEST(Csv, QuotesAndDefusesTexts) {
    const auto field = [](const std::string& text) {
        CallRecord record;
        record.id = text;
        const std::string line = csv_line(record);
        return line.substr(0, line.find(",,"));
    };
    EXPECT_EQ(field("plain"), "plain");
    EXPECT_EQ(field("a,b"), "\"a,b\"");
    EXPECT_EQ(field("say \"hi\""), "\"say \"\"hi\"\"\"");
    EXPECT_EQ(field("two\nlines"), "\"two\nlines\"");
    EXPECT_EQ(field("=HYPERLINK(\"http://x\")"), "\"'=HYPERLINK(\"\"http://x\"\")\"");
    EXPECT_EQ(field("+4930123"), "\"'+4930123\"");
    EXPECT_EQ(field("-1"), "\"'-1\"");
    EXPECT_EQ(field("@SUM"), "\"'@SUM\"");
}

TEST(Csv, TimesAreReadable) {
    CallRecord record;
    record.id = "c-1";
    record.created_ns = 1'763'640'000'000'000'000;
    EXPECT_NE(csv_line(record).find("2025-11-20T12:00:00.000Z"), std::string::npos);
}

TEST(UserOf, TakesTheUserPart) {
    EXPECT_EQ(user_of("sip:+4930123@pbx.example.com;user=phone"), "+4930123");
    EXPECT_EQ(user_of("tel:+4930123;ext=5"), "+4930123");
    EXPECT_EQ(user_of("101"), "101");
    EXPECT_EQ(user_of("sips:anna;x=y@b"), "anna");
}

}  // namespace
}  // namespace offhook::store

#include "cli/sse_reader.h"

#include <gtest/gtest.h>

#include "cli/tail_line.h"

namespace offhook::cli {
namespace {

constexpr std::string_view kStream =
    ": hello\r\n\r\nid: 7-1\nevent: call.answered\ndata: {\"seq\":1}\n\n"
    "retry: 500\nid: 7-2\ndata: one\ndata: two\n\n\n";

TEST(SseReader, ReadsEventsHoweverTheyAreCut) {
    for (std::size_t step = 1; step < kStream.size(); ++step) {
        SseReader reader;
        for (std::size_t at = 0; at < kStream.size(); at += step)
            ASSERT_TRUE(reader.feed(kStream.substr(at, step)));
        const auto first = reader.next(), second = reader.next();
        ASSERT_TRUE(first && second) << step;
        EXPECT_EQ(first->id, "7-1");
        EXPECT_EQ(first->type, "call.answered");
        EXPECT_EQ(first->data, "{\"seq\":1}");
        EXPECT_EQ(second->type, "");
        EXPECT_EQ(second->data, "one\ntwo");
        EXPECT_FALSE(reader.next());
        EXPECT_EQ(reader.last_id(), "7-2");
        EXPECT_EQ(reader.retry_ms(), 500);
    }
}

TEST(SseReader, AnEventWithoutEndIsRefused) {
    SseReader reader;
    EXPECT_FALSE(reader.feed("data: " + std::string(2 << 20, 'x')));
}

TEST(ChunkDecoder, TakesTheFramingOff) {
    constexpr std::string_view kChunks = "5\r\nhello\r\n7;name=value\r\n, world\r\n0\r\n\r\n";
    for (std::size_t step = 1; step <= kChunks.size(); ++step) {
        ChunkDecoder chunks;
        std::string content;
        for (std::size_t at = 0; at < kChunks.size(); at += step) {
            const auto part = chunks.feed(kChunks.substr(at, step));
            ASSERT_TRUE(part) << step;
            content += *part;
        }
        EXPECT_EQ(content, "hello, world");
        EXPECT_TRUE(chunks.has_ended());
    }
}

TEST(ChunkDecoder, RefusesWhatIsNone) {
    for (const std::string_view wrong :
         {"hello\r\n", "5\r\nhelloXX", "ffffffffffffffffff\r\n", "-1\r\n", "fffffffff\r\n"}) {
        ChunkDecoder chunks;
        EXPECT_FALSE(chunks.feed(wrong)) << wrong;
    }
    ChunkDecoder endless;
    EXPECT_FALSE(endless.feed(std::string(4096, '1')));
}

TEST(TailLine, IsOneLineWhateverCameFromTheNetwork) {
    const std::string event =
        R"({"seq":1,"time":"2026-11-20T12:00:05.122Z","type":"call.answered","level":"warning",)"
        R"("call":"c-0123456789ab","message":"a\nb\u001b[31m","data":{"gap_ms":40.5,"is_it":true}})";
    EXPECT_EQ(tail_line("", event, false),
              "12:00:05.122 warning call.answered c-0123456789ab: a\\x0Ab\\x1B[31m gap_ms=40.5 "
              "is_it=yes\n");
    EXPECT_NE(tail_line("", event, true).find("\033[33mwarning\033[0m"), std::string::npos);
    EXPECT_EQ(tail_line("gap", "no\njson", false), "gap no\\x0Ajson\n");
}

}  // namespace
}  // namespace offhook::cli

// SIP over a byte stream (RFC 3261 §18.3, RFC 5626 §4.4.1).
#include "signalling/sip/stream_framer.h"

#include <gtest/gtest.h>

#include <vector>

#include "signalling/sip/flow.h"

namespace offhook::signalling::sip {
namespace {

using Kind = StreamFramer::Step::Kind;

std::string message(const std::string& body, const std::string& name = "Content-Length") {
    return "OPTIONS sip:a SIP/2.0\r\nVia: x\r\n" + name + ": " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

/// Everything the framer gives for `bytes` arriving in pieces of `piece`.
std::vector<std::string> cut(const std::string& bytes, std::size_t piece) {
    StreamFramer framer;
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        framer.append(std::string_view(bytes).substr(at, piece));
        for (auto step = framer.next(); step.kind != Kind::NeedMore; step = framer.next()) {
            seen.push_back(step.kind == Kind::Ping     ? "ping"
                           : step.kind == Kind::Broken ? "broken"
                                                       : std::string(step.text));
            if (step.kind == Kind::Broken) return seen;
        }
    }
    return seen;
}

TEST(StreamFramer, CutsTheSameWhateverTheSegments) {
    const std::vector<std::string> messages{
        message(""), message("12345"), message("a\r\n\r\nb", "l"), message("x", "CONTENT-LENGTH ")};
    std::string stream;
    for (const auto& m : messages) stream += m;
    for (const std::size_t piece : {1UL, 2UL, 3UL, 7UL, 50UL, 10'000UL})
        EXPECT_EQ(cut(stream, piece), messages) << piece;
}

TEST(StreamFramer, KeepAlivesAreNoMessages) {
    for (const std::size_t piece : {1UL, 100UL}) {
        EXPECT_EQ(cut("\r\n\r\n" + message("x") + "\r\n\r\n", piece),
                  (std::vector<std::string>{"ping", message("x"), "ping"}));
        EXPECT_EQ(cut("\r\n" + message("x"), piece), (std::vector<std::string>{message("x")}));
    }
    StreamFramer framer;
    framer.append("\r\n");
    EXPECT_EQ(framer.next().kind, Kind::NeedMore);
    EXPECT_FALSE(framer.is_partial());
    framer.append("OPT");
    EXPECT_EQ(framer.next().kind, Kind::NeedMore);
    EXPECT_TRUE(framer.is_partial());
}

TEST(StreamFramer, BreaksOnWhatCannotBeTrusted) {
    const std::string head = "OPTIONS sip:a SIP/2.0\r\n";
    for (const std::string& bytes :
         {head + "\r\n",  // no length
          head + "Content-Length: -1\r\n\r\n",
          head + "Content-Length: x\r\n\r\n",
          head + "Content-Length: 99999999999999999999999\r\n\r\n",
          head + "Content-Length: 65537\r\n\r\n",
          head + "Content-Length: 65530\r\n\r\n",      // headers do not fit beside it
          head + "Content-Length: 5\r\nl: 6\r\n\r\n",  // smuggling
          std::string(kMaxMessageBytes + 1, 'x')}) {
        EXPECT_EQ(cut(bytes, 1000).back(), "broken") << bytes.substr(0, 60);
    }
    EXPECT_EQ(cut(head + "Content-Length: 5\r\nl: 5\r\n\r\n12345", 9).size(), 1U);
}

}  // namespace
}  // namespace offhook::signalling::sip

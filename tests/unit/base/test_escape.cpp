#include "base/escape.h"

#include <gtest/gtest.h>

#include <string>

namespace offhook::base {
namespace {

TEST(Escape, LeavesPlainAndForeignTextAlone) {
    EXPECT_EQ(escape_untrusted("Anna <sip:anna@example.org>"), "Anna <sip:anna@example.org>");
    EXPECT_EQ(escape_untrusted("Жанна 🔔 ü"), "Жанна 🔔 ü");
    EXPECT_EQ(escape_untrusted(""), "");
}

TEST(Escape, ControlsCannotReachATerminal) {
    EXPECT_EQ(escape_untrusted("\n2026 sip.registered"), "\\x0A2026 sip.registered");
    EXPECT_EQ(escape_untrusted("\x1b[31mred\x7f"), "\\x1B[31mred\\x7F");
    EXPECT_EQ(escape_untrusted(std::string_view("a\0b", 3)), "a\\x00b");
    EXPECT_EQ(escape_untrusted("\xC2\x9B"
                               "31m"),
              "\\u{009B}31m");  // CSI as one C1 character
}

TEST(Escape, TextThatTurnsOrBreaksLines) {
    EXPECT_EQ(escape_untrusted("a\u202Eb"), "a\\u{202E}b");
    EXPECT_EQ(escape_untrusted("a\u2028b"), "a\\u{2028}b");
    EXPECT_EQ(escape_untrusted("\uFEFFa"), "\\u{FEFF}a");
}

TEST(Escape, InvalidUtf8) {
    EXPECT_EQ(escape_untrusted("\xFF\xC3("), "\\xFF\\xC3(");
    EXPECT_EQ(escape_untrusted("\xC0\xAF"), "\\xC0\\xAF");                    // overlong '/'
    EXPECT_EQ(escape_untrusted("\xED\xA0\x80"), "\\xED\\xA0\\x80");           // surrogate
    EXPECT_EQ(escape_untrusted("\xF4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80");  // above U+10FFFF
    EXPECT_EQ(escape_untrusted("\xE2\x82"), "\\xE2\\x82");                    // cut short
}

TEST(Escape, BackslashIsDoubledSoThatEscapesCannotBeForged) {
    EXPECT_EQ(escape_untrusted("\\x0A"), "\\\\x0A");
}

TEST(Escape, IsBoundedAndNeverEndsInsideACharacter) {
    const std::string big(65536, 'a');
    EXPECT_EQ(escape_untrusted(big, 256).size(), 256U);
    EXPECT_EQ(escape_untrusted(big, 256).substr(253), "...");
    const std::string wide = "aaaaaaüüüü";  // 6 + 8 bytes
    EXPECT_EQ(escape_untrusted(wide, 10), "aaaaaa...");
    EXPECT_EQ(escape_untrusted("exactly 10", 10), "exactly 10");
}

}  // namespace
}  // namespace offhook::base

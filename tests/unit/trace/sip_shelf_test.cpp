// Which messages are kept, and how many.
#include "trace/sip_shelf.h"

#include <gtest/gtest.h>

namespace offhook::trace {
namespace {

model::SipWireMessage message(const std::string& start,
                              const std::string& call_id,
                              const std::string& cseq,
                              std::size_t padding = 0) {
    model::SipWireMessage made;
    made.text = start + "\r\nCSeq: " + cseq + "\r\ncall-id : " + call_id +
                "\r\nX: " + std::string(padding, 'p') + "\r\n\r\n";
    return made;
}

TEST(SipShelf, ADialogBeginsWithAnInvite) {
    SipShelf shelf;
    shelf.keep(message("REGISTER sip:a SIP/2.0", "r", "1 REGISTER"));
    shelf.keep(message("SIP/2.0 200 OK", "i", "1 INVITE"));
    shelf.keep(message("INVITE sip:a SIP/2.0", "i", "1 INVITE"));
    shelf.keep(message("SIP/2.0 100 Trying", "i", "1 INVITE"));
    shelf.claim("i");
    EXPECT_TRUE(shelf.of("r").empty());
    ASSERT_EQ(shelf.of("i").size(), 2U);
    EXPECT_EQ(method_of(shelf.of("i")[0].text), "INVITE");
    EXPECT_EQ(method_of(shelf.of("i")[1].text), "INVITE");
    shelf.drop("i");
    EXPECT_TRUE(shelf.of("i").empty());
}

TEST(SipShelf, IsBoundedByNumberAndSize) {
    SipShelf shelf;
    shelf.claim("c");
    for (std::size_t i = 0; i < SipShelf::kMaxMessages + 6; ++i)
        shelf.keep(message("INFO sip:a SIP/2.0", "c", std::to_string(i) + " INFO"));
    ASSERT_EQ(shelf.of("c").size(), SipShelf::kMaxMessages);
    EXPECT_NE(shelf.of("c")[0].text.find("CSeq: 6 INFO"), std::string::npos);
    EXPECT_EQ(shelf.lost("c"), 6U);
    for (int i = 0; i < 3; ++i)
        shelf.keep(message("INFO sip:a SIP/2.0", "c", "99 INFO", SipShelf::kMaxBytes / 3));
    EXPECT_EQ(shelf.of("c").size(), 2U);
    shelf.keep(message("INFO sip:a SIP/2.0", "c", "100 INFO", SipShelf::kMaxBytes));
    EXPECT_EQ(shelf.of("c").size(), 2U);
}

TEST(SipShelf, StrangersPushOutStrangersOnly) {
    SipShelf shelf;
    shelf.keep(message("INVITE sip:a SIP/2.0", "mine", "1 INVITE"));
    shelf.claim("mine");
    for (std::size_t i = 0; i < SipShelf::kMaxStrays + 1; ++i)
        shelf.keep(message("INVITE sip:a SIP/2.0", "s" + std::to_string(i), "1 INVITE"));
    EXPECT_EQ(shelf.of("mine").size(), 1U);
    EXPECT_TRUE(shelf.of("s0").empty());
    EXPECT_EQ(shelf.of("s1").size(), 1U);
}

TEST(SipShelf, ACallIdOfTwoCallsStaysForTheSecond) {
    SipShelf shelf;
    shelf.claim("two");
    shelf.claim("two");
    shelf.keep(message("INVITE sip:a SIP/2.0", "two", "1 INVITE"));
    shelf.drop("two");
    EXPECT_EQ(shelf.of("two").size(), 1U);
    shelf.drop("two");
    EXPECT_TRUE(shelf.of("two").empty());
}

TEST(SipShelf, FindsHeadersOfAnyForm) {
    EXPECT_EQ(call_id_of("INVITE sip:a SIP/2.0\r\ni:  x@y \r\n\r\n"), "x@y");
    EXPECT_EQ(call_id_of("INVITE sip:a SIP/2.0\nCALL-ID\t:x\n\n"), "x");
    EXPECT_EQ(call_id_of("INVITE sip:a SIP/2.0\r\n\r\nCall-ID: x"), "");
    EXPECT_EQ(call_id_of(""), "");
    EXPECT_EQ(method_of("SIP/2.0 200 OK\r\nCSeq: 7\t BYE\r\n\r\n"), "BYE");
    EXPECT_EQ(method_of("\r\n"), "");
}

}  // namespace
}  // namespace offhook::trace

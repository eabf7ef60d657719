// Which items are kept, and how many; and what is read of a SIP message for that.
#include "trace/shelf.h"

#include <gtest/gtest.h>

#include "trace/sip_text.h"

namespace offhook::trace {
namespace {

TEST(Shelf, SomeItemsDoNotBegin) {
    Shelf<int> shelf(4, 100);
    shelf.keep("a", 1, 1, false);
    shelf.keep("a", 2, 1);
    shelf.keep("a", 3, 1, false);
    shelf.keep("", 4, 1);
    EXPECT_EQ(shelf.of("a").items, (std::vector{2, 3}));
    EXPECT_TRUE(shelf.of("").items.empty());
}

TEST(Shelf, IsBoundedByNumberAndSize) {
    Shelf<int> shelf(4, 100);
    for (int i = 0; i < 10; ++i) shelf.keep("a", i, 1);
    EXPECT_EQ(shelf.of("a").items, (std::vector{6, 7, 8, 9}));
    EXPECT_EQ(shelf.of("a").lost, 6U);
    shelf.keep("a", 10, 98);
    EXPECT_EQ(shelf.of("a").items, (std::vector{8, 9, 10}));
    EXPECT_EQ(shelf.bytes("a"), 100U);
    shelf.keep("a", 11, 101);
    EXPECT_EQ(shelf.of("a").items.back(), 10);
}

TEST(Shelf, StrangersPushOutStrangersOnly) {
    Shelf<int> shelf(4, 100);
    shelf.keep("mine", 1, 1);
    shelf.claim("mine");
    for (std::size_t i = 0; i < Shelf<int>::kMaxStrays + 1; ++i)
        shelf.keep("s" + std::to_string(i), 1, 1);
    EXPECT_EQ(shelf.of("mine").items.size(), 1U);
    EXPECT_TRUE(shelf.of("s0").items.empty());
    EXPECT_EQ(shelf.of("s1").items.size(), 1U);
}

TEST(Shelf, WhatTwoClaimedStaysForTheSecond) {
    Shelf<int> shelf(4, 100);
    shelf.claim("two");
    shelf.claim("two");
    shelf.keep("two", 1, 1);
    shelf.drop("two");
    EXPECT_EQ(shelf.of("two").items.size(), 1U);
    shelf.drop("two");
    EXPECT_TRUE(shelf.of("two").items.empty());
    shelf.drop("two");
}

TEST(SipText, FindsHeadersOfAnyForm) {
    EXPECT_EQ(call_id_of("INVITE sip:a SIP/2.0\r\ni:  x@y \r\n\r\n"), "x@y");
    EXPECT_EQ(call_id_of("INVITE sip:a SIP/2.0\nCALL-ID\t:x\n\n"), "x");
    EXPECT_EQ(call_id_of("INVITE sip:a SIP/2.0\r\n\r\nCall-ID: x"), "");
    EXPECT_EQ(call_id_of(""), "");
    EXPECT_EQ(method_of("SIP/2.0 200 OK\r\nCSeq: 7\t BYE\r\n\r\n"), "BYE");
    EXPECT_EQ(method_of("\r\nBYE sip:a SIP/2.0\r\n"), "BYE");
    EXPECT_EQ(method_of("\r\n"), "");
}

}  // namespace
}  // namespace offhook::trace

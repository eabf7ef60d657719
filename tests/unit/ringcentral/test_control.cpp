// The XML element of call control: read strictly, written so that it reads the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "signalling/ringcentral/rc_control.h"

namespace offhook::signalling::ringcentral {
namespace {

using ::testing::Pair;

const std::string kIncoming =
    R"(<Msg><Hdr SID="354" Req="{EEB7}" From="#990001@sip.example.com:5060" To="172*115" Cmd="6"/>)"
    R"(<Bdy SrvLvl="-149699523" Phn="+16505550100" Nm="A &amp; B &lt;C&gt; &#x4e;&#233;" RecUrl=""/></Msg>)";

TEST(RcControl, ReadsWhatAnInviteBrings) {
    const auto read = read_control(kIncoming);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->session, "354");
    EXPECT_EQ(read->request, "{EEB7}");
    EXPECT_EQ(read->from, "#990001@sip.example.com:5060");
    EXPECT_EQ(read->to, "172*115");
    EXPECT_EQ(read->command, Command::IncomingCall);
    EXPECT_EQ(read->of_body("Nm"), "A & B <C> N\xC3\xA9");
    EXPECT_EQ(read->of_body("RecUrl"), "");
    EXPECT_EQ(read->of_body("absent"), "");
    EXPECT_EQ(read->body.size(), 4U);
}

TEST(RcControl, TheReplySwapsFromAndToAndKeepsTheRest) {
    const auto read = read_control(kIncoming);
    ASSERT_TRUE(read);
    EXPECT_EQ(
        write_control(reply_to(*read, Command::ClientReceiveConfirm, "802")),
        R"(<Msg><Hdr SID="354" Req="{EEB7}" From="172*115" To="#990001@sip.example.com:5060" )"
        R"(Cmd="17"/><Bdy Cln="802"/></Msg>)");
    const std::string text =
        write_control(reply_to(*read, Command::ClientReply, "802", {{"Bdy", "\"a\" <b> & 'c'"}}));
    const auto again = read_control(text);
    ASSERT_TRUE(again) << text;
    EXPECT_EQ(again->command, Command::ClientReply);
    EXPECT_THAT(again->body,
                ::testing::ElementsAre(Pair("Cln", "802"), Pair("Bdy", "\"a\" <b> & 'c'")));
}

TEST(RcControl, BlanksEmptyPairsAndOtherQuotesAreTheSame) {
    const auto read = read_control(
        " <Msg>\r\n <Hdr Cmd='7'  SID='1'></Hdr>\t<Bdy Cln='8' >\r\n</Bdy> </Msg>\r\n");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->command, Command::AlreadyProcessed);
    EXPECT_EQ(read->of_body("Cln"), "8");
}

TEST(RcControl, WhatIsNotThisElementIsRefused) {
    const auto with = [](const std::string& header, const std::string& body = "<Bdy/>") {
        return "<Msg>" + header + body + "</Msg>";
    };
    ASSERT_TRUE(read_control(with(R"(<Hdr Cmd="6"/>)")));
    std::string many = "<Hdr Cmd=\"6\"";
    for (int i = 0; i < 32; ++i) many += " a" + std::to_string(i) + "=\"\"";
    for (const std::string& text : {
             std::string(),
             std::string("<Msg>"),
             with(""),
             with(R"(<Hdr Cmd="6"/>)", ""),
             with(R"(<Hdr Cmd="6"/>)", "<Bdy>text</Bdy>"),
             with(R"(<Hdr Cmd="6"/>)", "<Bdy><Bdy/></Bdy>"),
             with(R"(<Hdr Cmd="6"/>)") + "x",
             with(R"(<Hdr Cmd="x"/>)"),
             with(R"(<Hdr Cmd="999"/>)"),
             with(R"(<Hdr Cmd="-1"/>)"),
             with(R"(<Hdr Cmd=6/>)"),
             with(R"(<Hdr Cmd="6"SID="1"/>)"),
             with(R"(<Hdr Cmd="6" Cmd="7"/>)"),
             with(R"(<Hdr Cmd="6" a="&b;"/>)"),
             with(R"(<Hdr Cmd="6" a="&amp"/>)"),
             with(R"(<Hdr Cmd="6" a="&#10;"/>)"),
             with(R"(<Hdr Cmd="6" a="&#xD800;"/>)"),
             with(R"(<Hdr Cmd="6" a="&#x110000;"/>)"),
             with(R"(<Hdr Cmd="6" a="&#;"/>)"),
             with(R"(<Hdr Cmd="6" a="<"/>)"),
             with("<Hdr Cmd=\"6\" a=\"\x01\"/>"),
             with(R"(<Hdr Cmd="6" a="b)"),
             with(R"(<Hdr Cmd="6"/><!-- a -->)"),
             with("<Hdr Cmd=\"6\" " + std::string(33, 'a') + "=\"\"/>"),
             with(many + "/>"),
             "<!DOCTYPE Msg [<!ENTITY a \"b\">]>" + with(R"(<Hdr Cmd="6" a="&a;"/>)"),
             "<?xml version=\"1.0\"?>" + with(R"(<Hdr Cmd="6"/>)"),
             with("<Hdr Cmd=\"6\" a=\"" + std::string(kMaxControlBytes, 'a') + "\"/>"),
         }) {
        const auto read = read_control(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().code, base::ErrorCode::Malformed);
    }
}

TEST(RcControl, MutationsAreReadOrRefused) {
    std::mt19937 random(7);
    const auto pick = [&](std::size_t below) {
        return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
    };
    constexpr std::string_view kBytes = "<>/&;#x\"'= aM\x80\xFF";
    int readable = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text = kIncoming;
        for (std::size_t i = 0; i <= pick(4); ++i) {
            const std::size_t at = pick(text.size());
            switch (pick(3)) {
                case 0:
                    text[at] = kBytes[pick(kBytes.size())];
                    break;
                case 1:
                    text.erase(at, 1 + pick(8));
                    break;
                default:
                    text.insert(at, text.substr(pick(text.size()), pick(16)));
            }
        }
        const auto read = read_control(text);
        if (!read) continue;
        ++readable;
        const auto again = read_control(write_control(*read));
        ASSERT_TRUE(again) << text;
        EXPECT_EQ(again->body, read->body);
        EXPECT_EQ(again->from, read->from);
    }
    EXPECT_GT(readable, 100);
}

TEST(RcControl, ValuesOfListsMayHaveEqualsSigns) {
    const std::string_view header =
        "callAttributes=queue-call,reject; callerIdName=A=B=;queueName=Help desk;empty=;odd";
    EXPECT_EQ(value_in(header, "callAttributes"), "queue-call,reject");
    EXPECT_EQ(value_in(header, "callerIdName"), "A=B=");
    EXPECT_EQ(value_in(header, "queueName"), "Help desk");
    EXPECT_EQ(value_in(header, "empty"), "");
    EXPECT_EQ(value_in(header, "odd"), "");
    EXPECT_EQ(value_in(header, "absent"), "");
    EXPECT_EQ(value_in("", "a"), "");
}

TEST(RcControl, EveryCommandHasAName) {
    for (int number = 1; number <= 17; ++number)
        EXPECT_NE(name_of(static_cast<Command>(number)), "unknown") << number;
    EXPECT_EQ(name_of(static_cast<Command>(18)), "unknown");
}

}  // namespace
}  // namespace offhook::signalling::ringcentral

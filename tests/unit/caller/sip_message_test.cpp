#include "caller/sip_message.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "caller/sip_uri.h"

namespace offhook::caller {
namespace {

const std::string kResponse =
    "SIP/2.0 200 OK\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5080;rport=5080;branch=z9hG4bKa;received=127.0.0.1, SIP/2.0/UDP "
    "h;branch=z9hG4bKb\r\n"
    "Record-Route: <sip:p1.example.net;lr>,\r\n <sip:p2.example.net:5070;lr>\r\n"
    "f: \"A, <odd> \\\" name\" <sip:a@example.net>;tag=left\r\n"
    "t: <sip:b@example.net;user=phone>;x=1 ; tag = right\r\n"
    "i: id@host\r\n"
    "CSeq:  7   INVITE\r\n"
    "m: <sip:b@192.0.2.9:5099;transport=udp>\r\n"
    "l: 4\r\n"
    "\r\n"
    "v=0\nrest";

TEST(SipMessageTest, TakesAResponseApart) {
    const auto m = parse_sip(kResponse);
    ASSERT_TRUE(m) << m.error().text();
    EXPECT_TRUE(m->is_response);
    EXPECT_EQ(m->status, 200);
    EXPECT_EQ(m->reason, "OK");
    EXPECT_EQ(m->method, "INVITE");
    EXPECT_EQ(m->cseq, 7U);
    EXPECT_EQ(m->call_id, "id@host");
    EXPECT_EQ(m->tag("from"), "left");
    EXPECT_EQ(m->tag("to"), "right");
    EXPECT_EQ(m->branch(), "z9hG4bKa");
    EXPECT_EQ(
        m->list("record-route"),
        (std::vector<std::string>{"<sip:p1.example.net;lr>", "<sip:p2.example.net:5070;lr>"}));
    EXPECT_EQ(m->body, "v=0\n");
}

TEST(SipMessageTest, TakesARequestApartAfterKeepAlives) {
    const auto m = parse_sip(
        "\r\n\r\nBYE sip:x@127.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: <sip:b@h>;tag=r\nTo: "
        "<sip:a@h>;tag=l\n"
        "Call-ID: c\nCSeq: 2 BYE\n\n");
    ASSERT_TRUE(m) << m.error().text();
    EXPECT_FALSE(m->is_response);
    EXPECT_EQ(m->method, "BYE");
    EXPECT_EQ(m->request_uri, "sip:x@127.0.0.1");
    EXPECT_EQ(m->branch(), "");
}

TEST(SipMessageTest, RefusesWhatIsNotSip) {
    const std::string headers = "Via: v\r\nFrom: f\r\nTo: t\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n\r\n";
    ASSERT_TRUE(parse_sip("BYE sip:x SIP/2.0\r\n" + headers));
    EXPECT_FALSE(parse_sip(""));
    EXPECT_FALSE(parse_sip("GET / HTTP/1.1\r\n" + headers));
    EXPECT_FALSE(parse_sip("SIP/2.0 99 Low\r\n" + headers));
    EXPECT_FALSE(parse_sip("SIP/2.0 2000 High\r\n" + headers.substr(0, 4)));
    EXPECT_FALSE(parse_sip("BYE sip:x SIP/2.0\r\nVia: v\r\n\r\n"));
    EXPECT_FALSE(parse_sip("INVITE sip:x SIP/2.0\r\n" + headers));
    EXPECT_FALSE(parse_sip("BYE sip:x SIP/2.0\r\n folded\r\n" + headers));
    EXPECT_FALSE(parse_sip("BYE sip:x SIP/2.0\r\nno colon\r\n" + headers));
    EXPECT_FALSE(parse_sip("BYE sip:x SIP/2.0\r\nContent-Length: 5\r\n" + headers + "four"));
    EXPECT_FALSE(parse_sip("BYE sip:x SIP/2.0\r\n" + headers.substr(0, headers.size() - 2)));
    std::string many = "BYE sip:x SIP/2.0\r\n";
    for (std::size_t i = 0; i <= kMaxSipHeaders; ++i) many += "X: y\r\n";
    EXPECT_FALSE(parse_sip(many + headers));
    EXPECT_FALSE(
        parse_sip("BYE sip:x SIP/2.0\r\nX: " + std::string(kMaxSipBytes, 'x') + "\r\n" + headers));
}

TEST(SipMessageTest, MutationsAreRefusedOrReadButNeverHarm) {
    std::mt19937 random(1);
    int readable = 0;
    for (int i = 0; i < 20000; ++i) {
        std::string mutant = kResponse;
        const int changes = 1 + static_cast<int>(random() % 6);
        for (int k = 0; k < changes; ++k) {
            const std::size_t at = random() % mutant.size();
            switch (random() % 4) {
                case 0:
                    mutant[at] = static_cast<char>(random());
                    break;
                case 1:
                    mutant.erase(at, 1 + random() % 20);
                    break;
                case 2:
                    mutant.insert(at, mutant.substr(random() % mutant.size(), random() % 40));
                    break;
                default:
                    mutant[at] = "\r\n\";<>,: =\0"[random() % 11];
            }
        }
        const std::vector<char> exact(mutant.begin(), mutant.end());
        const auto m = parse_sip({exact.data(), exact.size()});
        if (!m) continue;
        ++readable;
        EXPECT_LE(m->headers.size(), kMaxSipHeaders);
        EXPECT_TRUE(!m->is_response || (m->status >= 100 && m->status <= 699));
        // Whatever was read can be looked into.
        (void)m->branch();
        (void)m->tag("from");
        for (const std::string& route : m->list("record-route")) {
            if (const auto address = parse_name_address(route)) (void)parse_sip_uri(address->uri);
        }
    }
    EXPECT_GT(readable, 1000);
    EXPECT_LT(readable, 20000);
}

TEST(SipStreamTest, CutsAStreamWhereverItIsSplit) {
    const std::string stream = "\r\n\r\n" + kResponse.substr(0, kResponse.size() - 4) + "\r\n\r\n" +
                               kResponse.substr(0, kResponse.size() - 4);
    for (std::size_t step = 1; step < stream.size(); step += 7) {
        SipStream framer;
        std::vector<std::string> messages;
        for (std::size_t at = 0; at < stream.size(); at += step) {
            ASSERT_TRUE(framer.feed(std::string_view(stream).substr(at, step)));
            while (auto message = framer.next()) messages.push_back(*message);
        }
        ASSERT_EQ(messages.size(), 2U) << step;
        EXPECT_TRUE(parse_sip(messages[0]));
        EXPECT_EQ(messages[0], messages[1]);
    }
}

TEST(SipStreamTest, AnEndlessMessageEndsTheConnection) {
    SipStream framer;
    base::Result<void> ok;
    int blocks = 0;
    while (ok && blocks < 1000) {
        ok = framer.feed(std::string(1000, 'x'));
        EXPECT_FALSE(framer.next());
        ++blocks;
    }
    EXPECT_FALSE(ok);
    EXPECT_LT(blocks, 200);
}

TEST(SipUriTest, ReadsAllItsParts) {
    const auto uri = parse_sip_uri("SIP:al%20ice:pw@[2001:db8::1]:5070;Transport=TCP;lr?Subject=x");
    ASSERT_TRUE(uri) << uri.error().text();
    EXPECT_EQ(uri->user, "al%20ice:pw");
    EXPECT_EQ(uri->host, "2001:db8::1");
    EXPECT_EQ(uri->port, 5070);
    EXPECT_EQ(uri->param("transport"), "TCP");
    EXPECT_EQ(uri->param("lr"), "");
    EXPECT_FALSE(uri->param("maddr"));
    EXPECT_EQ(uri->text(), "sip:al%20ice:pw@[2001:db8::1]:5070;transport=TCP;lr");
}

TEST(SipUriTest, TheSchemeMayBeMissing) {
    const auto uri = parse_sip_uri("demo@127.0.0.1:5061");
    ASSERT_TRUE(uri);
    EXPECT_EQ(uri->text(), "sip:demo@127.0.0.1:5061");
    EXPECT_EQ(parse_sip_uri("localhost")->host, "localhost");
}

TEST(SipUriTest, RefusesWithAReason) {
    EXPECT_EQ(parse_sip_uri("sips:a@b").error().code, base::ErrorCode::Unsupported);
    EXPECT_EQ(parse_sip_uri("tel:+123").error().code, base::ErrorCode::Unsupported);
    for (const char* bad : {"",
                            "sip:",
                            "sip:a@",
                            "sip:a@h:0",
                            "sip:a@h:65536",
                            "sip:a@h:5x",
                            "sip:a@[::1",
                            "sip:a b@h",
                            "sip:a@h\r\nX: y"}) {
        EXPECT_FALSE(parse_sip_uri(bad)) << bad;
    }
    EXPECT_FALSE(parse_sip_uri("sip:" + std::string(300, 'a')));
}

TEST(NameAddressTest, QuotesAndBracketsHideTheirContents) {
    const auto address = parse_name_address(R"("x <y>;tag=no, \" z" <sip:a@h;p=1>;tag=yes)");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->uri, "sip:a@h;p=1");
    EXPECT_EQ(address->param("TAG"), "yes");
    EXPECT_FALSE(parse_name_address("\"open <sip:a@h>"));
    EXPECT_FALSE(parse_name_address("<sip:a@h"));
    EXPECT_EQ(split_list(R"(<sip:a,b@h>, "c,d" <sip:e@h> ,, f)"),
              (std::vector<std::string>{"<sip:a,b@h>", "\"c,d\" <sip:e@h>", "f"}));
}

}  // namespace
}  // namespace offhook::caller

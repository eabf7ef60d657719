#include <gtest/gtest.h>

#include "socket/address.h"
#include "socket/http_head.h"
#include "socket/link.h"
#include "socket/url.h"

namespace offhook::socket {
namespace {

Address ip(const char* text) {
    const auto parsed = parse_ip(text, 80);
    EXPECT_TRUE(parsed) << text;
    return parsed.value_or(Address{});
}

TEST(Address, reads_and_writes_both_families) {
    EXPECT_EQ(ip("127.0.0.1").text(), "127.0.0.1:80");
    EXPECT_EQ(ip("::1").text(), "[::1]:80");
    EXPECT_EQ(ip("::1").port(), 80);
    for (const char* const none : {"localhost", "", "1.2.3", "1.2.3.4.5", "[::1]", "1.2.3.4:80"}) {
        EXPECT_FALSE(parse_ip(none, 80)) << none;
    }
}

TEST(Address, knows_what_is_private_and_what_is_loopback) {
    for (const char* const text : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"}) {
        EXPECT_TRUE(is_loopback(ip(text))) << text;
        EXPECT_FALSE(is_private(ip(text))) << text;
    }
    for (const char* const text : {"10.0.0.1",
                                   "10.255.255.255",
                                   "172.16.0.1",
                                   "172.31.255.255",
                                   "192.168.0.1",
                                   "169.254.169.254",
                                   "100.64.0.1",
                                   "100.127.255.255",
                                   "0.0.0.0",
                                   "0.1.2.3",
                                   "224.0.0.1",
                                   "255.255.255.255",
                                   "::",
                                   "fc00::1",
                                   "fdff::1",
                                   "fe80::1",
                                   "febf::1",
                                   "fec0::1",
                                   "ff02::1",
                                   "::ffff:10.0.0.1",
                                   "::ffff:0.0.0.0",
                                   "64:ff9b::10.0.0.1"}) {
        EXPECT_TRUE(is_private(ip(text))) << text;
        EXPECT_FALSE(is_loopback(ip(text))) << text;
    }
    for (const char* const text : {"9.255.255.255",
                                   "11.0.0.0",
                                   "172.15.255.255",
                                   "172.32.0.0",
                                   "192.167.255.255",
                                   "192.169.0.0",
                                   "169.253.0.1",
                                   "100.63.255.255",
                                   "100.128.0.0",
                                   "223.255.255.255",
                                   "8.8.8.8",
                                   "2001:db8::1",
                                   "fbff::1",
                                   "fe00::1",
                                   "::ffff:8.8.8.8",
                                   "64:ff9b::8.8.8.8"}) {
        EXPECT_FALSE(is_private(ip(text))) << text;
        EXPECT_FALSE(is_loopback(ip(text))) << text;
    }
}

TEST(Url, reads_what_can_be_dialled) {
    const auto url = parse_url("WSS://Bot.Example/a/b?x=1");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->scheme, Url::Scheme::Wss);
    EXPECT_EQ(url->host, "bot.example");
    EXPECT_EQ(url->port, 443);
    EXPECT_EQ(url->target, "/a/b?x=1");
    EXPECT_EQ(url->authority(), "bot.example");
    EXPECT_EQ(url->host_and_port(), "bot.example:443");
    EXPECT_EQ(parse_url("ws://[::1]:8080?q")->target, "/?q");
    EXPECT_EQ(parse_url("ws://[::1]:8080")->authority(), "[::1]:8080");
    EXPECT_EQ(parse_url("ws://h:80/")->authority(), "h");
    EXPECT_EQ(parse_url("tcp://127.0.0.1:9092")->port, 9092);
}

TEST(Url, refuses_what_cannot_without_repeating_it) {
    for (const char* const bad : {"",
                                  "http://h/",
                                  "ws:/h",
                                  "ws://",
                                  "ws://:80",
                                  "ws://h:0",
                                  "ws://h:65536",
                                  "ws://h:x",
                                  "ws://h:",
                                  "ws://user:secret@h/",
                                  "ws://h/#secret",
                                  "ws://h/ secret",
                                  "ws://h/\r\nsecret",
                                  "ws://h\\secret",
                                  "ws://[::1/",
                                  "ws://[::1]x",
                                  "ws://[g%]",
                                  "tcp://h",
                                  "tcp://h:1/path",
                                  "ws://h/\xC3\xA9"}) {
        const auto checked = check_url(bad);
        ASSERT_FALSE(checked) << bad;
        EXPECT_EQ(checked.error().code, base::ErrorCode::InvalidArgument);
        EXPECT_EQ(checked.error().text().find("secret@"), std::string::npos)
            << checked.error().text();
    }
    EXPECT_TRUE(check_url("ws://h/%C3%A9"));
    for (const char* const bad :
         {"h:80", "https://h:80", "http://h", "http://h:80/x", "http://u@h:80"}) {
        EXPECT_FALSE(parse_proxy(bad)) << bad;
    }
    EXPECT_EQ(parse_proxy("http://Proxy:3128/")->host, "proxy");
}

TEST(Url, follows_redirects_within_the_origin_only) {
    const Url from = *parse_url("ws://h:8080/a/b?x");
    const auto to = [&](const char* location) {
        return redirect_within(from, location).value_or("none");
    };
    EXPECT_EQ(to("/c"), "/c");
    EXPECT_EQ(to("c?y"), "/a/c?y");
    EXPECT_EQ(to("?y"), "/a/b?y");
    EXPECT_EQ(to("http://H:8080/c#part"), "/c");
    EXPECT_EQ(to("ws://h:8080"), "/");
    EXPECT_EQ(to("//h:8080/c"), "/c");
    for (const char* const foreign : {"",
                                      "http://h/c",
                                      "https://h:8080/c",
                                      "wss://h:8080/c",
                                      "http://other:8080/c",
                                      "//other:8080/c",
                                      "http://u@h:8080/c",
                                      "javascript:x",
                                      "file:///c",
                                      "/a b",
                                      "/a\r\nX: y"}) {
        EXPECT_EQ(to(foreign), "none") << foreign;
    }
    const Url secure = *parse_url("wss://h/a");
    EXPECT_EQ(redirect_within(secure, "https://h:443/c").value_or("none"), "/c");
    EXPECT_FALSE(redirect_within(secure, "http://h:443/c"));
}

TEST(HttpHead, reads_heads_and_refuses_what_is_none) {
    const auto head = parse_head(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade:  WebSocket \r\n"
        "Connection: keep-alive, Upgrade\r\nX-Empty:\r\nUPGRADE: h2c\r\n\r\n");
    ASSERT_TRUE(head);
    EXPECT_TRUE(head->has_token("upgrade", "websocket"));
    EXPECT_TRUE(head->has_token("upgrade", "h2c"));
    EXPECT_TRUE(head->has_token("connection", "upgrade"));
    EXPECT_FALSE(head->has_token("connection", "keep"));
    EXPECT_EQ(*head->find("x-empty"), "");
    EXPECT_EQ(head->find("other"), nullptr);
    for (const std::string bad : {"\r\n\r\n",
                                  "A\r\nno colon\r\n\r\n",
                                  "A\r\n: x\r\n\r\n",
                                  "A\r\n folded: x\r\n\r\n",
                                  "A\r\nX : y\r\n\r\n",
                                  "A\nB: c\r\n\r\n",
                                  "A\r\nB: c\rd\r\n\r\n",
                                  "A\r\nB: c"}) {
        EXPECT_FALSE(parse_head(bad)) << bad;
    }
    EXPECT_FALSE(parse_head(std::string("A\r\nB: c\0d\r\n\r\n", 13)));
    EXPECT_EQ(parse_status_line("HTTP/1.1 404")->code, 404);
    EXPECT_EQ(parse_status_line("HTTP/1.0 200 Fine")->reason, "Fine");
    for (const char* const bad : {"",
                                  "HTTP/2 200 x",
                                  "HTTP/1.1 20",
                                  "HTTP/1.1 999 x",
                                  "HTTP/1.1 2x0 y",
                                  "HTTP/1.1 2000",
                                  "SIP/2.0 200 OK",
                                  "HTTP/1.1-200 x"}) {
        EXPECT_FALSE(parse_status_line(bad)) << bad;
    }
}

TEST(HttpHead, makes_the_answer_of_rfc_6455) {
    EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_EQ(new_websocket_key().size(), 24U);
    EXPECT_NE(new_websocket_key(), new_websocket_key());
}

}  // namespace
}  // namespace offhook::socket

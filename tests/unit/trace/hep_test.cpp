// HEP3 byte by byte, and RTCP as JSON.
#include "trace/hep.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "trace/hep_sender.h"
#include "trace/wire_text.h"

namespace offhook::trace {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

TEST(Hep, SipOverUdpIsTheseBytes) {
    const HepPacket packet{.type = HepType::Sip,
                           .realtime_ns = 1'700'000'000'123'456'789,
                           .from = wire_address("192.0.2.1:5060"),
                           .to = wire_address("198.51.100.2:5070"),
                           .correlation_id = "a@b",
                           .payload = "BYE"};
    const std::string expected =
        "HEP3\x00\x78"s
        "\x00\x00\x00\x01\x00\x07\x02"s              // IPv4
        "\x00\x00\x00\x02\x00\x07\x11"s              // UDP
        "\x00\x00\x00\x03\x00\x0a\xc0\x00\x02\x01"s  // from
        "\x00\x00\x00\x04\x00\x0a\xc6\x33\x64\x02"s  // to
        "\x00\x00\x00\x07\x00\x08\x13\xc4"s
        "\x00\x00\x00\x08\x00\x08\x13\xce"s
        "\x00\x00\x00\x09\x00\x0a\x65\x53\xf1\x00"s  // s
        "\x00\x00\x00\x0a\x00\x0a\x00\x01\xe2\x40"s  // us
        "\x00\x00\x00\x0b\x00\x07\x01"s              // SIP
        "\x00\x00\x00\x0c\x00\x0a\x00\x00\x07\xd1"s  // capture agent
        "\x00\x00\x00\x0e\x00\x09key"s
        "\x00\x00\x00\x11\x00\x09"
        "a@b"s
        "\x00\x00\x00\x0f\x00\x09"
        "BYE"s;
    EXPECT_EQ(expected.size(), 0x78U);
    EXPECT_EQ(write_hep(packet, 2001, "key"), expected);
}

TEST(Hep, RtcpOverIpv6) {
    const HepPacket packet{.type = HepType::RtcpJson,
                           .from = wire_address("[2001:db8::1]:4001"),
                           .to = wire_address("[2001:db8::2]:4003"),
                           .payload = "{}"};
    const std::string bytes = write_hep(packet, 0, {});
    EXPECT_EQ(bytes.substr(6, 7), "\x00\x00\x00\x01\x00\x07\x0a"s);
    EXPECT_THAT(bytes, HasSubstr("\x00\x05\x00\x16\x20\x01\x0d\xb8"s));
    EXPECT_THAT(bytes, HasSubstr("\x00\x06\x00\x16\x20\x01\x0d\xb8"s));
    EXPECT_THAT(bytes, HasSubstr("\x00\x0b\x00\x07\x05"s));
}

TEST(Hep, FitsADatagramWhateverThePayload) {
    HepPacket packet{.from = wire_address("192.0.2.1:1"), .to = wire_address("192.0.2.1:2")};
    packet.payload.assign(100'000, 'x');
    const std::string bytes = write_hep(packet, 0, {});
    EXPECT_EQ(bytes.size(), 65'000U);
    EXPECT_EQ(static_cast<unsigned char>(bytes[4]) << 8 | static_cast<unsigned char>(bytes[5]),
              65'000);
}

TEST(Hep, WhoSentIsWhoSent) {
    model::SipWireMessage message{.is_inbound = true,
                                  .realtime_ns = 1,
                                  .transport = "wss",
                                  .local = "192.0.2.1:5060",
                                  .remote = "192.0.2.2:443",
                                  .text = "BYE x SIP/2.0\r\ni: 7\r\n\r\n"};
    HepPacket packet = hep_of(message);
    EXPECT_TRUE(packet.is_tcp);
    EXPECT_EQ(text_of(packet.from), "192.0.2.2:443");
    EXPECT_EQ(packet.correlation_id, "7");
    message.is_inbound = false;
    EXPECT_EQ(text_of(hep_of(message).from), "192.0.2.1:5060");
}

TEST(RtcpJson, SaysWhatTheReportSays) {
    const std::string report =
        "\x81\xc8\x00\x0c\x00\x00\x00\x07"s
        "\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00\x05"s
        "\x00\x00\x00\x09\x40\xff\xff\xfe\x00\x01\x00\x0a\x00\x00\x00\x0b\x00\x00\x00\x0c\x00\x00\x00\x0d"s;
    EXPECT_EQ(rtcp_json(report),
              "{\"type\":200,\"ssrc\":7,\"sender_information\":{\"ntp_timestamp_sec\":1,"
              "\"ntp_timestamp_usec\":2,\"rtp_timestamp\":3,\"packets\":4,\"octets\":5},"
              "\"report_count\":1,\"report_blocks\":[{\"source_ssrc\":9,\"fraction_lost\":64,"
              "\"packets_lost\":-2,\"highest_seq_no\":65546,\"ia_jitter\":11,\"lsr\":12,"
              "\"dlsr\":13}]}");
}

TEST(RtcpJson, WhatIsCutOrLiesSaysLess) {
    EXPECT_EQ(rtcp_json(""), "");
    EXPECT_EQ(rtcp_json("\x81\xc8\x00\x0c\x00\x00\x00\x07"s), "");
    EXPECT_EQ(rtcp_json("\x80\xcb\x00\x01\x00\x00\x00\x07"s), "");  // a BYE alone
    EXPECT_EQ(rtcp_json("\x9f\xc9\x00\x01\x00\x00\x00\x07"s),
              "{\"type\":201,\"ssrc\":7,\"report_count\":0,\"report_blocks\":[]}");
    EXPECT_EQ(rtcp_json("\x9f\xc9\xff\xff\x00\x00\x00\x07"s),
              "{\"type\":201,\"ssrc\":7,\"report_count\":0,\"report_blocks\":[]}");
}

TEST(WireText, IsReadBothWays) {
    for (const std::string_view text : {"192.0.2.1:5060", "[2001:db8::1]:65535", "0.0.0.0:1"})
        EXPECT_EQ(text_of(wire_address(text)), text);
    for (const std::string_view text :
         {"", ":", "x:1", "192.0.2.1", "192.0.2.1:", "192.0.2.1:70000", "[::1:2", "[]:2", "[:2"})
        EXPECT_EQ(wire_address(text).port, 0) << text;
}

class HepServer {
public:
    HepServer() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
        socklen_t size = sizeof address;
        getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
        const timeval limit{.tv_sec = 5, .tv_usec = 0};
        setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    }
    ~HepServer() { close(fd_); }
    HepServer(const HepServer&) = delete;
    HepServer& operator=(const HepServer&) = delete;
    std::string receive() const {
        std::string bytes(65'536, '\0');
        const ssize_t n = recv(fd_, bytes.data(), bytes.size(), 0);
        return bytes.substr(0, n < 0 ? 0 : static_cast<std::size_t>(n));
    }
    std::uint16_t port = 0;

private:
    int fd_;
};

TEST(HepSender, DeliversInOrder) {
    HepServer server;
    HepSender sender(
        {.host = "localhost", .port = server.port, .capture_id = 9, .key = base::Secret("k")});
    for (const char* text : {"one", "two", "three"}) {
        HepPacket packet{.from = wire_address("192.0.2.1:1"), .to = wire_address("192.0.2.1:2")};
        packet.payload = text;
        sender.send(packet);
        EXPECT_EQ(server.receive(), write_hep(packet, 9, "k"));
    }
    EXPECT_EQ(sender.counters().lost, 0U);
}

// Neither a name that does not exist nor a port where nobody listens holds anybody up.
TEST(HepSender, NobodyWaitsForAServerThatIsAway) {
    std::uint16_t gone = 0;
    {
        HepServer server;
        gone = server.port;
    }
    for (const std::string host : {"127.0.0.1", "nowhere.invalid"}) {
        HepSender sender({.host = host, .port = gone});
        for (std::size_t i = 0; i < 3 * HepSender::kMaxWaiting; ++i) sender.send({.payload = "x"});
    }
}

}  // namespace
}  // namespace offhook::trace

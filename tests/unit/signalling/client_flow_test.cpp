// Client flows over UDP, TCP and TLS, against real sockets on loopback.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "http/certificates.h"
#include "signalling/client_flow_bench.h"
#include "signalling/sip_server.h"

namespace offhook::test {
namespace {

using signalling::sip::Fd;
using signalling::sip::FlowTarget;
using signalling::sip::local_address_of;
using signalling::sip::SocketAddress;
using signalling::sip::Transport;

const std::string kPing = "\r\n\r\n";

Fd udp_peer(const char* host = "127.0.0.1") {
    Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const SocketAddress any = *SocketAddress::parse(host, 0);
    EXPECT_EQ(bind(fd.get(), any.raw(), any.length), 0);
    return fd;
}

void send_to(const Fd& from, const SocketAddress& to, const std::string& text) {
    EXPECT_EQ(sendto(from.get(), text.data(), text.size(), 0, to.raw(), to.length),
              static_cast<ssize_t>(text.size()));
}

/// The next datagram, or nothing yet.
std::string next_datagram(const Fd& fd, int* tos = nullptr) {
    std::array<char, 4096> bytes{};
    std::array<char, 64> control{};
    iovec part{bytes.data(), bytes.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t n = recvmsg(fd.get(), &header, 0);
    if (n <= 0) return {};
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); tos != nullptr && c != nullptr;
         c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
            *tos = *reinterpret_cast<const unsigned char*>(CMSG_DATA(c));
        }
    }
    return {bytes.data(), static_cast<std::size_t>(n)};
}

class UdpClientFlow : public ClientFlowBench {
protected:
    Fd peer_ = udp_peer();
    SocketAddress peer_address_ = local_address_of(peer_.get());
};

TEST_F(UdpClientFlow, OpensOnTheAddressThatLeadsToTheProxyAndCarriesBothWays) {
    FlowTarget to = target(Transport::Udp, peer_address_.port());
    ASSERT_EQ(open(to), "");
    EXPECT_EQ(flow_->local().host(), "127.0.0.1");
    EXPECT_NE(flow_->local().port(), 0);
    EXPECT_EQ(flow_->account(), "office");
    EXPECT_FALSE(flow_->is_insecure());
    EXPECT_TRUE(flow_->host_alias().empty());

    const int on = 1;
    setsockopt(peer_.get(), IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
    ASSERT_TRUE(flow_->send("hello", peer_address_));
    int tos = -1;
    std::string heard;
    ASSERT_TRUE(pump([&] { return !(heard = next_datagram(peer_, &tos)).empty(); }));
    EXPECT_EQ(heard, "hello");
    EXPECT_EQ(tos, 24 << 2) << "CS3";

    send_to(peer_, flow_->local(), kPing);
    send_to(peer_, flow_->local(), sip_message("one"));
    ASSERT_TRUE(pump([&] { return !messages.empty(); }));
    EXPECT_EQ(messages, std::vector{sip_message("one")});
    EXPECT_EQ(message_flow_, flow_);
    EXPECT_EQ(message_from_, peer_address_);
    EXPECT_EQ(refused, 0);
}

TEST_F(UdpClientFlow, StrangersAreAskedForAndDropped) {
    ASSERT_EQ(open(target(Transport::Udp, peer_address_.port())), "");
    const Fd stranger = udp_peer("127.0.0.2");
    const Fd other_port = udp_peer();
    send_to(stranger, flow_->local(), sip_message("stranger"));
    send_to(other_port, flow_->local(), sip_message("proxy"));
    ASSERT_TRUE(pump([&] { return !messages.empty(); }));
    EXPECT_EQ(messages, std::vector{sip_message("proxy")}) << "another port of the proxy's address";
    EXPECT_EQ(refused, 1);
}

TEST_F(UdpClientFlow, KeepsTheBindingOpen) {
    FlowTarget to = target(Transport::Udp, peer_address_.port());
    to.keepalive = 50ms;
    ASSERT_EQ(open(to), "");
    int pings = 0;
    ASSERT_TRUE(pump([&] { return (pings += next_datagram(peer_) == kPing ? 1 : 0) >= 3; }));
}

TEST_F(UdpClientFlow, SpeaksIPv6) {
    signalling::sip::ListenSpec spec{Transport::Udp, *SocketAddress::parse("::1", 0)};
    const auto peer = signalling::sip::bind_socket(spec, 0);
    if (!peer) GTEST_SKIP() << peer.error().text();
    FlowTarget to = target(Transport::Udp, 0);
    to.address = spec.address;
    ASSERT_EQ(open(to), "");
    EXPECT_EQ(flow_->local().uri_host(), "[::1]");
    ASSERT_TRUE(flow_->send("hello", spec.address));
    ASSERT_TRUE(pump([&] { return next_datagram(*peer) == "hello"; }));
    send_to(*peer, flow_->local(), sip_message("one"));
    ASSERT_TRUE(pump([&] { return !messages.empty(); }));
    EXPECT_EQ(message_from_, spec.address);
}

using TcpClientFlow = ClientFlowBench;

TEST_F(TcpClientFlow, SpeaksIPv6) {
    signalling::sip::ListenSpec spec{Transport::Tcp, *SocketAddress::parse("::1", 0)};
    const auto listener = signalling::sip::bind_socket(spec, 0);
    if (!listener) GTEST_SKIP() << listener.error().text();
    FlowTarget to = target(Transport::Tcp, 0);
    to.address = spec.address;
    ASSERT_EQ(open(to), "");
    EXPECT_EQ(flow_->local().uri_host(), "[::1]");
    const Fd accepted(accept(listener->get(), nullptr, nullptr));
    ASSERT_TRUE(accepted);
    ASSERT_TRUE(flow_->send("hello", {}));
    std::array<char, 16> bytes{};
    EXPECT_EQ(recv(accepted.get(), bytes.data(), bytes.size(), 0), 5);
}

TEST_F(UdpClientFlow, NoRouteIsASentence) {
    FlowTarget to = target(Transport::Udp, 5060);
    to.address = *SocketAddress::parse("255.255.255.255", 5060);  // no broadcast from this socket
    EXPECT_NE(open(to).find("check the network"), std::string::npos) << closed.back();
    EXPECT_EQ(closed.size(), 1U);
}

TEST_F(UdpClientFlow, ASocketThatItsReceiverClosesIsNotReadOn) {
    ASSERT_EQ(open(target(Transport::Udp, peer_address_.port())), "");
    when_message = [this] { flows_->close(*flow_); };
    for (int i = 0; i < 3; ++i) send_to(peer_, flow_->local(), sip_message("one"));
    ASSERT_TRUE(pump([&] { return !messages.empty(); }));
    pump([] { return false; }, 20ms);
    EXPECT_EQ(messages.size(), 1U);
    EXPECT_FALSE(flow_->send("late", peer_address_));
    EXPECT_TRUE(closed.empty()) << "close() is not reported";
}

class StreamClientFlow : public ClientFlowBench, public ::testing::WithParamInterface<Transport> {
protected:
    StreamClientFlow() {
        if (GetParam() == Transport::Tls) {
            certificates_.emplace();
            pem_ = certificates_->issue("server", "DNS:pbx.test");
        }
    }
    void serve(bool answers_pings = true) {
        server_.emplace(SipServer::Options{
            .transport = GetParam(), .pem = pem_, .answers_pings = answers_pings});
    }
    FlowTarget to_server() const {
        return target(GetParam(), server_->port(), certificates_ ? certificates_->ca_file() : "");
    }

    std::optional<testing::Certificates> certificates_;
    std::string pem_;
    std::optional<SipServer> server_;
};

TEST_P(StreamClientFlow, CarriesBothWays) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    EXPECT_TRUE(flow_->is_open());
    EXPECT_FALSE(flow_->is_insecure());
    EXPECT_EQ(flow_->local().host(), "127.0.0.1");
    EXPECT_NE(flow_->local().port(), 0);
    ASSERT_TRUE(flow_->send("hello", {}));
    EXPECT_EQ(server_->receive(), "hello");
    server_->send(sip_message("one"));
    ASSERT_TRUE(pump([&] { return !messages.empty(); }));
    EXPECT_EQ(messages, std::vector{sip_message("one")});
    EXPECT_EQ(message_flow_, flow_);
    EXPECT_EQ(message_from_.port(), server_->port());
}

TEST_P(StreamClientFlow, MessagesInPiecesAndTogether) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    const std::string first = sip_message("first", 20'000);
    for (std::size_t at = 0; at < first.size(); at += 701) server_->send(first.substr(at, 701));
    server_->send("\r\n\r\n" + sip_message("second") + sip_message("third"));
    ASSERT_TRUE(pump([&] { return messages.size() == 3; }));
    EXPECT_EQ(
        messages,
        (std::vector{sip_message("first", 20'000), sip_message("second"), sip_message("third")}));
    EXPECT_EQ(server_->receive(), "\r\n") << "the answer to its keep-alive";
}

TEST_P(StreamClientFlow, AMessageOverTheBoundEndsTheFlow) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    server_->send(sip_message("fits", 60'000));
    ASSERT_TRUE(pump([&] { return messages.size() == 1; }));
    server_->send(sip_message("too-long", 70'000));
    ASSERT_TRUE(pump([&] { return !closed.empty(); }));
    EXPECT_EQ(malformed, std::vector<std::string>{"message too long"});
    EXPECT_EQ(messages.size(), 1U);
}

TEST_P(StreamClientFlow, ASlowReaderIsLetGoAtTheBoundOfItsQueue) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    server_->freeze();
    const std::int64_t frozen_ns = base::monotonic_ns();
    const std::string message = sip_message("big", 30'000);
    std::size_t taken = 0;
    // Socket buffers take some megabytes before our own queue begins to fill.
    while (taken < 64 * 1024 * 1024 && flow_->send(message, {})) {
        taken += message.size();
        g_main_context_iteration(context_.get(), FALSE);
    }
    EXPECT_LT(taken, 64U * 1024 * 1024);
    EXPECT_FALSE(flow_->is_open());
    EXPECT_TRUE(closed.empty()) << "told from inside send()";
    EXPECT_LT(base::monotonic_ns() - frozen_ns, 3 * base::kNsPerS) << "its end was waited for";
    ASSERT_TRUE(pump([&] { return !closed.empty(); }));
    EXPECT_NE(closed[0].find("too slowly"), std::string::npos) << closed[0];
}

TEST_P(StreamClientFlow, WhatTheKernelDoesNotTakeAtOnceFollows) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    std::string sent;
    std::string heard;
    for (int i = 0; i < 30; ++i) {
        // Some of these find the socket full, and one of TLS half sent.
        for (int j = 0; j < 4; ++j) {
            const std::string message = sip_message(std::to_string(sent.size()), 50'000);
            ASSERT_TRUE(flow_->send(message, {})) << "after " << sent.size() << " bytes";
            sent += message;
        }
        ASSERT_TRUE(pump([&] {
            heard += server_->receive(0ms);
            return heard.size() == sent.size();
        }));
    }
    EXPECT_TRUE(heard == sent) << "something was lost or came twice";
}

TEST_P(StreamClientFlow, AServerThatClosesIsNamed) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    server_->close();
    ASSERT_TRUE(pump([&] { return !closed.empty(); }));
    EXPECT_NE(closed[0].find("closed the connection"), std::string::npos) << closed[0];
}

TEST_P(StreamClientFlow, AServerThatOnceAnsweredKeepAlivesAndFallsSilentIsLost) {
    serve();
    FlowTarget to = to_server();
    to.keepalive = 100ms;
    to.keepalive_timeout = 300ms;
    ASSERT_EQ(open(to), "");
    ASSERT_TRUE(pump([&] { return server_->pings() >= 2; }));
    pump([] { return false; }, 100ms);
    EXPECT_TRUE(closed.empty());
    server_->freeze();
    const std::int64_t frozen_ns = base::monotonic_ns();
    ASSERT_TRUE(pump([&] { return !closed.empty(); }));
    EXPECT_NE(closed[0].find("no answer to a keep-alive"), std::string::npos) << closed[0];
    EXPECT_LT(base::monotonic_ns() - frozen_ns, 1'500 * base::kNsPerMs);
}

TEST_P(StreamClientFlow, AServerThatNeverAnswersKeepAlivesIsKept) {
    serve(false);
    FlowTarget to = to_server();
    to.keepalive = 40ms;
    to.keepalive_timeout = 60ms;
    ASSERT_EQ(open(to), "");
    ASSERT_TRUE(pump([&] { return server_->pings() >= 8; }));
    EXPECT_TRUE(closed.empty());
    flows_->expect_pongs(*flow_);
    ASSERT_TRUE(pump([&] { return !closed.empty(); })) << "unless it said that it would";
}

TEST_P(StreamClientFlow, CloseIsNotReportedAndMayComeFromAnyCallback) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    when_message = [this] { flows_->close(*flow_); };
    server_->send(sip_message("one") + sip_message("two"));
    ASSERT_TRUE(pump([&] { return !messages.empty(); }));
    ASSERT_TRUE(server_->wait_closed());
    EXPECT_EQ(messages.size(), 1U);
    EXPECT_TRUE(closed.empty());
}

TEST_P(StreamClientFlow, ANewFlowMayBeOpenedWhereTheOldOneEnded) {
    serve();
    ASSERT_EQ(open(to_server()), "");
    when_closed = [this] { flow_ = flows_->open(to_server(), *this); };
    server_->close();
    ASSERT_TRUE(pump([&] { return opened == 2; }));
    EXPECT_TRUE(flow_->is_open());
}

TEST_P(StreamClientFlow, RefusedIsASentence) {
    serve();
    const FlowTarget to = to_server();
    server_.reset();
    const std::string why = open(to);
    EXPECT_NE(why.find("connection refused by 127.0.0.1:"), std::string::npos) << why;
    EXPECT_NE(why.find("check the port"), std::string::npos) << why;
}

INSTANTIATE_TEST_SUITE_P(Transports,
                         StreamClientFlow,
                         ::testing::Values(Transport::Tcp, Transport::Tls),
                         [](const auto& which) {
                             return std::string(signalling::sip::name_of(which.param));
                         });

class TlsClientFlow : public ClientFlowBench {
protected:
    FlowTarget serve(const std::string& pem) {
        server_.emplace(SipServer::Options{.transport = Transport::Tls, .pem = pem});
        return target(Transport::Tls, server_->port(), certificates_.ca_file());
    }
    static bool says(const std::string& sentence, std::string_view what) {
        return sentence.find(what) != std::string::npos;
    }
    testing::Certificates certificates_;
    std::optional<SipServer> server_;
};

TEST_F(TlsClientFlow, TheNameIsCheckedAndNotTheAddress) {
    FlowTarget to = serve(certificates_.issue("other", "DNS:other.test"));
    const std::string why = open(to);
    EXPECT_TRUE(says(why, "it is for other.test and not for \"pbx.test\"")) << why;
    to.tls.server_name = "other.test";
    closed.clear();
    EXPECT_EQ(open(to), "") << "tls_name overrides the host";
}

TEST_F(TlsClientFlow, AnAddressIsANameToo) {
    FlowTarget to = serve(certificates_.issue("address", "IP:127.0.0.1"));
    EXPECT_TRUE(says(open(to), "it is for 127.0.0.1 and not for \"pbx.test\""));
    to.host.clear();
    closed.clear();
    EXPECT_EQ(open(to), "");
}

TEST_F(TlsClientFlow, AnUnknownAuthorityIsRefused) {
    FlowTarget to = serve(certificates_.issue("server", "DNS:pbx.test"));
    const testing::Certificates others;
    to.tls.ca_file = others.ca_file();
    std::string why = open(to);
    EXPECT_TRUE(says(why, "signed by an authority that is not trusted here (CN=test authority)"))
        << why;
    to.tls.ca_file.clear();  // the system's
    closed.clear();
    why = open(to);
    EXPECT_TRUE(says(why, "not trusted here")) << why;
}

TEST_F(TlsClientFlow, ASelfSignedCertificateIsRefusedByItsName) {
    const std::string pem = certificates_.self_signed("own", "DNS:pbx.test");
    const std::string why = open(serve(pem));
    EXPECT_TRUE(says(why, "it is self-signed")) << why;
    FlowTarget to = target(Transport::Tls, server_->port(), pem);
    closed.clear();
    EXPECT_EQ(open(to), "") << "given as CA file it is trusted";
}

TEST_F(TlsClientFlow, AnExpiredCertificateIsRefused) {
    const std::string why = open(serve(certificates_.issue("old", "DNS:pbx.test", -1)));
    EXPECT_TRUE(says(why, "it expired on 20")) << why;
}

TEST_F(TlsClientFlow, InsecureAcceptsAnythingAndSaysSo) {
    FlowTarget to = serve(certificates_.issue("old", "DNS:other.test", -1));
    to.tls.ca_file.clear();
    to.tls.insecure = true;
    EXPECT_EQ(open(to), "");
    EXPECT_TRUE(flow_->is_insecure());
}

TEST_F(TlsClientFlow, ACaFileThatCannotBeUsedIsASentence) {
    FlowTarget to = serve(certificates_.issue("server", "DNS:pbx.test"));
    to.tls.ca_file = certificates_.folder() + "/absent.pem";
    EXPECT_TRUE(says(open(to), "absent.pem: it has to be a readable PEM file"));
    closed.clear();
    to.tls.ca_file = certificates_.folder() + "/ca.key";  // a PEM file, and no certificate
    EXPECT_FALSE(open(to).empty());
}

TEST_F(TlsClientFlow, APeerWithoutTlsIsNamed) {
    const SipServer plain(SipServer::Options{.transport = Transport::Tcp});
    FlowTarget to = target(Transport::Tls, plain.port(), certificates_.ca_file());
    // It waits for us, and we for it.
    const std::int64_t begun_ns = base::monotonic_ns();
    const std::string why = open(to);
    EXPECT_TRUE(says(why, "check that this port speaks TLS")) << why;
    EXPECT_LT(base::monotonic_ns() - begun_ns, 7 * base::kNsPerS);
}

TEST_F(TlsClientFlow, ClosedWhileItOpensIsNeverHeardOf) {
    FlowTarget to = serve(certificates_.issue("server", "DNS:pbx.test"));
    flow_ = flows_->open(to, *this);
    flows_->close(*flow_);
    pump([] { return false; }, 200ms);
    EXPECT_EQ(opened, 0);
    EXPECT_TRUE(closed.empty());
}

}  // namespace
}  // namespace offhook::test

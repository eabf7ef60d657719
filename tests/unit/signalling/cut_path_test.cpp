// A path that is really cut: the process has a network of its own, whose only interface goes down.
// What a frozen server cannot show, because its kernel goes on acknowledging.
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cstdio>

#include "http/certificates.h"
#include "signalling/client_flow_bench.h"
#include "signalling/sip_server.h"

namespace offhook::test {
namespace {

using signalling::sip::Fd;
using signalling::sip::FlowTarget;
using signalling::sip::Transport;

constexpr int kSkip = 77;

bool set_loopback(bool up) {
    const Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::snprintf(request.ifr_name, sizeof(request.ifr_name), "lo");
    if (ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0) return false;
    const int flags = up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP;
    request.ifr_flags = static_cast<short>(flags);
    return ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

class CutPath : public ClientFlowBench, public ::testing::WithParamInterface<Transport> {
protected:
    CutPath() {
        const Transport transport = GetParam();
        if (transport == Transport::Tls || transport == Transport::Wss) {
            certificates_.emplace();
            pem_ = certificates_->issue("server", "DNS:pbx.test");
        }
        server_.emplace(
            SipServer::Options{.transport = transport, .pem = pem_, .answers_pings = false});
        to_ = target(transport, server_->port(), certificates_ ? certificates_->ca_file() : "");
        to_.keepalive = 2s;
        to_.keepalive_timeout = 1s;
    }
    ~CutPath() override { set_loopback(true); }

    std::optional<testing::Certificates> certificates_;
    std::string pem_;
    std::optional<SipServer> server_;
    FlowTarget to_;
};

TEST_P(CutPath, IsNoticedWithinKeepAliveAndItsTimeout) {
    ASSERT_EQ(open(to_), "");
    pump([] { return false; }, 3500ms);
    ASSERT_TRUE(closed.empty()) << "a server without pongs is kept: " << closed[0];
    ASSERT_TRUE(set_loopback(false));
    const std::int64_t cut_ns = base::monotonic_ns();
    ASSERT_TRUE(pump([&] { return !closed.empty(); }, 10s));
    EXPECT_NE(closed[0].find("the path is cut"), std::string::npos) << closed[0];
    const double seconds =
        static_cast<double>(base::monotonic_ns() - cut_ns) / static_cast<double>(base::kNsPerS);
    std::printf("noticed after %.2f s: %s\n", seconds, closed[0].c_str());
    EXPECT_LT(seconds, 4.0)
        << "2 s to the next keep-alive, 1 s of patience, and the kernel's timer";

    ASSERT_TRUE(set_loopback(true));
    closed.clear();
    EXPECT_EQ(open(to_), "") << "the way is back";
}

class NoPath : public ClientFlowBench {};

TEST_F(NoPath, IsASentenceWithinTheConnectTimeout) {
    const SipServer server(SipServer::Options{.transport = Transport::Tcp});
    FlowTarget to = target(Transport::Tcp, server.port());
    to.keepalive_timeout = 1s;
    ASSERT_TRUE(set_loopback(false));
    const std::int64_t begun_ns = base::monotonic_ns();
    const std::string why = open(to);
    set_loopback(true);
    EXPECT_NE(why.find("in 5 s: check the address, and firewalls on the way"), std::string::npos)
        << why;
    EXPECT_LT(base::monotonic_ns() - begun_ns, 7 * base::kNsPerS);
}

INSTANTIATE_TEST_SUITE_P(
    Transports,
    CutPath,
    ::testing::Values(Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss),
    [](const auto& which) { return std::string(signalling::sip::name_of(which.param)); });

}  // namespace
}  // namespace offhook::test

int main(int argc, char** argv) {
    // Before the first thread: a user namespace is given to single-threaded processes only.
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 || !offhook::test::set_loopback(true)) {
        std::puts("skipped: this system gives no network namespace to a process");
        return offhook::test::kSkip;
    }
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}

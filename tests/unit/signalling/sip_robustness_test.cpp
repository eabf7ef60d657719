// What strangers, broken peers and bad networks send.
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <unistd.h>

#include <cstdio>
#include <random>

#include "scripted_uac.h"
#include "signalling/sip/message.h"

namespace offhook::test {
namespace {

/// Everything but 127.0.0.2.
bool allow_others(const sockaddr* address) {
    return address->sa_family != AF_INET ||
           reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr != htonl(0x7F000002);
}

long resident_kib() {
    long total = 0;
    long resident = 0;
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr) return 0;
    const int fields = std::fscanf(file, "%ld %ld", &total, &resident);
    std::fclose(file);
    return fields == 2 ? resident * (sysconf(_SC_PAGESIZE) / 1024) : 0;
}

TEST(SipRobustness, SourcesOutsideAllowHearNothing) {
    Bench bench([](auto& settings) { settings.allow = allow_others; });
    bench.answer_all();
    ScriptedUac stranger(bench, ScriptedUac::Over::Udp, "127.0.0.2");
    stranger.send(stranger.request("INVITE", plain_offer()));
    stranger.send(stranger.request("OPTIONS"));
    ScriptedUac connecting(bench, ScriptedUac::Over::Tcp, "127.0.0.2");
    connecting.send(connecting.request("OPTIONS"));
    EXPECT_TRUE(connecting.is_closed());
    ScriptedUac friendly(bench, ScriptedUac::Over::Udp);
    friendly.send(friendly.request("OPTIONS"));
    EXPECT_EQ(friendly.receive().status(), 200);
    EXPECT_TRUE(stranger.is_silent(20ms));
    EXPECT_EQ(bench.stack().counters().refused_sources, 3U);
    EXPECT_FALSE(bench.events.saw("incoming"));
}

TEST(SipRobustness, LoopbackIsTheDefault) {
    Bench bench;
    ScriptedUac uac(bench, ScriptedUac::Over::Udp, "127.1.2.3");
    uac.send(uac.request("OPTIONS"));
    EXPECT_EQ(uac.receive().status(), 200);
}

TEST(SipRobustness, WildcardListenerAnswersFromTheAddressThatWasCalled) {
    Bench bench([](auto& settings) { settings.listen = {"udp:0.0.0.0:0", "tcp:0.0.0.0:0"}; });
    bench.answer_all();
    for (const auto over : {ScriptedUac::Over::Udp, ScriptedUac::Over::Tcp}) {
        ScriptedUac uac(bench, over);
        uac.send(uac.request("INVITE", plain_offer()));
        EXPECT_TRUE(uac.expect(200).header("Contact").starts_with("<sip:offhook@127.0.0.1:"));
    }
}

TEST(SipRobustness, AdvertisedHostIsInContact) {
    Bench bench([](auto& settings) { settings.advertise = "sip.example.com"; });
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Tcp);
    uac.send(uac.request("INVITE", plain_offer()));
    EXPECT_EQ(
        uac.expect(200).header("Contact"),
        "<sip:offhook@sip.example.com:" + std::to_string(bench.port("tcp")) + ";transport=tcp>");
}

TEST(SipRobustness, ListenersThatCannotBe) {
    ControlQueue control;
    Recorder events;
    for (const char* listen : {"sctp:127.0.0.1:0",
                               "udp:127.0.0.1",
                               "udp:127.0.0.1:x",
                               "udp:localhost:5060",
                               "udp:::1",
                               ""}) {
        signalling::sip::SipSettings settings;
        settings.listen = {listen};
        const auto started = signalling::sip::SipStack::start(settings, control, events);
        ASSERT_FALSE(started) << listen;
        EXPECT_EQ(started.error().code, base::ErrorCode::InvalidArgument);
    }
    Bench bench;
    signalling::sip::SipSettings taken;
    taken.listen = {"tcp:127.0.0.1:" + std::to_string(bench.port("tcp"))};
    const auto started = signalling::sip::SipStack::start(taken, control, events);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, base::ErrorCode::Io);
}

TEST(SipRobustness, GarbageFloodLeavesCallsAlone) {
    Bench bench;
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    ASSERT_FALSE(uac.call(plain_offer()).empty());
    ScriptedUac noisy(bench, ScriptedUac::Over::Udp);
    std::mt19937 random(7);
    for (int i = 0; i < 2000; ++i) {
        std::string junk(1 + random() % 600, ' ');
        for (char& c : junk) c = static_cast<char>(random() % 256);
        junk[0] = 'x';
        noisy.send(junk);
        // One datagram at a time would be slow, all at once would overflow the socket buffer.
        if (i % 50 == 49) {
            const auto seen = static_cast<std::uint64_t>(i + 1);
            ASSERT_TRUE(bench.wait([&] { return bench.stack().counters().malformed == seen; }));
        }
    }
    noisy.send("\r\n\r\n");  // a keep-alive is not malformed
    std::string many = uac.request("OPTIONS");
    many.insert(many.find("Max-Forwards"), [] {
        std::string lines;
        for (int i = 0; i < 3000; ++i) lines += "a:\r\n";
        return lines;
    }());
    noisy.send(many);
    noisy.send("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP x\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().malformed == 2002; }));
    EXPECT_TRUE(noisy.is_silent(10ms));
    uac.send(uac.request("BYE"));
    EXPECT_EQ(uac.receive().status(), 200);
}

TEST(SipRobustness, StrayResponsesAreDropped) {
    Bench bench;
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    uac.send(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n");
    uac.send("SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n");
    uac.send(uac.request("OPTIONS"));
    EXPECT_EQ(uac.receive().status(), 200);
    EXPECT_EQ(bench.stack().counters().requests, 1U);
}

TEST(SipRobustness, TcpSegmentsOfAnySize) {
    Bench bench;
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Tcp);
    const std::string invite = uac.request("INVITE", plain_offer());
    for (std::size_t at = 0; at < invite.size(); at += 7)
        uac.send(std::string_view(invite).substr(at, 7));
    uac.learn(uac.expect(200));
    // ACK, a keep-alive and three requests in one segment.
    std::string several = uac.request("ACK") + "\r\n\r\n";
    for (int i = 0; i < 3; ++i) several += uac.request("OPTIONS");
    uac.send(several + uac.request("BYE"));
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(uac.receive().status(), 200);
    }
    EXPECT_EQ(uac.receive().header("CSeq"), "5 BYE");
    EXPECT_EQ(uac.pongs, 1);
    EXPECT_TRUE(bench.wait([&] { return bench.events.saw("ended caller-hangup"); }));
}

TEST(SipRobustness, TcpStreamsThatCannotBeCutAreClosed) {
    Bench bench;
    for (const std::string& text :
         {std::string("OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n"),
          std::string("OPTIONS sip:a SIP/2.0\r\nContent-Length: 1000000\r\n\r\n"),
          std::string(70'000, 'x')}) {
        ScriptedUac uac(bench, ScriptedUac::Over::Tcp);
        uac.send(text);
        EXPECT_TRUE(uac.is_closed());
    }
    EXPECT_EQ(bench.stack().counters().malformed, 3U);
}

TEST(SipRobustness, TcpGarbageMessageCostsOnlyItself) {
    Bench bench;
    ScriptedUac uac(bench, ScriptedUac::Over::Tcp);
    uac.send("complete nonsense\r\nContent-Length: 3\r\n\r\nabc" + uac.request("OPTIONS"));
    EXPECT_EQ(uac.receive().status(), 200);
    EXPECT_EQ(bench.stack().counters().malformed, 1U);
}

TEST(SipRobustness, TcpSlowAndIdleConnectionsAreClosed) {
    Bench bench([](auto& settings) {
        settings.tcp_incomplete = 1ms;
        settings.tcp_idle = 60'000ms;
    });
    ScriptedUac slow(bench, ScriptedUac::Over::Tcp);
    slow.send("OPTIONS sip:a SIP");
    EXPECT_TRUE(slow.is_closed());
    Bench impatient([](auto& settings) { settings.tcp_idle = 1ms; });
    ScriptedUac idle(impatient, ScriptedUac::Over::Tcp);
    EXPECT_TRUE(idle.is_closed());
}

TEST(SipRobustness, TcpConnectionsAreLimited) {
    Bench bench([](auto& settings) { settings.max_connections_per_source = 2; });
    ScriptedUac first(bench, ScriptedUac::Over::Tcp);
    auto second = std::make_unique<ScriptedUac>(bench, ScriptedUac::Over::Tcp);
    for (auto* uac : {&first, second.get()}) {
        uac->send(uac->request("OPTIONS"));
        EXPECT_EQ(uac->receive().status(), 200);
    }
    EXPECT_TRUE(ScriptedUac(bench, ScriptedUac::Over::Tcp).is_closed());
    second.reset();
    // The place is free once the stack has seen the close.
    EXPECT_TRUE(bench.wait([&] {
        ScriptedUac third(bench, ScriptedUac::Over::Tcp);
        third.send(third.request("OPTIONS"));
        return third.receive(1000ms).status() == 200;
    }));
}

TEST(SipRobustness, MutatedMessagesNeitherCrashNorBlock) {
    Bench bench([](auto& settings) {
        settings.t1 = 2ms;  // transactions that the mutations begin end soon
        settings.t2 = 8ms;
        settings.t4 = 8ms;
    });
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    std::mt19937 random(20261120);
    const std::string pieces[] = {"\r\n",     ";",        ",",
                                  "<",        ">",        "\"",
                                  "sip:",     ":",        "%00",
                                  "=",        " ",        "\t",
                                  "@",        "z9hG4bK",  "SIP/2.0",
                                  "\r\n\r\n", ";tag=",    "[::",
                                  "l:9",      "[",        "CSeq: 99999999999 INVITE\r\n",
                                  "Via: ",    "\xff\xfe", "Contact: *\r\n"};
    for (int i = 0; i < 20'000; ++i) {
        uac.new_call();
        static constexpr const char* kMethods[] = {
            "INVITE", "OPTIONS", "ACK", "BYE", "CANCEL", "INFO", "REGISTER"};
        std::string text = uac.request(kMethods[random() % std::size(kMethods)],
                                       random() % 2 ? plain_offer() : "");
        if (random() % 8 == 0) text = "SIP/2.0 200 OK" + text.substr(text.find("\r\n"));
        const auto changes = 1 + random() % 3;
        for (unsigned c = 0; c < changes && !text.empty(); ++c) {
            const auto at = random() % text.size();
            switch (random() % 6) {
                case 0:
                    text[at] = static_cast<char>(random() % 256);
                    break;
                case 1:
                    text.erase(at, 1 + random() % 30);
                    break;
                case 2:
                    text.insert(at, pieces[random() % std::size(pieces)]);
                    break;
                case 3:
                    text.insert(at, text.substr(random() % text.size(), random() % 80));
                    break;
                case 4:
                    text.insert(at, std::string(random() % 300, static_cast<char>(random() % 256)));
                    break;
                default:
                    if (random() % 8 == 0) text.resize(at);
                    break;
            }
        }
        uac.send(text);
        if (i % 20 == 19) {  // more at once may not fit the socket buffer
            while (!uac.receive(0ms).empty()) {
            }
            // A good request behind them shows that the stack is there and has read them all. It is
            // repeated because the 200s that nobody acknowledges may fill our own socket buffer.
            uac.new_call();
            const std::string ping = uac.request("OPTIONS");
            bool is_answered = false;
            for (int attempt = 0; attempt < 20 && !is_answered; ++attempt) {
                uac.send(ping);
                for (Message answer = uac.receive(250ms); !answer.empty();
                     answer = uac.receive(250ms)) {
                    is_answered = answer.header("Call-ID") == uac.call_id && answer.status() == 200;
                    if (is_answered) break;
                }
            }
            ASSERT_TRUE(is_answered) << i;
        }
    }
    EXPECT_GT(bench.stack().counters().malformed, 1000U);
    EXPECT_GT(bench.stack().counters().requests, 4000U);
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().transactions == 0; }, 20'000ms));
}

TEST(SipRobustness, TwoThousandCallsLeaveNothing) {
    Bench bench([](auto& settings) { settings.t1 = 4ms; });
    bench.answer_all();
    ScriptedUac uac(bench, ScriptedUac::Over::Udp);
    const auto calls = [&](int count) {
        for (int i = 0; i < count; ++i) {
            uac.new_call();
            if (uac.call(plain_offer()).empty()) return false;
            uac.send(uac.request("BYE"));
            if (uac.expect(200).empty()) return false;
            bench.events.lines.clear();
            bench.events.calls.clear();
        }
        return bench.wait([&] { return bench.stack().counters().dialogs == 0; });
    };
    ASSERT_TRUE(calls(500));
    const long before_kib = resident_kib();
    ASSERT_TRUE(calls(2000));
    EXPECT_EQ(bench.stack().counters().invites_answered, 2500U);
    // 64*T1 after the last BYE nothing is left that could have to be repeated.
    EXPECT_TRUE(bench.wait([&] { return bench.stack().counters().transactions == 0; }));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LT(resident_kib() - before_kib, 1024);
#else
    (void)before_kib;
#endif
}

}  // namespace
}  // namespace offhook::test

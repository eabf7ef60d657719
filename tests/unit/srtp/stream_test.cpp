// What a stranger, a lossy network and a restarted peer can do to a protected stream: nothing that lasts.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <atomic>
#include <cstdlib>
#include <random>

#include "bytes.h"
#include "srtp/srtp_inbound.h"
#include "srtp/srtp_outbound.h"

namespace offhook::srtp {
namespace {

using model::SrtpSuite;
using Verdict = SrtpInbound::Verdict;

std::atomic<std::uint64_t> openssl_allocations{0};

// OpenSSL takes these only before its first allocation, so before main.
const bool counts_allocations = CRYPTO_set_mem_functions(
    [](std::size_t size, const char*, int) {
        ++openssl_allocations;
        return std::malloc(size);
    },
    [](void* old, std::size_t size, const char*, int) {
        ++openssl_allocations;
        return std::realloc(old, size);
    },
    [](void* memory, const char*, int) { std::free(memory); });

class SrtpStream : public testing::TestWithParam<SrtpSuite> {
protected:
    [[nodiscard]] Bytes sealed(std::uint32_t ssrc, std::uint16_t sequence) {
        return sealed_by(sender, rtp_packet(ssrc, sequence));
    }
    static Bytes sealed_by(SrtpOutbound& outbound, const Bytes& plain) {
        Bytes out(plain.size() + kMaxOverheadBytes);
        out.resize(outbound.protect_rtp(plain, out));
        EXPECT_GT(out.size(), plain.size());
        return out;
    }
    /// Whether the packet comes out as it went in.
    Verdict heard(Bytes packet) {
        const auto opened = receiver.open_rtp(packet);
        if (opened.verdict == Verdict::Ok) {
            packet.resize(opened.bytes);
            const auto sequence = static_cast<std::uint16_t>(packet[2] << 8 | packet[3]);
            const auto ssrc = static_cast<std::uint32_t>(packet[11]);
            EXPECT_EQ(packet, rtp_packet(ssrc, sequence));
        }
        return opened.verdict;
    }
    static Bytes forged(std::uint32_t ssrc, std::uint16_t sequence) {
        Bytes packet = rtp_packet(ssrc, sequence);
        packet.resize(packet.size() + 16, 0x11);
        return packet;
    }

    SrtpOutbound sender = *SrtpOutbound::create(GetParam(), key_of(GetParam()));
    SrtpInbound receiver = *SrtpInbound::create(GetParam(), key_of(GetParam()));
};

TEST_P(SrtpStream, GoesThroughWholeAndIsNotReadableOnTheWay) {
    for (std::uint16_t i = 0; i < 200; ++i) {
        const Bytes packet = sealed(1, i);
        EXPECT_EQ(packet.size(), 172u + model::facts_of(GetParam()).rtp_tag_bytes);
        EXPECT_FALSE(
            std::equal(packet.begin() + 12, packet.begin() + 172, rtp_packet(1, i).begin() + 12));
        EXPECT_EQ(heard(packet), Verdict::Ok);
    }
}

TEST_P(SrtpStream, HeadersWithCsrcAndExtensionStayInTheClear) {
    Bytes plain = hex("92 00 0001 00000001 00000001 00000010 00000011 bede 0001 10aa0000");
    const std::size_t header = plain.size();
    plain.resize(header + 20, 0x33);
    Bytes packet = sealed_by(sender, plain);
    EXPECT_TRUE(
        std::equal(plain.begin(), plain.begin() + static_cast<long>(header), packet.begin()));
    const auto opened = receiver.open_rtp(packet);
    EXPECT_EQ(opened.verdict, Verdict::Ok);
    packet.resize(opened.bytes);
    EXPECT_EQ(packet, plain);
}

TEST_P(SrtpStream, SequenceWrapsManyTimesWithLossAndReorder) {
    std::uint16_t sequence = 65000;
    Bytes late;
    for (int i = 0; i < 200'000; i += 1, ++sequence) {
        Bytes packet = sealed(1, sequence);
        if (i % 97 == 0) continue;  // lost
        if (i % 10 == 3) {          // overtaken by its successor, also across the wrap
            late = std::move(packet);
            continue;
        }
        ASSERT_EQ(heard(packet), Verdict::Ok) << i;
        if (!late.empty()) {
            ASSERT_EQ(heard(std::exchange(late, {})), Verdict::Ok) << i;
        }
    }
}

TEST_P(SrtpStream, ReplayedPacketsAreRefusedAlsoOldOnes) {
    std::vector<Bytes> sent;
    for (std::uint16_t i = 0; i < 100; ++i) {
        sent.push_back(sealed(1, i));
        if (i != 70) {
            EXPECT_EQ(heard(sent.back()), Verdict::Ok);
        }
    }
    for (std::uint16_t i = 0; i < 100; ++i) {
        if (i != 70) {
            EXPECT_EQ(heard(sent[i]), Verdict::Replayed) << i;
        }
    }
    EXPECT_EQ(heard(sent[70]), Verdict::Ok) << "late, but inside the window and new";
    EXPECT_EQ(heard(sent[70]), Verdict::Replayed);
}

// Counters taken from a forged packet would make every later genuine one fail.
TEST_P(SrtpStream, AForgedSequenceNumberChangesNothing) {
    ASSERT_EQ(heard(sealed(1, 40000)), Verdict::Ok);
    for (const int sequence : {10, 65535, 40100, 7000, 39999}) {
        EXPECT_NE(heard(forged(1, static_cast<std::uint16_t>(sequence))), Verdict::Ok);
    }
    for (std::uint16_t i = 1; i < 100; ++i) {
        EXPECT_EQ(heard(sealed(1, static_cast<std::uint16_t>(40000 + i))), Verdict::Ok);
    }
}

TEST_P(SrtpStream, ForgedSsrcsTakeNobodysPlace) {
    ASSERT_EQ(heard(sealed(1, 100)), Verdict::Ok);
    for (std::uint32_t ssrc = 2; ssrc < 200; ++ssrc) {
        EXPECT_EQ(heard(forged(ssrc, 5)), Verdict::AuthFailed);
    }
    EXPECT_EQ(heard(sealed(1, 101)), Verdict::Ok);
    EXPECT_EQ(heard(sealed(1, 100)), Verdict::Replayed) << "the window was not forgotten";
}

TEST_P(SrtpStream, AForgedFirstPacketDoesNotDecideWhereTheStreamBegins) {
    EXPECT_EQ(heard(forged(1, 65000)), Verdict::AuthFailed);
    for (std::uint16_t i = 5; i < 50; ++i) EXPECT_EQ(heard(sealed(1, i)), Verdict::Ok);
}

TEST_P(SrtpStream, WeMayJoinJustAfterThePeersNumbersWrapped) {
    for (std::uint32_t i = 65500; i < 65536; ++i) (void)sealed(1, static_cast<std::uint16_t>(i));
    for (std::uint16_t i = 0; i < 100; ++i) (void)sealed(1, i);
    EXPECT_EQ(heard(sealed(1, 100)), Verdict::Ok);
    EXPECT_EQ(heard(sealed(1, 101)), Verdict::Ok);
}

TEST_P(SrtpStream, ANewSsrcUnderTheSameKeyBeginsAnew) {
    for (std::uint32_t i = 65000; i < 65536 + 200; ++i)
        ASSERT_EQ(heard(sealed(1, static_cast<std::uint16_t>(i))), Verdict::Ok);
    auto restarted = *SrtpOutbound::create(GetParam(), key_of(GetParam()));
    for (std::uint16_t i = 50000; i < 50100; ++i) {
        EXPECT_EQ(heard(sealed_by(restarted, rtp_packet(2, i))), Verdict::Ok);
    }
    EXPECT_EQ(heard(sealed(1, 200)), Verdict::Ok) << "the first stream kept its rollover";
}

TEST_P(SrtpStream, APeerThatRestartsFurtherOnIsHeard) {
    ASSERT_EQ(heard(sealed(1, 100)), Verdict::Ok);
    auto restarted = *SrtpOutbound::create(GetParam(), key_of(GetParam()));
    EXPECT_EQ(heard(sealed_by(restarted, rtp_packet(1, 50000))), Verdict::Ok)
        << "more than half the circle ahead, and still the first round";
}

TEST_P(SrtpStream, AnotherKeyIsRefusedAndHarmsNothing) {
    auto stranger = *SrtpOutbound::create(GetParam(), key_of(GetParam(), 99));
    for (std::uint16_t i = 0; i < 100; ++i) {
        EXPECT_EQ(heard(sealed_by(stranger, rtp_packet(1, i))), Verdict::AuthFailed);
        EXPECT_EQ(heard(sealed(1, i)), Verdict::Ok);
    }
}

TEST_P(SrtpStream, WhatIsRefusedIsLeftAsItWas) {
    Bytes packet = forged(1, 5);
    const Bytes before = packet;
    EXPECT_EQ(receiver.open_rtp(packet).verdict, Verdict::AuthFailed);
    EXPECT_EQ(packet, before);
}

TEST_P(SrtpStream, ReportsAreProtectedNumberedAndNotReplayed) {
    Bytes kept;
    for (int i = 0; i < 100; ++i) {
        const Bytes plain = rtcp_packet(1);
        Bytes packet(plain.size() + kMaxOverheadBytes);
        packet.resize(sender.protect_rtcp(plain, packet));
        ASSERT_GT(packet.size(), plain.size());
        EXPECT_FALSE(std::equal(packet.begin() + 8, packet.begin() + 36, plain.begin() + 8));
        kept = packet;
        const auto opened = receiver.open_rtcp(packet);
        ASSERT_EQ(opened.verdict, Verdict::Ok) << i;
        packet.resize(opened.bytes);
        EXPECT_EQ(packet, plain);
    }
    Bytes again = kept;
    EXPECT_EQ(receiver.open_rtcp(again).verdict, Verdict::Replayed);
    for (std::size_t i = 4; i < kept.size(); ++i) {
        Bytes spoilt = kept;
        spoilt[i] ^= 1;
        EXPECT_NE(receiver.open_rtcp(spoilt).verdict, Verdict::Ok) << "byte " << i;
    }
}

TEST_P(SrtpStream, EveryBitCounts) {
    const Bytes packet = sealed(1, 9);
    for (std::size_t i = 0; i < packet.size(); ++i) {
        Bytes spoilt = packet;
        spoilt[i] ^= 0x40;
        EXPECT_NE(receiver.open_rtp(spoilt).verdict, Verdict::Ok) << "byte " << i;
    }
    EXPECT_EQ(heard(packet), Verdict::Ok);
}

TEST_P(SrtpStream, TruncatedAndMutatedPacketsAreHarmless) {
    std::mt19937 random(7);
    std::uint16_t sequence = 0;
    for (int i = 0; i < 100'000; ++i) {
        const bool is_report = i % 5 == 0;
        const Bytes plain = is_report ? rtcp_packet(1) : rtp_packet(1, sequence);
        Bytes packet(plain.size() + kMaxOverheadBytes);
        packet.resize(is_report ? sender.protect_rtcp(plain, packet)
                                : sender.protect_rtp(plain, packet));
        const Bytes genuine = packet;
        if (random() % 3 == 0) packet.resize(random() % packet.size());
        for (unsigned flips = random() % 4; flips > 0 && !packet.empty(); --flips)
            packet[random() % std::min<std::size_t>(packet.size(), 24)] ^=
                static_cast<std::uint8_t>(1 + random() % 255);
        // An exact-size heap block, so that a byte read beyond it is seen.
        Bytes exact(packet);
        exact.shrink_to_fit();
        const auto opened = is_report ? receiver.open_rtcp(exact) : receiver.open_rtp(exact);
        if (packet != genuine) {
            ASSERT_NE(opened.verdict, Verdict::Ok) << i;
        }
        if (!is_report) ++sequence;
    }
    EXPECT_EQ(heard(sealed(1, sequence)), Verdict::Ok) << "and the stream goes on";
}

TEST_P(SrtpStream, OnlyWhatFitsIsWritten) {
    Bytes small(172 + 3);
    EXPECT_EQ(sender.protect_rtp(rtp_packet(1, 1), small), 0u);
    EXPECT_EQ(sender.protect_rtp(Bytes(11, 0x80), small), 0u);
    EXPECT_EQ(sender.protect_rtcp(Bytes(7, 0x80), small), 0u);
}

TEST_P(SrtpStream, NothingIsAllocatedPerPacket) {
    ASSERT_TRUE(counts_allocations);
    Bytes out(300);
    const auto pass = [&](std::uint16_t sequence) {
        const Bytes plain = rtp_packet(1, sequence);
        const std::size_t bytes = sender.protect_rtp(plain, out);
        EXPECT_EQ(receiver.open_rtp(std::span(out).first(bytes)).verdict, Verdict::Ok);
        const Bytes report = rtcp_packet(1);
        const std::size_t report_bytes = sender.protect_rtcp(report, out);
        EXPECT_EQ(receiver.open_rtcp(std::span(out).first(report_bytes)).verdict, Verdict::Ok);
        Bytes foreign = forged(1, static_cast<std::uint16_t>(sequence + 1));
        EXPECT_EQ(receiver.open_rtp(foreign).verdict, Verdict::AuthFailed);
    };
    pass(0);
    const std::uint64_t before = openssl_allocations;
    for (std::uint16_t i = 2; i < 500; i = static_cast<std::uint16_t>(i + 2)) pass(i);
    EXPECT_EQ(openssl_allocations - before, 0u);
}

INSTANTIATE_TEST_SUITE_P(Suites,
                         SrtpStream,
                         testing::Values(SrtpSuite::AeadAes128Gcm,
                                         SrtpSuite::AeadAes256Gcm,
                                         SrtpSuite::AesCm128HmacSha1_80,
                                         SrtpSuite::AesCm128HmacSha1_32),
                         [](const auto& one) {
                             return std::string(model::facts_of(one.param).name);
                         });

}  // namespace
}  // namespace offhook::srtp

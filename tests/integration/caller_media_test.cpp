// What a caller may send and offer beside 20 ms of sound over IPv4: packets of other lengths, comfort
// noise, telephone-event at other clocks, IPv6, Opus with RingCentral's clock. Judged by the sound that
// the echo sends back.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "harness/call_test.h"
#include "harness/g711.h"
#include "harness/offhook_call.h"
#include "harness/own_caller.h"

namespace offhook::harness {
namespace {

constexpr double kToneHz = 440;

std::vector<std::uint8_t> mulaw(const Sound& sound) {
    std::vector<std::uint8_t> bytes;
    for (const std::int16_t sample : sound.samples) bytes.push_back(mulaw_of(sample));
    return bytes;
}

class CallerMediaTest : public CallTest {
protected:
    double stat(const std::string& name) {
        const std::string id = daemon_->only_call();
        return daemon_->json("/api/v1/calls/" + id + "/stats").number("stats." + name);
    }
    /// The promise, judged by the caller's own clock: sequence, timestamps, pace.
    static void expect_steady(const RtpEnd& end) {
        const RtpVerdict verdict = end.stream().judge();
        EXPECT_TRUE(keeps_promise(verdict));
    }
};

class PtimeTest : public CallerMediaTest, public testing::WithParamInterface<int> {};

TEST_P(PtimeTest, IsHeardWholeAndAnsweredWith20Ms) {
    start();
    RtpEnd end("127.0.0.1");
    OwnCaller caller("127.0.0.1", daemon_->sip_port());
    OwnCaller::Offer offer;
    offer.port = end.port();
    offer.attributes.push_back("ptime:" + std::to_string(GetParam()));
    offer.attributes.push_back("maxptime:60");
    ASSERT_EQ(caller.invite(offer), 200);
    EXPECT_TRUE(caller.answer_has("a=ptime:20")) << caller.answer();
    end.set_peer(caller.answer_port());
    end.exchange(packets_of(mulaw(tone(8000, kToneHz, 2.4)), GetParam(), 0), milliseconds(3200));
    EXPECT_EQ(stat("lost_packets"), 0);
    EXPECT_EQ(stat("concealed_samples"), 0);
    EXPECT_EQ(stat("late_packets"), 0);
    EXPECT_EQ(stat("received_packets"), 2400 / GetParam());
    EXPECT_EQ(caller.bye(), 200);
    expect_steady(end);
    const auto heard = heard_tones(end.stream().sound("PCMU"), {kToneHz});
    ASSERT_EQ(heard.size(), 1U) << "chopped into " << heard.size();
    EXPECT_NEAR(heard[0].length_s, 2.4, 0.03);
}

INSTANTIATE_TEST_SUITE_P(All, PtimeTest, testing::Values(10, 30, 40, 60));

TEST_F(CallerMediaTest, ComfortNoiseIsAPauseAndNoLoss) {
    start();
    RtpEnd end("127.0.0.1");
    OwnCaller caller("127.0.0.1", daemon_->sip_port());
    OwnCaller::Offer offer;
    offer.port = end.port();
    offer.formats = "0 13 101";
    offer.attributes.push_back("rtpmap:13 CN/8000");
    ASSERT_EQ(caller.invite(offer), 200);
    end.set_peer(caller.answer_port());
    // 1 s of tone, 4 s of pause that one packet announces, 1 s of tone.
    const std::vector<std::uint8_t> second = mulaw(tone(8000, kToneHz, 1));
    std::vector<MadePacket> packets = packets_of(second, 20, 0);
    packets.push_back(
        {.at_ms = 1000, .payload_type = 13, .sequence = 51, .timestamp = 8160, .payload = {40}});
    for (MadePacket& packet : packets_of(second, 20, 0, 5000, 52, 160 + 40000))
        packets.push_back(std::move(packet));
    end.exchange(packets, milliseconds(6600));
    EXPECT_EQ(stat("lost_packets"), 0);
    EXPECT_EQ(stat("concealed_samples"), 0);
    EXPECT_EQ(stat("refused_packets"), 0);
    EXPECT_EQ(stat("playout_delay_ms"), 0);
    EXPECT_NEAR(stat("comfort_noise_samples"), 32000, 400);
    EXPECT_EQ(daemon_->count_events("call.oneway"), 0U) << "an announced pause is no dead line";
    EXPECT_EQ(caller.bye(), 200);
    expect_steady(end);
    const Sound sound = end.stream().sound("PCMU");
    const auto heard = heard_tones(sound, {kToneHz});
    ASSERT_EQ(heard.size(), 2U);
    EXPECT_NEAR(heard[1].start_s - heard[0].start_s, 5, 0.03) << "as long as it was";
    const Sound pause = sound.part(heard[0].start_s + 1.5, heard[0].start_s + 4.5);
    EXPECT_NEAR(level_dbov(pause.samples), -40, 1.5);
}

struct EventCase {
    std::string formats, events;
    int wanted_type, clock_hz;
};

class EventClockTest : public CallerMediaTest, public testing::WithParamInterface<EventCase> {};

TEST_P(EventClockTest, OpusDigitsGoBothWays) {
    Daemon::Options options;
    options.rtp = "codecs = [\"opus\"]\n";
    start(options);
    RtpEnd end("127.0.0.1");
    OwnCaller caller("127.0.0.1", daemon_->sip_port());
    const auto type = static_cast<std::uint8_t>(GetParam().wanted_type);
    OwnCaller::Offer offer;
    offer.port = end.port();
    offer.formats = GetParam().formats;
    offer.attributes = {"rtpmap:111 opus/48000/2", "rtpmap:100 telephone-event/8000"};
    if (!GetParam().events.empty()) {
        offer.attributes.push_back("rtpmap:102 telephone-event/16000");
        offer.attributes.push_back(GetParam().events);
    }
    ASSERT_EQ(caller.invite(offer), 200);
    EXPECT_TRUE(caller.answer_has("a=rtpmap:" + std::to_string(type) + " telephone-event/" +
                                  std::to_string(GetParam().clock_hz)))
        << caller.answer();
    end.set_peer(caller.answer_port());
    // A digit of 160 ms: growing durations, one timestamp, the end three times.
    std::vector<MadePacket> packets;
    for (int i = 1; i <= 10; ++i) {
        const int duration = std::min(i, 8) * GetParam().clock_hz / 50;
        packets.push_back({.at_ms = i * 20,
                           .payload_type = type,
                           .marker = i == 1,
                           .sequence = static_cast<std::uint16_t>(i),
                           .timestamp = 48000,
                           .payload = {7,
                                       static_cast<std::uint8_t>(i >= 8 ? 0x8A : 0x0A),
                                       static_cast<std::uint8_t>(duration >> 8),
                                       static_cast<std::uint8_t>(duration)}});
    }
    end.exchange(packets, milliseconds(300));
    const auto event = daemon_->wait_event("call.dtmf");
    ASSERT_TRUE(event);
    EXPECT_EQ(event->number("duration_ms"), 160);
    const std::string id = daemon_->only_call();
    EXPECT_EQ(daemon_->post("/api/v1/calls/" + id + "/dtmf", R"({"digits":"9"})").status / 100, 2);
    ASSERT_TRUE(end.wait_rtp(40, seconds(5)));
    EXPECT_EQ(caller.bye(), 200);
    std::vector<RtpPacket> digits;
    const RtpStream stream = end.stream();
    std::copy_if(stream.packets().begin(),
                 stream.packets().end(),
                 std::back_inserter(digits),
                 [&](const RtpPacket& packet) { return packet.payload_type == type; });
    ASSERT_EQ(digits.size(), 10U);
    EXPECT_EQ(digits.back().payload[0], 9);
    EXPECT_EQ(digits.back().payload[2] << 8 | digits.back().payload[3],
              GetParam().clock_hz * 160 / 1000)
        << "160 ms by the events' clock";
    for (const RtpPacket& digit : digits) EXPECT_EQ(digit.timestamp, digits[0].timestamp);
    // Of one stream with the sound: the digit begins where the frame would have.
    const auto before = std::find_if(
        stream.packets().rbegin(), stream.packets().rend(), [&](const RtpPacket& packet) {
            return packet.sequence == static_cast<std::uint16_t>(digits[0].sequence - 1);
        });
    ASSERT_NE(before, stream.packets().rend());
    EXPECT_EQ(digits[0].timestamp, before->timestamp + 960);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    EventClockTest,
    testing::Values(EventCase{"111 100 102 103", "rtpmap:103 telephone-event/48000", 103, 48000},
                    EventCase{"111 100", "", 100, 8000}),
    [](const auto& one) { return std::to_string(one.param.clock_hz); });

struct FamilyCase {
    const char* name;
    const char* sip;      ///< the caller's signalling
    const char* media;    ///< its offer
    const char* address;  ///< [rtp] address
    int status;
};

class FamilyTest : public CallerMediaTest, public testing::WithParamInterface<FamilyCase> {};

TEST_P(FamilyTest, SocketsAreOfTheFamilyTheOfferNeeds) {
    Daemon::Options options;
    options.has_ipv6 = true;
    if (*GetParam().address != '\0')
        options.rtp = "address = \"" + std::string(GetParam().address) + "\"\n";
    start(options);
    ASSERT_NE(daemon_->ipv6_port(), 0);
    start_capture();
    const std::string host = GetParam().media;
    const bool is_v6 = host == "::1";
    RtpEnd end(host);
    OwnCaller caller(
        GetParam().sip,
        std::string(GetParam().sip) == "::1" ? daemon_->ipv6_port() : daemon_->sip_port());
    OwnCaller::Offer offer;
    offer.host = host;
    offer.port = end.port();
    ASSERT_EQ(caller.invite(offer), GetParam().status);
    if (GetParam().status != 200) return;
    EXPECT_TRUE(caller.answer_has(is_v6 ? "c=IN IP6 ::1" : "c=IN IP4 127.0.0.1"))
        << caller.answer();
    end.set_peer(caller.answer_port());
    end.exchange(packets_of(mulaw(tone(8000, kToneHz, 1)), 20, 0), milliseconds(1600));
    EXPECT_EQ(caller.bye(), 200);
    expect_steady(end);
    const auto heard = heard_tones(end.stream().sound("PCMU"), {kToneHz});
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_NEAR(heard[0].length_s, 1, 0.03);
    EXPECT_TRUE(end.wait_rtcp(false, seconds(5))) << "the BYE, at least";
    EXPECT_EQ(capture_->dscp(daemon_->first_rtp_port(), daemon_->last_rtp_port()),
              std::set<int>{46});
}

INSTANTIATE_TEST_SUITE_P(
    All,
    FamilyTest,
    testing::Values(FamilyCase{"V4OverV4", "127.0.0.1", "127.0.0.1", "", 200},
                    FamilyCase{"V6OverV6", "::1", "::1", "", 200},
                    FamilyCase{"V6OverV4", "127.0.0.1", "::1", "", 200},
                    FamilyCase{"V4OverV6", "::1", "127.0.0.1", "", 200},
                    FamilyCase{"V6Configured", "127.0.0.1", "::1", "::1", 200},
                    FamilyCase{"V4OnlyConfigured", "127.0.0.1", "::1", "127.0.0.1", 488}),
    [](const auto& one) { return one.param.name; });

TEST_F(CallerMediaTest, DscpIsASetting) {
    Daemon::Options options;
    options.rtp = "dscp = 34\n";
    start(options);
    start_capture();
    RtpEnd end("127.0.0.1");
    OwnCaller caller("127.0.0.1", daemon_->sip_port());
    OwnCaller::Offer offer;
    offer.port = end.port();
    ASSERT_EQ(caller.invite(offer), 200);
    end.set_peer(caller.answer_port());
    EXPECT_TRUE(end.wait_rtp(10, seconds(5)));
    EXPECT_EQ(caller.bye(), 200);
    EXPECT_TRUE(end.wait_rtcp(false, seconds(5)));
    EXPECT_EQ(capture_->dscp(daemon_->first_rtp_port(), daemon_->last_rtp_port()),
              std::set<int>{34});
}

TEST_F(CallerMediaTest, OpusWithA16KhzClock) {
    Daemon::Options options;
    options.rtp = "codecs = [\"opus16\", \"PCMU\"]\n";
    start(options);
    OffhookCall call(daemon_->uri(), {"--codec", "opus16", "--seconds", "3"});
    EXPECT_EQ(call.finish(seconds(30)), 0) << call.text();
    EXPECT_EQ(call.report().text("codec"), "opus16") << call.text();
}

}  // namespace
}  // namespace offhook::harness

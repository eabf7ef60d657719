// Ids, codecs, offer and answer, call ends, snapshots: the plain words.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "model/call_directory.h"
#include "model/call_end.h"
#include "model/call_id.h"
#include "model/codec.h"
#include "model/sdp_offer.h"
#include "model/stats_snapshot.h"

namespace offhook::model {
namespace {

TEST(CallId, IsTwelveHexDigitsAndDoesNotRepeat) {
    std::set<CallId> seen;
    for (int i = 0; i < 10'000; ++i) {
        const CallId id = CallId::make();
        ASSERT_EQ(id.text.size(), 14U);
        ASSERT_EQ(id.text.substr(0, 2), "c-");
        ASSERT_EQ(id.text.find_first_not_of("0123456789abcdef", 2), std::string::npos);
        ASSERT_TRUE(seen.insert(id).second);
    }
    EXPECT_TRUE(CallId{}.empty());
    EXPECT_EQ(std::hash<CallId>{}(CallId{"x"}), std::hash<CallId>{}(CallId{"x"}));
}

TEST(Codec, NamesAndFrames) {
    for (const CodecFacts& facts : kCodecs) {
        EXPECT_EQ(codec_by_name(facts.name), facts.codec);
        EXPECT_EQ(facts_of(facts.codec).name, facts.name);
    }
    EXPECT_EQ(codec_by_name("OPUS"), Codec::Opus);
    EXPECT_EQ(codec_by_name("Opus16"), Codec::Opus16);
    EXPECT_EQ(facts_of(Codec::Opus16).rtp_clock_hz, 16000U);
    EXPECT_EQ(codec_by_name("pcmu"), Codec::Pcmu);
    EXPECT_FALSE(codec_by_name("G729"));
    EXPECT_FALSE(codec_by_name(""));
    EXPECT_EQ(frame_samples(8000), 160U);
    EXPECT_EQ(frame_samples(16000), 320U);
}

const std::vector<Codec> kOurs{Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus};

RemoteAudio offer(std::vector<SdpFormat> formats) {
    RemoteAudio audio;
    audio.formats = std::move(formats);
    return audio;
}

TEST(ChooseCodec, FirstOfOursThatTheOfferHas) {
    const RemoteAudio remote = offer({{9, "G722", 8000, 1, ""},
                                      {8, "PCMA", 8000, 1, ""},
                                      {0, "PCMU", 8000, 1, ""},
                                      {101, "telephone-event", 8000, 1, "0-16"}});
    auto chosen = choose_codec(remote, kOurs);
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->codec, Codec::Pcmu);
    EXPECT_EQ(chosen->payload_type, 0);
    EXPECT_EQ(chosen->telephone_event_type, 101);
    chosen = choose_codec(remote, {Codec::Opus, Codec::G722});
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->codec, Codec::G722);
    EXPECT_FALSE(choose_codec(remote, {Codec::Opus}));
    EXPECT_FALSE(choose_codec(remote, {}));
    EXPECT_FALSE(choose_codec(offer({}), kOurs));
}

TEST(ChooseCodec, TheOfferersNumberClockAndChannels) {
    const RemoteAudio remote = offer({{111, "OPUS", 48000, 2, "useinbandfec=1"},
                                      {101, "telephone-event", 8000, 1, ""},
                                      {110, "TELEPHONE-EVENT", 48000, 1, ""}});
    const auto chosen = choose_codec(remote, kOurs);
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->codec, Codec::Opus);
    EXPECT_EQ(chosen->payload_type, 111);
    EXPECT_EQ(chosen->telephone_event_type, 110);  // at the codec's clock (RFC 4733 §2.1)
    EXPECT_EQ(chosen->fmtp, "useinbandfec=1");
    // The same names with another clock or channel count are other formats.
    EXPECT_FALSE(choose_codec(offer({{111, "opus", 16000, 2, ""}}), kOurs));
    EXPECT_FALSE(choose_codec(offer({{111, "opus", 48000, 1, ""}}), kOurs));
    EXPECT_FALSE(choose_codec(offer({{9, "G722", 16000, 1, ""}}), kOurs));
}

// RFC 4733 §2.1: one clock for sound and events; where the codec's is not there, the common one is.
TEST(ChooseCodec, EventsAtTheCodecsClockElseAt8000) {
    const std::vector<SdpFormat> events{{101, "telephone-event", 8000, 1, "0-15"},
                                        {102, "telephone-event", 16000, 1, "0-15"},
                                        {103, "telephone-event", 48000, 1, "0-15"}};
    const auto chosen_with = [&](SdpFormat codec, std::vector<SdpFormat> listed) {
        listed.insert(listed.begin(), std::move(codec));
        return *choose_codec(offer(std::move(listed)),
                             {Codec::Pcmu, Codec::G722, Codec::Opus, Codec::Opus16});
    };
    const SdpFormat pcmu{0, "PCMU", 8000, 1, ""};
    const SdpFormat opus{111, "opus", 48000, 2, ""};
    const SdpFormat opus16{109, "OPUS", 16000, 1, ""};
    EXPECT_EQ(chosen_with(pcmu, events).telephone_event_type, 101);
    EXPECT_EQ(chosen_with({9, "G722", 8000, 1, ""}, events).telephone_event_type, 101);
    EXPECT_EQ(chosen_with(opus, events).telephone_event_type, 103);
    EXPECT_EQ(chosen_with(opus, events).telephone_event_clock_hz, 48000U);
    EXPECT_EQ(chosen_with(opus16, events).telephone_event_type, 102);
    const auto fallback = chosen_with(opus, {events[0]});
    EXPECT_EQ(fallback.telephone_event_type, 101);
    EXPECT_EQ(fallback.telephone_event_clock_hz, 8000U);
    const auto answered = answer_formats(fallback);
    ASSERT_EQ(answered.size(), 2U);
    EXPECT_EQ(answered[1].payload_type, 101);
    EXPECT_EQ(answered[1].clock_hz, 8000U) << "the line is theirs";
    EXPECT_FALSE(chosen_with(pcmu, {events[2]}).telephone_event_type);
}

TEST(ChooseCodec, Opus16IsACodecOfItsOwn) {
    const RemoteAudio remote = offer({{109, "OPUS", 16000, 1, "useinbandfec=1"},
                                      {111, "OPUS", 48000, 2, ""},
                                      {0, "PCMU", 8000, 1, ""}});
    EXPECT_EQ(choose_codec(remote, kOurs)->codec, Codec::Pcmu);
    EXPECT_EQ(choose_codec(remote, {Codec::Opus, Codec::Opus16})->payload_type, 111);
    const auto chosen = choose_codec(remote, {Codec::Opus16, Codec::Opus});
    EXPECT_EQ(chosen->payload_type, 109);
    const auto formats = answer_formats(*chosen);
    EXPECT_EQ(formats[0].encoding, "OPUS");
    EXPECT_EQ(formats[0].clock_hz, 16000U);
    EXPECT_EQ(formats[0].channels, 1);
    EXPECT_EQ(offer_formats({Codec::Opus16})[0].payload_type, 109);
    EXPECT_EQ(offer_formats({Codec::Opus16})[1].clock_hz, 16000U);
}

TEST(ChooseCodec, ComfortNoiseIsTheRemotesNumberOr13) {
    const SdpFormat pcmu{0, "PCMU", 8000, 1, ""};
    EXPECT_EQ(choose_codec(offer({pcmu}), kOurs)->comfort_noise_type, 13);
    EXPECT_EQ(choose_codec(offer({pcmu, {13, "CN", 8000, 1, ""}}), kOurs)->comfort_noise_type, 13);
    EXPECT_EQ(choose_codec(offer({pcmu, {97, "CN", 16000, 1, ""}, {98, "CN", 8000, 1, ""}}), kOurs)
                  ->comfort_noise_type,
              98);
    EXPECT_FALSE(choose_codec(offer({pcmu, {13, "G729", 8000, 1, ""}}), kOurs)->comfort_noise_type);
    EXPECT_FALSE(choose_codec(offer({{111, "opus", 48000, 2, ""}}), kOurs)->comfort_noise_type);
    EXPECT_EQ(answer_formats(*choose_codec(offer({pcmu, {13, "CN", 8000, 1, ""}}), kOurs)).size(),
              1U)
        << "understood, not asked for";
}

TEST(ChooseCodec, RtcpMuxIsTakenOver) {
    RemoteAudio remote = offer({{0, "PCMU", 8000, 1, ""}});
    EXPECT_FALSE(choose_codec(remote, kOurs)->rtcp_mux);
    EXPECT_FALSE(choose_codec(remote, kOurs)->telephone_event_type);
    remote.rtcp_mux = true;
    EXPECT_TRUE(choose_codec(remote, kOurs)->rtcp_mux);
}

ChosenAudio chosen(Codec codec, std::uint8_t type, std::optional<std::uint8_t> event_type) {
    ChosenAudio audio;
    audio.codec = codec;
    audio.payload_type = type;
    audio.telephone_event_type = event_type;
    return audio;
}

TEST(AnswerFormats, OneCodecUnderTheirNumberAndTheirEvents) {
    const auto formats = answer_formats(chosen(Codec::Opus, 111, 110));
    ASSERT_EQ(formats.size(), 2U);
    EXPECT_EQ(formats[0].payload_type, 111);
    EXPECT_EQ(formats[0].encoding, "opus");
    EXPECT_EQ(formats[0].clock_hz, 48000U);
    EXPECT_EQ(formats[0].channels, 2);
    EXPECT_NE(formats[0].fmtp.find("usedtx=0"), std::string::npos);
    EXPECT_EQ(formats[1].payload_type, 110);
    EXPECT_EQ(formats[1].encoding, "telephone-event");
    EXPECT_EQ(formats[1].clock_hz, 48000U);
    EXPECT_EQ(answer_formats(chosen(Codec::G722, 9, std::nullopt)).size(), 1U);
    EXPECT_EQ(answer_formats(chosen(Codec::G722, 9, std::nullopt))[0].clock_hz, 8000U);
}

TEST(OfferFormats, EachOfOursAndEventsPerClock) {
    const auto formats = offer_formats(kOurs);
    ASSERT_EQ(formats.size(), 6U);
    EXPECT_EQ(formats[0].payload_type, 0);
    EXPECT_EQ(formats[3].encoding, "opus");
    EXPECT_EQ(formats[4].payload_type, 101);
    EXPECT_EQ(formats[5].clock_hz, 48000U);
    EXPECT_EQ(offer_formats({Codec::Pcma}).size(), 2U);
    EXPECT_EQ(offer_formats({Codec::Opus}).size(), 2U);
    // What we offer we would choose.
    for (const Codec codec : kOurs) {
        const auto chosen = choose_codec(offer(offer_formats({codec})), kOurs);
        ASSERT_TRUE(chosen);
        EXPECT_EQ(chosen->codec, codec);
        EXPECT_TRUE(chosen->telephone_event_type);
    }
}

TEST(Direction, MirrorsAsRfc3264Says) {
    EXPECT_EQ(mirrored(Direction::SendOnly), Direction::RecvOnly);
    EXPECT_EQ(mirrored(Direction::RecvOnly), Direction::SendOnly);
    EXPECT_EQ(mirrored(Direction::Inactive), Direction::Inactive);
    EXPECT_EQ(mirrored(Direction::SendRecv), Direction::SendRecv);
    EXPECT_TRUE(sends(Direction::SendOnly));
    EXPECT_FALSE(receives(Direction::SendOnly));
}

TEST(CallEnd, EveryReasonHasItsOwnName) {
    std::set<std::string_view> names;
    for (int reason = 0; reason <= static_cast<int>(EndReason::InternalError); ++reason) {
        EXPECT_TRUE(names.insert(name_of(static_cast<EndReason>(reason))).second) << reason;
    }
    const CallEnd end = ended(EndReason::NoRoute, "nobody");
    EXPECT_EQ(end.end_class, EndClass::Config);
    EXPECT_EQ(end.detail, "nobody");
    EXPECT_EQ(name_of(end.end_class), "config");
}

struct StatusCase {
    int status;
    const char* reason;
    const char* end_class;
};

TEST(CallEnd, EveryFinalAnswerHasOneReason) {
    for (const StatusCase& c : {StatusCase{302, "redirected", "upstream"},
                                {400, "upstream-refused", "upstream"},
                                {401, "auth-failed", "config"},
                                {403, "forbidden", "upstream"},
                                {404, "not-found", "callee"},
                                {407, "auth-failed", "config"},
                                {408, "no-response", "upstream"},
                                {410, "not-found", "callee"},
                                {480, "temporarily-away", "callee"},
                                {481, "dialog-lost", "upstream"},
                                {484, "not-found", "callee"},
                                {486, "busy", "callee"},
                                {487, "no-answer", "callee"},
                                {488, "media-refused", "callee"},
                                {500, "upstream-failed", "upstream"},
                                {503, "upstream-failed", "upstream"},
                                {600, "busy", "callee"},
                                {603, "rejected", "callee"},
                                {604, "not-found", "callee"},
                                {606, "media-refused", "callee"},
                                {608, "rejected", "callee"},
                                {699, "upstream-refused", "upstream"}}) {
        const CallEnd end = ended_by_status(c.status, "Some Words");
        EXPECT_EQ(name_of(end.reason), c.reason) << c.status;
        EXPECT_EQ(name_of(end.end_class), c.end_class) << c.status;
        EXPECT_EQ(end.sip_status, c.status);
        EXPECT_NE(end.detail.find(std::to_string(c.status) + " Some Words: "), std::string::npos);
    }
}

TEST(CallEnd, RefusalsOfSignallingHaveAReason) {
    EXPECT_EQ(refused_with(400), EndReason::Malformed);
    EXPECT_EQ(refused_with(415), EndReason::UnsupportedMedia);
    EXPECT_EQ(refused_with(420), EndReason::BadExtension);
    EXPECT_EQ(refused_with(481), EndReason::NoSuchDialog);
    EXPECT_EQ(refused_with(488), EndReason::NotAcceptable);
    EXPECT_EQ(refused_with(503), EndReason::LimitCalls);
    EXPECT_EQ(refused_with(505), EndReason::Malformed);
}

TEST(CallState, EveryStateHasItsOwnName) {
    std::set<std::string_view> names;
    for (int state = 0; state <= static_cast<int>(CallState::Ended); ++state) {
        EXPECT_TRUE(names.insert(name_of(static_cast<CallState>(state))).second) << state;
    }
}

TEST(Snapshot, UnitsAndWhatIsNotKnownYet) {
    LegCounters counters;
    LegStats stats = snapshot_of(counters, 0, 5'000'000'000);
    EXPECT_EQ(stats.first_sent_after_answer_ms, -1);
    EXPECT_EQ(stats.since_last_received_ms, -1);
    EXPECT_EQ(stats.round_trip_ms, -1);
    EXPECT_EQ(stats.sent_level_dbov, -127);
    LegCounters::add(counters.sent_packets, std::uint64_t{3});
    LegCounters::set(counters.first_sent_ns, std::int64_t{1'004'000'000});
    LegCounters::set(counters.last_sent_ns, std::int64_t{4'980'000'000});
    LegCounters::set(counters.round_trip_ns, std::int64_t{1'500'000});
    LegCounters::set(counters.last_source, FrameSource::Ai);
    stats = snapshot_of(counters, 1'000'000'000, 5'000'000'000);
    EXPECT_EQ(stats.sent_packets, 3U);
    EXPECT_DOUBLE_EQ(stats.first_sent_after_answer_ms, 4);
    EXPECT_DOUBLE_EQ(stats.since_last_sent_ms, 20);
    EXPECT_DOUBLE_EQ(stats.round_trip_ms, 1.5);
    EXPECT_STREQ(name_of(stats.last_source), "ai");
}

}  // namespace
}  // namespace offhook::model

// A web leg over a transport that does what the test says: descriptions, ICE restarts, one stream
// through all of them, and its end.
#include "media/web_leg.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "fake_transport.h"

namespace offhook::media {
namespace {

using base::ErrorCode;
using model::Codec;
using model::Direction;
using model::EndReason;
using testing::FakeTransport;
using testing::HandExecutor;
using Words = std::vector<std::string>;

/// A description as a browser writes one.
struct Said {
    std::string ufrag = "theirs";
    std::string fingerprint = "11";  ///< its first byte
    std::string setup = "actpass";
    std::string direction = "sendrecv";
    std::string formats = "111 9 0 110";
    std::string candidates =
        "a=candidate:1 1 udp 2113937151 127.0.0.1 50000 typ host\r\na=end-of-candidates\r\n";

    [[nodiscard]] std::string text() const {
        std::string bytes = fingerprint;
        for (int i = 1; i < 32; ++i) bytes += ":AB";
        return "v=0\r\no=- 5834348823345458730 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
               "a=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF " +
               formats + "\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:" + ufrag +
               "\r\na=ice-pwd:vzbxQYR0LiI60eXeqK0QfIqr\r\na=fingerprint:sha-256 " + bytes +
               "\r\na=setup:" + setup + "\r\na=mid:0\r\na=" + direction +
               "\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:9 G722/8000\r\n"
               "a=rtpmap:0 PCMU/8000\r\na=rtpmap:110 telephone-event/48000\r\n" +
               candidates;
    }
};

bool has_line(const std::string& text, const std::string& line) {
    return text.find("\r\n" + line + "\r\n") != std::string::npos;
}

class WebLegTest : public ::testing::Test {
protected:
    WebLegTest() {
        worker = *worker::MediaWorker::create_stepped("web-leg", [this] { return now_ns; });
        auto file = LaunchFile::load(OFFHOOK_SOURCE_PIPELINES "/web.launch", {});
        EXPECT_TRUE(file) << file.error().text();
        launch = *file;
        make_leg({Codec::Opus, Codec::G722, Codec::Pcmu});
    }
    ~WebLegTest() override {
        if (leg) retire();
        executor.run();
    }

    void make_leg(std::vector<Codec> codecs) {
        leg = WebLeg::create(
            {.id = {"c-0123456789ab"},
             .session_id = "4711",
             .codecs = std::move(codecs),
             .codec_settings = {},
             .quirks = {},
             .launch = launch,
             .fill = "tone",
             .worker = worker,
             .make_transport =
                 [this](WebTransport::Parts parts) {
                     ways.push_back(std::make_shared<FakeTransport>(std::move(parts),
                                                                    static_cast<int>(ways.size())));
                     return std::static_pointer_cast<WebTransport>(ways.back());
                 },
             .bus = &bus,
             .settings = &settings,
             .control = &executor,
             .context = nullptr,
             .reaper = &reaper,
             .events = {.on_local = [this](auto sdp) { texts.push_back(sdp); },
                        .on_connected = [this] { ++connected; },
                        .on_failed = [this](auto end) { ends.push_back(end.reason); },
                        .on_lost = [this](bool lost) { losses.push_back(lost); },
                        .on_restarted = [this] { ++restarts; }}});
    }
    void accept(const Said& said, Direction ours = Direction::SendRecv) {
        const auto accepted = leg->accept(said.text(), ours);
        ASSERT_TRUE(accepted) << accepted.error().text();
    }
    /// An answered call whose sound flows.
    void connect(const Said& said = {}) {
        accept(said);
        ways.back()->gathers();
        executor.run();
        ways.back()->verifies();
        executor.run();
        ASSERT_EQ(connected, 1);
        ASSERT_TRUE(leg->start());
        advance_ms(100);
    }
    /// Through which all that follows has to go.
    void restart(const std::string& ufrag, const std::string& fingerprint = "22") {
        accept({.ufrag = ufrag, .fingerprint = fingerprint});
        ways.back()->gathers();
        executor.run();
    }
    void advance_ms(std::int64_t ms) {
        for (; ms > 0; --ms) {
            now_ns += worker::kTickNs;
            worker->step();
        }
    }
    /// The elements leave the worker on the reaper, which waits for the worker; a stepped one runs
    /// what is posted where it is waited for.
    void retire() {
        std::promise<void> gone;
        leg->retire(reaper, [&gone] { gone.set_value(); });
        gone.get_future().wait();
        leg.reset();
    }
    /// Everything sent through all transports, in order of sequence numbers, is one stream.
    void expect_one_stream() const {
        std::vector<rtp::PacketView> all;
        for (const auto& way : ways)
            all.insert(all.end(), way->wire->packets.begin(), way->wire->packets.end());
        ASSERT_FALSE(all.empty());
        for (std::size_t i = 1; i < all.size(); ++i) {
            EXPECT_EQ(all[i].ssrc, all[0].ssrc);
            EXPECT_EQ(all[i].sequence, static_cast<std::uint16_t>(all[i - 1].sequence + 1));
            EXPECT_EQ(all[i].timestamp_rtp, all[i - 1].timestamp_rtp + 960);
        }
    }

    std::int64_t now_ns = 1'000'000'000;
    HandExecutor executor;
    Reaper reaper;
    MediaBus bus{executor, {.on_error = [](auto&&...) {}, .on_digit = [](auto&&...) {}}};
    WebSettings settings;
    std::shared_ptr<worker::MediaWorker> worker;
    std::shared_ptr<const LaunchFile> launch;
    std::vector<std::shared_ptr<FakeTransport>> ways;
    Words texts;
    int connected = 0;
    int restarts = 0;
    std::vector<EndReason> ends;
    std::vector<bool> losses;
    std::unique_ptr<WebLeg> leg;
};

TEST_F(WebLegTest, AnswersAnOfferAndSendsOnceConnected) {
    accept({});
    ASSERT_EQ(ways.size(), 1u);
    EXPECT_EQ(ways[0]->told, Words{"accept"});
    EXPECT_EQ(ways[0]->agreed.payload_type, 111);
    EXPECT_EQ(ways[0]->agreed.telephone_event_type, 110);
    EXPECT_EQ(leg->audio_port()->sample_rate_hz, 16000u);
    EXPECT_TRUE(texts.empty()) << "nothing is gathered yet";
    ways[0]->gathers();
    executor.run();
    ASSERT_EQ(texts.size(), 1u);
    EXPECT_TRUE(has_line(texts[0], "a=sendrecv")) << texts[0];
    EXPECT_TRUE(has_line(texts[0], "a=setup:active"));
    EXPECT_TRUE(has_line(texts[0], "a=ice-ufrag:ours0"));
    EXPECT_EQ(texts[0].find("G722"), std::string::npos);
    EXPECT_FALSE(leg->is_connected());
    ways[0]->verifies();
    executor.run();
    EXPECT_EQ(connected, 1);
    EXPECT_TRUE(leg->is_connected());
    ASSERT_TRUE(leg->start());
    advance_ms(6);
    ASSERT_EQ(ways[0]->wire->packets.size(), 1u) << "5 ms, after the round that let it in";
    EXPECT_EQ(ways[0]->wire->packets[0].ssrc, ways[0]->parts().ssrc);
    advance_ms(980);
    EXPECT_EQ(ways[0]->wire->packets.size(), 50u);
    expect_one_stream();
}

TEST_F(WebLegTest, WhatItCannotUseIsRefusedAndNothingChanges) {
    const auto garbage = leg->accept("hello", Direction::SendRecv);
    ASSERT_FALSE(garbage);
    EXPECT_EQ(garbage.error().code, ErrorCode::Malformed);
    const auto g722 = leg->accept(Said{.formats = "9 110"}.text(), Direction::SendRecv);
    ASSERT_FALSE(g722);
    EXPECT_EQ(g722.error().code, ErrorCode::Unsupported);
    EXPECT_NE(g722.error().text().find("opus"), std::string::npos) << "says what we have";
    EXPECT_TRUE(ways.empty());
    EXPECT_EQ(leg->start().error().code, ErrorCode::Conflict);
    EXPECT_EQ(leg->send_digits("1").error().code, ErrorCode::Conflict);
    EXPECT_EQ(leg->take_answer(Said{}.text()).error().code, ErrorCode::Conflict);
}

TEST_F(WebLegTest, TheCodecStaysForTheWholeCall) {
    connect();
    const auto pcmu = leg->accept(Said{.formats = "0 110"}.text(), Direction::SendRecv);
    ASSERT_FALSE(pcmu);
    EXPECT_EQ(pcmu.error().code, ErrorCode::Unsupported);
    accept({.formats = "9 0 111"});
    executor.run();
    EXPECT_EQ(leg->chosen().codec, Codec::Opus);
}

// Hold and resume by the peer: the transport is not asked, the role in DTLS stays.
TEST_F(WebLegTest, AnOfferOfTheSameSessionIsAnsweredFromWhatThereIs) {
    connect();
    accept({.direction = "sendonly"});
    EXPECT_EQ(texts.size(), 1u) << "not inside the call";
    EXPECT_EQ(leg->remote_direction(), Direction::SendOnly);
    executor.run();
    ASSERT_EQ(texts.size(), 2u);
    EXPECT_EQ(ways.size(), 1u);
    EXPECT_EQ(ways[0]->told, (Words{"accept", "attach"}));
    EXPECT_TRUE(has_line(texts[1], "a=recvonly")) << texts[1];
    EXPECT_TRUE(has_line(texts[1], "a=setup:active"));
    EXPECT_TRUE(has_line(texts[1], "a=ice-ufrag:ours0"));
    EXPECT_NE(texts[1].find("o=offhook 4711 2 "), std::string::npos) << "a new version";
    leg->set_sending(false);
    advance_ms(200);
    const std::size_t before = ways[0]->wire->packets.size();
    advance_ms(200);
    EXPECT_EQ(ways[0]->wire->packets.size(), before);
    leg->set_sending(true);
    accept({.direction = "sendrecv"}, Direction::SendOnly);
    executor.run();
    EXPECT_TRUE(has_line(texts[2], "a=sendonly")) << "we hold";
    advance_ms(200);
    EXPECT_EQ(ways[0]->wire->packets.size(), before + 10);
    EXPECT_EQ(ways[0]->wire->packets[before].sequence,
              static_cast<std::uint16_t>(ways[0]->wire->packets[before - 1].sequence + 1));
}

TEST_F(WebLegTest, OffersBeforeGatheringIsDoneAreAnsweredOnce) {
    accept({});
    accept({.direction = "sendonly"});
    executor.run();
    EXPECT_TRUE(texts.empty());
    ways[0]->gathers();
    executor.run();
    ASSERT_EQ(texts.size(), 1u);
    EXPECT_TRUE(has_line(texts[0], "a=recvonly"));
    EXPECT_EQ(ways.size(), 1u);
}

TEST_F(WebLegTest, PayloadNumbersMayChange) {
    connect();
    std::string text = Said{.formats = "96 97"}.text();
    text.replace(text.find("a=rtpmap:111"), 12, "a=rtpmap:96");
    text.replace(text.find("a=rtpmap:110"), 12, "a=rtpmap:97");
    ASSERT_TRUE(leg->accept(text, Direction::SendRecv));
    executor.run();
    advance_ms(100);
    EXPECT_EQ(ways[0]->wire->packets.back().payload_type, 96);
    EXPECT_EQ(leg->chosen().telephone_event_type, 97);
    expect_one_stream();
}

// RFC 8445 §9: other credentials. The sound goes on through the old one until the new is verified.
TEST_F(WebLegTest, AnIceRestartKeepsTheStream) {
    connect();
    restart("other", Said{}.fingerprint);
    ASSERT_EQ(ways.size(), 2u);
    EXPECT_TRUE(has_line(texts.back(), "a=ice-ufrag:ours1"));
    EXPECT_EQ(ways[1]->parts().ssrc, ways[0]->parts().ssrc);
    EXPECT_FALSE(ways[0]->remote.must_begin_dtls);
    EXPECT_TRUE(ways[1]->remote.must_begin_dtls) << "it still has the DTLS before";
    advance_ms(200);
    EXPECT_FALSE(ways[0]->is_retired());
    EXPECT_TRUE(ways[1]->wire->packets.empty()) << "not verified yet";
    ways[1]->verifies();
    executor.run();
    EXPECT_EQ(ways[1]->told, (Words{"accept", "attach"}));
    EXPECT_FALSE(ways[0]->is_retired())
        << "the worker has it until its next round, the peer longer";
    while (!ways[0]->is_retired()) g_main_context_iteration(nullptr, TRUE);
    advance_ms(200);
    EXPECT_EQ(ways[1]->wire->packets.size(), 10u);
    expect_one_stream();
    EXPECT_EQ(connected, 1) << "once a call";
    EXPECT_EQ(restarts, 1);
    EXPECT_TRUE(ends.empty());
}

// What a takeover looks like: our DTLS role is the one that a first offer would be given.
TEST_F(WebLegTest, AnotherPeerThatGoesOnIsTheDtlsServer) {
    connect();
    restart("other", "22");
    ASSERT_EQ(ways.size(), 2u);
    EXPECT_FALSE(ways[1]->remote.must_begin_dtls);
    EXPECT_TRUE(has_line(texts.back(), "a=setup:active"));
}

TEST_F(WebLegTest, ARestartThatIsTakenBackLeavesTheOldOneInForce) {
    connect();
    restart("other");
    accept({});  // what was in force before
    executor.run();
    EXPECT_TRUE(ways[1]->is_retired());
    EXPECT_EQ(ways.size(), 2u) << "nothing new";
    EXPECT_TRUE(has_line(texts.back(), "a=ice-ufrag:ours0"));
    advance_ms(200);
    expect_one_stream();
    EXPECT_EQ(restarts, 0);
}

// Two in a row, and the end while all three still receive.
TEST_F(WebLegTest, RetiresEveryTransportAfterQuickRestarts) {
    connect();
    for (const char* ufrag : {"second", "third"}) {
        restart(ufrag);
        ways.back()->verifies();
        executor.run();
        advance_ms(100);
    }
    for (const auto& way : ways) EXPECT_FALSE(way->is_retired());
    EXPECT_EQ(ways[1]->wire->packets.size(), 5u);
    EXPECT_EQ(ways[2]->wire->packets.size(), 5u);
    expect_one_stream();
    retire();
    for (const auto& way : ways) EXPECT_TRUE(way->is_retired());
}

// Another certificate without other credentials, and the role that we have, are other DTLS
// associations as well (RFC 8842 §5).
TEST_F(WebLegTest, AnotherAssociationTakesAnotherTransport) {
    connect();
    accept({.fingerprint = "33"});
    EXPECT_EQ(ways.size(), 2u);
    accept({.fingerprint = "33", .setup = "passive"});
    EXPECT_EQ(ways.size(), 2u) << "we are active";
    ways[1]->gathers();
    executor.run();
    accept({.fingerprint = "33", .setup = "active"});
    EXPECT_EQ(ways.size(), 3u);
    EXPECT_TRUE(ways[1]->is_retired()) << "it was not verified yet";
    EXPECT_FALSE(ways[0]->is_retired());
}

TEST_F(WebLegTest, ARestartThatFailsLeavesTheOldOneInForce) {
    connect();
    restart("other");
    ways[1]->fails(EndReason::FingerprintMismatch);
    executor.run();
    EXPECT_TRUE(ways[1]->is_retired());
    EXPECT_TRUE(ends.empty());
    EXPECT_TRUE(leg->is_connected());
    advance_ms(200);
    expect_one_stream();
    restart("third");
    ways[2]->verifies();
    executor.run();
    advance_ms(100);
    expect_one_stream();
    ways[2]->fails(EndReason::PeerVanished);
    executor.run();
    EXPECT_EQ(ends, std::vector{EndReason::PeerVanished});
    EXPECT_FALSE(leg->is_connected());
}

// The network went away, which is why the peer restarts.
TEST_F(WebLegTest, TheOldOneMayDieDuringARestart) {
    connect();
    ways[0]->loses(true);
    executor.run();
    EXPECT_EQ(losses, std::vector{true});
    restart("other");
    ways[0]->fails(EndReason::PeerVanished);
    executor.run();
    EXPECT_TRUE(ends.empty());
    advance_ms(100);
    ways[1]->verifies();
    executor.run();
    EXPECT_EQ(losses, (std::vector{true, false})) << "it is back";
    advance_ms(100);
    EXPECT_EQ(ways[1]->wire->packets.size(), 5u);
    EXPECT_EQ(ways[1]->wire->packets[0].sequence,
              static_cast<std::uint16_t>(ways[0]->wire->packets.back().sequence + 1));
    EXPECT_EQ(connected, 1);
}

TEST_F(WebLegTest, WhenBothFailTheEndIsToldOnce) {
    connect();
    restart("other");
    ways[0]->fails(EndReason::PeerVanished);
    ways[1]->fails(EndReason::IceFailed);
    executor.run();
    EXPECT_EQ(ends, std::vector{EndReason::IceFailed});
}

TEST_F(WebLegTest, TheFirstTransportsFailureIsTheEnd) {
    accept({});
    ways[0]->gathers();
    ways[0]->fails(EndReason::WebTimeout);
    executor.run();
    EXPECT_EQ(ends, std::vector{EndReason::WebTimeout});
    EXPECT_TRUE(ways[0]->is_retired());
}

TEST_F(WebLegTest, ARestartThatCannotBeAnsweredIsTheEnd) {
    connect();
    accept({.ufrag = "other"});
    ways[1]->fails(EndReason::PipelineError);
    executor.run();
    EXPECT_EQ(ends, std::vector{EndReason::PipelineError}) << "the offer would stay unanswered";
}

TEST_F(WebLegTest, OnlyTheOneInForceTellsOfALostPeer) {
    connect();
    restart("other");
    ways[1]->loses(true);
    executor.run();
    EXPECT_TRUE(losses.empty());
    ways[0]->loses(true);
    ways[0]->loses(true);
    ways[0]->loses(false);
    executor.run();
    EXPECT_EQ(losses, (std::vector{true, false}));
}

TEST_F(WebLegTest, OffersAndTakesTheAnswer) {
    ASSERT_TRUE(leg->offer(Direction::SendRecv));
    ASSERT_EQ(ways.size(), 1u);
    EXPECT_EQ(ways[0]->told, Words{"offer"});
    EXPECT_EQ(leg->take_answer(Said{}.text()).error().code, ErrorCode::Conflict)
        << "nothing was said yet";
    ways[0]->gathers(sdp::Setup::ActPass);
    executor.run();
    ASSERT_EQ(texts.size(), 1u);
    EXPECT_TRUE(has_line(texts[0], "a=setup:actpass")) << texts[0];
    EXPECT_NE(texts[0].find("opus/48000/2"), std::string::npos);
    EXPECT_NE(texts[0].find("PCMU"), std::string::npos);
    EXPECT_EQ(texts[0].find("G722"), std::string::npos);
    EXPECT_EQ(leg->audio_port(), nullptr) << "no codec yet";
    const auto taken = leg->take_answer(Said{.setup = "active", .formats = "0"}.text());
    ASSERT_TRUE(taken) << taken.error().text();
    EXPECT_EQ(ways[0]->told, (Words{"offer", "take_answer"}));
    EXPECT_EQ(ways[0]->agreed.codec, Codec::Pcmu);
    EXPECT_EQ(leg->audio_port()->sample_rate_hz, 8000u);
    EXPECT_FALSE(leg->take_answer(Said{}.text())) << "once";
    ways[0]->verifies();
    executor.run();
    ASSERT_TRUE(leg->start());
    advance_ms(100);
    EXPECT_EQ(ways[0]->wire->packets.size(), 5u);
    // The peer's turn: the role that its answer gave us stays (RFC 8842 §5.3).
    accept({.formats = "0"});
    executor.run();
    EXPECT_TRUE(has_line(texts[1], "a=setup:passive")) << texts[1];
    // Ours again, to hold.
    ASSERT_TRUE(leg->offer(Direction::SendOnly));
    EXPECT_EQ(texts.size(), 2u) << "not inside the call";
    executor.run();
    ASSERT_EQ(texts.size(), 3u);
    EXPECT_TRUE(has_line(texts[2], "a=sendonly")) << texts[2];
    EXPECT_TRUE(has_line(texts[2], "a=setup:actpass"));
    EXPECT_EQ(texts[2].find("opus"), std::string::npos) << "the codec stays";
    ASSERT_TRUE(
        leg->take_answer(Said{.setup = "active", .direction = "recvonly", .formats = "0"}.text()));
    EXPECT_EQ(leg->remote_direction(), Direction::RecvOnly);
    EXPECT_EQ(ways.size(), 1u);
    ASSERT_TRUE(leg->offer(Direction::SendRecv));
    executor.run();
    const auto other =
        leg->take_answer(Said{.ufrag = "other", .setup = "active", .formats = "0"}.text());
    ASSERT_FALSE(other) << "a restart that we did not ask for";
    EXPECT_EQ(other.error().code, ErrorCode::Unsupported);
}

TEST_F(WebLegTest, TrickledCandidatesGoToTheNewestOnceEach) {
    settings.candidates.max_candidates = 4;
    connect();
    const std::string one = "candidate:2 1 UDP 2113937151 127.0.0.1 50001 typ host";
    leg->add_candidates({one, "a=" + one, "candidate:3 1 udp 2113937151 224.0.0.1 5 typ host"});
    EXPECT_EQ(ways[0]->trickled, Words{one});
    accept({.candidates = "a=" + one + "\r\na=candidate:5 1 udp 9 127.0.0.1 50002 typ host\r\n"});
    EXPECT_EQ(ways[0]->trickled.size(), 2u) << "in an offer as well";
    for (int port = 50010; port < 50020; ++port)
        leg->add_candidates(
            {"candidate:9 1 udp 7 127.0.0.1 " + std::to_string(port) + " typ host"});
    EXPECT_EQ(ways[0]->trickled.size(), 3u) << "four in all, the first offer's with them";
    restart("other");
    leg->add_candidates({one});
    EXPECT_EQ(ways[1]->trickled, Words{one});
}

TEST_F(WebLegTest, DigitsRideOnTheStream) {
    connect();
    ASSERT_TRUE(leg->send_digits("5"));
    EXPECT_FALSE(leg->send_digits("x"));
    advance_ms(400);
    int events = 0;
    const auto& packets = ways[0]->wire->packets;
    for (std::size_t i = 1; i < packets.size(); ++i) {
        EXPECT_EQ(packets[i].ssrc, packets[0].ssrc);
        EXPECT_EQ(packets[i].sequence, static_cast<std::uint16_t>(packets[i - 1].sequence + 1));
        if (packets[i].payload_type == 110) ++events;
    }
    EXPECT_EQ(events, 10);
}

TEST_F(WebLegTest, HearsBothTransportsDuringARestart) {
    connect();
    restart("other");
    const auto hears = [&](std::uint16_t sequence) {
        std::vector<std::uint8_t> bytes(rtp::kHeaderBytes + 3, 0);
        rtp::write_header(
            {111, false, sequence, sequence * 960u, 99},
            std::span<std::uint8_t, rtp::kHeaderBytes>(bytes.data(), rtp::kHeaderBytes));
        ways[sequence % 2]->parts().port->deliver(bytes);
        advance_ms(20);
    };
    for (std::uint16_t i = 0; i < 10; ++i) hears(i);
    EXPECT_EQ(model::LegCounters::get(leg->counters().received_packets), 10u);
}

TEST_F(WebLegTest, NothingIsToldAfterRetire) {
    connect();
    restart("other");
    ways[0]->fails(EndReason::PeerVanished);
    ways[1]->verifies();
    accept({.ufrag = "third"});
    retire();
    executor.run();
    EXPECT_TRUE(ends.empty());
    EXPECT_EQ(texts.size(), 2u);
    for (const auto& way : ways) EXPECT_TRUE(way->is_retired());
    const std::size_t sent = ways[0]->wire->packets.size();
    advance_ms(100);
    EXPECT_EQ(ways[0]->wire->packets.size(), sent);
}

TEST_F(WebLegTest, ALegThatNeverHeardAnOfferRetires) {
    retire();
}

TEST_F(WebLegTest, TheOwnerMayDestroyItInAnyEvent) {
    accept({});
    ways[0]->gathers();
    executor.run();
    ways[0]->fails(EndReason::DtlsFailed);
    auto& slot = leg;
    ways[0]->parts().control->post([&slot] { slot.reset(); });
    executor.run();
    EXPECT_EQ(ends, std::vector{EndReason::DtlsFailed});
}

}  // namespace
}  // namespace offhook::media

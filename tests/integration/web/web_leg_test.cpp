// A web leg as it is, webrtcbin and all, against a webrtcbin peer: the stream, both sounds, holds,
// ICE restarts, and what ends it. No daemon; signalling is passing texts.
#include "media/web_leg.h"

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include "base/monotonic.h"
#include "glib/fd_executor.h"
#include "harness/call_test.h"
#include "harness/web_peer.h"
#include "harness/web_peer_sdp.h"
#include "offhook_plugin.h"

namespace offhook::harness {
namespace {

using model::Codec;
using model::Direction;
using model::EndReason;
using model::LegCounters;

constexpr milliseconds kConnect = seconds(15);
constexpr double kPitchOfPeer = 600, kPitchOfAi = 1000;

/// The control thread of a daemon, in small.
class Control {
public:
    Control()
        : context_(g_main_context_new()), loop_(g_main_loop_new(context_, FALSE)), thread_([this] {
              g_main_context_push_thread_default(context_);
              executor_.emplace(context_);
              ready_.set_value();
              g_main_loop_run(loop_);
              executor_.reset();
              g_main_context_pop_thread_default(context_);
          }) {
        ready_.get_future().wait();
    }
    ~Control() {
        executor_->post([this] { g_main_loop_quit(loop_); });
        thread_.join();
        g_main_loop_unref(loop_);
        g_main_context_unref(context_);
    }
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    template <class Task>
    auto run(Task task) {
        std::packaged_task<decltype(task())()> job(std::move(task));
        auto result = job.get_future();
        executor_->post([&job] { job(); });
        return result.get();
    }
    [[nodiscard]] base::Executor& executor() { return *executor_; }
    [[nodiscard]] GMainContext* context() { return context_; }

private:
    GMainContext* context_;
    GMainLoop* loop_;
    std::optional<glib::FdExecutor> executor_;
    std::promise<void> ready_;
    std::thread thread_;
};

/// What a leg told, waited for by the thread of the test.
class Told {
public:
    void note(const std::function<void()>& change) {
        {
            const std::lock_guard lock(mutex_);
            change();
        }
        changed_.notify_all();
    }
    template <class Condition>
    bool wait(Condition condition, milliseconds limit = kConnect) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, limit, condition);
    }
    std::vector<std::string> texts;
    int connected = 0;
    std::vector<model::CallEnd> ends;
    std::vector<bool> losses;

private:
    std::mutex mutex_;
    std::condition_variable changed_;
};

class WebLegLive : public testing::Test {
protected:
    static void SetUpTestSuite() {
        media::WebTransport::warm_up().join();
        auto file = media::LaunchFile::load(
            std::string(std::getenv("OFFHOOK_PIPELINES")) + "/web.launch", {});
        ASSERT_TRUE(file) << file.error().text();
        launch = *file;
    }
    static void TearDownTestSuite() { launch.reset(); }

    WebLegLive() {
        auto made = worker::MediaWorker::create(
            {.name = "web-0", .index = 0, .realtime = false, .after_tap = {}});
        worker = *made;
    }
    ~WebLegLive() override { retire(); }

    void make_leg(std::vector<Codec> codecs) {
        control.run([&] {
            leg = media::WebLeg::create(
                {.id = model::CallId::make(),
                 .session_id = "4711",
                 .codecs = std::move(codecs),
                 .codec_settings = {},
                 .quirks = {},
                 .launch = launch,
                 .fill = "silence",
                 .worker = worker,
                 .make_transport = {},
                 .bus = &bus,
                 .settings = &settings,
                 .control = &control.executor(),
                 .context = control.context(),
                 .reaper = &reaper,
                 .events = {
                     .on_local =
                         [this](auto text) { told.note([&] { told.texts.push_back(text); }); },
                     .on_connected =
                         [this] {
                             EXPECT_TRUE(leg->start());
                             connected_ns = base::monotonic_ns();
                             told.note([&] { ++told.connected; });
                         },
                     .on_failed =
                         [this](auto end) { told.note([&] { told.ends.push_back(end); }); },
                     .on_lost =
                         [this](bool lost) { told.note([&] { told.losses.push_back(lost); }); },
                     .on_restarted = {}}});
        });
    }
    void retire() {
        if (!leg) return;
        std::promise<void> gone;
        control.run([&] { leg->retire(reaper, [&gone] { gone.set_value(); }); });
        EXPECT_EQ(gone.get_future().wait_for(seconds(10)), std::future_status::ready);
        control.run([&] { leg.reset(); });
    }

    static WebPeer::Options peer_options(WebPeer::Codec codec = WebPeer::Codec::Opus) {
        WebPeer::Options options;
        options.codec = codec;
        options.sound = tone(8000, kPitchOfPeer, 1);
        return options;
    }
    /// Our answer to what the peer wrote.
    std::string answer(const std::string& offer, Direction ours = Direction::SendRecv) {
        const std::size_t before = told.texts.size();
        const auto accepted = control.run([&] { return leg->accept(offer, ours); });
        EXPECT_TRUE(accepted) << accepted.error().text() << '\n' << offer;
        EXPECT_TRUE(told.wait([&] { return told.texts.size() > before || !told.ends.empty(); }));
        return told.texts.empty() ? std::string() : told.texts.back();
    }
    void connect(WebPeer& peer) {
        peer.take_answer(answer(peer.offer()));
        ASSERT_TRUE(told.wait([&] { return told.connected == 1 || !told.ends.empty(); }));
        ASSERT_TRUE(told.ends.empty()) << told.ends[0].detail;
        ASSERT_TRUE(peer.wait_connected(kConnect));
    }
    /// The AI speaks for a while.
    void say(double length_s) {
        control.run([&] {
            const auto& port = leg->audio_port();
            port->voice.write(
                tone(static_cast<int>(port->sample_rate_hz), kPitchOfAi, length_s).samples);
        });
    }
    /// What the AI heard since it was asked last, half a second at most.
    Sound hear() {
        return control.run([&] {
            const auto& port = leg->audio_port();
            Sound heard{static_cast<int>(port->sample_rate_hz), {}};
            heard.samples.resize(port->sample_rate_hz);
            heard.samples.resize(port->tap.read(heard.samples));
            return heard;
        });
    }
    std::uint64_t received() { return LegCounters::get(leg->counters().received_packets); }
    /// Gaps are not judged here: neither the worker nor the peer's threads are real-time. A worker
    /// that stood still for more than 60 ms gives up time, which shows in the timestamps alone.
    testing::AssertionResult is_one_stream(const RtpVerdict& verdict) {
        const bool may_jump = LegCounters::get(leg->counters().skipped_frames) > 0;
        const bool is_one = verdict.ssrcs == 1 && verdict.sequence_breaks == 0 &&
                            (verdict.timestamp_breaks == 0 || may_jump) && verdict.rate_hz > 45;
        return (is_one ? testing::AssertionSuccess() : testing::AssertionFailure())
               << verdict.text();
    }
    template <class Condition>
    bool comes_true(Condition condition, milliseconds limit = seconds(10)) {
        return eventually(limit, nullptr, condition);
    }
    void expect_tone(const Sound& heard, double pitch_hz) {
        const double other = pitch_hz == kPitchOfAi ? kPitchOfPeer : kPitchOfAi;
        const double level = tone_level_dbov(heard.samples, heard.rate_hz, pitch_hz);
        EXPECT_NEAR(level, -15, 2);
        EXPECT_LT(tone_level_dbov(heard.samples, heard.rate_hz, other), level - 25);
    }

    static std::shared_ptr<const media::LaunchFile> launch;
    Control control;
    media::Reaper reaper;
    media::MediaBus bus{
        control.executor(),
        {.on_error = [](auto&&, auto&&, auto&& text) { ADD_FAILURE() << text; },
         .on_digit = [this](
                         auto&&, char digit, unsigned) { told.note([&] { digits += digit; }); }}};
    media::WebSettings settings;
    std::shared_ptr<worker::MediaWorker> worker;
    Told told;
    std::string digits;
    std::atomic<std::int64_t> connected_ns{0};
    std::unique_ptr<media::WebLeg> leg;
};

std::shared_ptr<const media::LaunchFile> WebLegLive::launch;

struct Way {
    WebPeer::Codec peer;
    Codec ours;
    std::uint32_t step_rtp;
    std::uint32_t rate_hz;
};
class WebLegCodec : public WebLegLive, public testing::WithParamInterface<Way> {};

TEST_P(WebLegCodec, SoundGoesBothWaysOnOneStream) {
    make_leg({GetParam().ours});
    WebPeer peer(peer_options(GetParam().peer));
    connect(peer);
    EXPECT_EQ(leg->audio_port()->sample_rate_hz, GetParam().rate_hz);
    say(2);
    ASSERT_TRUE(peer.wait_packets(125, seconds(10)));
    const RtpVerdict verdict = peer.wire().judge(GetParam().step_rtp);
    EXPECT_TRUE(is_one_stream(verdict));
    EXPECT_EQ(verdict.payload_types.size(), 1U);
    expect_tone(peer.heard().part(0.5, 1.5), kPitchOfAi);
    EXPECT_TRUE(peer.is_peer_verified());
    (void)hear();
    ASSERT_TRUE(comes_true([&, before = received()] { return received() > before + 20; }));
    expect_tone(hear().part(0.05, 0.4), kPitchOfPeer);
    EXPECT_EQ(LegCounters::get(leg->counters().refused_packets), 0U);
    EXPECT_EQ(LegCounters::get(leg->counters().send_errors), 0U);
}

INSTANTIATE_TEST_SUITE_P(Codecs,
                         WebLegCodec,
                         testing::Values(Way{WebPeer::Codec::Opus, Codec::Opus, 960, 16000},
                                         Way{WebPeer::Codec::Pcmu, Codec::Pcmu, 160, 8000},
                                         Way{WebPeer::Codec::Pcma, Codec::Pcma, 160, 8000}),
                         [](const auto& codec) {
                             return std::string(model::facts_of(codec.param.ours).name);
                         });

TEST_F(WebLegLive, OffersByItself) {
    // Nobody knows yet that the peer is on loopback alone.
    settings.addresses = {"127.0.0.1"};
    make_leg({Codec::Opus, Codec::Pcmu});
    ASSERT_TRUE(control.run([&] { return leg->offer(Direction::SendRecv); }));
    ASSERT_TRUE(told.wait([&] { return !told.texts.empty(); }));
    WebPeer peer(peer_options());
    const std::string answered = peer.answer(told.texts[0]);
    const auto taken = control.run([&] { return leg->take_answer(answered); });
    ASSERT_TRUE(taken) << taken.error().text() << '\n' << answered;
    ASSERT_TRUE(told.wait([&] { return told.connected == 1 || !told.ends.empty(); }));
    ASSERT_TRUE(told.ends.empty()) << told.ends[0].detail;
    say(2);
    ASSERT_TRUE(peer.wait_packets(100, seconds(10)));
    EXPECT_TRUE(is_one_stream(peer.wire().judge(960)));
    EXPECT_TRUE(comes_true([&] { return received() > 50; }));
}

TEST_F(WebLegLive, DigitsGoBothWaysOnTheStream) {
    make_leg({Codec::Opus});
    WebPeer peer(peer_options());
    connect(peer);
    ASSERT_TRUE(peer.wait_packets(20, seconds(10)));
    ASSERT_TRUE(control.run([&] { return leg->send_digits("15#"); }));
    peer.send_digits("42");
    EXPECT_TRUE(told.wait([&] { return digits == "42"; }, seconds(5))) << digits;
    EXPECT_TRUE(comes_true([&] { return peer.digits() == "15#"; })) << peer.digits();
    ASSERT_TRUE(peer.wait_more(30, seconds(5)));
    const RtpVerdict verdict = peer.wire().judge(960);
    EXPECT_EQ(verdict.ssrcs, 1U);
    EXPECT_EQ(verdict.sequence_breaks, 0U) << verdict.text();
}

// RFC 3264 §8.4: the clock runs on, and resume is contiguous.
TEST_F(WebLegLive, HoldAndResumeByThePeer) {
    make_leg({Codec::Opus});
    WebPeer peer(peer_options());
    connect(peer);
    ASSERT_TRUE(peer.wait_packets(50, seconds(10)));
    peer.take_answer(answer(peer.offer_again("sendonly")));
    EXPECT_NE(told.texts.back().find("a=recvonly"), std::string::npos) << told.texts.back();
    control.run([&] { leg->set_sending(false); });
    peer.wait_more(5, milliseconds(200));  // what was on its way
    EXPECT_FALSE(peer.wait_more(1, milliseconds(500)));
    peer.take_answer(answer(peer.offer_again("sendrecv")));
    control.run([&] { leg->set_sending(true); });
    ASSERT_TRUE(peer.wait_more(50, seconds(5)));
    const RtpVerdict verdict = peer.wire().judge(960);
    EXPECT_EQ(verdict.ssrcs, 1U);
    EXPECT_EQ(verdict.sequence_breaks, 0U) << verdict.text();
    EXPECT_EQ(told.connected, 1);
}

TEST_F(WebLegLive, AnIceRestartKeepsTheStream) {
    make_leg({Codec::Opus});
    WebPeer peer(peer_options());
    connect(peer);
    for (int restart = 0; restart < 2; ++restart) {
        ASSERT_TRUE(peer.wait_more(50, seconds(10)));
        const std::string before = told.texts.back();
        peer.take_answer(answer(peer.restart_offer()));
        const std::string after = told.texts.back();
        EXPECT_NE(attribute(after, "ice-ufrag"), attribute(before, "ice-ufrag"));
        EXPECT_NE(attribute(after, "fingerprint"), attribute(before, "fingerprint"))
            << "a browser that saw the same would keep its DTLS";
        ASSERT_TRUE(peer.wait_connected(kConnect));
    }
    ASSERT_TRUE(peer.wait_more(100, seconds(10)));
    ASSERT_TRUE(comes_true([&, before = received()] { return received() > before + 20; }));
    EXPECT_TRUE(is_one_stream(peer.wire().judge(960)));
    EXPECT_EQ(told.connected, 1);
    EXPECT_TRUE(told.ends.empty());
}

// Somebody sits between: DTLS comes up, the certificate is another.
TEST_F(WebLegLive, AnotherCertificateThanDescribedEndsItBeforeAnySound) {
    make_leg({Codec::Opus});
    auto options = peer_options();
    options.has_wrong_fingerprint = true;
    WebPeer peer(options);
    peer.take_answer(answer(peer.offer()));
    ASSERT_TRUE(told.wait([&] { return !told.ends.empty(); }));
    EXPECT_EQ(told.ends[0].reason, EndReason::FingerprintMismatch) << told.ends[0].detail;
    EXPECT_EQ(told.connected, 0);
    EXPECT_EQ(peer.arrived(), 0U);
    EXPECT_EQ(received(), 0U);
}

// The same in an ICE restart: the one before stays in force.
TEST_F(WebLegLive, ARestartWithAnotherCertificateThanDescribedChangesNothing) {
    make_leg({Codec::Opus});
    WebPeer peer(peer_options());
    connect(peer);
    ASSERT_TRUE(peer.wait_packets(50, seconds(10)));
    auto options = peer_options();
    options.has_wrong_fingerprint = true;
    WebPeer impostor(options);
    impostor.take_answer(answer(impostor.offer()));
    impostor.wait_connected(seconds(5));
    ASSERT_TRUE(peer.wait_more(100, seconds(10)));
    EXPECT_TRUE(is_one_stream(peer.wire().judge(960)));
    EXPECT_EQ(impostor.arrived(), 0U);
    EXPECT_TRUE(told.ends.empty());
}

TEST_F(WebLegLive, APeerThatVanishesIsNoticed) {
    settings.vanish_after = milliseconds(1500);
    settings.vanish_end = milliseconds(1000);
    make_leg({Codec::Opus});
    WebPeer peer(peer_options());
    connect(peer);
    ASSERT_TRUE(comes_true([&] { return received() > 20; }));
    peer.vanish();
    ASSERT_TRUE(told.wait([&] { return !told.losses.empty(); }, seconds(5)));
    EXPECT_TRUE(told.losses[0]);
    ASSERT_TRUE(told.wait([&] { return !told.ends.empty(); }, seconds(5)));
    EXPECT_EQ(told.ends[0].reason, EndReason::PeerVanished);
}

// Reports are webrtcbin's on both ends: what the peer says of our stream is read, and its times
// are NTP of the real-time clock, as in reports of ours.
TEST_F(WebLegLive, ThePeersReportsGiveTheRoundTrip) {
    make_leg({Codec::Pcmu});
    WebPeer peer(peer_options(WebPeer::Codec::Pcmu));
    connect(peer);
    const LegCounters& counters = leg->counters();
    ASSERT_TRUE(
        comes_true([&] { return LegCounters::get(counters.round_trip_ns) >= 0; }, seconds(30)))
        << LegCounters::get(counters.rtcp_received) << " reports";
    EXPECT_LT(LegCounters::get(counters.round_trip_ns), 200 * base::kNsPerMs);
    EXPECT_LT(LegCounters::get(counters.remote_jitter_ns), 100 * base::kNsPerMs);
    EXPECT_LE(LegCounters::get(counters.remote_lost_packets), 1);
    EXPECT_EQ(LegCounters::get(counters.rtcp_sent), 0U);
}

// In the middle of ICE, in the middle of DTLS, connected.
TEST_F(WebLegLive, MayRetireAtAnyTime) {
    for (const int after_ms : {-1, 0, 20, 60, 80, 100, 200}) {
        make_leg({Codec::Opus});
        WebPeer peer(peer_options());
        const std::string offer = peer.offer();
        if (after_ms < 0) {
            ASSERT_TRUE(control.run([&] { return leg->accept(offer, Direction::SendRecv); }));
        } else {
            peer.take_answer(answer(offer));
            peer.wait_connected(milliseconds(after_ms));
        }
        retire();
        told.texts.clear();
    }
}

}  // namespace
}  // namespace offhook::harness

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    gst_init(&argc, &argv);
    if (!offhook::register_elements()) return 1;
    return RUN_ALL_TESTS();
}

#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "channel/channels.h"
#include "glib/fd_executor.h"
#include "glib/timer.h"
#include "model/audio_port.h"
#include "worker/media_worker.h"

namespace offhook::channel::testing {

/// Writes down what it is told: "members sales 2", "speaking m-1", "removed left".
class Hearer final : public model::ChannelListener {
public:
    void on_members(const model::ChannelInfo& channel) override {
        last = channel;
        told.push_back("members " + channel.name + " " + std::to_string(channel.members.size()));
    }
    void on_speaking(const std::vector<model::MemberId>& speaking) override {
        std::string line = "speaking";
        for (const auto& id : speaking) line += " " + id;
        told.push_back(line);
    }
    void on_removed(std::string_view why) override {
        told.push_back("removed " + std::string(why));
    }
    void on_moved(const model::ChannelInfo& to) override { told.push_back("moved " + to.name); }

    [[nodiscard]] bool heard(const std::string& line) const {
        return std::find(told.begin(), told.end(), line) != told.end();
    }
    std::vector<std::string> told;
    model::ChannelInfo last;
};

/// A leg without transport: it takes its seat on the worker, and the test is its line.
struct FakeLeg {
    model::CallId call = model::CallId::make();
    std::shared_ptr<worker::MediaWorker> worker;
    std::shared_ptr<model::ChannelSeat> seat;  ///< as control last asked for
    std::vector<std::string>* log = nullptr;

    [[nodiscard]] SeatedLeg seated() {
        return {.call = call,
                .worker = worker.get(),
                .take_seat = [this](std::shared_ptr<model::ChannelSeat> given,
                                    std::function<void()> after) {
                    seat = given;
                    if (log) log->push_back(given ? "leg sits" : "leg stands");
                    worker->post([after = std::move(after)] {
                        if (after) after();
                    });
                }};
    }
};

inline std::array<std::int16_t, 320> tone(double hz, std::size_t& position) {
    std::array<std::int16_t, 320> frame{};
    for (auto& sample : frame) {
        sample = static_cast<std::int16_t>(
            8000 * std::sin(2 * M_PI * hz * static_cast<double>(position++) / 16000));
    }
    return frame;
}

/// How much of a frame is this frequency, 0 to about 1 for a tone of full volume.
inline double strength(std::span<const std::int16_t> pcm, double hz) {
    double re = 0;
    double im = 0;
    for (std::size_t i = 0; i < pcm.size(); ++i) {
        const double at = 2 * M_PI * hz * static_cast<double>(i) / 16000;
        re += pcm[i] * std::cos(at);
        im += pcm[i] * std::sin(at);
    }
    return 2 * std::hypot(re, im) / static_cast<double>(pcm.size()) / 8000;
}

class ChannelsRig : public ::testing::Test {
protected:
    void SetUp() override {
        worker = *worker::MediaWorker::create({.name = "test", .realtime = false, .after_tap = {}});
        channels = std::make_unique<Channels>(Channels::Parts{
            .context = g_main_context_default(),
            .control = &control,
            .workers = {.pick =
                            [this](const worker::MediaWorker*) {
                                ++mixers;
                                return worker;
                            },
                        .give_back = [this](const worker::MediaWorker&) { --mixers; }},
            .hooks = {
                .end_leg = [this](const auto& call,
                                  const auto& why) { ended.push_back(call.text + " " + why); },
                .on_place = [this](const auto& call,
                                   const auto& channel,
                                   const auto&) { places.push_back(call.text + " in " + channel); },
                .attach_ai =
                    [this](const ChannelAi& wanted) {
                        ais.push_back(wanted);
                        return comes;
                    },
                .dismiss_ai = [this](const auto& id) { dismissed.push_back(id.text); },
                .has_ai = [](const std::string& name) { return name == "desk"; }},
            .return_after = std::chrono::milliseconds(20)});
        ASSERT_TRUE(channels->create({.name = "sales", .ai = {}}));
    }
    void TearDown() override { channels.reset(); }

    static bool wait_until(const std::function<bool()>& is_so) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (!is_so()) {
            if (std::chrono::steady_clock::now() >= deadline) return false;
            glib::Timer look_again;
            look_again.once(g_main_context_default(), std::chrono::milliseconds(5), [] {});
            g_main_context_iteration(g_main_context_default(), TRUE);
        }
        return true;
    }
    /// What is due by now is told.
    static void turn() {
        while (g_main_context_iteration(g_main_context_default(), FALSE)) {
        }
    }
    model::MemberId joins(Hearer& hearer,
                          const std::string& user,
                          model::MemberRole role = model::MemberRole::Speaker,
                          const std::string& channel = "sales") {
        auto id =
            channels->join({.channel = channel, .user = user, .name = user, .role = role}, hearer);
        EXPECT_TRUE(id) << (id ? "" : id.error().text());
        return id.value_or(std::string());
    }
    FakeLeg leg() {
        FakeLeg made;
        made.worker = worker;
        return made;
    }
    [[nodiscard]] model::MemberInfo info(const model::MemberId& id) const {
        for (const auto& channel : channels->channels()) {
            for (const auto& member : channel.members) {
                if (member.id == id) return member;
            }
        }
        return {};
    }
    /// `speaker` says a tone until `listener` hears it. @return whether it did, within 2 s
    bool hears(FakeLeg& listener, FakeLeg& speaker, double hz = 1000) {
        std::size_t position = 0;
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(2);
        auto next = std::chrono::steady_clock::now();
        std::array<std::int16_t, 320> heard{};
        while (std::chrono::steady_clock::now() < until) {
            speaker.seat->from_leg.write(tone(hz, position));
            next += std::chrono::milliseconds(20);
            wait_until([&] { return std::chrono::steady_clock::now() >= next; });
            if (listener.seat->to_leg.read(heard) == model::SoundLane::Read::Frame &&
                strength(heard, hz) > 0.5) {
                return true;
            }
        }
        return false;
    }

    glib::FdExecutor control{g_main_context_default()};
    std::shared_ptr<worker::MediaWorker> worker;
    std::vector<std::string> ended, places, dismissed;
    std::vector<ChannelAi> ais;
    AiComes comes = AiComes::AtOnce;
    int mixers = 0;
    std::unique_ptr<Channels> channels;
};

}  // namespace offhook::channel::testing

// The sound of a real bot (Python's websockets) through the daemon: both ways whole, over the bot's
// death and return, and to a bot that comes to us.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <fstream>
#include <thread>

#include "harness/call_test.h"
#include "harness/free_port.h"
#include "harness/g711.h"
#include "harness/own_caller.h"

namespace offhook::harness {
namespace {

constexpr double kToneS = 0.25;

/// A scale of tones of 250 ms, 100 Hz apart: what is lost, doubled or swapped shows.
std::vector<double> scale(int tones) {
    std::vector<double> hz;
    for (int i = 0; i < tones; ++i) hz.push_back(400 + 100 * i);
    return hz;
}

class BotGapTest : public CallTest {
protected:
    static std::vector<std::string> bot(const std::vector<std::string>& arguments) {
        std::vector<std::string> argv{"/usr/bin/python3", ::getenv("OFFHOOK_ECHO_BOT")};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        return argv;
    }
    [[nodiscard]] std::filesystem::path file(const std::string& name) const {
        return folder_ / (name + ".s16");
    }
    /// A bot that keeps what it hears as `name`. @return its port
    std::string serve(const std::string& name, const std::string& port = "0") {
        Process::Options options;
        options.has_ready_fd = true;
        bot_.reset();
        bot_.emplace(bot({"serve", file(name).string(), port}), options);
        return bot_->ready_line(seconds(20));
    }
    void begin(const std::string& port, const std::string& route = {}) {
        Daemon::Options options;
        options.more =
            "[[ai]]\nname = \"bot\"\nprotocol = \"plain\"\nsample_rate_hz = 8000\n"
            "url = \"ws://127.0.0.1:" +
            port + "\"\n[[route]]\nname = \"all\"\nai = \"bot\"\n" + route;
        start(options);
        start_capture();
    }
    [[nodiscard]] Sound heard_by(const std::string& name) const {
        std::ifstream in(file(name), std::ios::binary);
        Sound sound;
        sound.samples.resize(std::filesystem::file_size(file(name)) / 2);
        in.read(reinterpret_cast<char*>(sound.samples.data()),
                static_cast<std::streamsize>(sound.samples.size() * 2));
        return sound;
    }
    std::string state() {
        return daemon_->json("/api/v1/calls/" + daemon_->only_call()).text("ai.state");
    }
    bool is_live() {
        return eventually(seconds(30), &daemon_->process(), [&] { return state() == "live"; });
    }
    static std::vector<std::uint8_t> coded(const Sound& sound) {
        std::vector<std::uint8_t> bytes;
        for (const std::int16_t sample : sound.samples) bytes.push_back(mulaw_of(sample));
        return bytes;
    }
    static Sound song(const std::vector<double>& hz) {
        Sound sound;
        for (const double each : hz) sound.append(tone(8000, each, kToneS));
        return sound;
    }
    /// The tones from `first` on, each whole but perhaps the first of them.
    static void expect_scale(const std::vector<HeardTone>& heard,
                             const std::vector<double>& all,
                             std::size_t first,
                             double tolerance_s = 0.03) {
        ASSERT_EQ(heard.size(), all.size() - first);
        for (std::size_t i = 0; i < heard.size(); ++i) {
            EXPECT_EQ(heard[i].frequency_hz, all[first + i]) << i;
            EXPECT_LE(heard[i].length_s, kToneS + tolerance_s) << i;
            EXPECT_TRUE(i == 0 || heard[i].length_s >= kToneS - tolerance_s) << i;
        }
    }
    /// What came back. A bot without a buffer of its own is late when the machine is, and the line
    /// fills in: a tone may have a pause.
    static void expect_echo(const RtpEnd& end, const std::vector<double>& all) {
        std::vector<HeardTone> whole;
        for (const HeardTone& each : heard_tones(end.stream().sound("PCMU"), all)) {
            if (!whole.empty() && whole.back().frequency_hz == each.frequency_hz) {
                whole.back().length_s += each.length_s;
            } else {
                whole.push_back(each);
            }
        }
        expect_scale(whole, all, 0, 0.06);
    }
    /// What came while the bot connected is not of the test, and was not read in time.
    static void begin_to_listen(RtpEnd& end) {
        end.exchange({}, milliseconds(40));
        end.forget();
    }

    std::optional<Process> bot_;
};

TEST_F(BotGapTest, BothWaysWhole) {
    const std::string port = serve("all");
    ASSERT_FALSE(port.empty());
    begin(port);
    RtpEnd end("127.0.0.1");
    OwnCaller caller("127.0.0.1", daemon_->sip_port());
    ASSERT_EQ(caller.invite({.port = end.port()}), 200);
    end.set_peer(caller.answer_port());
    ASSERT_TRUE(is_live());
    begin_to_listen(end);
    const auto tones = scale(16);
    end.exchange(packets_of(coded(song(tones)), 20, 0), milliseconds(5500));
    EXPECT_EQ(caller.bye(), 200);
    EXPECT_TRUE(bot_->wait_output("\"stop\"", seconds(10))) << bot_->output();
    EXPECT_TRUE(bot_->wait_output("closed 1000", seconds(10))) << bot_->output();
    expect_scale(heard_tones(heard_by("all"), tones), tones, 0);
    expect_echo(end, tones);
    EXPECT_TRUE(keeps_promise(outbound().judge()));
}

TEST_F(BotGapTest, WhatWasSaidInTheGapIsHeardByTheNext) {
    const std::string port = serve("first");
    ASSERT_FALSE(port.empty());
    begin(port, "reconnect_s = 60\n");
    RtpEnd end("127.0.0.1");
    OwnCaller caller("127.0.0.1", daemon_->sip_port());
    ASSERT_EQ(caller.invite({.port = end.port()}), 200);
    end.set_peer(caller.answer_port());
    ASSERT_TRUE(is_live());
    begin_to_listen(end);
    const auto tones = scale(28);  // 7 s, up to 3100 Hz
    std::thread talking(
        [&] { end.exchange(packets_of(coded(song(tones)), 20, 0), milliseconds(9000)); });
    // Longer than the 3 s that are kept, so that the next one gets all of them.
    EXPECT_TRUE(stays_alive(daemon_->process(), milliseconds(3500)));
    bot_->signal(SIGKILL);
    const std::string again = serve("second", port);
    const bool is_back = bot_->wait_output("\"start\"", seconds(20)).has_value();
    talking.join();
    ASSERT_EQ(again, port);
    ASSERT_TRUE(is_back) << bot_->output();
    EXPECT_EQ(caller.bye(), 200);
    EXPECT_TRUE(bot_->wait_output("closed 1000", seconds(10)));
    // The first heard from the beginning; the second from before the first one's end, without a
    // hole, to the end.
    const auto before = heard_tones(heard_by("first"), tones);
    ASSERT_GE(before.size(), 8U);
    const Sound second = heard_by("second");
    const auto after = heard_tones(second, tones);
    ASSERT_FALSE(after.empty());
    const auto first = static_cast<std::size_t>(
        std::find(tones.begin(), tones.end(), after[0].frequency_hz) - tones.begin());
    EXPECT_LE(after[0].frequency_hz, before.back().frequency_hz) << bot_->output();
    expect_scale(after, tones, first);
    // No sound before the mark, and the replay is as long as it was said to be: all but 3 s, in
    // whole frames of 20 ms and 16 bytes a millisecond.
    const std::string text = bot_->output();
    const std::string begin = "\n0 {\"type\":\"replay\",\"state\":\"begin\",\"ms\":";
    const std::size_t at = text.find(begin);
    ASSERT_NE(at, std::string::npos) << text;
    const int replay_ms = std::atoi(text.c_str() + at + begin.size());
    EXPECT_GE(replay_ms, 2900);
    EXPECT_LE(replay_ms, 3000);
    EXPECT_NE(text.find("\n" + std::to_string(replay_ms * 16) +
                        " {\"type\":\"replay\",\"state\":\"end\""),
              std::string::npos)
        << text;
    EXPECT_TRUE(keeps_promise(outbound().judge()));
}

TEST_F(BotGapTest, ABotThatComesToUs) {
    const std::string port = std::to_string(free_port());
    Daemon::Options options;
    options.more = "[ai_listen]\nport = " + port +
                   "\n[[ai]]\nname = \"bot\"\nprotocol = \"asterisk\"\ndial = false\n"
                   "encoding = \"pcmu\"\n[[route]]\nname = \"all\"\nai = \"bot\"\n";
    start(options);
    start_capture();
    RtpEnd end("127.0.0.1");
    OwnCaller caller("127.0.0.1", daemon_->sip_port());
    ASSERT_EQ(caller.invite({.port = end.port()}), 200);
    end.set_peer(caller.answer_port());
    const std::string base = "ws://127.0.0.1:" + port + "/media/";
    const auto waiting = daemon_->wait_event("ai.waiting");
    ASSERT_TRUE(waiting);
    const std::string url = base + daemon_->only_call();
    EXPECT_EQ(run(bot({"knock", base + "c-0"})), "404\n");
    bot_.emplace(bot({"visit", url, file("visit").string()}));
    ASSERT_TRUE(bot_->wait_output("open media", seconds(20))) << bot_->output();
    ASSERT_TRUE(is_live());
    EXPECT_EQ(run(bot({"knock", url})), "409\n");
    begin_to_listen(end);
    const auto tones = scale(8);
    end.exchange(packets_of(coded(song(tones)), 20, 0), milliseconds(3500));
    EXPECT_EQ(caller.bye(), 200);
    EXPECT_TRUE(bot_->wait_output("closed 1000", seconds(10))) << bot_->output();
    expect_echo(end, tones);
    EXPECT_TRUE(keeps_promise(outbound().judge()));
}

}  // namespace
}  // namespace offhook::harness

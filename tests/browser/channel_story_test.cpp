// A voice channel with a browser, a telephone and an AI in it: each hears the others and not itself. Then the browser is
// killed, and nothing of it stays.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "client_page.h"
#include "harness/g711.h"
#include "harness/own_caller.h"

namespace offhook::harness {
namespace {

constexpr double kPhone_hz = 1000, kAi_hz = 700;
constexpr double kHeard_dbov = -40, kSilent_dbov = -55;
constexpr int kBot_hz = 16000;

/// A telephone that says 1000 Hz until it is told to stop.
class Phone {
public:
    Phone(std::uint16_t sip_port, const std::string& to) : caller_("127.0.0.1", sip_port, {}, to) {
        OwnCaller::Offer offer;
        offer.port = end_.port();
        status_ = caller_.invite(offer);
        if (status_ != 200) {
            return;
        }
        end_.set_peer(caller_.answer_port());
        // Whole periods in a second, so that the seconds join.
        for (const std::int16_t sample : tone(8000, kPhone_hz, 1, -20).samples) {
            second_.push_back(mulaw_of(sample));
        }
        talk_ = std::thread([this] { talk(); });
    }
    ~Phone() { stop(); }
    Phone(const Phone&) = delete;
    Phone& operator=(const Phone&) = delete;

    [[nodiscard]] int status() const { return status_; }
    /// Seconds of sound heard so far.
    [[nodiscard]] double now_s() const { return seconds_; }
    /// Hangs up and gives what it heard.
    RtpStream hang_up() {
        stop();
        EXPECT_EQ(caller_.bye(), 200);
        return end_.stream();
    }

private:
    void stop() {
        is_over_ = true;
        if (talk_.joinable()) {
            talk_.join();
        }
    }
    void talk() {
        std::uint16_t sequence = 1;
        std::uint32_t timestamp = 160;
        while (!is_over_) {
            end_.exchange(packets_of(second_, 20, 0, 0, sequence, timestamp), seconds(1));
            sequence = static_cast<std::uint16_t>(sequence + 50);
            timestamp += 8000;
            ++seconds_;
        }
    }

    RtpEnd end_{"127.0.0.1"};
    OwnCaller caller_;
    int status_ = 0;
    std::vector<std::uint8_t> second_;
    std::atomic<bool> is_over_ = false;
    std::atomic<int> seconds_ = 0;
    std::thread talk_;
};

class ChannelStoryTest : public ClientTest {
protected:
    void SetUp() override {
        ClientTest::SetUp();
        if (IsSkipped()) {
            return;
        }
        Process::Options options;
        options.has_ready_fd = true;
        const char* modules = std::getenv("OFFHOOK_BROWSER_MODULES");
        bot_ = std::make_unique<Process>(
            std::vector<std::string>{"node",
                                     OFFHOOK_TONE_BOT,
                                     "--modules",
                                     modules != nullptr ? modules : "build/browser",
                                     "--heard",
                                     (folder_ / "heard.s16").string()},
            options);
        std::string line = bot_->ready_line(seconds(20));
        ASSERT_TRUE(line.starts_with("ready ")) << bot_->output();
        while (line.ends_with('\n')) {
            line.pop_back();
        }
        start_browser();
        start_daemon("[[ai]]\nname = \"bot\"\nprotocol = \"plain\"\nurl = \"" + line.substr(6) +
                     "\"\n[[channel]]\nname = \"lobby\"\nai = \"bot\"\n"
                     "[[route]]\nname = \"lobby\"\nto = \"lobby\"\nchannel = \"lobby\"\n");
    }

    Sound heard_by_bot() {
        std::ifstream file(folder_ / "heard.s16", std::ios::binary);
        const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
        Sound sound{.rate_hz = kBot_hz, .samples = {}};
        for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
            sound.samples.push_back(
                static_cast<std::int16_t>(static_cast<std::uint8_t>(bytes[i]) |
                                          (static_cast<std::uint8_t>(bytes[i + 1]) << 8)));
        }
        return sound;
    }

    static double level(const Sound& sound, double frequency_hz) {
        return tone_level_dbov(sound.samples, sound.rate_hz, frequency_hz);
    }

    /// WebSockets of members.
    std::size_t connections() {
        const Json list = daemon_->json("/api/v1/connections");
        std::size_t count = 0;
        for (std::size_t i = 0; i < list.size("items"); ++i) {
            count += list.text("items." + std::to_string(i) + ".kind") == "channel" ? 1U : 0U;
        }
        return count;
    }

    std::unique_ptr<Process> bot_;
};

TEST_F(ChannelStoryTest, ABrowserThatCrashesLeavesTheOthersTalking) {
    Phone phone(daemon_->sip_port(), "lobby");
    ASSERT_EQ(phone.status(), 200);
    // Once before it counts: the first web leg of a process opens things that stay.
    Browser::Page page = open();
    page.call("join", who("ann"));
    page.call("leave");
    ASSERT_TRUE(wait_members(2));
    ASSERT_TRUE(daemon_->wait_live_calls(1));
    const long descriptors = daemon_->footprint().descriptors;

    page.call("join", who("ann"));
    EXPECT_TRUE(wait_members(3));
    const Json heard = page.call("hear", "[[440,700,1000],3000]");
    EXPECT_GT(heard.number("levels.700"), kHeard_dbov);
    EXPECT_GT(heard.number("levels.1000"), kHeard_dbov);
    EXPECT_LT(heard.number("levels.440"), kSilent_dbov);
    const Json healthy = page.call("healthy");
    EXPECT_EQ(healthy.text("healthy"), "yes") << healthy.text("codes");
    EXPECT_EQ(connections(), 1U);

    const double killed_s = phone.now_s();
    browser_->kill();
    const auto killed = Clock::now();
    EXPECT_TRUE(wait_members(2));
    EXPECT_TRUE(daemon_->wait_live_calls(1));
    EXPECT_TRUE(eventually(
        seconds(15),
        &daemon_->process(),
        [&] { return connections() == 0 && daemon_->footprint().descriptors <= descriptors; }))
        << daemon_->footprint().descriptors << " descriptors, before " << descriptors;
    const double took_s = std::chrono::duration<double>(Clock::now() - killed).count();
    std::cout << "nothing was left after " << took_s << " s\n";
    EXPECT_LT(took_s, 15);
    // The last second is the AI's alone.
    const double end_s = phone.now_s() + 2;
    EXPECT_TRUE(
        eventually(seconds(10), &daemon_->process(), [&] { return phone.now_s() >= end_s; }));

    const Sound to_phone = phone.hang_up().sound("PCMU");
    const Sound together = to_phone.part(killed_s - 2, killed_s);
    EXPECT_GT(level(together, kMicrophone_hz), kHeard_dbov);
    EXPECT_GT(level(together, kAi_hz), kHeard_dbov);
    EXPECT_LT(level(together, kPhone_hz), kSilent_dbov);
    const Sound after = to_phone.part(end_s - 1, end_s);
    EXPECT_LT(level(after, kMicrophone_hz), kSilent_dbov);
    EXPECT_GT(level(after, kAi_hz), kHeard_dbov);

    const Sound to_bot = heard_by_bot();
    double loudest = -127;
    for (double at_s = 0; at_s + 1 < to_bot.seconds(); at_s += 1) {
        loudest = std::max(loudest, level(to_bot.part(at_s, at_s + 1), kMicrophone_hz));
    }
    EXPECT_GT(loudest, kHeard_dbov);
    EXPECT_GT(level(to_bot.part(1, to_bot.seconds() - 2), kPhone_hz), kHeard_dbov);
    EXPECT_LT(level(to_bot, kAi_hz), kSilent_dbov);
}

}  // namespace
}  // namespace offhook::harness

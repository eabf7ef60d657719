// A bot for the benchmarks that does as little as a bot can: what it hears it says. It leaves out what
// the caller said before it was there, and 0.6 s of every 4: what a stall once piled up would else
// wait in the queue to the end of the call, as it does in no conversation. Speaks the plain protocol
// at /plain and Twilio's at /twilio; prints its port, then on SIGTERM what it did and cost.
//     ai_stand_in
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "base/monotonic.h"
#include "socket/event_loop.h"
#include "socket/link.h"
#include "socket/web_socket_listener.h"

namespace {

using namespace offhook;
using socket::EventLoop;
using socket::LinkEnd;

struct Totals {
    std::uint64_t connections = 0, live = 0, heard = 0, refused = 0;
};

/// One call's bot.
class EchoBot final : public socket::LinkEvents {
public:
    EchoBot(Totals& totals, std::list<std::unique_ptr<EchoBot>>& bots, bool is_twilio)
        : totals_(totals), bots_(bots), is_twilio_(is_twilio) {}

    void take(std::unique_ptr<socket::Link> link) { link_ = std::move(link); }
    void on_open() override {
        ++totals_.connections;
        ++totals_.live;
    }
    void on_text(std::string_view text) override {
        if (!is_twilio_) {
            if (text.find("\"replay\"") != std::string_view::npos) {
                is_replay_ = text.find("\"begin\"") != std::string_view::npos;
            }
            return;
        }
        if (text.find("\"event\":\"media\"") == std::string_view::npos) {
            const std::string_view early_ms = value_of(text, "\"offhook_replay_ms\":\"");
            if (!early_ms.empty()) early_frames_ = std::atoi(std::string(early_ms).c_str()) / 20;
            return;
        }
        ++totals_.heard;
        if (early_frames_ > 0) {
            --early_frames_;
            return;
        }
        if (is_pausing()) return;
        // The daemon's own order of members: a bot would read the JSON, which is not what is timed.
        const std::string_view sid = value_of(text, "\"streamSid\":\"");
        const std::string_view payload = value_of(text, "\"payload\":\"");
        answer_.assign(R"({"event":"media","streamSid":")");
        answer_.append(sid).append(R"(","media":{"payload":")").append(payload).append("\"}}");
        if (!link_->send_text(answer_)) ++totals_.refused;
    }
    void on_binary(std::span<const std::byte> bytes) override {
        ++totals_.heard;
        if (is_replay_ || is_pausing()) return;
        if (!link_->send_binary(bytes)) ++totals_.refused;
    }
    void on_closed(const LinkEnd&) override {
        --totals_.live;
        bots_.remove_if([this](const auto& bot) { return bot.get() == this; });
    }

private:
    static constexpr int kPeriodFrames = 200, kPauseFrames = 30;

    bool is_pausing() {
        frame_ = (frame_ + 1) % kPeriodFrames;
        return frame_ < kPauseFrames;
    }
    static std::string_view value_of(std::string_view text, std::string_view key) {
        const std::size_t at = text.find(key);
        if (at == std::string_view::npos) return {};
        text.remove_prefix(at + key.size());
        return text.substr(0, text.find('"'));
    }

    Totals& totals_;
    std::list<std::unique_ptr<EchoBot>>& bots_;
    const bool is_twilio_;
    std::unique_ptr<socket::Link> link_;
    std::string answer_;
    bool is_replay_ = false;
    int early_frames_ = 0;
    int frame_ = kPauseFrames;
};

/// SIGTERM ends the loop.
class Stop final : public EventLoop::Watcher {
public:
    explicit Stop(EventLoop& loop) : loop_(loop) {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        pthread_sigmask(SIG_BLOCK, &signals, nullptr);
        fd_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
        is_asked = !loop_.watch(fd_, 1, *this);
    }
    ~Stop() override {
        loop_.unwatch(fd_);
        close(fd_);
    }
    void on_ready(std::uint32_t) override { is_asked = true; }

    bool is_asked = false;

private:
    EventLoop& loop_;
    int fd_ = -1;
};

double cpu_ms() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto ms = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
    };
    return ms(usage.ru_utime) + ms(usage.ru_stime);
}

}  // namespace

int main() {
    constexpr std::uint64_t kFew = 32;
    auto loop = EventLoop::create();
    if (!loop) {
        std::fprintf(stderr, "%s\n", loop.error().text().c_str());
        return 1;
    }
    Totals totals;
    std::list<std::unique_ptr<EchoBot>> bots;
    Stop stop(**loop);
    auto listener = socket::WebSocketListener::open(
        **loop, {.max_pending = 1024, .limits = {}}, [&](const socket::UpgradeRequest& request) {
            socket::UpgradeAnswer answer;
            const bool is_twilio = request.path == "/twilio";
            if (!is_twilio && request.path != "/plain") {
                answer.status = 404;
                answer.text = "there are /plain and /twilio\n";
                return answer;
            }
            if (!request.subprotocols.empty()) answer.subprotocol = request.subprotocols.front();
            EchoBot* const bot =
                bots.emplace_back(std::make_unique<EchoBot>(totals, bots, is_twilio)).get();
            answer.events = bot;
            answer.take = [bot](std::unique_ptr<socket::Link> link) { bot->take(std::move(link)); };
            return answer;
        });
    if (!listener) {
        std::fprintf(stderr, "%s\n", listener.error().text().c_str());
        return 1;
    }
    std::printf("{\"port\":%u}\n", (*listener)->port());
    std::fflush(stdout);
    // As the daemon does it: with many sockets one look a millisecond instead of a wake for each.
    for (std::int64_t due_ns = base::monotonic_ns(); !stop.is_asked;) {
        if (totals.live <= kFew) {
            (*loop)->turn(-1);
            due_ns = base::monotonic_ns();
            continue;
        }
        due_ns = std::max(due_ns + base::kNsPerMs, base::monotonic_ns());
        const timespec due{due_ns / base::kNsPerS, due_ns % base::kNsPerS};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr);
        (*loop)->turn(0);
    }
    std::printf("{\"connections\":%llu,\"heard\":%llu,\"refused\":%llu,\"cpu_ms\":%.1f}\n",
                static_cast<unsigned long long>(totals.connections),
                static_cast<unsigned long long>(totals.heard),
                static_cast<unsigned long long>(totals.refused),
                cpu_ms());
    return 0;
}

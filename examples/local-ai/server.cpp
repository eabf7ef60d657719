#include "server.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <thread>

#include "conversation.h"
#include "menu.h"
#include "socket/web_socket_listener.h"

namespace offhook::local_ai {
namespace {

constexpr int kExitFailed = 1;
constexpr int kServiceUnavailable = 503;
constexpr std::string_view kPlainSubprotocol = "offhook.plain.v1";
// A long answer at 16 kHz leaves in one burst.
constexpr std::size_t kMostQueuedBytes = std::size_t{4} * 1024 * 1024;

/// A whole number in [0, most].
std::optional<int> number(std::string_view text, int most) {
    int value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_whole = error == std::errc() && end == text.data() + text.size();
    return is_whole && value >= 0 && value <= most ? std::optional(value) : std::nullopt;
}

base::Result<std::optional<TimeOfDay>> read_time(const std::string& text) {
    if (text.empty()) return std::nullopt;
    const std::size_t colon = text.find(':');
    const auto hour = number(std::string_view(text).substr(0, colon), 23);
    const auto minute = colon == std::string::npos
                            ? std::nullopt
                            : number(std::string_view(text).substr(colon + 1), 59);
    if (!hour || !minute)
        return base::fail(base::ErrorCode::InvalidArgument, "--time " + text + ": HH:MM is meant");
    return TimeOfDay{*hour, *minute};
}

/// SIGINT and SIGTERM as an event of the loop. Made before other threads, so that they inherit it.
class Ending final : public socket::EventLoop::Watcher {
public:
    explicit Ending(socket::EventLoop& loop) : loop_(loop) {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &signals, nullptr);
        fd_ = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    }
    ~Ending() override {
        if (fd_ < 0) return;
        loop_.unwatch(fd_);
        ::close(fd_);
    }
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;
    base::Result<void> watch() { return loop_.watch(fd_, EPOLLIN, *this); }
    void on_ready(std::uint32_t /*events*/) override { is_asked = true; }
    bool is_asked = false;

private:
    socket::EventLoop& loop_;
    int fd_ = -1;
};

/// The door: lets calls in, and keeps them.
class Calls {
public:
    Calls(Bot& bot, int most) : bot_(bot), most_(static_cast<std::size_t>(most)) {}

    socket::UpgradeAnswer admit(const socket::UpgradeRequest& request) {
        socket::UpgradeAnswer answer;
        if (conversations_.size() >= most_) {
            answer.status = kServiceUnavailable;
            answer.text = "all lines of the kitchen are busy; --calls allows more";
            return answer;
        }
        using Protocol = Conversation::Protocol;
        const bool offers_plain = std::find(request.subprotocols.begin(),
                                            request.subprotocols.end(),
                                            kPlainSubprotocol) != request.subprotocols.end();
        Protocol protocol = Protocol::ByFirstMessage;
        if (request.path.starts_with("/twilio")) protocol = Protocol::Twilio;
        if (request.path.starts_with("/plain") || offers_plain) protocol = Protocol::Plain;
        if (offers_plain) answer.subprotocol = kPlainSubprotocol;
        auto conversation = std::make_shared<Conversation>(bot_, protocol);
        conversation->when_over([this, conversation = conversation.get()] {
            std::erase_if(conversations_, [&](const auto& c) { return c.get() == conversation; });
        });
        answer.events = conversation.get();
        answer.take = [conversation](std::unique_ptr<socket::Link> link) {
            conversation->take(std::move(link));
        };
        conversations_.insert(std::move(conversation));
        return answer;
    }
    void close() {
        for (const auto& conversation : conversations_) conversation->close();
    }
    [[nodiscard]] bool is_empty() const { return conversations_.empty(); }

private:
    Bot& bot_;
    const std::size_t most_;
    std::set<std::shared_ptr<Conversation>> conversations_;
};

void tell_ready(int fd, const std::string& address) {
    if (fd < 0) {
        std::fprintf(stderr,
                     "The kitchen listens on ws://%s/plain and ws://%s/twilio\n",
                     address.c_str(),
                     address.c_str());
        return;
    }
    const std::string line = "ready " + address + "\n";
    if (::write(fd, line.data(), line.size()) < 0) std::perror("--ready-fd");
    ::close(fd);
}

base::Result<void> serve(const ServerOptions& options) {
    const std::size_t colon = options.listen.rfind(':');
    const auto port = colon == std::string::npos
                          ? std::nullopt
                          : number(std::string_view(options.listen).substr(colon + 1), 65535);
    if (!port)
        return base::fail(base::ErrorCode::InvalidArgument,
                          "--listen " + options.listen + ": host:port is meant");
    const auto fixed_time = read_time(options.time);
    if (!fixed_time) return tl::unexpected(fixed_time.error());
    auto loop = socket::EventLoop::create();
    if (!loop) return tl::unexpected(loop.error());
    Ending ending(**loop);
    if (auto ok = ending.watch(); !ok) return ok;
    const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    auto workers = Workers::start(
        options.workers > 0 ? options.workers : cores, options.model, caller_grammar());
    if (!workers) return tl::unexpected(workers.error());
    auto voice = Voice::create(options.voice, options.words_per_minute);
    if (!voice) return tl::unexpected(voice.error());

    Transcript transcript(options.is_json);
    Bot bot{**loop, **workers, **voice, transcript, *fixed_time};
    Calls calls(bot, options.most_calls);
    socket::WebSocketListener::Settings settings;
    settings.address = options.listen.substr(0, colon);
    settings.port = static_cast<std::uint16_t>(*port);
    settings.limits.max_queued_bytes = kMostQueuedBytes;
    auto listener = socket::WebSocketListener::open(
        **loop, settings, [&calls](const socket::UpgradeRequest& r) { return calls.admit(r); });
    if (!listener) return tl::unexpected(listener.error());
    tell_ready(options.ready_fd, settings.address + ":" + std::to_string((*listener)->port()));

    while (!ending.is_asked) (*loop)->turn(-1);
    calls.close();
    // A close is over within 2 s, whatever the peer does.
    while (!calls.is_empty()) (*loop)->turn(-1);
    // The workers' last words want the loop; calls are gone, so that they find nobody.
    workers->reset();
    return {};
}

}  // namespace

int run_server(const ServerOptions& options) {
    const auto done = serve(options);
    if (done) return 0;
    std::fprintf(stderr, "offhook-local-ai: %s\n", done.error().text().c_str());
    return kExitFailed;
}

std::string example_sayings() {
    std::string text = "two large pizzas with mushrooms";
    for (const Phrase& phrase : kPhrases) text += "; " + std::string(phrase.words);
    return text;
}

}  // namespace offhook::local_ai

#include "cli/watch_command.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/monotonic.h"
#include "cli/api_access.h"
#include "cli/followed_file.h"
#include "cli/http_get.h"
#include "cli/watch_view.h"

namespace offhook::cli {
namespace {

constexpr int kUsage = 2;
constexpr std::int64_t kRedrawNs = 250 * base::kNsPerMs;
constexpr std::int64_t kPlainNs =
    base::kNsPerS;  ///< a file grows four times slower than a screen changes
constexpr std::int64_t kStartPatienceNs = 5 * base::kNsPerS;
constexpr std::int64_t kLostPatienceNs = 3 * base::kNsPerS;

struct Options {
    std::shared_ptr<ApiOptions> api;
    double seconds = 0;  ///< 0: until Ctrl-C
    std::string lines;   ///< a file whose lines are shown as well; empty: none
};

/// Redraws in place: up over what was drawn last, each line anew. What stood above stays.
class Screen {
public:
    Screen() { std::fputs("\033[?25l", stdout); }
    ~Screen() {
        std::fputs("\033[?25h", stdout);
        std::fflush(stdout);
    }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    /// @param above  lines that stay, printed over what is drawn
    void draw(const Sight& sight, const std::vector<std::string>& above) {
        winsize size{};
        if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
            size = {24, 80, 0, 0};
        // One row less: the cursor stands below the last line, and must not scroll the first one
        // away.
        const auto lines = screen_lines(sight, size.ws_col, size.ws_row - 1);
        std::string text;
        if (drawn_ > 0) text = "\033[" + std::to_string(drawn_) + "F";
        // The end of each line is cleared before it is written: a long one wraps.
        for (const std::string& line : above) text += "\033[K" + line + "\n";
        for (const std::string& line : lines) text += line + "\033[K\n";
        text += "\033[J";
        std::fputs(text.c_str(), stdout);
        std::fflush(stdout);
        drawn_ = lines.size();
    }

private:
    std::size_t drawn_ = 0;
};

/// Ctrl-C as a readable descriptor, so that the cursor is given back.
class Interruption {
public:
    Interruption() {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &signals, &before_);
        fd_ = ::signalfd(-1, &signals, SFD_CLOEXEC);
    }
    ~Interruption() {
        ::close(fd_);
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;

    /// Waits until `at_ns`; true when it was interrupted.
    [[nodiscard]] bool wait_until(std::int64_t at_ns) const {
        const std::int64_t left_ns = std::max<std::int64_t>(at_ns - base::monotonic_ns(), 0);
        pollfd waiting{fd_, POLLIN, 0};
        return ::poll(&waiting,
                      1,
                      static_cast<int>((left_ns + base::kNsPerMs - 1) / base::kNsPerMs)) > 0;
    }

private:
    sigset_t before_{};
    int fd_ = -1;
};

base::Result<void> look(const ApiAddress& address, Sight& sight) {
    const auto health = http_get(address, "/health");
    if (!health) return tl::unexpected(health.error());
    auto daemon = parse_health(health->body);
    if (!daemon) return tl::unexpected(daemon.error());
    const auto list = http_get(address, "/api/v1/calls?limit=500");
    if (!list) return tl::unexpected(list.error());
    if (list->status != 200) {
        return base::fail(base::ErrorCode::Unavailable, refusal_text(address, *list));
    }
    auto calls = parse_calls(list->body);
    if (!calls) return tl::unexpected(calls.error());
    sight.daemon = std::move(*daemon);
    sight.calls = std::move(*calls);
    return {};
}

int watch(const Options& options) {
    const auto address = options.api->address();
    if (!address) {
        std::fprintf(stderr, "offhook watch: %s\n", address.error().text().c_str());
        return kUsage;
    }
    const bool is_terminal = ::isatty(STDOUT_FILENO) != 0;
    std::unique_ptr<Screen> screen = is_terminal ? std::make_unique<Screen>() : nullptr;
    const Interruption interruption;
    const std::int64_t start_ns = base::monotonic_ns();
    const auto end_ns = start_ns + static_cast<std::int64_t>(options.seconds * 1e9);
    std::int64_t last_seen_ns = 0;
    FollowedFile followed(options.lines);
    Sight sight;
    sight.url = address->text();
    for (std::int64_t next_ns = start_ns;;) {
        const auto seen = look(*address, sight);
        const std::int64_t now_ns = base::monotonic_ns();
        sight.error.reset();
        if (seen)
            last_seen_ns = now_ns;
        else
            sight.error = seen.error().text();
        const std::vector<std::string> above = followed.lines();
        if (screen) {
            screen->draw(sight, above);
        } else {
            for (const std::string& line : above) std::printf("%s\n", line.c_str());
            for (const std::string& line : plain_lines(sight)) std::printf("%s\n", line.c_str());
            std::fflush(stdout);
        }
        const bool is_lost = last_seen_ns == 0 ? now_ns - start_ns > kStartPatienceNs
                                               : now_ns - last_seen_ns > kLostPatienceNs;
        if (!seen && is_lost) {
            screen.reset();
            std::fprintf(stderr,
                         "offhook watch: %s; is `offhook serve` running?\n",
                         seen.error().text().c_str());
            return EX_UNAVAILABLE;
        }
        next_ns = std::max(next_ns + (is_terminal ? kRedrawNs : kPlainNs), now_ns);
        if (options.seconds > 0) next_ns = std::min(next_ns, end_ns);
        if (interruption.wait_until(next_ns)) return 0;
        if (options.seconds > 0 && base::monotonic_ns() >= end_ns) return 0;
    }
}

}  // namespace

void add_watch_command(CLI::App& app, int& exit_code) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("watch", "Show the running daemon's calls, live");
    options->api = add_api_options(*command);
    command->add_option("--seconds", options->seconds, "End after this time (0: with Ctrl-C)")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 864000.0));
    command->add_option(
        "--lines", options->lines, "Show the lines that this file gets above the calls");
    command->footer(
        "Columns: age since the answer; packets sent; source of the last one (ai, fill, dtmf); "
        "longest gap between two\n"
        "sent packets; level of the last second to the caller and from the caller; the caller's "
        "packets that were lost.\n"
        "Without a terminal it prints one line per call and second.\n"
        "\nExamples:\n"
        "  offhook watch\n"
        "  offhook watch --url http://127.0.0.1:5001 --seconds 10 | tee calls.txt");
    command->callback([options, &exit_code] { exit_code = watch(*options); });
}

}  // namespace offhook::cli

#include "cli/watch_view.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

namespace offhook::cli {
namespace {

constexpr int kBarCells = 8;
constexpr double kFloorDbov = -60;
constexpr const char* kBold = "\033[1m";
constexpr const char* kDim = "\033[2m";
constexpr const char* kGreen = "\033[32m";
constexpr const char* kYellow = "\033[33m";
constexpr const char* kRed = "\033[31m";
constexpr const char* kReset = "\033[0m";

const char* colour_of(Mood mood) {
    return mood == Mood::Good ? kGreen : mood == Mood::Odd ? kYellow : kRed;
}

std::string age_text(double ms) {
    const auto s = static_cast<long long>(ms / 1000);
    if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
    return fmt::format("{}:{:02}", s / 60, s % 60);
}

/// Cuts UTF-8 text to `width` code points (all that we print are one column wide).
std::string cut(const std::string& text, int width) {
    int columns = 0;
    std::size_t i = 0;
    while (i < text.size()) {
        if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U && columns++ == width) break;
        ++i;
    }
    return text.substr(0, i);
}

std::string coloured(const char* colour, const std::string& text) {
    return colour + text + kReset;
}

std::string head(const Sight& sight) {
    const WatchedDaemon& d = sight.daemon;
    if (d.status.empty()) return fmt::format("Offhook at {}", sight.url);
    return fmt::format("Offhook {} at {}, up {}: {}, {}",
                       d.version,
                       sight.url,
                       age_text(d.uptime_s * 1000),
                       d.status,
                       d.summary);
}

std::string columns_of(const WatchedCall& call) {
    return fmt::format("{:<14} {:<8} {:>7} {:<4} {:>8} {:<4} {:>7.1f}  {}  {} {:>5}  ",
                       call.id,
                       call.state,
                       age_text(call.duration_ms),
                       call.codec,
                       call.sent_packets,
                       call.last_source,
                       call.max_gap_ms,
                       level_bar(call.sent_level_dbov, kBarCells),
                       level_bar(call.received_level_dbov, kBarCells),
                       call.lost_packets);
}

const std::string& column_names() {
    static const std::string names =
        fmt::format("{:<14} {:<8} {:>7} {:<4} {:>8} {:<4} {:>7}  {:<{}}  {:<{}} {:>5}  {}",
                    "call",
                    "state",
                    "age",
                    "cod.",
                    "sent",
                    "src",
                    "gap ms",
                    "to them",
                    kBarCells,
                    "to us",
                    kBarCells,
                    "lost",
                    "verdict");
    return names;
}

std::string rest_line(const Sight& sight, std::size_t shown) {
    const std::size_t all = std::max<std::size_t>(
        sight.calls.size(), static_cast<std::size_t>(sight.daemon.active_calls));
    const auto bad = std::count_if(sight.calls.begin() + static_cast<std::ptrdiff_t>(shown),
                                   sight.calls.end(),
                                   [](const WatchedCall& c) { return judge(c).mood == Mood::Bad; });
    return fmt::format("... and {} more calls{}",
                       all - shown,
                       bad > 0 ? fmt::format(", {} of them in trouble", bad) : "");
}

}  // namespace

std::string level_bar(double dbov, int cells) {
    const double share = std::clamp((dbov - kFloorDbov) / -kFloorDbov, 0.0, 1.0);
    const int full = static_cast<int>(std::lround(share * cells));
    std::string bar;
    for (int i = 0; i < cells; ++i) bar += i < full ? "█" : "·";
    return bar;
}

std::vector<std::string> screen_lines(const Sight& sight, int width, int height) {
    width = std::max(width, 20);
    height = std::max(height, 4);
    std::vector<std::string> lines;
    lines.push_back(coloured(kBold, cut(head(sight), width)));
    if (sight.error) lines.push_back(coloured(kRed, cut(*sight.error, width)));
    if (sight.calls.empty()) {
        if (!sight.error) lines.push_back(coloured(kDim, cut("no calls; waiting for one", width)));
        return lines;
    }
    lines.push_back(coloured(kDim, cut(column_names(), width)));
    const auto room =
        static_cast<std::size_t>(std::max(height - static_cast<int>(lines.size()), 1));
    // The last line says how many did not fit.
    const std::size_t shown = sight.calls.size() <= room ? sight.calls.size() : room - 1;
    for (std::size_t i = 0; i < shown; ++i) {
        const Verdict verdict = judge(sight.calls[i]);
        const std::string columns = columns_of(sight.calls[i]);
        const std::string whole = cut(columns + verdict.sentence, width);
        // The verdict alone is coloured; in a narrow terminal there may be nothing left of it.
        lines.push_back(whole.size() <= columns.size()
                            ? whole
                            : columns +
                                  coloured(colour_of(verdict.mood), whole.substr(columns.size())));
    }
    if (shown < sight.calls.size() || sight.daemon.active_calls > sight.calls.size()) {
        const std::string rest = coloured(kDim, cut(rest_line(sight, shown), width));
        if (lines.size() < static_cast<std::size_t>(height)) lines.push_back(rest);
    }
    return lines;
}

std::vector<std::string> plain_lines(const Sight& sight) {
    std::vector<std::string> lines{sight.error ? fmt::format("{}: {}", sight.url, *sight.error)
                                               : head(sight)};
    if (sight.error) return lines;
    for (const WatchedCall& call : sight.calls) {
        lines.push_back(
            fmt::format("{} {} age {} codec {} sent {} source {} longest gap {:.1f} ms level sent "
                        "{:.0f} received {:.0f} "
                        "dBov received {} lost {}: {}",
                        call.id,
                        call.state,
                        age_text(call.duration_ms),
                        call.codec.empty() ? "-" : call.codec,
                        call.sent_packets,
                        call.last_source.empty() ? "none" : call.last_source,
                        call.max_gap_ms,
                        call.sent_level_dbov,
                        call.received_level_dbov,
                        call.received_packets,
                        call.lost_packets,
                        judge(call).sentence));
    }
    return lines;
}

}  // namespace offhook::cli

#include "ai/playout.h"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include "ai/position_map.h"
#include "ai/resampler.h"

namespace offhook::ai {
namespace {

constexpr std::size_t kBlock = 480;
constexpr std::size_t kMostUp = 2;  // 8000 -> 16000 Hz: a line has no other rates

}  // namespace

struct Playout::State {
    enum class Kind : std::uint8_t { Left, Cleared, Overflowed };
    /// An order to the line: what lies before `to` and has not been read goes.
    struct Cut {
        std::uint64_t to;
        Kind kind;
    };
    struct Mark {
        std::string name;
        std::uint64_t line, bot;
        bool is_empty;  ///< what stood before it had been cleared when it came
    };

    State(std::shared_ptr<model::AudioPort> audio_port,
          std::uint32_t bot_rate_hz,
          std::uint64_t limit_ms,
          Events& listener)
        : port(std::move(audio_port)),
          events(listener),
          limit(limit_ms * port->sample_rate_hz / 1000),
          resampler(bot_rate_hz, port->sample_rate_hz),
          line_done(port->voice.written_samples()),
          map(bot_rate_hz, port->sample_rate_hz, line_done) {}

    std::shared_ptr<model::AudioPort> port;
    Events& events;
    std::uint64_t limit;
    Resampler resampler;
    std::array<std::int16_t, kBlock * kMostUp> resampled{};

    std::uint64_t line_done;  ///< of what lies before it is known what came of it
    std::uint64_t bot_done = 0;
    PositionMap map;
    std::deque<Cut> cuts;  ///< rising
    std::deque<Mark> marks;
    Totals totals;
    Kind last_kind = Kind::Left;
    std::uint64_t dropped_from = 0, dropped_to = 0;  ///< not told yet
    bool is_paused = false;
    bool was_silent = true;
    bool is_drained = true;

    [[nodiscard]] std::uint64_t line_written() const noexcept {
        return port->voice.written_samples();
    }

    void write_line(std::span<const std::int16_t> pcm, std::uint64_t samples) {
        const std::uint64_t before = line_written();
        const std::uint64_t lost = port->voice.dropped_samples();
        const std::uint64_t after = port->voice.write(pcm);
        map.add_bot(before, samples, pcm.size(), after - before);
        if (port->voice.dropped_samples() != lost) {
            const std::uint64_t keep_from = after > limit ? after - limit : 0;
            if (cuts.empty() || cuts.back().to < keep_from)
                cuts.push_back({keep_from, Kind::Overflowed});
        }
        is_drained = false;
    }

    [[nodiscard]] Kind kind_of_drop(std::uint64_t line, std::uint64_t& until) {
        while (!cuts.empty() && cuts.front().to <= line) cuts.pop_front();
        if (cuts.empty()) return Kind::Cleared;
        until = std::min(until, cuts.front().to);
        return cuts.front().kind;
    }

    /// The line has come to `to`, and what came of it is the same for all of that.
    void advance(std::uint64_t to, bool has_left, std::int64_t left_ns) {
        while (line_done < to) {
            const PositionMap::Piece& piece = map.piece_at(line_done);
            // What found no room between this piece and the one before.
            account(piece.bot, Kind::Overflowed, 0);
            std::uint64_t until = std::min(to, map.end_of_first());
            const Kind kind = has_left ? Kind::Left : kind_of_drop(line_done, until);
            if (!piece.is_bot) was_silent = true;
            account(map.bot_at(piece, until), kind, left_ns);
            line_done = until;
            fire_marks(kind == Kind::Left);
        }
    }

    void account(std::uint64_t to, Kind kind, std::int64_t left_ns) {
        if (to <= bot_done) return;
        const std::uint64_t samples = to - bot_done;
        if (kind == Kind::Left) {
            tell_dropped();
            totals.left += samples;
            if (std::exchange(was_silent, false)) events.on_started(bot_done, left_ns);
        } else {
            (kind == Kind::Cleared ? totals.cleared : totals.overflowed) += samples;
            if (dropped_from == dropped_to) dropped_from = bot_done;
            dropped_to = to;
        }
        bot_done = to;
        last_kind = kind;
    }

    void tell_dropped() {
        if (dropped_from == dropped_to) return;
        const std::uint64_t from = std::exchange(dropped_from, dropped_to);
        events.on_dropped(from, dropped_to);
    }

    void fire_marks(bool has_left) {
        while (!marks.empty() && marks.front().line <= line_done) {
            const Mark mark = std::move(marks.front());
            marks.pop_front();
            events.on_mark(mark.name, has_left || mark.is_empty, mark.bot);
        }
    }
};

Playout::Playout(std::shared_ptr<model::AudioPort> port,
                 std::uint32_t bot_rate_hz,
                 std::uint64_t limit_ms,
                 Events& events)
    : state_(std::make_unique<State>(std::move(port), bot_rate_hz, limit_ms, events)) {}

Playout::~Playout() = default;

std::uint64_t Playout::write(std::span<const std::int16_t> pcm) {
    State& s = *state_;
    if (s.resampler.is_unity()) {
        s.write_line(pcm, pcm.size());
    } else {
        while (!pcm.empty()) {
            const auto block = pcm.first(std::min(pcm.size(), kBlock));
            const std::size_t n = s.resampler.process(block, s.resampled);
            s.write_line(std::span(s.resampled).first(n), block.size());
            pcm = pcm.subspan(block.size());
        }
    }
    return s.map.bot_written();
}

void Playout::insert(std::span<const std::int16_t> line_pcm) {
    State& s = *state_;
    const std::uint64_t before = s.line_written();
    s.map.add_prompt(before, s.port->voice.write(line_pcm) - before);
    s.is_drained = false;
}

void Playout::mark(std::string name) {
    State& s = *state_;
    const std::uint64_t bot = s.map.bot_written();
    const std::uint64_t line = s.line_written();
    if (s.marks.size() == kMaxMarks || line <= s.line_done) {
        s.events.on_mark(name, true, bot);
        return;
    }
    const bool is_empty =
        !s.cuts.empty() && s.cuts.back().kind == State::Kind::Cleared && s.cuts.back().to == line;
    s.marks.push_back({std::move(name), line, bot, is_empty});
}

void Playout::clear() {
    State& s = *state_;
    const std::uint64_t to = s.line_written();
    s.port->voice.clear();
    s.resampler.forget();
    if (to > s.line_done && (s.cuts.empty() || s.cuts.back().to < to))
        s.cuts.push_back({to, State::Kind::Cleared});
}

void Playout::pause() {
    state_->is_paused = true;
}

void Playout::resume() {
    state_->is_paused = false;
}

bool Playout::is_paused() const noexcept {
    return state_->is_paused;
}

void Playout::look(std::int64_t now_ns) {
    State& s = *state_;
    const std::uint64_t read = s.port->voice.read_samples();
    const bool was_cleared =
        !s.cuts.empty() && s.cuts.back().kind == State::Kind::Cleared && s.cuts.back().to <= read;
    if (was_cleared) s.advance(s.cuts.back().to, false, now_ns);
    s.advance(read, true, now_ns);
    const bool is_all = s.line_done == s.line_written();
    if (is_all) s.account(s.map.bot_written(), s.last_kind, now_ns);
    s.tell_dropped();
    if (is_all && !std::exchange(s.is_drained, true)) {
        s.was_silent = true;
        s.events.on_drained(s.bot_done);
    }
}

Playout::Totals Playout::totals() const noexcept {
    Totals totals = state_->totals;
    totals.written = state_->map.bot_written();
    totals.queued = totals.written - totals.left - totals.cleared - totals.overflowed;
    return totals;
}

}  // namespace offhook::ai

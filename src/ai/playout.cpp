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
constexpr std::int64_t kForgetNs = 100'000'000;       // the bot's sound is over: so is the filter's
constexpr std::int64_t kDroppedQuietNs = 40'000'000;  // two frames
constexpr std::size_t kMostUp = 2;                    // 8000 -> 16000 Hz: a line has no other rates

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
          map(bot_rate_hz, port->sample_rate_hz, line_done),
          next_run(std::max<std::uint64_t>(port->ledger.runs(), 1) - 1),
          line_left(port->ledger.left_samples()) {
        port->voice.set_limit(limit);
        port->voice.resume();
    }

    std::shared_ptr<model::AudioPort> port;
    Events& events;
    std::uint64_t limit;
    Resampler resampler;
    std::array<std::int16_t, kBlock * kMostUp> resampled{};

    std::uint64_t line_done;  ///< of what lies before it is known what came of it
    std::uint64_t bot_done = 0;
    PositionMap map;
    std::uint64_t next_run;   ///< of the ledger, that is not done
    std::uint64_t line_left;  ///< of all samples of the line, those before `line_done` that left
    std::deque<Cut> cuts;     ///< rising
    std::deque<Mark> marks;
    Totals totals;
    Kind last_kind = Kind::Left;
    std::uint64_t dropped_from = 0, dropped_to = 0;  ///< not told yet
    std::uint64_t dropped_seen = 0;                  ///< `dropped_to` when it last grew,
    std::int64_t dropped_ns = 0;                     ///< and when that was
    std::uint64_t prompts_queued = 0;                ///< samples of the line
    bool was_silent = true;
    bool is_drained = true;
    bool is_looking = false;
    std::int64_t drained_ns = 0;  ///< 0: long ago, or not at all

    [[nodiscard]] std::uint64_t line_written() const noexcept {
        return port->voice.written_samples();
    }

    void write_line(std::span<const std::int16_t> pcm, std::uint64_t samples) {
        const std::uint64_t before = line_written();
        map.add_bot(before, samples, pcm.size(), port->voice.write(pcm) - before);
        note_overflow();
        is_drained = false;
        drained_ns = 0;
    }

    void note_overflow() { cut({port->voice.overflowed_to(), Kind::Overflowed}); }

    void cut(Cut next) {
        if (next.to <= line_done || (!cuts.empty() && cuts.back().to >= next.to)) return;
        if (!cuts.empty() && cuts.back().kind == next.kind) {
            cuts.back().to = next.to;
        } else {
            cuts.push_back(next);
        }
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
            if (!piece.is_bot) {
                was_silent = true;
                prompts_queued -= std::min(prompts_queued, until - line_done);
            }
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

    /// A stretch that still grows, frame by frame, is told as one.
    void tell_whole_dropped(std::int64_t now_ns) {
        if (dropped_to != dropped_seen) {
            dropped_seen = dropped_to;
            dropped_ns = now_ns;
        }
        if (is_settled() || now_ns - dropped_ns >= kDroppedQuietNs) tell_dropped();
    }

    void fire_marks(bool has_left) {
        while (!marks.empty() && marks.front().line <= line_done) {
            const Mark mark = std::move(marks.front());
            marks.pop_front();
            events.on_mark(mark.name, has_left || mark.is_empty, mark.bot);
        }
    }

    /// Goes through the runs up to `settled`; what lies between them was dropped.
    void follow(std::uint64_t settled) {
        const model::VoiceLedger& ledger = port->ledger;
        model::VoiceLedger::Run run;
        for (const std::uint64_t runs = ledger.runs(); next_run < runs; ++next_run) {
            if (!ledger.run_at(next_run, run)) {
                if (!catch_up()) break;
                continue;
            }
            if (run.begin >= settled) break;
            const std::uint64_t end = std::min(run.end, settled);
            std::int64_t left_ns = ledger.left_ns();
            if (line_done <= run.begin) {
                advance(run.begin, false, 0);
                if (run.started_ns != 0) {
                    was_silent = true;
                    left_ns = run.started_ns;
                }
            }
            advance(end, true, left_ns);
            line_left = run.left_before + (end - run.begin);
            // The last one may still grow.
            if (run.end > settled || next_run + 1 == runs) break;
        }
        advance(settled, false, 0);
    }

    /// We came so late that runs were overwritten. How much left in them is known, not what: say the
    /// last of it. @return false: not even now
    bool catch_up() {
        const std::uint64_t runs = port->ledger.runs();
        model::VoiceLedger::Run run;
        for (std::uint64_t number = next_run + 1; number < runs; ++number) {
            if (!port->ledger.run_at(number, run)) continue;
            if (run.begin > line_done) {
                const std::uint64_t left = std::min(
                    run.left_before - std::min(line_left, run.left_before), run.begin - line_done);
                advance(run.begin - left, false, 0);
                advance(run.begin, true, port->ledger.left_ns());
            }
            line_left = run.left_before;
            next_run = number - 1;
            return true;
        }
        return false;
    }

    void look(std::int64_t now_ns);
    [[nodiscard]] bool is_settled() const noexcept { return line_done == line_written(); }
};

Playout::Playout(std::shared_ptr<model::AudioPort> port,
                 std::uint32_t bot_rate_hz,
                 std::uint64_t limit_ms,
                 Events& events)
    : state_(std::make_unique<State>(std::move(port), bot_rate_hz, limit_ms, events)) {}

// What is queued plays on, whoever speaks next.
Playout::~Playout() {
    state_->port->voice.resume();
}

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
    s.port->voice.set_limit(s.limit + s.prompts_queued + line_pcm.size());
    const std::uint64_t before = s.line_written();
    const std::uint64_t samples = s.port->voice.write(line_pcm) - before;
    s.map.add_prompt(before, samples);
    s.prompts_queued += samples;
    s.note_overflow();
    s.is_drained = false;
    s.drained_ns = 0;
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
    s.port->voice.clear();
    s.resampler.forget();
    s.cut({s.line_written(), State::Kind::Cleared});
}

void Playout::pause() {
    state_->port->voice.pause();
}

void Playout::resume() {
    state_->port->voice.resume();
}

bool Playout::is_paused() const noexcept {
    return state_->port->voice.is_paused();
}

void Playout::look(std::int64_t now_ns) {
    // Whoever is told may look again: it is being done.
    if (std::exchange(state_->is_looking, true)) return;
    state_->look(now_ns);
    state_->is_looking = false;
}

void Playout::State::look(std::int64_t now_ns) {
    port->voice.reclaim();
    const std::uint64_t settled = port->ledger.settled();
    if (settled > line_done) {
        follow(settled);
        port->voice.set_limit(limit + prompts_queued);
    }
    if (is_settled()) {
        // The last samples of the bot may be in no sample of the line, when that has fewer.
        account(map.bot_taken(), last_kind, port->ledger.left_ns());
        account(map.bot_written(), Kind::Overflowed, 0);
    }
    tell_whole_dropped(now_ns);
    if (!is_settled()) return;
    if (!std::exchange(is_drained, true)) {
        was_silent = true;
        drained_ns = now_ns;
        events.on_drained(bot_done);
    } else if (drained_ns != 0 && now_ns - drained_ns > kForgetNs) {
        drained_ns = 0;
        resampler.forget();
    }
}

Playout::Totals Playout::totals() const noexcept {
    Totals totals = state_->totals;
    totals.written = state_->map.bot_written();
    totals.queued = totals.written - totals.left - totals.cleared - totals.overflowed;
    return totals;
}

}  // namespace offhook::ai

#include "ai/position_map.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace offhook::ai {

PositionMap::PositionMap(std::uint32_t bot_hz, std::uint32_t line_hz, std::uint64_t line)
    : up_(line_hz / std::gcd(bot_hz, line_hz)), down_(bot_hz / std::gcd(bot_hz, line_hz)) {
    pieces_.push_back({.line = line, .is_bot = true});
}

void PositionMap::add_bot(std::uint64_t line,
                          std::uint64_t samples,
                          std::uint64_t given,
                          std::uint64_t taken) {
    const std::uint64_t first = bot_written_;
    const std::uint64_t given_before = given_;
    bot_written_ += samples;
    given_ += given;
    if (given > 0 && taken == 0) return;
    // What found no room ends a piece early: its sound goes on elsewhere.
    if (!pieces_.back().is_bot || pieces_.back().bot_end != first)
        pieces_.push_back({line, given_before, first, first, true});
    std::uint64_t& end = pieces_.back().bot_end;
    end = taken == given ? bot_written_
                         : std::clamp((given_before + taken) * down_ / up_, end, bot_written_);
}

void PositionMap::add_prompt(std::uint64_t line, std::uint64_t samples) {
    if (samples == 0) return;
    pieces_.push_back({line, given_, bot_written_, bot_written_, false});
}

const PositionMap::Piece& PositionMap::piece_at(std::uint64_t line) {
    while (pieces_.size() > 1 && pieces_[1].line <= line) pieces_.pop_front();
    return pieces_.front();
}

std::uint64_t PositionMap::end_of_first() const noexcept {
    return pieces_.size() > 1 ? pieces_[1].line : std::numeric_limits<std::uint64_t>::max();
}

std::uint64_t PositionMap::bot_at(const Piece& piece, std::uint64_t line) const noexcept {
    if (!piece.is_bot) return piece.bot;
    if (line >= end_of_first()) return piece.bot_end;
    return std::clamp((piece.given + line - piece.line) * down_ / up_, piece.bot, piece.bot_end);
}

}  // namespace offhook::ai

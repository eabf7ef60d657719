#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace offhook::ai {

/// Which of a bot's samples a sample of the line carries. Positions of the line count what was
/// queued for it, those of the bot what the bot gave; between them lie the resampler, prompts (of
/// the line, not of the bot) and what found no room (of the bot, never on the line).
///
///     line  |--- bot 0..24000 ---|-- prompt --|--- bot 24000..31200 ---|  room for no more
///     bot   0                  24000        24000                    31200 (refused) 33000
/// @thread one
class PositionMap {
public:
    /// A stretch of the line that carries bot samples `bot` to `bot_end`, or none.
    struct Piece {
        std::uint64_t line = 0;   ///< where it begins
        std::uint64_t given = 0;  ///< samples the resampler had given before it
        std::uint64_t bot = 0;
        std::uint64_t bot_end = 0;
        bool is_bot = false;
    };

    /// @param bot_hz, line_hz  of both sides  @param line  position where everything begins
    PositionMap(std::uint32_t bot_hz, std::uint32_t line_hz, std::uint64_t line);

    /// The bot gave `samples`; the resampler made `given` of them, of which the line took `taken`.
    /// @param line  where the line stood before
    void add_bot(std::uint64_t line,
                 std::uint64_t samples,
                 std::uint64_t given,
                 std::uint64_t taken);
    void add_prompt(std::uint64_t line, std::uint64_t samples);

    /// The piece that holds this sample of the line, or the last one. Older ones are forgotten.
    [[nodiscard]] const Piece& piece_at(std::uint64_t line);
    /// Where the piece after the first one begins; the largest number while there is none.
    [[nodiscard]] std::uint64_t end_of_first() const noexcept;
    /// How far the bot's sound is done when the line has come to `line` in this piece.
    [[nodiscard]] std::uint64_t bot_at(const Piece& piece, std::uint64_t line) const noexcept;

    [[nodiscard]] std::uint64_t bot_written() const noexcept { return bot_written_; }
    /// What was written after this found no room.
    [[nodiscard]] std::uint64_t bot_taken() const noexcept { return pieces_.back().bot_end; }

private:
    std::uint64_t up_, down_;  ///< line / bot rate in lowest terms
    std::deque<Piece> pieces_;
    std::uint64_t bot_written_ = 0;
    std::uint64_t given_ = 0;
};

}  // namespace offhook::ai

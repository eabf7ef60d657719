#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace offhook::demo {

/// What bot and caller of the demonstration said last, as the local bot writes it down: a line of
/// JSON each, `{"time":"12:00:03","call":"c-...","event":"says","words":"..."}`.
/// @thread control
class Transcript {
public:
    static constexpr std::size_t kMaxLines = 500;

    struct Line {
        std::uint64_t number = 0;  ///< from 1 on, one by one
        std::string time;          ///< of the clock on the wall, "12:00:03"
        std::string call;          ///< its id
        /// begins, heard, unclear, says, interrupted, digit, ends
        std::string event;
        std::string words;  ///< escaped
    };

    /// @param file  a text line each is appended to it; empty: none
    explicit Transcript(const std::string& file = {});

    /// Takes one line of the bot's output; false: it is none of a transcript.
    bool take(std::string_view json);
    /// Those with a higher number, oldest first. @param call  empty: of all calls
    [[nodiscard]] std::vector<Line> after(std::uint64_t number, std::string_view call) const;
    /// The number of the newest; 0: there is none.
    [[nodiscard]] std::uint64_t last() const { return last_; }

private:
    std::deque<Line> lines_;
    std::uint64_t last_ = 0;
    std::ofstream file_;
};

}  // namespace offhook::demo

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "caller/run_result.h"

namespace offhook::caller {

/// What a run must be like for exit code 0: conditions on figures of the summary, all of which must
/// hold.
class Expectation {
public:
    /// Parses "rate>=99.9,max_gap<=40,ssrc=1": names of `known_names`, operators >= <= > < =,
    /// decimal numbers.
    /// @errors InvalidArgument: names the part that is wrong, and the names that exist
    [[nodiscard]] static base::Result<Expectation> parse(std::string_view text);
    /// What holds without --expect. A run of many calls may have a longest gap of 60 ms, a single
    /// one of 40.
    [[nodiscard]] static Expectation standard(int calls);

    struct Judgement {
        std::string condition;  ///< "max_gap<=40"
        std::string measured;   ///< "104.2", or "not measured"
        bool holds = false;
    };
    /// Judges every condition; a figure that was not measured holds nothing.
    [[nodiscard]] std::vector<Judgement> judge(const Summary& summary) const;
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    /// "rate, min_rate, max_gap, …" with their meaning, one a line, for --help.
    [[nodiscard]] static std::string describe_names();

private:
    enum class Operator { AtLeast, AtMost, Above, Below, Equal };
    struct Condition {
        std::size_t figure = 0;  ///< index in the table of figures
        Operator op = Operator::AtLeast;
        double limit = 0;
        std::string text;
    };
    std::vector<Condition> conditions_;
    std::string text_;
};

}  // namespace offhook::caller

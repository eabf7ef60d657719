#pragma once

#include <string>
#include <vector>

#include "caller/run_result.h"

namespace offhook::caller {

/// What was wrong, worst first.
enum class Trouble {
    None,
    NotAnswered,
    NoRtp,
    StreamStopped,
    HungUp,
    SecondSsrc,
    Hole,
    Lost,
    SequenceBreak,
    TimestampBreak,
    WrongRate,
    LateFirstPacket,
    Foreign,
};

struct Diagnosis {
    Trouble trouble = Trouble::None;
    std::string
        sentence;  ///< "stream stopped at 12.3 s and never came back"; empty without trouble
};

/// Names the worst trouble of one call, whatever was expected of it.
[[nodiscard]] Diagnosis diagnose(const CallResult& call);

/// One sentence for each kind of trouble in the run, worst first: with many calls how many had it,
/// and one as example. Also says when it was rather our own machine that was late.
[[nodiscard]] std::vector<std::string> diagnose(const RunResult& run);

}  // namespace offhook::caller

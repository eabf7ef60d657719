#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "diagnosis/findings.h"
#include "model/call_directory.h"

namespace offhook::api {

/// What is worst about one call.
struct CallTrouble {
    model::CallId call;
    diagnosis::Severity severity = diagnosis::Severity::Error;
    std::string_view code;  ///< of the finding
    std::string text;       ///< "no RTP from 10.0.0.5 for 8 s"
};

/// The worst of `findings` (errors first, as `diagnose` gives them) in words short enough for a
/// headline; empty when there is nothing worse than an `info`.
[[nodiscard]] std::vector<CallTrouble> trouble_of(const model::CallInfo& call,
                                                  const std::vector<diagnosis::Finding>& findings);

/// All that the sentence on top of the page goes by.
struct VerdictFacts {
    std::size_t calls = 0;               ///< live
    std::vector<CallTrouble> trouble{};  ///< at most one a call, in any order
    model::HealthCheck accounts{}, ai{}, media{};
    double tick_p99_ms = 0;        ///< lateness of the worst worker
    double tick_p99_limit_ms = 0;  ///< from which on new calls are refused; 0: none
    bool is_draining = false;
};

struct Verdict {
    std::string_view level = "ok";  ///< "ok", "info", "warning", "error"
    std::string sentence;           ///< for people; without a full stop
    model::CallId call;             ///< whom it is about; empty: nobody in particular
};

/// One sentence, the worst thing first: what failed, calls with errors, what is degraded, calls with
/// warnings, and else how many are alive. The same facts give the same sentence.
/// @thread any
[[nodiscard]] Verdict verdict_of(const VerdictFacts& facts);

}  // namespace offhook::api

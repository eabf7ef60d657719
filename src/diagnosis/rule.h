#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "diagnosis/diagnose.h"
#include "diagnosis/findings.h"

namespace offhook::diagnosis {

/// What was seen when a fault is there.
struct Evidence {
    Evidence(std::string said, std::string_view at_hop = {})  // NOLINT(google-explicit-constructor)
        : text(std::move(said)), hop(at_hop) {}
    Evidence(const char* said) : text(said) {}  // NOLINT(google-explicit-constructor)

    std::string text;
    std::string_view hop;  ///< that broke; empty: the one of the table
};
using Seen = std::optional<Evidence>;

/// What finds one code of the table, and the numbers that belong to it.
struct Rule {
    std::string_view code;
    Seen (*see)(const Facts&);
    Figures (*figures)(const Facts&);
};
/// Those of the hops of a call (model/hop_ledger.h), most exact first.
[[nodiscard]] std::span<const Rule> hop_rules() noexcept;

// Groups of numbers.

[[nodiscard]] Figures of_nothing(const Facts& facts);
[[nodiscard]] Figures of_inbound(const Facts& facts);
[[nodiscard]] Figures of_outbound(const Facts& facts);
[[nodiscard]] Figures of_both(const Facts& facts);
[[nodiscard]] Figures of_ai(const Facts& facts);
[[nodiscard]] Figures of_voice(const Facts& facts);  ///< the AI's sound on its way to the line
[[nodiscard]] Figures of_web(const Facts& facts);
[[nodiscard]] Figures of_member(const Facts& facts);

// What rules have in common.

[[nodiscard]] std::string percent(double share);
[[nodiscard]] std::string in_seconds(double ms);
[[nodiscard]] std::string in_ms(double ms);
[[nodiscard]] std::string count(std::uint64_t number, const char* what);
/// Of the two together; 0 when there is nothing.
[[nodiscard]] double share(std::uint64_t part, std::uint64_t rest);
/// -1: not yet
[[nodiscard]] double ms_since(const Facts& facts, std::int64_t at_ns);
/// Why the call is over, when that is the fault itself.
[[nodiscard]] Seen ended_by(const Facts& facts, std::initializer_list<model::EndReason> reasons);
[[nodiscard]] bool is_live(const model::CallInfo& call);

/// A leg through which sound should go both ways, and has been able to for long enough.
struct Flow {
    const model::LegStats& stats;
    double length_ms;
    bool is_live;
};
[[nodiscard]] std::optional<Flow> flow_of(const Facts& facts);
/// Nothing, or nothing any more.
[[nodiscard]] bool receives_nothing(const Facts& facts, const Flow& flow);
[[nodiscard]] bool sends_nothing(const Flow& flow);
[[nodiscard]] std::string what_came(const Flow& flow);

}  // namespace offhook::diagnosis

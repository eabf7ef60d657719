#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace offhook::diagnosis {

enum class Severity : std::uint8_t { Error, Warning, Info };
/// "error", "warning", "info"
[[nodiscard]] std::string_view name_of(Severity severity) noexcept;

/// One entry of findings.json, which browsers have as well.
struct Known {
    std::string_view code;
    Severity severity = Severity::Error;
    bool is_seen_by_daemon = false;
    std::string_view cause, fix;  ///< a sentence each
    std::string_view symptom;     ///< what a person hears, a sentence
    std::string_view hop;         ///< that broke (model/hop_ledger.h); empty: none, or it depends
};
/// Numbers behind a finding, by the names of model::LegStats, AiFigures and their like. Negative
/// where such a name says so: not known.
using Figures = std::vector<std::pair<std::string_view, double>>;
/// The whole table, in its order.
[[nodiscard]] std::span<const Known> known_findings() noexcept;

/// Something that is wrong, and the figures that show it.
struct Finding {
    Known known;
    std::string evidence;  ///< a sentence; escaped
    std::string_view hop;  ///< that broke; empty: none
    Figures figures;
};

}  // namespace offhook::diagnosis

#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::cli {

// Answers of the API as text for people: lines with their ends, escaped. All fail with Malformed.

/// @param body  of `GET /api/v1/calls`
[[nodiscard]] base::Result<std::string> calls_table(std::string_view body);
/// The same, the ids alone.
[[nodiscard]] base::Result<std::string> call_ids(std::string_view body);
/// @param body  of `GET /api/v1/calls/{id}`
[[nodiscard]] base::Result<std::string> call_view(std::string_view body);
/// One line: the call, and that it ends. @param body  a call
[[nodiscard]] base::Result<std::string> hangup_view(std::string_view body);

struct DiagnosisView {
    std::string text;
    bool is_healthy = true;
};
/// @param body  of `GET /api/v1/calls/{id}/diagnosis`
[[nodiscard]] base::Result<DiagnosisView> diagnosis_view(std::string_view body);
/// The hops as a chain, the broken one marked. @param body  of `GET /api/v1/calls/{id}/hops`
[[nodiscard]] base::Result<std::string> hops_view(std::string_view body);

/// @param body  of `GET /api/v1/cdr`
[[nodiscard]] base::Result<std::string> records_table(std::string_view body);

}  // namespace offhook::cli

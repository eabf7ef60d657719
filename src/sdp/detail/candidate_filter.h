#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "sdp/detail/candidate.h"
#include "sdp/web_remote.h"

namespace offhook::sdp::detail {

/// Lets the candidates of one peer by as CandidateRules say, and counts.
class CandidateFilter {
public:
    explicit CandidateFilter(const CandidateRules& rules,
                             std::size_t kept = 0,
                             std::size_t mdns = 0) noexcept
        : rules_(rules), kept_(kept), mdns_(mdns) {}

    /// One "candidate:..." or "a=candidate:..." value; empty: left out.
    [[nodiscard]] std::optional<Candidate> let_by(std::string_view value);

private:
    const CandidateRules& rules_;
    std::size_t kept_, mdns_;
};

}  // namespace offhook::sdp::detail

#include "sdp/detail/candidate.h"
#include "sdp/detail/candidate_filter.h"
#include "sdp/web_remote.h"

namespace offhook::sdp {
namespace detail {

std::optional<Candidate> CandidateFilter::let_by(std::string_view value) {
    auto candidate = parse_candidate(value);
    if (!candidate || kept_ >= rules_.max_candidates || candidate->port < rules_.min_port ||
        (candidate->is_loopback && !rules_.allow_loopback))
        return std::nullopt;
    if (candidate->is_mdns) {
        if (mdns_ >= rules_.max_mdns) return std::nullopt;
        ++mdns_;
    } else if (config::contains_any(rules_.deny, candidate->address)) {
        return std::nullopt;
    }
    ++kept_;
    return candidate;
}

}  // namespace detail

std::optional<std::string> read_candidate(std::string_view value,
                                          const CandidateRules& rules,
                                          std::size_t known) {
    // Which of the known ones were names is not known here: as if all were.
    const auto candidate = detail::CandidateFilter(rules, known, known).let_by(value);
    if (!candidate) return std::nullopt;
    return candidate->text();
}

}  // namespace offhook::sdp

#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "store/call_record.h"

namespace offhook::store {

/// Which records. What is empty or at its default excludes nothing. Texts match without regard to
/// case where that is said.
struct RecordQuery {
    std::string from, to;  ///< part of the URI, whatever the case
    std::string caller;    ///< all of the far end's URI, or of its user part
    std::int64_t since_ns = 0;
    std::int64_t until_ns = std::numeric_limits<std::int64_t>::max();  ///< not itself
    std::string direction, account, route, ai, end_class, end_reason;
    double min_duration_ms = -1, max_duration_ms = -1;
    double min_mos = -1, max_mos = -1;
    double min_loss_share = -1;
    std::string sip_call_id;
    int limit = 100;

    /// Goes on behind this one, which is older than `until_ns`.
    std::int64_t after_ns = std::numeric_limits<std::int64_t>::max();
    std::string after_id = "\x7f";
};

/// Newest first.
struct RecordPage {
    std::vector<CallRecord> records;
    bool has_more = false;
};

}  // namespace offhook::store

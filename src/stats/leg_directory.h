#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/call_id.h"
#include "model/leg_kind.h"
#include "model/leg_path.h"
#include "model/sdp_offer.h"
#include "model/stats_snapshot.h"
#include "stats/history.h"

namespace offhook::stats {

/// What the report of one leg is made of, all of one moment.
struct LegFacts {
    model::LegKind kind = model::LegKind::Phone;
    model::ChosenAudio chosen;
    model::LegStats stats;
    model::LegPath path;
    bool is_sending = true;        ///< the far end asked for our sound (no hold)
    std::int64_t realtime_ns = 0;  ///< CLOCK_REALTIME
};

/// The legs of live calls, for who wants to look closer than model::CallDirectory shows.
/// @thread control
class LegDirectory {
public:
    virtual ~LegDirectory() = default;
    /// Empty: no live call of this id whose codec is agreed.
    [[nodiscard]] virtual std::optional<LegFacts> leg(const model::CallId& id) const = 0;
    /// Empty: no live call of this id whose media has begun.
    [[nodiscard]] virtual std::optional<std::vector<HistoryRow>> history(
        const model::CallId& id, History::Resolution resolution) const = 0;
};

}  // namespace offhook::stats

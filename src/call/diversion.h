#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/call_end.h"
#include "model/stats_snapshot.h"

namespace offhook::call {

/// An answered call that the peer ended with a BYE, as it looked at that moment.
struct TakenCall {
    std::vector<model::PeerReason> reasons;  ///< of the BYE
    double answered_s = 0;                   ///< from our 200 (or its ACK) to the BYE
    bool is_held = false;                    ///< by either side: silence means nothing
    model::LegStats stats;
};

/// Whether a PBX took the call away as it does when it believes that nobody is there: the failure
/// that this program exists against. Empty: an end like others. Otherwise a sentence with what was
/// sent and received until then, and where to look.
///
/// The signs, either of which is enough:
///  - The Reason of the BYE says that nobody answered, of a call that was answered: SIP 408, 480,
///    504; Q.850 18 (no user responding), 19 (no answer from the user), 102 (a timer ran out). Not
///    when it speaks of a session timer. Q.850 31 (normal, unspecified) is what some PBXs say at
///    every end, so it counts with silence only.
///  - The BYE came 20 to 40 s after the answer (such limits are 30 s) while one direction was
///    silent: no packet for 10 s. With Q.850 31 at any time.
[[nodiscard]] std::optional<std::string> diversion_of(const TakenCall& call);

}  // namespace offhook::call

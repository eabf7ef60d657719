#pragma once

#include <cstdint>

namespace offhook::model {

/// How good a call's sound was from its answer to now, or to its end. Shares are 0 to 1; -1: not
/// known. Inbound = from the caller, outbound = to the caller.
struct Quality {
    double mos = -1;       ///< ITU-T G.107 estimate of what the AI hears, 1 to 4.5; transport only
    double r_factor = -1;  ///< 0 to 93.2
    double loss_share = -1;       ///< of the caller's packets: lost / (lost + received)
    double concealed_share = -1;  ///< of the samples made of them
    double jitter_ms = -1;        ///< mean of the seconds' values
    double jitter_max_ms = -1;
    double round_trip_ms = -1;  ///< mean of the RTCP reports
    double round_trip_max_ms = -1;
    double remote_loss_share = -1;  ///< of ours, as the far end reports it
    double remote_jitter_ms = -1;
    double max_gap_ms = -1;  ///< longest time between two packets of ours, hold excepted
    double inbound_level_dbov = -127,
           outbound_level_dbov = -127;  ///< mean power of the seconds that were not silent
    double inbound_clipped_share = -1, outbound_clipped_share = -1;  ///< of samples
    double inbound_silence_share = -1, outbound_silence_share = -1;  ///< of seconds
    double oneway_ms = 0;          ///< time in which the caller's RTP was due and did not come
    std::uint64_t gap_alarms = 0;  ///< gaps above the limit
};

}  // namespace offhook::model

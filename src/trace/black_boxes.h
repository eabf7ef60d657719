#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/log.h"
#include "model/call_directory.h"
#include "model/leg_trace.h"
#include "model/wire_tap.h"
#include "trace/dump.h"
#include "trace/shelf.h"

namespace offhook::trace {

/// What is kept. Defaults are those of `[black_box]`.
struct BlackBoxSettings {
    int rtp_packets = 2'048;  ///< headers each way; 0: none, and no RTCP
    int ai_frames = 2'048;    ///< messages to and from the bot; 0: none
    int caller_audio_s = 0;   ///< what the caller said last; 0: none
    int keep_calls = 100;     ///< ended ones
    int memory_mb = 256;      ///< of the ended ones
};

/// A box for each call: the last of what went over its wires, and what happened. It is there from
/// the INVITE until `keep_calls` newer calls have ended, or their memory is needed.
///
///     oh-sip --on_sip--> shelf by Call-ID    writers of the log --> shelf by call
///     control: leg_trace, begin, end, open    workers, ai --> model::LegTrace
///
/// Memory of a live call: 24 bytes a header and direction, 17 KiB of RTCP, 16 bytes a message of the
/// bot, 8.6 KiB a second of the caller's sound, at most 64 KiB of SIP and 64 KiB of milestones.
/// @thread control, but for on_sip
class BlackBoxes {
public:
    static constexpr std::size_t kSipMessages = 64, kSipBytes = 64 * 1024;
    static constexpr std::size_t kEvents = 256, kEventBytes = 64 * 1024;

    explicit BlackBoxes(BlackBoxSettings settings);
    BlackBoxes(const BlackBoxes&) = delete;
    BlackBoxes& operator=(const BlackBoxes&) = delete;

    /// @param message  without secrets @thread any
    void on_sip(model::SipWireMessage message);
    /// What the leg of the call is to fill; null: nothing of it is kept. The box is there from now
    /// on.
    [[nodiscard]] std::shared_ptr<model::LegTrace> leg_trace(const model::CallId& call);
    /// The call is known; again does no harm.
    void begin(const model::CallInfo& call);
    /// Of a call that is about to end.
    void keep_stats(const model::CallId& call, std::vector<StatsSample> stats);
    void end(const model::CallInfo& call);

    /// All but call_json, and the stats of live calls, which only others know. Empty: there is no such box.
    [[nodiscard]] std::optional<Dump> open(const model::CallId& call) const;
    using Told = std::function<void(
        const model::CallId&, const std::string& sip_call_id, const model::LegTrace&)>;
    /// Each call that has a leg and has not ended.
    void each_live(const Told& told) const;

    struct Sizes {
        std::size_t live = 0, ended = 0, ended_bytes = 0;
    };
    [[nodiscard]] Sizes sizes() const;

private:
    struct Box {
        std::string sip_call_id;
        std::shared_ptr<model::LegTrace> leg;
        std::vector<StatsSample> stats;
        std::size_t bytes = 0;  ///< once it ended
        bool has_ended = false;
    };
    Box& box_of(const model::CallId& call);
    void forget_oldest();

    const BlackBoxSettings settings_;
    Shelf<model::SipWireMessage> sip_{kSipMessages, kSipBytes};
    Shelf<TimelineEvent> events_{kEvents, kEventBytes};
    std::unordered_map<model::CallId, Box> boxes_;
    std::deque<model::CallId> ended_;  ///< oldest first
    std::size_t ended_bytes_ = 0;
    log::Listening listening_;  ///< last: it writes into `events_`
};

}  // namespace offhook::trace

#pragma once

#include <glib.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "glib/timer.h"
#include "model/call_directory.h"
#include "trace/black_boxes.h"
#include "trace/desk.h"
#include "trace/hep_sender.h"

namespace offhook::trace {

/// The room's door: takes the secrets out of what passes the wire, keeps it in black boxes, sends it
/// to a Homer, writes dumps.
/// @thread control, but for the tap
class Tracer {
public:
    struct Settings {
        std::optional<BlackBoxSettings> boxes{};  ///< empty: nothing is kept
        std::optional<HepSender::Settings> hep{};
    };
    using StatsOf = std::function<std::vector<StatsSample>(const model::CallId&)>;

    /// Both outlive this. RTCP of live calls is looked at once a second for HEP.
    Tracer(Settings settings, base::Executor& control, GMainContext* context);
    Tracer(const Tracer&) = delete;
    Tracer& operator=(const Tracer&) = delete;

    /// For the SIP room; null when nobody wants to know. The tracer outlives whoever calls it.
    [[nodiscard]] model::SipWireTap wire_tap();
    /// @see BlackBoxes::leg_trace; null as well when nothing is kept
    [[nodiscard]] std::shared_ptr<model::LegTrace> leg_trace(const model::CallId& call) {
        return boxes_ ? boxes_->leg_trace(call) : nullptr;
    }
    /// Who has the statistics of a live call's last minutes.
    void set_stats(StatsOf stats) { stats_ = std::move(stats); }

    void on_begun(const model::CallInfo& call);
    /// What is kept of a call that ends; before `on_ended`.
    void on_stats(const model::CallId& call, std::vector<StatsSample> stats) {
        if (boxes_) boxes_->keep_stats(call, std::move(stats));
    }
    void on_ended(const model::CallInfo& call);

    struct Written {
        std::string file_name, bytes;
    };
    enum class Ordered : std::uint8_t {
        Yes,
        NoBox,  ///< the call has none: it is gone, or nothing is kept
        Busy,   ///< too many are being written
    };
    /// @param call_json  the call, as the API shows it  @param done  comes on control
    [[nodiscard]] Ordered dump(const model::CallId& call,
                               DumpFormat format,
                               std::string call_json,
                               std::function<void(Written)> done);
    [[nodiscard]] bool keeps() const { return boxes_.has_value(); }

private:
    void send_rtcp();

    base::Executor& control_;
    std::optional<BlackBoxes> boxes_;
    std::optional<HepSender> hep_;
    std::optional<Desk> desk_;
    StatsOf stats_;
    std::map<model::CallId, std::uint64_t> rtcp_sent_;  ///< as `PacketTrace::rtcp_since` counts
    glib::Timer rtcp_timer_;
};

}  // namespace offhook::trace

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "model/call_directory.h"
#include "model/quality.h"

namespace offhook::store {

/// What is kept of one INVITE. Texts are escaped already, as in model::CallInfo; empty: not known,
/// or not yet. Times are CLOCK_REALTIME; 0: not yet.
struct CallRecord {
    std::string id, direction, from, to;
    std::string far_user;  ///< user part of who is at the other end: the caller, or whom we called
    std::string account, route, ai, channel, leg, codec, srtp, transport, peer, user_agent;
    std::string sip_call_id;
    std::int64_t created_ns = 0, answered_ns = 0, ended_ns = 0;
    double answer_ms = -1;
    double duration_ms = -1;  ///< answer to end
    std::string end_class, end_reason, end_detail;
    std::string peer_reasons;     ///< "SIP;cause=200;text=..., Q.850;cause=16"
    std::string recording;        ///< as model::RecordingState; empty: off
    std::int64_t sip_status = 0;  ///< the final answer, where that ended it
    std::int64_t sent_packets = 0, received_packets = 0, lost_packets = 0;
    model::Quality quality;

    [[nodiscard]] bool is_closed() const { return ended_ns != 0; }
};

[[nodiscard]] CallRecord record_of(const model::CallInfo& call);

/// One column of the table `calls`, of the CSV and of the API's answer.
struct Column {
    /// A Figure below 0 is not known, nor is a Level of -127 or a Time or Status of 0.
    enum class Kind { Text, Time, Status, Count, Figure, Level };
    std::string_view name;
    Kind kind;
    std::variant<std::string CallRecord::*,
                 std::int64_t CallRecord::*,
                 double CallRecord::*,
                 double model::Quality::*,
                 std::uint64_t model::Quality::*>
        member;
    [[nodiscard]] bool is_quality() const { return member.index() >= 3; }
};

/// What it is called outside: "created" for `created_ns`, "from" for `from_uri`.
[[nodiscard]] std::string_view label_of(const Column& column);

/// In the order of the table.
[[nodiscard]] std::span<const Column> columns();

/// What a column of a record is: nothing when it is not known.
using Cell = std::variant<std::monostate, std::string_view, std::int64_t, double>;
[[nodiscard]] Cell cell_of(const CallRecord& record, const Column& column);

/// "sip:+4930123@pbx.example.com;x=y" -> "+4930123"; of a text that is no such URI all of it.
[[nodiscard]] std::string user_of(std::string_view uri);

}  // namespace offhook::store

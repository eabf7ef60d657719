#include "store/call_record.h"

#include <array>

#include "base/monotonic.h"

namespace offhook::store {
namespace {

constexpr double kNoLevel = -127;

std::string joined(const std::vector<model::PeerReason>& reasons) {
    std::string all;
    for (const model::PeerReason& reason : reasons) {
        if (!all.empty()) all += ", ";
        all += reason.protocol;
        if (reason.cause != 0) all += ";cause=" + std::to_string(reason.cause);
        if (!reason.text.empty()) all += ";text=" + reason.text;
    }
    return all;
}

}  // namespace

std::string user_of(std::string_view uri) {
    const std::size_t colon = uri.find(':');
    if (colon == std::string_view::npos) return std::string(uri);
    std::string_view rest = uri.substr(colon + 1);
    rest = rest.substr(0, rest.find('@'));
    return std::string(rest.substr(0, rest.find_first_of(";?")));
}

CallRecord record_of(const model::CallInfo& call) {
    CallRecord record;
    record.id = call.id.text;
    record.direction = model::name_of(call.direction);
    record.from = call.from;
    record.to = call.to;
    record.far_user =
        user_of(call.direction == model::CallDirection::Outbound ? call.to : call.from);
    record.account = call.account;
    record.route = call.route;
    record.ai = call.ai;
    record.channel = call.channel;
    record.leg = model::name_of(call.leg);
    record.codec = call.codec;
    record.srtp = call.srtp;
    record.transport = call.transport;
    record.peer = call.peer;
    record.user_agent = call.user_agent;
    record.sip_call_id = call.sip_call_id;
    record.created_ns = call.created_ns;
    record.answered_ns = call.answered_ns;
    record.ended_ns = call.ended_ns;
    record.answer_ms = call.answer_ms;
    if (call.answered_ns != 0 && call.ended_ns != 0) {
        record.duration_ms =
            static_cast<double>((call.ended_ns - call.answered_ns) / base::kNsPerMs);
    }
    if (call.recording != model::RecordingState::Off)
        record.recording = model::name_of(call.recording);
    if (call.end) {
        record.end_class = model::name_of(call.end->end_class);
        record.end_reason = model::name_of(call.end->reason);
        record.end_detail = call.end->detail;
        record.peer_reasons = joined(call.end->peer_reasons);
        record.sip_status = call.end->sip_status;
    }
    record.sent_packets = static_cast<std::int64_t>(call.stats.sent_packets);
    record.received_packets = static_cast<std::int64_t>(call.stats.received_packets);
    record.lost_packets = static_cast<std::int64_t>(call.stats.lost_packets);
    record.quality = call.quality;
    return record;
}

std::string_view label_of(const Column& column) {
    for (const std::string_view suffix : {"_ns", "_uri"}) {
        if (column.name.ends_with(suffix))
            return column.name.substr(0, column.name.size() - suffix.size());
    }
    return column.name;
}

std::span<const Column> columns() {
    using R = CallRecord;
    using Q = model::Quality;
    using K = Column::Kind;
    static const std::array kColumns{
        Column{"id", K::Text, &R::id},
        Column{"direction", K::Text, &R::direction},
        Column{"from_uri", K::Text, &R::from},
        Column{"to_uri", K::Text, &R::to},
        Column{"far_user", K::Text, &R::far_user},
        Column{"account", K::Text, &R::account},
        Column{"route", K::Text, &R::route},
        Column{"ai", K::Text, &R::ai},
        Column{"channel", K::Text, &R::channel},
        Column{"leg", K::Text, &R::leg},
        Column{"codec", K::Text, &R::codec},
        Column{"srtp", K::Text, &R::srtp},
        Column{"transport", K::Text, &R::transport},
        Column{"peer", K::Text, &R::peer},
        Column{"user_agent", K::Text, &R::user_agent},
        Column{"sip_call_id", K::Text, &R::sip_call_id},
        Column{"created_ns", K::Time, &R::created_ns},
        Column{"answered_ns", K::Time, &R::answered_ns},
        Column{"ended_ns", K::Time, &R::ended_ns},
        Column{"answer_ms", K::Figure, &R::answer_ms},
        Column{"duration_ms", K::Figure, &R::duration_ms},
        Column{"end_class", K::Text, &R::end_class},
        Column{"end_reason", K::Text, &R::end_reason},
        Column{"end_detail", K::Text, &R::end_detail},
        Column{"peer_reasons", K::Text, &R::peer_reasons},
        Column{"recording", K::Text, &R::recording},
        Column{"sip_status", K::Status, &R::sip_status},
        Column{"sent_packets", K::Count, &R::sent_packets},
        Column{"received_packets", K::Count, &R::received_packets},
        Column{"lost_packets", K::Count, &R::lost_packets},
        Column{"mos", K::Figure, &Q::mos},
        Column{"r_factor", K::Figure, &Q::r_factor},
        Column{"loss_share", K::Figure, &Q::loss_share},
        Column{"concealed_share", K::Figure, &Q::concealed_share},
        Column{"jitter_ms", K::Figure, &Q::jitter_ms},
        Column{"jitter_max_ms", K::Figure, &Q::jitter_max_ms},
        Column{"round_trip_ms", K::Figure, &Q::round_trip_ms},
        Column{"round_trip_max_ms", K::Figure, &Q::round_trip_max_ms},
        Column{"remote_loss_share", K::Figure, &Q::remote_loss_share},
        Column{"remote_jitter_ms", K::Figure, &Q::remote_jitter_ms},
        Column{"max_gap_ms", K::Figure, &Q::max_gap_ms},
        Column{"inbound_level_dbov", K::Level, &Q::inbound_level_dbov},
        Column{"outbound_level_dbov", K::Level, &Q::outbound_level_dbov},
        Column{"inbound_clipped_share", K::Figure, &Q::inbound_clipped_share},
        Column{"outbound_clipped_share", K::Figure, &Q::outbound_clipped_share},
        Column{"inbound_silence_share", K::Figure, &Q::inbound_silence_share},
        Column{"outbound_silence_share", K::Figure, &Q::outbound_silence_share},
        Column{"oneway_ms", K::Figure, &Q::oneway_ms},
        Column{"gap_alarms", K::Count, &Q::gap_alarms},
    };
    return kColumns;
}

namespace {

Cell cell_of_number(Column::Kind kind, std::int64_t number) {
    if (kind != Column::Kind::Count && number == 0) return std::monostate{};
    return number;
}

Cell cell_of_number(Column::Kind kind, double number) {
    if (kind == Column::Kind::Figure && number < 0) return std::monostate{};
    if (kind == Column::Kind::Level && number <= kNoLevel) return std::monostate{};
    return number;
}

Cell cell_of_number(Column::Kind kind, std::uint64_t number) {
    return cell_of_number(kind, static_cast<std::int64_t>(number));
}

}  // namespace

Cell cell_of(const CallRecord& record, const Column& column) {
    return std::visit(
        [&](auto member) -> Cell {
            if constexpr (std::is_same_v<decltype(member), std::string CallRecord::*>) {
                const std::string& text = record.*member;
                if (text.empty()) return std::monostate{};
                return std::string_view(text);
            } else if constexpr (std::is_invocable_v<decltype(member), const model::Quality&>) {
                return cell_of_number(column.kind, record.quality.*member);
            } else {
                return cell_of_number(column.kind, record.*member);
            }
        },
        column.member);
}

}  // namespace offhook::store

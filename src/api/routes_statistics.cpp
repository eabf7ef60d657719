#include "api/api.h"
#include "api/call_answers.h"
#include "base/json_writer.h"
#include "base/monotonic.h"
#include "stats/webrtc_report.h"

namespace offhook::api {
namespace {

using stats::History;
using stats::HistoryRow;

http::Response no_live_leg(const http::Request& request, const char* what) {
    return refuse(request,
                  {base::ErrorCode::NotFound,
                   std::string("there is no live call of this id with ") + what +
                       "; of an ended one `stats` and `quality` are kept (GET /api/v1/calls/{id})",
                   {}});
}

http::Response webrtc_stats(const http::Request& request, const stats::LegDirectory& legs) {
    const auto id = id_of(request);
    const auto leg = id ? legs.leg(*id) : std::nullopt;
    if (!leg) return no_live_leg(request, "media that is agreed");
    base::JsonWriter json;
    json.begin_object().field("timestamp", leg->realtime_ns / base::kNsPerMs).key("stats");
    stats::write_webrtc_stats(json, *leg);
    json.end();
    return json_response(200, std::move(json));
}

/// One member of all rows, as an array.
template <class Write>
void column(base::JsonWriter& json,
            const char* name,
            const std::vector<HistoryRow>& rows,
            Write write) {
    json.key(name).begin_array();
    for (const HistoryRow& row : rows) write(row);
    json.end();
}

template <class Number>
void numbers(base::JsonWriter& json,
             const char* name,
             const std::vector<HistoryRow>& rows,
             Number HistoryRow::*figure) {
    column(json, name, rows, [&](const HistoryRow& row) { json.value(row.*figure); });
}

/// -1 stands for "not known".
void known(base::JsonWriter& json,
           const char* name,
           const std::vector<HistoryRow>& rows,
           double HistoryRow::*figure) {
    column(json, name, rows, [&](const HistoryRow& row) {
        row.*figure < 0 ? json.null() : json.value(row.*figure);
    });
}

http::Response history(const http::Request& request, const stats::LegDirectory& legs) {
    const auto given = request.query.find("resolution");
    const auto resolution =
        stats::resolution_by_name(given == request.query.end() ? "1s" : given->second);
    if (!resolution) return bad_value(request, "resolution must be 1s or 10s", "resolution");
    const auto id = id_of(request);
    const auto rows = id ? legs.history(*id, *resolution) : std::nullopt;
    if (!rows) return no_live_leg(request, "media");
    base::JsonWriter json;
    json.begin_object().field("id", id->text);
    json.field("resolution_ms", *resolution == History::Resolution::Second ? 1000 : 10'000);
    json.key("columns").begin_object();
    numbers(json, "t", *rows, &HistoryRow::at_ms);
    numbers(json, "sent", *rows, &HistoryRow::sent);
    numbers(json, "received", *rows, &HistoryRow::received);
    numbers(json, "lost", *rows, &HistoryRow::lost);
    numbers(json, "refused", *rows, &HistoryRow::refused);
    known(json, "jitter_ms", *rows, &HistoryRow::jitter_ms);
    known(json, "round_trip_ms", *rows, &HistoryRow::round_trip_ms);
    numbers(json, "received_level_dbov", *rows, &HistoryRow::level_in_dbov);
    numbers(json, "sent_level_dbov", *rows, &HistoryRow::level_out_dbov);
    numbers(json, "max_gap_ms", *rows, &HistoryRow::max_gap_ms);
    numbers(json, "concealed_ms", *rows, &HistoryRow::concealed_ms);
    numbers(json, "playout_delay_ms", *rows, &HistoryRow::playout_delay_ms);
    numbers(json, "ai_queued_ms", *rows, &HistoryRow::ai_queued_ms);
    column(json, "source", *rows, [&](const HistoryRow& row) {
        json.value(model::name_of(row.source));
    });
    known(json, "mos", *rows, &HistoryRow::mos);
    json.end().end();
    return json_response(200, std::move(json));
}

}  // namespace

void Api::install_statistics(http::Server& server) {
    if (parts_.legs == nullptr) return;
    server.route(
        "GET",
        "/api/v1/calls/{id}/webrtc-stats",
        [this](const http::Request& request) { return webrtc_stats(request, *parts_.legs); },
        {.scope = "read"});
    server.route("GET",
                 "/api/v1/calls/{id}/history",
                 [this](const http::Request& request) { return history(request, *parts_.legs); },
                 {.scope = "read"});
}

}  // namespace offhook::api

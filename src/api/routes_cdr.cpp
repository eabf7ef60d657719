// Call records: looked for, exported, erased. The store answers when it can.

#include <glib.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "api/api.h"
#include "api/call_answers.h"
#include "base/json_writer.h"
#include "base/monotonic.h"
#include "base/timestamp.h"
#include "http/problem.h"
#include "store/csv.h"
#include "store/record_store.h"

namespace offhook::api {
namespace {

using store::CallRecord;
using store::RecordPage;
using store::RecordQuery;

constexpr int kDefaultLimit = 100;
constexpr int kMaxLimit = 500;
constexpr int kMaxCsvLimit = 10'000;
constexpr std::size_t kMaxFilterBytes = 256;

template <class T>
bool read_number(const std::string& text, T& number) {
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    return read.ec == std::errc{} && read.ptr == end;
}

bool read_time(const std::string& text, std::int64_t& realtime_ns) {
    const std::unique_ptr<GTimeZone, decltype(&g_time_zone_unref)> utc(g_time_zone_new_utc(),
                                                                       &g_time_zone_unref);
    const std::unique_ptr<GDateTime, decltype(&g_date_time_unref)> time(
        g_date_time_new_from_iso8601(text.c_str(), utc.get()), &g_date_time_unref);
    if (!time) return false;
    realtime_ns = g_date_time_to_unix(time.get()) * base::kNsPerS +
                  g_date_time_get_microsecond(time.get()) * base::kNsPerUs;
    return realtime_ns >= 0;
}

std::string cursor_of(const CallRecord& record) {
    return std::to_string(record.created_ns) + "." + record.id;
}

bool read_cursor(const std::string& text, RecordQuery& query) {
    const std::size_t dot = text.find('.');
    if (dot == std::string::npos || !read_number(text.substr(0, dot), query.after_ns)) return false;
    query.after_id = text.substr(dot + 1);
    return true;
}

/// A name of a query and where its value goes; what is wrong with the value, or nothing.
struct Filter {
    std::string_view name;
    std::string problem;
    bool (*read)(const std::string& value, RecordQuery& query);
};

bool is_share(double number, double most) {
    return number >= 0 && number <= most;
}

bool read_seconds(const std::string& text, double& ms) {
    double seconds = 0;
    if (!read_number(text, seconds) || !is_share(seconds, 1e9)) return false;
    ms = seconds * 1000;
    return true;
}

template <std::string RecordQuery::*member>
bool take_text(const std::string& value, RecordQuery& query) {
    query.*member = value;
    return !value.empty() && value.size() <= kMaxFilterBytes;
}

const std::vector<Filter>& filters() {
    using Q = RecordQuery;
    static const std::string text = "must be 1 to 256 bytes";
    static const std::string time = "must be a time such as 2026-11-20T12:00:00Z";
    static const std::string seconds = "must be a number of seconds";
    static const std::string mos = "must be a number from 0 to 5";
    static const std::vector<Filter> all{
        {"from", text, take_text<&Q::from>},
        {"to", text, take_text<&Q::to>},
        {"caller", text, take_text<&Q::caller>},
        {"direction", text, take_text<&Q::direction>},
        {"account", text, take_text<&Q::account>},
        {"route", text, take_text<&Q::route>},
        {"ai", text, take_text<&Q::ai>},
        {"end_class", text, take_text<&Q::end_class>},
        {"end_reason", text, take_text<&Q::end_reason>},
        {"sip_call_id", text, take_text<&Q::sip_call_id>},
        {"since", time, [](const auto& v, Q& q) { return read_time(v, q.since_ns); }},
        {"until", time, [](const auto& v, Q& q) { return read_time(v, q.until_ns); }},
        {"min_duration_s",
         seconds,
         [](const auto& v, Q& q) { return read_seconds(v, q.min_duration_ms); }},
        {"max_duration_s",
         seconds,
         [](const auto& v, Q& q) { return read_seconds(v, q.max_duration_ms); }},
        {"min_mos",
         mos,
         [](const auto& v, Q& q) { return read_number(v, q.min_mos) && is_share(q.min_mos, 5); }},
        {"max_mos",
         mos,
         [](const auto& v, Q& q) { return read_number(v, q.max_mos) && is_share(q.max_mos, 5); }},
        {"min_loss_share",
         "must be a number from 0 to 1",
         [](const auto& v, Q& q) {
             return read_number(v, q.min_loss_share) && is_share(q.min_loss_share, 1);
         }},
        {"cursor", "is not one that this API gave", read_cursor},
    };
    return all;
}

bool wants_csv(const http::Request& request) {
    const auto format = request.query.find("format");
    if (format != request.query.end()) return format->second == "csv";
    return request.header("accept").starts_with("text/csv");
}

base::Result<RecordQuery> query_of(const http::Request& request, int default_limit, int max_limit) {
    RecordQuery query;
    query.limit = default_limit;
    for (const auto& [name, value] : request.query) {
        const auto bad = [&name = name](const std::string& why) {
            return base::fail(base::ErrorCode::InvalidArgument, name + " " + why);
        };
        if (name == "format") {
            if (value != "csv" && value != "json") return bad("must be csv or json");
        } else if (name == "limit") {
            if (!read_number(value, query.limit) || query.limit < 1 || query.limit > max_limit)
                return bad("must be 1 to " + std::to_string(max_limit));
        } else {
            const auto filter =
                std::find_if(filters().begin(), filters().end(), [&name = name](const Filter& f) {
                    return f.name == name;
                });
            if (filter == filters().end())
                return bad("is no filter of call records; docs/http-api.md lists them");
            if (!filter->read(value, query)) return bad(filter->problem);
        }
    }
    return query;
}

void write_cell(base::JsonWriter& json, const store::Column& column, const store::Cell& cell) {
    const bool is_time = column.kind == store::Column::Kind::Time;
    json.key(label_of(column));
    if (const auto* text = std::get_if<std::string_view>(&cell)) {
        json.value(*text);
    } else if (const auto* number = std::get_if<double>(&cell)) {
        json.value(*number);
    } else if (const auto* whole = std::get_if<std::int64_t>(&cell)) {
        if (is_time) {
            json.value(base::rfc3339_utc_ms(*whole));
        } else {
            json.value(*whole);
        }
    } else {
        json.null();
    }
}

void write_record(base::JsonWriter& json, const CallRecord& record) {
    json.begin_object();
    for (const bool is_quality : {false, true}) {
        if (is_quality) json.key("quality").begin_object();
        for (const store::Column& column : store::columns()) {
            if (column.is_quality() == is_quality)
                write_cell(json, column, cell_of(record, column));
        }
    }
    json.end().end();
}

http::Response page_json(const RecordPage& page) {
    base::JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const CallRecord& record : page.records) write_record(json, record);
    json.end().key("next");
    page.has_more ? json.value(cursor_of(page.records.back())) : json.null();
    json.end();
    return json_response(200, std::move(json));
}

http::Response page_csv(const RecordPage& page) {
    http::Response response{
        200, "text/csv; charset=utf-8; header=present", store::csv_header(), {}};
    for (const CallRecord& record : page.records) response.body += store::csv_line(record);
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"calls.csv\"");
    if (page.has_more) response.headers.emplace_back("Next-Cursor", cursor_of(page.records.back()));
    return response;
}

/// What the database says of itself is our matter, not that of who asks.
http::Response unavailable(const http::Request& request, const base::Error& error) {
    const bool is_slow = error.code == base::ErrorCode::Timeout;
    return http::problem_response(
        {.status = is_slow ? 504 : 503,
         .code = is_slow ? "timeout" : "unavailable",
         .title = is_slow ? "It took too long" : "Call records cannot be reached",
         .detail = error.text(),
         .hint = is_slow ? "narrow since and until" : "see storage in GET /health"},
        request.path,
        request.request_id);
}

http::Response no_such_record(const http::Request& request) {
    return http::problem_response({.status = 404,
                                   .code = "not-found",
                                   .title = "There is no such record",
                                   .detail = "no call record has the id " + request.params.at("id"),
                                   .hint = "GET /api/v1/cdr lists them"},
                                  request.path,
                                  request.request_id);
}

/// The store's answer, made a response on the control thread.
/// @param respond  (const http::Request&, T) -> http::Response
template <class T, class Respond>
store::RecordStore::Answer<T> answering(const http::Request& request,
                                        http::Responder responder,
                                        Respond respond) {
    const auto waiting = std::make_shared<http::Responder>(std::move(responder));
    return [waiting, request, respond](base::Result<T> answer) {
        waiting->send(answer ? respond(request, *std::move(answer))
                             : unavailable(request, answer.error()));
    };
}

void list_records(store::RecordStore& records,
                  const http::Request& request,
                  http::Responder responder) {
    const bool is_csv = wants_csv(request);
    auto query =
        query_of(request, is_csv ? kMaxCsvLimit : kDefaultLimit, is_csv ? kMaxCsvLimit : kMaxLimit);
    if (!query) return responder.send(refuse(request, query.error()));
    records.find(
        *std::move(query),
        answering<RecordPage>(
            request, std::move(responder), [is_csv](const http::Request&, const RecordPage& page) {
                return is_csv ? page_csv(page) : page_json(page);
            }));
}

void erase_records(store::RecordStore& records,
                   store::Recordings* recordings,
                   const http::Request& request,
                   http::Responder responder) {
    const auto caller = request.query.find("caller");
    if (caller == request.query.end() || request.query.size() != 1 || caller->second.empty() ||
        caller->second.size() > kMaxFilterBytes) {
        return responder.send(
            bad_value(request, "caller has to be there, alone: a number, or a SIP URI", "caller"));
    }
    records.erase_caller(
        caller->second,
        answering<std::vector<std::string>>(
            request,
            std::move(responder),
            [recordings](const http::Request&, const std::vector<std::string>& gone) {
                if (recordings != nullptr) recordings->erase(gone, [](const auto&) {});
                base::JsonWriter json;
                json.begin_object().field("erased", gone.size()).key("ids").begin_array();
                for (const std::string& id : gone) json.value(id);
                json.end().end();
                return json_response(200, std::move(json));
            }));
}

}  // namespace

void Api::install_cdr(http::Server& server) {
    store::RecordStore& records = *parts_.records;
    server.route_later("GET",
                       "/api/v1/cdr",
                       [&records](const http::Request& request, http::Responder responder) {
                           list_records(records, request, std::move(responder));
                       },
                       {.scope = "read"});
    server.route_later("DELETE",
                       "/api/v1/cdr",
                       [&records, recordings = parts_.recordings](const http::Request& request,
                                                                  http::Responder responder) {
                           erase_records(records, recordings, request, std::move(responder));
                       },
                       {.scope = "admin"});
    server.route_later("GET",
                       "/api/v1/cdr/{id}",
                       [&records](const http::Request& request, http::Responder responder) {
                           const auto id = id_of(request);
                           if (!id) return responder.send(no_such_record(request));
                           records.get(id->text,
                                       answering<std::optional<CallRecord>>(
                                           request,
                                           std::move(responder),
                                           [](const http::Request& asked,
                                              const std::optional<CallRecord>& record) {
                                               if (!record) return no_such_record(asked);
                                               base::JsonWriter json;
                                               write_record(json, *record);
                                               return json_response(200, std::move(json));
                                           }));
                       },
                       {.scope = "read"});
}

}  // namespace offhook::api

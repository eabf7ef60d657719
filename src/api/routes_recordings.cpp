// The sound that was recorded of calls, and what is done with a recording while its call lives.

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "api/api.h"
#include "api/call_answers.h"
#include "base/json_writer.h"
#include "base/timestamp.h"
#include "http/problem.h"
#include "store/recordings.h"

namespace offhook::api {
namespace {

using store::Recordings;

constexpr std::size_t kDefaultLimit = 100;
constexpr std::size_t kMaxLimit = 500;
constexpr std::uint64_t kMaxPieceBytes = 4 * 1024 * 1024;

bool read_number(std::string_view text, std::uint64_t& number) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc{} && read.ptr == text.data() + text.size();
}

/// One range of bytes (RFC 9110 §14.1.2).
struct Range {
    std::uint64_t first = 0, most = kMaxPieceBytes;
    bool is_suffix = false;
};

/// Anything but one good range is as if there were none (RFC 9110 §14.2).
std::optional<Range> range_of(std::string_view header) {
    constexpr std::string_view kUnit = "bytes=";
    if (!header.starts_with(kUnit)) return std::nullopt;
    header.remove_prefix(kUnit.size());
    const std::size_t dash = header.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    Range range;
    std::uint64_t last = 0;
    const std::string_view from = header.substr(0, dash), to = header.substr(dash + 1);
    if (from.empty()) {
        range.is_suffix = true;
        if (!read_number(to, range.first) || range.first == 0) return std::nullopt;
        return range;
    }
    if (!read_number(from, range.first)) return std::nullopt;
    if (to.empty()) return range;
    if (!read_number(to, last) || last < range.first) return std::nullopt;
    range.most = std::min(kMaxPieceBytes, last - range.first + 1);
    return range;
}

http::Response piece_response(const http::Request& request,
                              const base::Result<Recordings::Piece>& piece,
                              bool is_part) {
    if (!piece) {
        http::Response refused = refuse(request, piece.error());
        if (piece.error().code == base::ErrorCode::InvalidArgument) refused.status = 416;
        return refused;
    }
    const std::uint64_t last = piece->first + piece->bytes.size() - 1;
    if (!is_part && piece->bytes.size() < piece->total) {
        return http::problem_response(
            {.status = 413,
             .code = "too-large",
             .title = "It is more than one answer has",
             .detail = "the recording has " + std::to_string(piece->total) + " bytes",
             .hint = "ask with Range: bytes=0- and go on behind what came"},
            request.path,
            request.request_id);
    }
    http::Response response{is_part ? 206 : 200, piece->content_type, piece->bytes, {}};
    response.headers.emplace_back("Accept-Ranges", "bytes");
    if (is_part) {
        response.headers.emplace_back("Content-Range",
                                      "bytes " + std::to_string(piece->first) + "-" +
                                          std::to_string(last) + "/" +
                                          std::to_string(piece->total));
    }
    return response;
}

void give_sound(Recordings& recordings, const http::Request& request, http::Responder responder) {
    const auto id = id_of(request);
    if (!id) return responder.send(no_such_call(request));
    const auto range = range_of(request.header("range"));
    const Range asked = range.value_or(Range{});
    const auto waiting = std::make_shared<http::Responder>(std::move(responder));
    recordings.read(id->text,
                    asked.first,
                    asked.most,
                    asked.is_suffix,
                    [waiting, request, is_part = range.has_value()](const auto& piece) {
                        waiting->send(piece_response(request, piece, is_part));
                    });
}

http::Response page_response(const Recordings::Page& page) {
    base::JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const Recordings::Entry& entry : page.entries) {
        json.begin_object().field("id", entry.call).field("format", entry.format);
        json.field("bytes", entry.bytes).field("duration_ms", entry.duration_ms);
        json.field("changed", base::rfc3339_utc_ms(entry.changed_ns));
        json.field("running", entry.is_running).end();
    }
    json.end().key("next");
    page.has_more ? json.value(page.entries.back().call) : json.null();
    json.end();
    return json_response(200, std::move(json));
}

void list_recordings(Recordings& recordings,
                     const http::Request& request,
                     http::Responder responder) {
    std::uint64_t limit = kDefaultLimit;
    const auto given = request.query.find("limit");
    if (given != request.query.end() &&
        (!read_number(given->second, limit) || limit < 1 || limit > kMaxLimit)) {
        return responder.send(bad_value(request, "limit must be 1 to 500"));
    }
    const auto cursor = request.query.find("cursor");
    const auto waiting = std::make_shared<http::Responder>(std::move(responder));
    recordings.list(cursor == request.query.end() ? std::string() : cursor->second,
                    limit,
                    [waiting, request](const auto& page) {
                        waiting->send(page ? page_response(*page) : refuse(request, page.error()));
                    });
}

http::Response order(const http::Request& request,
                     model::CallControl& control,
                     const model::CallDirectory& calls,
                     model::RecordingVerb verb) {
    const auto id = id_of(request);
    if (!id || !calls.find(*id)) return no_such_call(request);
    if (const auto done = control.record(*id, verb); !done) return refuse(request, done.error());
    const auto call = calls.find(*id);
    return call ? call_response(200, *call) : no_such_call(request);
}

}  // namespace

void Api::install_recordings(http::Server& server) {
    Recordings& recordings = *parts_.recordings;
    server.route_later("GET",
                       "/api/v1/recordings",
                       [&recordings](const http::Request& request, http::Responder responder) {
                           list_recordings(recordings, request, std::move(responder));
                       },
                       {.scope = "read"});
    server.route_later("GET",
                       "/api/v1/calls/{id}/recording",
                       [&recordings](const http::Request& request, http::Responder responder) {
                           give_sound(recordings, request, std::move(responder));
                       },
                       {.scope = "listen"});
    if (parts_.control == nullptr) return;
    using Verb = model::RecordingVerb;
    for (const auto& [word, verb] : {std::pair{"start", Verb::Start},
                                     std::pair{"pause", Verb::Pause},
                                     std::pair{"resume", Verb::Resume},
                                     std::pair{"stop", Verb::Stop}}) {
        server.route("POST",
                     std::string("/api/v1/calls/{id}/recording/") + word,
                     [this, verb = verb](const http::Request& request) {
                         return order(request, *parts_.control, parts_.calls, verb);
                     },
                     {.scope = "operate"});
    }
}

}  // namespace offhook::api

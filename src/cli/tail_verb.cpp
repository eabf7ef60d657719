// What happens, as it happens: the daemon's events, one a line.

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>

#include "base/escape.h"
#include "base/monotonic.h"
#include "cli/api_talk.h"
#include "cli/http_socket.h"
#include "cli/sse_reader.h"
#include "cli/tail_line.h"

namespace offhook::cli {
namespace {

constexpr std::int64_t kOpenNs = 5 * base::kNsPerS;
// The server says something every 15 s.
constexpr std::int64_t kSilenceNs = 45 * base::kNsPerS;
constexpr std::int64_t kFirstWaitMs = 250, kLongestWaitMs = 5'000;
constexpr std::size_t kMaxHeadBytes = std::size_t{64} << 10;

struct Wishes {
    std::string query;  ///< "?types=call.*"; without where to go on
    bool as_json = false, has_colors = false;
    std::uint64_t count = 0;  ///< 0: for ever
};

enum class End { Lost, Refused, Enough, NoReader };

/// One connection after another, each going on behind the last event of the one before.
class Tail {
public:
    Tail(ApiTalk& talk, Wishes wishes) : talk_(talk), wishes_(std::move(wishes)) {}

    int run() {
        std::int64_t wait_ms = kFirstWaitMs;
        for (;;) {
            const std::uint64_t shown_before = shown_;
            const End end = follow();
            if (end == End::Enough) return 0;
            if (end == End::NoReader) return kExitFailed;
            if (end == End::Refused) return talk_.code();
            if (!was_open_) {
                talk_.fail(kExitUnavailable, why_ + "; is `offhook serve` running?");
                return talk_.code();
            }
            if (shown_ > shown_before) wait_ms = kFirstWaitMs;
            std::fprintf(stderr, "offhook tail: %s; trying again\n", why_.c_str());
            std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
            wait_ms = std::min(wait_ms * 2, kLongestWaitMs);
        }
    }

private:
    End follow() {
        const ApiAddress& address = *talk_.address();
        auto socket = HttpSocket::open(address, base::monotonic_ns() + kOpenNs);
        if (!socket) return lost(socket.error());
        HttpRequest request{.path = "/api/v1/events" + wishes_.query,
                            .headers = {{"Accept", "text/event-stream"}}};
        if (!last_id_.empty()) request.headers.emplace_back("Last-Event-ID", last_id_);
        const std::int64_t deadline_ns = base::monotonic_ns() + kOpenNs;
        if (auto sent = socket->send(request_text(address, request), deadline_ns); !sent)
            return lost(sent.error());
        std::string head;
        std::size_t end = std::string::npos;
        while ((end = head.find("\r\n\r\n")) == std::string::npos) {
            const auto more = socket->receive(head, deadline_ns);
            if (!more) return lost(more.error());
            if (!*more || head.size() > kMaxHeadBytes)
                return lost({base::ErrorCode::Unavailable, "the connection was closed", {}});
        }
        std::string body = head.substr(end + 4);
        head.resize(end + 2);
        std::transform(head.begin(), head.end(), head.begin(), [](unsigned char c) {
            return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        });
        if (!head.starts_with("http/1.1 200")) return refused(*socket, head, body, deadline_ns);
        was_open_ = true;
        return read(*socket, head.find("\ntransfer-encoding: chunked") != std::string::npos, body);
    }

    End read(HttpSocket& socket, bool is_chunked, std::string bytes) {
        ChunkDecoder chunks;
        SseReader reader;
        for (;;) {
            if (is_chunked) {
                auto content = chunks.feed(bytes);
                if (!content) return lost(content.error());
                bytes = *std::move(content);
            }
            if (auto fed = reader.feed(bytes); !fed) return lost(fed.error());
            while (const auto event = reader.next()) {
                if (!event->id.empty()) last_id_ = event->id;
                const std::string line =
                    wishes_.as_json ? event->data + "\n"
                                    : tail_line(event->type, event->data, wishes_.has_colors);
                if (print(line) != 0) return End::NoReader;
                if (++shown_ == wishes_.count) return End::Enough;
            }
            bytes.clear();
            if (is_chunked && chunks.has_ended())
                return lost({base::ErrorCode::Unavailable, "the daemon ended the stream", {}});
            const auto more = socket.receive(bytes, base::monotonic_ns() + kSilenceNs);
            if (!more) return lost(more.error());
            if (!*more)
                return lost({base::ErrorCode::Unavailable, "the connection was closed", {}});
        }
    }

    End lost(const base::Error& why) {
        why_ = why.text();
        return End::Lost;
    }

    End refused(HttpSocket& socket,
                const std::string& head,
                std::string body,
                std::int64_t deadline_ns) {
        int status = 0;
        std::from_chars(
            head.data() + 9, head.data() + std::min<std::size_t>(12, head.size()), status);
        for (;;) {
            const auto more = socket.receive(body, deadline_ns);
            if (!more || !*more || body.size() > kMaxHeadBytes) break;
        }
        const std::string text = refusal_text(*talk_.address(), {.status = status, .body = body});
        // A daemon that stops or begins says so; once it was there, that is waited for.
        if (was_open_ && (status == 503 || status == 429))
            return lost({base::ErrorCode::Unavailable, text, {}});
        talk_.fail(exit_code_of(status), text);
        return End::Refused;
    }

    ApiTalk& talk_;
    const Wishes wishes_;
    std::string last_id_, why_;
    bool was_open_ = false;
    std::uint64_t shown_ = 0;
};

int tail(const Given& given) {
    ApiTalk talk("tail", given);
    Wishes wishes{.query = {}, .as_json = given.has("json")};
    const char* no_color = std::getenv("NO_COLOR");
    wishes.has_colors = ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
    if (given.has("count")) {
        const std::string text = given.value("count");
        const auto read = std::from_chars(text.data(), text.data() + text.size(), wishes.count);
        if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || wishes.count == 0)
            talk.fail(kExitUsage, "--count is a number from 1 on");
    }
    const auto ask_for = [&](const char* name, const std::string& value) {
        wishes.query += (wishes.query.empty() ? "?" : "&") + std::string(name) + "=" + value;
    };
    if (given.has("types")) {
        const std::string types = given.value("types");
        if (types.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._*,-") !=
            std::string::npos)
            talk.fail(kExitUsage, "--types has names as call.answered, * and commas between");
        ask_for("types", types);
    }
    if (given.has("level")) ask_for("level", given.value("level"));
    if (talk.code() != 0) return talk.code();
    if (given.has("call")) {
        const auto id = talk.call_id(given.value("call"));
        if (!id) return talk.code();
        ask_for("call", *id);
    }
    return Tail(talk, std::move(wishes)).run();
}

}  // namespace

Verb tail_verb() {
    return {.name = "tail",
            .summary = "Show what happens as it happens: calls, media, bots, registrations",
            .footer =
                "It comes back by itself when the daemon was away, and goes on behind the last "
                "event. Colors only\n"
                "on a terminal and without NO_COLOR.\n"
                "Exit code: 0 after --count, 69 the daemon is not there, 77 the token is missing "
                "or may not.\n"
                "\nExamples:\n"
                "  offhook tail\n"
                "  offhook tail --types 'call.*,rtp.*' --level warning\n"
                "  offhook tail --call 3f1c --json",
            .options = {{.names = "--types",
                         .help = "Only these events; * stands for any text, commas between",
                         .value = "GLOBS"},
                        {.names = "--call",
                         .help = "Only of this call, by the beginning of its id",
                         .value = "ID"},
                        {.names = "--level",
                         .help = "Only this level and worse",
                         .value = "LEVEL",
                         .choices = {"info", "warning", "error"}},
                        {.names = "--count", .help = "End after this many", .value = "N"},
                        {.names = "--json", .help = "The API's events, one a line"}},
            .run = tail};
}

}  // namespace offhook::cli

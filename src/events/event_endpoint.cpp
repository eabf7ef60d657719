#include "events/event_endpoint.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "base/json_writer.h"
#include "events/event_reader.h"
#include "glib/timer.h"
#include "http/problem.h"

namespace offhook::events {
namespace {

constexpr std::size_t kDefaultLimit = 100, kMaxLimit = 1'000;
/// What waits in a socket at most before the next events have to wait in the log.
constexpr std::size_t kEnoughBytes = 64 * 1024;
constexpr std::chrono::milliseconds kRetry{50};
constexpr std::chrono::seconds kHeartbeat{15};

/// What a request asks for.
struct Asked {
    Filter filter;
    std::optional<Bookmark> after;
    std::size_t limit = kDefaultLimit;
};

const std::string* given(const http::Request& request, const char* name) {
    const auto found = request.query.find(name);
    return found == request.query.end() ? nullptr : &found->second;
}

base::Result<Asked> asked_by(const http::Request& request) {
    Asked asked;
    if (const std::string* types = given(request, "types")) {
        auto globs = parse_types(*types);
        if (!globs) return tl::unexpected(globs.error());
        asked.filter.types = *std::move(globs);
    }
    for (const auto& [name, into] : {std::pair{"call", &asked.filter.call},
                                     std::pair{"channel", &asked.filter.channel},
                                     std::pair{"account", &asked.filter.account}}) {
        if (const std::string* value = given(request, name)) *into = *value;
    }
    if (const std::string* level = given(request, "level")) {
        const auto parsed = parse_level(*level);
        if (!parsed) return tl::unexpected(parsed.error());
        asked.filter.level = *parsed;
    }
    // A browser that comes back says where it was by itself, and its URL is still the first one.
    const std::string last_id(request.header("last-event-id"));
    const std::string* after = last_id.empty() ? given(request, "after") : &last_id;
    if (after != nullptr) {
        auto bookmark = parse_bookmark(*after);
        if (!bookmark) return tl::unexpected(bookmark.error());
        asked.after = *std::move(bookmark);
    }
    if (const std::string* limit = given(request, "limit")) {
        const char* const end = limit->data() + limit->size();
        const auto [stop, error] = std::from_chars(limit->data(), end, asked.limit);
        if (error != std::errc{} || stop != end || asked.limit < 1 || asked.limit > kMaxLimit) {
            return base::fail(base::ErrorCode::InvalidArgument, "limit must be 1 to 1000");
        }
    }
    return asked;
}

std::optional<http::Response> refuse_nonsense(const http::Request& request) {
    const auto asked = asked_by(request);
    if (asked) return std::nullopt;
    return http::problem_response({.status = 400,
                                   .code = "invalid-argument",
                                   .title = "A value is not allowed",
                                   .detail = asked.error().message,
                                   .hint = {}},
                                  request.path,
                                  request.request_id);
}

// Without a place to go on from: the last ones.
void take_newest(const EventLog& log, const Asked& asked, std::deque<EventRef>& items) {
    for (std::uint64_t seq = log.newest(); seq >= log.oldest() && seq > 0; --seq) {
        EventRef event = log.at(seq);
        if (!asked.filter.takes(*event)) continue;
        items.push_front(std::move(event));
        if (items.size() == asked.limit) return;
    }
}

http::Response list(const EventLog& log, const http::Request& request) {
    if (auto refused = refuse_nonsense(request)) return *refused;
    const Asked asked = *asked_by(request);
    std::deque<EventRef> items;
    std::optional<Gap> gap;
    std::uint64_t next = log.newest();
    if (asked.after) {
        EventReader reader(log, asked.filter, asked.after);
        while (items.size() < asked.limit) {
            EventReader::Next told = reader.next();
            if (auto* event = std::get_if<EventRef>(&told)) {
                items.push_back(std::move(*event));
            } else if (auto* lost = std::get_if<Gap>(&told)) {
                if (!gap) gap = std::move(*lost);
            } else {
                break;
            }
        }
        next = reader.told();
    } else {
        take_newest(log, asked, items);
    }
    std::string body =
        R"({"instance":")" + log.instance() + R"(","oldest":)" + std::to_string(log.oldest()) +
        R"(,"newest":)" + std::to_string(log.newest()) + R"(,"next":")" + log.instance() + '-' +
        std::to_string(next) + R"(","gap":)" + (gap ? gap_json(*gap) : "null") + R"(,"items":[)";
    for (const EventRef& event : items) {
        if (event != items.front()) body += ',';
        body += event->json;
    }
    return {200, "application/json", body + "]}", {}};
}

}  // namespace

/// Tells one client what its place in the log gives, as fast as its socket takes it.
class EventEndpoint::Reader : public EventLog::Subscriber,
                              public std::enable_shared_from_this<Reader> {
public:
    Reader(EventEndpoint& endpoint, const Asked& asked)
        : endpoint_(endpoint), reader_(endpoint.parts_.log, asked.filter, asked.after) {
        endpoint_.parts_.log.subscribe(*this);
    }
    virtual ~Reader() { endpoint_.parts_.log.unsubscribe(*this); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// After it is among the endpoint's readers.
    virtual void begin() = 0;
    /// The process goes.
    virtual void shut_down() = 0;

    void on_event(const EventRef&) override { pump(); }

protected:
    [[nodiscard]] virtual std::size_t queue_bytes() const = 0;
    /// False when there is no socket to tell any more.
    virtual bool tell(const EventRef& event) = 0;
    virtual bool tell(const Gap& gap) = 0;

    [[nodiscard]] const EventLog& log() const { return endpoint_.parts_.log; }
    [[nodiscard]] std::uint64_t told() const { return reader_.told(); }

    void pump() {
        if (retry_.is_armed() || is_over_) return;
        const auto keep = shared_from_this();
        while (!is_over_) {
            if (queue_bytes() >= kEnoughBytes) {
                retry_.once(endpoint_.parts_.context, kRetry, [this] { pump(); });
                return;
            }
            const EventReader::Next next = reader_.next();
            bool is_told = false;
            if (const auto* event = std::get_if<EventRef>(&next)) {
                is_told = tell(*event);
            } else if (const auto* gap = std::get_if<Gap>(&next)) {
                endpoint_.lost_ += reader_.lost() - std::exchange(lost_told_, reader_.lost());
                is_told = tell(*gap);
            }
            if (!is_told) return;
        }
    }
    void leave() {
        is_over_ = true;
        retry_.cancel();
        endpoint_.parts_.log.unsubscribe(*this);
        const auto keep = shared_from_this();
        endpoint_.readers_.erase(this);
    }

    EventEndpoint& endpoint_;

private:
    EventReader reader_;
    glib::Timer retry_;
    std::uint64_t lost_told_ = 0;
    bool is_over_ = false;
};

class EventEndpoint::SocketReader final : public Reader,
                                          public http::ServerWebSocket::Listener,
                                          public connection::Socket {
    using EndReason = connection::EndReason;

public:
    SocketReader(EventEndpoint& endpoint,
                 const Asked& asked,
                 const http::Request& request,
                 std::unique_ptr<http::ServerWebSocket> socket)
        : Reader(endpoint, asked),
          facts_{.kind = connection::Kind::Monitor,
                 .user = request.user,
                 .channel = {},
                 .address = request.remote,
                 .forwarded_for = request.forwarded_for,
                 .user_agent = std::string(request.header("user-agent")),
                 .protocol = "events"},
          socket_(std::move(socket)) {}

    void begin() override {
        socket_->listen(*this);
        auto id = endpoint_.parts_.registry.open(facts_, *this);
        if (!id) return close(EndReason::Limit, id.error().message);
        connection_ = *std::move(id);
        endpoint_.parts_.registry.live(connection_);
        base::JsonWriter hello;
        hello.begin_object()
            .field("type", "hello")
            .field("instance", log().instance())
            .field("seq", log().newest())
            .field("oldest", log().oldest())
            .end();
        if (socket_->send(hello.text())) pump();
    }
    void shut_down() override { close(EndReason::Shutdown, "the daemon stops"); }

    // Readers have nothing to say.
    void on_websocket_message(std::string_view) override {}
    void on_websocket_closed(base::Error why, int) override {
        endpoint_.parts_.registry.ended(
            connection_, connection::reason_of(socket_->ended()), why.message);
        leave();
    }

    [[nodiscard]] connection::Traffic traffic() const override { return socket_->traffic(); }
    void end(EndReason why, const std::string& detail, bool) override { close(why, detail); }

private:
    [[nodiscard]] std::size_t queue_bytes() const override {
        return static_cast<std::size_t>(socket_->traffic().queue_bytes);
    }
    bool tell(const EventRef& event) override { return socket_->send(event->json); }
    bool tell(const Gap& gap) override { return socket_->send(gap_json(gap)); }

    void close(EndReason why, const std::string& detail) {
        const auto keep = shared_from_this();
        if (!connection_.empty()) endpoint_.parts_.registry.ended(connection_, why, detail);
        socket_->close(connection::close_code(why), connection::name_of(why));
        leave();
    }

    connection::Facts facts_;
    std::unique_ptr<http::ServerWebSocket> socket_;
    connection::ConnectionId connection_;
};

class EventEndpoint::StreamReader final : public Reader {
public:
    StreamReader(EventEndpoint& endpoint,
                 const Asked& asked,
                 std::unique_ptr<http::ServerStream> stream)
        : Reader(endpoint, asked), stream_(std::move(stream)) {}

    void begin() override {
        stream_->on_ended([this](http::StreamEnd) { leave(); });
        heartbeat_.every(endpoint_.parts_.context, kHeartbeat, [this] {
            // One whose socket is full hears no heartbeat, and the server ends it by itself.
            if (queue_bytes() == 0) stream_->write(": still here\n\n");
        });
        if (stream_->write("retry: 2000\n: instance " + log().instance() + "\n\n")) pump();
    }
    void shut_down() override { leave(); }

private:
    [[nodiscard]] std::size_t queue_bytes() const override { return stream_->queue_bytes(); }
    bool tell(const EventRef& event) override {
        return say(std::to_string(event->seq), event->type, event->json);
    }
    bool tell(const Gap& gap) override { return say(std::to_string(told()), "gap", gap_json(gap)); }
    bool say(const std::string& seq, const std::string& type, const std::string& data) {
        return stream_->write("id: " + log().instance() + '-' + seq + "\nevent: " + type +
                              "\ndata: " + data + "\n\n");
    }

    std::unique_ptr<http::ServerStream> stream_;
    glib::Timer heartbeat_;
};

EventEndpoint::EventEndpoint(Parts parts) : parts_(parts) {}

EventEndpoint::~EventEndpoint() {
    for (const auto& [key, reader] : std::exchange(readers_, {})) reader->shut_down();
}

void EventEndpoint::add(std::shared_ptr<Reader> reader) {
    Reader* key = reader.get();
    readers_.emplace(key, reader);
    reader->begin();
}

void EventEndpoint::install(http::Server& server) {
    server.choice(
        "/api/v1/events",
        [this](const http::Request& request) { return list(parts_.log, request); },
        {.admit = refuse_nonsense,
         .open =
             [this](const http::Request& request, auto stream) {
                 add(std::make_shared<StreamReader>(*this, *asked_by(request), std::move(stream)));
             }},
        {.admit = refuse_nonsense,
         .open =
             [this](const http::Request& request, auto socket) {
                 add(std::make_shared<SocketReader>(
                     *this, *asked_by(request), request, std::move(socket)));
             }},
        {.scope = "read"});
}

}  // namespace offhook::events

#include "signalling/web/browser_endpoint.h"

#include <optional>
#include <utility>

#include "base/escape.h"
#include "base/json_writer.h"
#include "base/monotonic.h"
#include "glib/json_body.h"
#include "glib/timer.h"
#include "http/problem.h"
#include "sdp/web_remote.h"
#include "signalling/web/whip_endpoint.h"

namespace offhook::signalling::web {
namespace {

// RFC 6455 §7.4.1.
constexpr int kNormal = 1000, kGoingAway = 1001, kPolicyViolation = 1008;
constexpr std::size_t kMaxDetailBytes = 256;
constexpr std::size_t kMaxCandidateBytes = 512;

std::optional<std::string> to_of(const http::Request& request) {
    const auto found = request.query.find("to");
    if (found == request.query.end() || !is_endpoint_name(found->second)) return std::nullopt;
    return found->second;
}

http::Response problem(const http::Request& request, const http::Problem& what) {
    return http::problem_response(what, request.path, request.request_id);
}

}  // namespace

/// One connection, and the call it makes.
class BrowserEndpoint::Session final : public Peer,
                                       public http::ServerWebSocket::Listener,
                                       public connection::Socket,
                                       public std::enable_shared_from_this<Session> {
    using EndReason = connection::EndReason;

public:
    Session(BrowserEndpoint& endpoint,
            const http::Request& request,
            std::unique_ptr<http::ServerWebSocket> socket)
        : endpoint_(endpoint),
          join_{.door = Door::Browser,
                .to = to_of(request).value_or(""),
                .remote = request.remote,
                .user_agent = std::string(request.header("user-agent")),
                .local_address = {},
                .offer = {}},
          facts_{.kind = connection::Kind::Browser,
                 .user = request.user,
                 .channel = {},
                 .address = request.remote,
                 .forwarded_for = request.forwarded_for,
                 .user_agent = std::string(request.header("user-agent")),
                 .protocol = request.protocol},
          request_(request),
          socket_(std::move(socket)) {}

    void begin() {
        socket_->listen(*this);
        auto id = endpoint_.registry_.open(facts_, *this);
        if (!id) {
            return give_up({503, "limit-reached", id.error().message, std::nullopt},
                           EndReason::Limit);
        }
        connection_ = std::move(*id);
        base::JsonWriter json;
        json.begin_object().field("type", "welcome").field("version", kBrowserVersion);
        json.key("ice_servers").begin_array();
        for (const std::string& url : endpoint_.settings_.ice_servers)
            json.begin_object().field("urls", url).end();
        json.end().end();
        minute_began_ns_ = base::monotonic_ns();
        timer_.once(endpoint_.context_.get(), endpoint_.settings_.join_limit, [this] {
            if (call_.empty())
                give_up({408, "timeout", "no join came", std::nullopt}, EndReason::HalfOpen);
        });
        send(std::move(json).text());
    }

    /// The connection and its call end.
    /// @param reason  of the connection
    void leave(model::CallEnd why, int code, EndReason reason) {
        const auto keep = shared_from_this();
        endpoint_.forget(this);
        timer_.cancel();
        endpoint_.registry_.ended(connection_, reason, why.detail);
        if (!call_.empty()) endpoint_.signaller_.leave(call_, std::move(why));
        if (const auto socket = std::move(socket_)) socket->close(code, {});
    }

    // http::ServerWebSocket::Listener
    void on_websocket_message(std::string_view text) override {
        const auto keep = shared_from_this();
        if (is_flooding()) {
            return give_up({429, "too-many", "too many messages", std::nullopt}, EndReason::Limit);
        }
        auto message = glib::JsonBody::parse(text, "the message");
        if (!message) return complain({400, "malformed", message.error().text(), std::nullopt}, {});
        const std::string type = message->text("type").value_or("");
        if (type == "join") return on_join(*message);
        if (type == "bye") {
            return leave(model::ended(model::EndReason::CallerHangup), kNormal, EndReason::Client);
        }
        if (call_.empty())
            return complain({400, "malformed", "the first message is join", std::nullopt}, {});
        if (type == "candidate") return on_candidate(*message);
        if (type == "offer") return on_offer(*message);
        complain({400, "malformed", "type is none of join, offer, candidate, bye", std::nullopt},
                 message->whole("id"));
    }

    void on_websocket_closed(base::Error why, int code) override {
        const bool has_said_goodbye = code == kNormal || code == kGoingAway;
        leave(has_said_goodbye
                  ? model::ended(model::EndReason::CallerHangup)
                  : model::ended(model::EndReason::TransportLost,
                                 "its signalling: " + base::escape_untrusted(why.text())),
              kNormal,
              connection::reason_of(socket_->ended()));
    }

    // connection::Socket
    [[nodiscard]] connection::Traffic traffic() const override {
        return socket_ ? socket_->traffic() : connection::Traffic();
    }
    void end(EndReason why, const std::string& detail, bool /*must_cut*/) override {
        const bool is_silent = why == EndReason::Stale || why == EndReason::Slow;
        leave(model::ended(why == EndReason::Shutdown  ? model::EndReason::Drained
                           : why == EndReason::Removed ? model::EndReason::ApiHangup
                           : is_silent                 ? model::EndReason::TransportLost
                                                       : model::EndReason::CallerCancelled,
                           "its WebSocket: " + detail),
              connection::close_code(why),
              why);
    }

    // Peer
    void on_answer(const std::string& sdp, std::uint32_t exchange) override {
        base::JsonWriter json;
        json.begin_object().field("type", "answer").field("sdp", sdp);
        if (exchange != 0 && offer_id_) json.field("id", *offer_id_);
        json.end();
        send(std::move(json).text());
    }

    void on_refused(const Refusal& refusal, std::uint32_t exchange) override {
        if (exchange != 0) return complain(refusal, offer_id_);
        call_ = {};
        give_up(refusal);
    }

    void on_over(const model::CallEnd& why) override {
        const auto keep = shared_from_this();
        call_ = {};
        base::JsonWriter json;
        json.begin_object().field("type", "bye").field("reason", model::name_of(why.reason)).end();
        send(std::move(json).text());
        leave(why, kNormal, EndReason::Left);
    }

private:
    /// False when the connection is over by now.
    void send(const std::string& text) {
        if (socket_) socket_->send(text);
    }

    bool is_flooding() {
        constexpr std::int64_t kMinuteNs = 60 * base::kNsPerS;
        const std::int64_t now_ns = base::monotonic_ns();
        if (now_ns - minute_began_ns_ > kMinuteNs) {
            minute_began_ns_ = now_ns;
            messages_ = 0;
        }
        return ++messages_ > endpoint_.settings_.max_messages;
    }

    void complain(const Refusal& refusal, std::optional<std::int64_t> id) {
        base::JsonWriter json;
        json.begin_object().field("type", "error").field("code", refusal.code);
        json.field("status", refusal.status);
        json.field("detail", base::escape_untrusted(refusal.detail, kMaxDetailBytes));
        if (refusal.retry_after) json.field("retry_after_s", refusal.retry_after->count());
        if (id) json.field("id", *id);
        json.end();
        send(std::move(json).text());
    }

    /// An error with which the connection ends.
    void give_up(const Refusal& refusal, EndReason reason = EndReason::Left) {
        const auto keep = shared_from_this();
        complain(refusal, {});
        leave(model::ended(model::EndReason::CallerCancelled, refusal.detail),
              kPolicyViolation,
              reason);
    }

    void on_join(const glib::JsonBody& message) {
        if (is_joining_) return complain({409, "conflict", "it has joined", std::nullopt}, {});
        const auto visitor =
            endpoint_.keyring_.caller(request_, join_.to, message.text("token").value_or(""));
        if (!visitor) return give_up(refusal_of(visitor.error()));
        std::string offer = message.text("sdp").value_or("");
        if (!sdp::is_web(offer)) {
            return give_up(
                {406, "not-acceptable", "sdp has no audio line with DTLS-SRTP", std::nullopt});
        }
        timer_.cancel();
        is_joining_ = true;
        join_.offer = std::move(offer);
        model::CallId id = endpoint_.signaller_.join(std::move(join_), *this);
        if (!socket_) return;
        call_ = std::move(id);
        endpoint_.registry_.live(connection_);
    }

    [[nodiscard]] Refusal refusal_of(const base::Error& error) const {
        if (error.code == base::ErrorCode::LimitReached)
            return {429, "too-many", error.message, endpoint_.keyring_.retry_after(request_)};
        if (error.code == base::ErrorCode::Unsupported)
            return {403, "scope", error.message, std::nullopt};
        return {401, "unauthorized", error.message, std::nullopt};
    }

    void on_candidate(const glib::JsonBody& message) {
        std::string candidate = message.text("candidate").value_or("");
        if (candidate.size() > kMaxCandidateBytes)
            return complain({400, "malformed", "candidate is too long", std::nullopt}, {});
        const bool is_end = candidate.empty();
        std::vector<std::string> all;
        if (!is_end) all.push_back(std::move(candidate));
        endpoint_.signaller_.candidates(call_, std::move(all), is_end);
    }

    void on_offer(const glib::JsonBody& message) {
        const auto id = message.whole("id");
        std::string offer = message.text("sdp").value_or("");
        if (!sdp::is_web(offer)) {
            return complain(
                {406, "not-acceptable", "sdp has no audio line with DTLS-SRTP", std::nullopt}, id);
        }
        if (endpoint_.signaller_.reoffer(call_, std::move(offer)) == 0)
            return complain({409, "conflict", "another offer waits for its answer", std::nullopt},
                            id);
        offer_id_ = id;
    }

    BrowserEndpoint& endpoint_;
    WebSignaller::Join join_;
    const connection::Facts facts_;
    const http::Request request_;                    ///< that opened it: who it is by its headers
    std::unique_ptr<http::ServerWebSocket> socket_;  ///< empty once the connection is over
    connection::ConnectionId connection_;            ///< empty: it was not let in
    model::CallId call_;                             ///< empty: none, or it is over
    bool is_joining_ = false;                        ///< once `join` came
    std::optional<std::int64_t> offer_id_;           ///< the client's, of its offer that waits
    std::size_t messages_ = 0;                       ///< since `minute_began_ns_`
    std::int64_t minute_began_ns_ = 0;
    glib::Timer timer_;
};

BrowserEndpoint::BrowserEndpoint(Settings settings,
                                 access::Keyring& keyring,
                                 WebSignaller& signaller,
                                 connection::Registry& registry,
                                 GMainContext* context)
    : settings_(std::move(settings)),
      keyring_(keyring),
      signaller_(signaller),
      registry_(registry),
      context_(glib::Ref<GMainContext>::adopt(g_main_context_ref(context))) {}

BrowserEndpoint::~BrowserEndpoint() {
    while (!sessions_.empty()) {
        const auto session = sessions_.begin()->second;
        session->leave(model::ended(model::EndReason::Drained, "the daemon stops"),
                       kGoingAway,
                       connection::EndReason::Shutdown);
    }
}

void BrowserEndpoint::install(http::Server& server) {
    server.websocket(
        kBrowserPath,
        {.admit = [this](const http::Request& request) { return admit(request); },
         .open =
             [this](const http::Request& request, std::unique_ptr<http::ServerWebSocket> socket) {
                 open(request, std::move(socket));
             }},
        {.origins = settings_.origins});
}

std::optional<http::Response> BrowserEndpoint::admit(const http::Request& request) {
    // A browser cannot send Authorization with a WebSocket: its token comes with `join`.
    if (auto refused = keyring_.refuse_socket(request, true)) return refused;
    if (!to_of(request)) {
        return problem(request,
                       {400,
                        "invalid-argument",
                        "It is not said whom to call",
                        "`to` has 1 to 64 letters, digits and -._~+",
                        "add ?to=NAME",
                        "to"});
    }
    if (!access::bearer_of(request).empty()) {
        if (const auto visitor = keyring_.caller(request, *to_of(request)); !visitor)
            return keyring_.refusal(request, visitor.error());
    }
    if (sessions_.size() < settings_.max_sockets) return std::nullopt;
    http::Response full =
        problem(request, {503, "limit-reached", "There is no room for this now", "", {}});
    full.headers.emplace_back("Retry-After", "5");
    return full;
}

void BrowserEndpoint::open(const http::Request& request,
                           std::unique_ptr<http::ServerWebSocket> socket) {
    const auto session = std::make_shared<Session>(*this, request, std::move(socket));
    sessions_.emplace(session.get(), session);
    session->begin();
}

void BrowserEndpoint::forget(Session* session) {
    sessions_.erase(session);
}

}  // namespace offhook::signalling::web

#include "signalling/web/whip_endpoint.h"

#include <algorithm>
#include <utility>

#include "http/problem.h"
#include "sdp/web_remote.h"
#include "signalling/web/random_id.h"
#include "signalling/web/sdp_fragment.h"

namespace offhook::signalling::web {
namespace {

constexpr const char* kSdp = "application/sdp";
constexpr const char* kFragment = "application/trickle-ice-sdpfrag";
constexpr std::size_t kMaxName = 64;

http::Response problem(const http::Request& request, http::Problem what) {
    return http::problem_response(what, request.path, request.request_id);
}

std::string title_of(int status) {
    switch (status) {
        case 404:
            return "There is no such endpoint";
        case 406:
            return "The offer cannot be answered";
        case 409:
            return "Another change is under way";
        case 503:
            return "There is no room for this now";
        default:
            return "The offer was not taken";
    }
}

http::Response no_session(const http::Request& request) {
    return problem(request,
                   {404,
                    "not-found",
                    "There is no such session",
                    "it never was, or its call is over",
                    "POST an offer to the endpoint"});
}

std::string address_of(const std::string& remote) {
    return remote.substr(0, remote.rfind(':'));
}

/// Whether an If-Match header (RFC 9110 §13.1.1) names `etag`.
bool matches(std::string_view header, std::string_view etag) {
    while (!header.empty()) {
        std::string_view one = header.substr(0, header.find(','));
        header.remove_prefix(std::min(header.size(), one.size() + 1));
        while (one.starts_with(' ')) one.remove_prefix(1);
        while (one.ends_with(' ')) one.remove_suffix(1);
        if (one == etag) return true;
    }
    return false;
}

}  // namespace

bool is_endpoint_name(std::string_view name) {
    return !name.empty() && name.size() <= kMaxName &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                      std::string_view("-._~+").find(c) != std::string_view::npos;
           });
}

/// One POST and what became of it.
class WhipEndpoint::Session final : public Peer, public std::enable_shared_from_this<Session> {
public:
    Session(WhipEndpoint& endpoint, std::string id, const http::Request& request)
        : endpoint_(endpoint),
          id_(std::move(id)),
          path_(request.path),
          request_id_(request.request_id),
          address_(address_of(request.remote)),
          offer_(request.body) {}

    void join(WebSignaller::Join join, http::Responder responder) {
        responder.on_gone([self = weak_from_this()] {
            if (const auto session = self.lock()) {
                session->leave(model::ended(model::EndReason::CallerCancelled,
                                            "the client did not wait for its answer"));
            }
        });
        waiting_ = std::move(responder);
        const auto keep = shared_from_this();
        call_ = endpoint_.signaller_.join(std::move(join), *this);
    }

    void patch(const http::Request& request, http::Responder responder) {
        if (!is_answered_) {
            return responder.send(problem(
                request,
                {409, "conflict", "The session is not answered yet", "", "wait for the 201"}));
        }
        const std::string_view if_match = request.header("if-match");
        if (if_match.empty()) {
            return responder.send(problem(request,
                                          {428,
                                           "precondition-required",
                                           "The request has no If-Match",
                                           "a PATCH is for one ICE session",
                                           "send If-Match with the ETag of the 201, or \"*\" to "
                                           "restart ICE"}));
        }
        auto fragment = read_fragment(request.body);
        if (!fragment) return responder.send(problem(request, http::problem_of(fragment.error())));
        const IceCredentials current = ice_of(offer_);
        const bool is_restart = !fragment->ice.ufrag.empty() && fragment->ice != current;
        // The RFC's own example of a restart has it in quotes (RFC 9725 §4.3.3), against the grammar
        // of RFC 9110 §13.1.1.
        const bool is_any = if_match == "*" || if_match == "\"*\"";
        if (!is_any && !matches(if_match, etag())) {
            return responder.send(problem(request,
                                          {412,
                                           "precondition-failed",
                                           "If-Match names another ICE session",
                                           "the current one is " + etag(),
                                           {}}));
        }
        if (is_restart) return restart(request, *fragment, std::move(responder));
        endpoint_.signaller_.candidates(call_, std::move(fragment->candidates), fragment->is_end);
        responder.send({204, "", "", {}});
    }

    /// The peer goes, or must.
    void leave(model::CallEnd why) {
        const auto keep = shared_from_this();
        endpoint_.forget(id_);
        endpoint_.signaller_.leave(call_, std::move(why));
        say_it_is_over();
    }

    // Peer
    void on_answer(const std::string& sdp, std::uint32_t exchange) override {
        if (exchange == 0) {
            is_answered_ = true;
            http::Response response{201, kSdp, sdp, {{"Location", path_ + "/sessions/" + id_}}};
            response.headers.emplace_back("ETag", etag());
            response.headers.emplace_back("Accept-Patch", kFragment);
            if (const std::string links = endpoint_.links(); !links.empty())
                response.headers.emplace_back("Link", links);
            return waiting_.send(std::move(response));
        }
        offer_ = std::move(next_offer_);
        ++generation_;
        waiting_.send({200, kFragment, fragment_of(sdp), {{"ETag", etag()}}});
    }

    void on_refused(const Refusal& refusal, std::uint32_t exchange) override {
        const auto keep = shared_from_this();
        if (exchange == 0) endpoint_.forget(id_);
        const std::string title = title_of(refusal.status);
        http::Response response = http::problem_response(
            {refusal.status, refusal.code, title, refusal.detail, {}}, path_, request_id_);
        if (refusal.retry_after) {
            response.headers.emplace_back("Retry-After",
                                          std::to_string(refusal.retry_after->count()));
        }
        waiting_.send(std::move(response));
    }

    void on_over(const model::CallEnd& /*why*/) override {
        const auto keep = shared_from_this();
        endpoint_.forget(id_);
        say_it_is_over();
    }

    [[nodiscard]] bool is_waiting_of(const std::string& address) const {
        return !is_answered_ && address_ == address;
    }
    [[nodiscard]] bool is_at(const std::string& path) const {
        return path == path_ + "/sessions/" + id_;
    }

private:
    [[nodiscard]] std::string etag() const { return "\"g" + std::to_string(generation_) + "\""; }

    /// To a restart that still waits for its answer.
    void say_it_is_over() {
        waiting_.send(http::problem_response(
            {404, "not-found", "There is no such session", "its call has just ended", {}},
            path_,
            request_id_));
    }

    void restart(const http::Request& request,
                 const SdpFragment& fragment,
                 http::Responder responder) {
        std::string offer = with_ice_of(offer_, fragment);
        if (endpoint_.signaller_.reoffer(call_, offer) == 0) {
            return responder.send(problem(request,
                                          {409,
                                           "conflict",
                                           "Another change is under way",
                                           "an ICE restart is under way",
                                           "wait"}));
        }
        next_offer_ = std::move(offer);
        request_id_ = request.request_id;
        waiting_ = std::move(responder);
    }

    WhipEndpoint& endpoint_;
    const std::string id_, path_;
    std::string request_id_;
    const std::string address_;
    std::string offer_, next_offer_;  ///< the peer's description in force, and that of a restart
    model::CallId call_;
    int generation_ = 1;
    bool is_answered_ = false;
    http::Responder waiting_;
};

WhipEndpoint::WhipEndpoint(Settings settings, access::Keyring& keyring, WebSignaller& signaller)
    : settings_(std::move(settings)), keyring_(keyring), signaller_(signaller) {}

WhipEndpoint::~WhipEndpoint() {
    while (!sessions_.empty()) {
        const auto session = sessions_.begin()->second;
        session->leave(model::ended(model::EndReason::Drained, "the daemon stops"));
    }
}

void WhipEndpoint::install(http::Server& server) {
    if (settings_.whip) install(server, Door::Whip);
    if (settings_.whep) install(server, Door::Whep);
}

void WhipEndpoint::install(http::Server& server, Door door) {
    const std::string endpoint = "/" + std::string(name_of(door)) + "/{endpoint}";
    const std::string session = endpoint + "/sessions/{session}";
    const http::RouteRules offers{.content_types = {kSdp},
                                  .origins = settings_.origins,
                                  .answer_limit = settings_.answer_limit};
    http::RouteRules changes = offers;
    changes.content_types = {kFragment};
    const auto options = [](const char* name, const char* type, const char* methods) {
        return [name, type, methods](const http::Request&) {
            return http::Response{204, "", "", {{name, type}, {"Allow", methods}}};
        };
    };
    server.route("OPTIONS", endpoint, options("Accept-Post", kSdp, "OPTIONS, POST"), offers);
    server.route_later(
        "POST",
        endpoint,
        [this, door](const http::Request& request, http::Responder responder) {
            post(door, request, std::move(responder));
        },
        offers);
    server.route(
        "OPTIONS", session, options("Accept-Patch", kFragment, "OPTIONS, PATCH, DELETE"), changes);
    server.route_later(
        "PATCH",
        session,
        [this](const http::Request& request, http::Responder responder) {
            patch(request, std::move(responder));
        },
        changes);
    server.route(
        "DELETE",
        session,
        [this](const http::Request& request) { return remove(request); },
        changes);
}

void WhipEndpoint::post(Door door, const http::Request& request, http::Responder responder) {
    const auto no = [&](http::Problem what) { responder.send(problem(request, std::move(what))); };
    const std::string& name = request.params.at("endpoint");
    if (const auto visitor = keyring_.caller(request, name); !visitor)
        return responder.send(keyring_.refusal(request, visitor.error()));
    if (!is_endpoint_name(name)) {
        return no({404,
                   "not-found",
                   "There is no such endpoint",
                   "a name has 1 to 64 letters, digits and -._~+",
                   {}});
    }
    if (!request.body.starts_with("v=0")) {
        return no({400,
                   "malformed",
                   "The body is no session description",
                   "it does not begin with v=0",
                   "POST the SDP of an offer"});
    }
    if (!sdp::is_web(request.body)) {
        return no({406,
                   "not-acceptable",
                   "The offer cannot be answered",
                   "it has no audio line with DTLS-SRTP",
                   "offer audio, as RTCPeerConnection does"});
    }
    const model::Direction direction = direction_of(request.body);
    const bool fits =
        door == Door::Whip ? model::sends(direction) : direction == model::Direction::RecvOnly;
    if (!fits) {
        return no(
            {422,
             "unsupported",
             "The direction is not for this endpoint",
             door == Door::Whip ? "the offer sends no audio" : "the offer does not only receive",
             door == Door::Whip ? "use /whep/ to listen" : "use /whip/ to send or to talk"});
    }
    const std::string address = address_of(request.remote);
    if (is_crowded(address)) {
        http::Response response = problem(
            request, {429, "too-many", "Too many offers wait", "from " + address, "wait a moment"});
        response.headers.emplace_back("Retry-After", "1");
        return responder.send(std::move(response));
    }
    if (sessions_.size() >= settings_.max_sessions) {
        http::Response response =
            problem(request, {503, "limit-reached", "There is no room for this now", "", {}});
        response.headers.emplace_back("Retry-After", "5");
        return responder.send(std::move(response));
    }
    std::string id = random_id();
    const auto session = std::make_shared<Session>(*this, id, request);
    sessions_.emplace(std::move(id), session);
    session->join({.door = door,
                   .to = name,
                   .remote = request.remote,
                   .user_agent = std::string(request.header("user-agent")),
                   .local_address = {},
                   .offer = request.body},
                  std::move(responder));
}

// A session may last longer than the join token that it came with. Whose signature is good and who
// knows the session's id made it.
std::optional<http::Response> WhipEndpoint::refuse_change(const http::Request& request) {
    const auto visitor = keyring_.caller(request, request.params.at("endpoint"));
    if (visitor || visitor.error().code == base::ErrorCode::Timeout) return std::nullopt;
    return keyring_.refusal(request, visitor.error());
}

void WhipEndpoint::patch(const http::Request& request, http::Responder responder) {
    if (auto refused = refuse_change(request)) return responder.send(std::move(*refused));
    const auto session = find(request);
    if (!session) return responder.send(no_session(request));
    if (request.header("content-type").empty()) {
        return responder.send(problem(request,
                                      {415,
                                       "content-type",
                                       "The body has no type",
                                       "Content-Type is missing",
                                       "send Content-Type: application/trickle-ice-sdpfrag"}));
    }
    session->patch(request, std::move(responder));
}

http::Response WhipEndpoint::remove(const http::Request& request) {
    if (auto refused = refuse_change(request)) return std::move(*refused);
    const auto session = find(request);
    if (!session) return no_session(request);
    session->leave(model::ended(model::EndReason::CallerHangup));
    return {200, "", "", {}};
}

std::shared_ptr<WhipEndpoint::Session> WhipEndpoint::find(const http::Request& request) const {
    const auto found = sessions_.find(request.params.at("session"));
    const bool is_there = found != sessions_.end() && found->second->is_at(request.path);
    return is_there ? found->second : nullptr;
}

bool WhipEndpoint::is_crowded(const std::string& address) const {
    const auto waiting = std::count_if(sessions_.begin(), sessions_.end(), [&](const auto& entry) {
        return entry.second->is_waiting_of(address);
    });
    return static_cast<std::size_t>(waiting) >= settings_.max_waiting_per_client;
}

std::string WhipEndpoint::links() const {
    std::string text;
    for (const std::string& url : settings_.ice_servers)
        text += (text.empty() ? "<" : ", <") + url + ">; rel=\"ice-server\"";
    return text;
}

}  // namespace offhook::signalling::web

// Voice channels: what there are, who is in them, and what is done with both.

#include <chrono>
#include <utility>

#include "api/api.h"
#include "api/call_answers.h"
#include "api/channel_json.h"
#include "api/order_body.h"
#include "base/monotonic.h"
#include "base/timestamp.h"

namespace offhook::api {
namespace {

constexpr const char* kWebSocketPath = "/api/v1/channels/ws";
constexpr std::int64_t kTokenLifeS = 60;
constexpr int kMaxNameBytes = 128;

const http::RouteRules kRead{.scope = "read"};
const http::RouteRules kOperate{.scope = "operate"};

http::Response channel_response(int status, const model::ChannelInfo& channel) {
    base::JsonWriter json;
    write_channel(json, channel);
    return json_response(status, std::move(json));
}

http::Response no_such_channel(const http::Request& request) {
    return refuse(request,
                  base::Error{base::ErrorCode::NotFound,
                              "there is no channel " + request.params.at("name") +
                                  "; GET /api/v1/channels lists them",
                              {}});
}

http::Response list(const model::ChannelControl& channels) {
    base::JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const model::ChannelInfo& channel : channels.channels()) write_channel(json, channel);
    json.end().end();
    return json_response(200, std::move(json));
}

http::Response list_members(const http::Request& request, const model::ChannelControl& channels) {
    const auto channel = channels.find(request.params.at("name"));
    if (!channel) return no_such_channel(request);
    base::JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const model::MemberInfo& member : channel->members) write_member(json, member);
    json.end().end();
    return json_response(200, std::move(json));
}

http::Response create(const http::Request& request, model::ChannelControl& channels) {
    OrderBody body(request, {"name", "policy", "ai"});
    model::ChannelOrder order;
    order.name = body.needed("name");
    order.ai = body.optional("ai");
    const std::string policy = body.optional("policy");
    if (body.problem()) return *body.problem();
    if (!policy.empty()) {
        const auto known = model::channel_policy(policy);
        if (!known || *known == model::ChannelPolicy::Call)
            return bad_value(request, "policy is everybody or supervised", "policy");
        order.policy = *known;
    }
    if (auto made = channels.create(order); !made) return refuse(request, made.error());
    http::Response response = channel_response(201, *channels.find(order.name));
    response.headers.emplace_back("Location", "/api/v1/channels/" + order.name);
    return response;
}

http::Response change_member(const http::Request& request, model::ChannelControl& channels) {
    const std::string& name = request.params.at("name");
    const std::string& id = request.params.at("id");
    const std::string& action = request.params.at("action");
    base::Result<void> done;
    std::string shown = name;
    if (action == "remove") {
        done = channels.remove(name, id);
    } else if (action == "mute") {
        OrderBody body(request, {"muted"});
        const bool is_muted = body.yes_no("muted");
        if (body.problem()) return *body.problem();
        done = channels.mute(name, id, is_muted);
    } else if (action == "gain") {
        OrderBody body(request, {"gain_db"});
        const double db = body.number("gain_db");
        if (body.problem()) return *body.problem();
        done = channels.set_gain(name, id, db);
    } else if (action == "move") {
        OrderBody body(request, {"to"});
        shown = body.needed("to");
        if (body.problem()) return *body.problem();
        done = channels.move(name, id, shown);
    } else {
        return refuse(request,
                      base::Error{base::ErrorCode::NotFound,
                                  "what is done with a member is mute, gain, role, move or remove",
                                  {}});
    }
    if (!done) return refuse(request, done.error());
    const auto channel = channels.find(shown);
    return channel ? channel_response(200, *channel) : no_such_channel(request);
}

// Whoever becomes a supervisor may hear the others, or speak to them.
http::Response change_role(const http::Request& request, model::ChannelControl& channels) {
    OrderBody body(request, {"role"});
    const auto role = model::member_role(body.needed("role"));
    if (body.problem()) return *body.problem();
    if (!role) {
        return bad_value(request, "role is speaker, listen, whisper, barge or take-over", "role");
    }
    const std::string& name = request.params.at("name");
    if (auto done = channels.set_role(name, request.params.at("id"), *role); !done)
        return refuse(request, done.error());
    const auto channel = channels.find(name);
    return channel ? channel_response(200, *channel) : no_such_channel(request);
}

http::Response token_response(const http::Request& request,
                              const ApiParts& parts,
                              const access::JoinGrant& grant) {
    if (!parts.mint_join) {
        return refuse(
            request,
            base::Error{base::ErrorCode::Unavailable, "there are no join tokens here", {}});
    }
    auto token = parts.mint_join(grant);
    if (!token) return refuse(request, token.error());
    base::JsonWriter json;
    json.begin_object().field("channel", grant.channel).field("role", model::name_of(grant.role));
    json.field("token", *token);
    json.field("expires", base::rfc3339_utc_ms(grant.expires_s * base::kNsPerS));
    json.field("ws", kWebSocketPath).end();
    http::Response response = json_response(201, std::move(json));
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
}

http::Response mint(const http::Request& request, const ApiParts& parts) {
    OrderBody body(request, {"user", "name", "role", "expires_s"});
    access::JoinGrant grant;
    grant.user = body.needed("user");
    grant.name = body.optional("name");
    grant.channel = request.params.at("name");
    const std::string role = body.optional("role");
    const int life_s = body.whole("expires_s").value_or(static_cast<int>(kTokenLifeS));
    if (body.problem()) return *body.problem();
    const auto channel = parts.channels->find(grant.channel);
    if (!channel) return no_such_channel(request);
    if (channel->name.starts_with("call-")) {
        return refuse(request,
                      base::Error{base::ErrorCode::Conflict,
                                  "the token of a supervised call comes from POST "
                                  "/api/v1/calls/{id}/supervise",
                                  {}});
    }
    if (!role.empty()) {
        const auto known = model::member_role(role);
        if (!known) {
            return bad_value(
                request, "role is speaker, listen, whisper, barge or take-over", "role");
        }
        grant.role = *known;
    }
    // Nobody gives away more than they have.
    const char* needed = grant.role == model::MemberRole::Speaker  ? "operate"
                         : grant.role == model::MemberRole::Listen ? "listen"
                                                                   : "barge";
    if (!request.may(needed)) {
        return refuse(
            request,
            base::Error{base::ErrorCode::Denied,
                        "a token of this role takes the scope " + std::string(needed) + " as well",
                        {}});
    }
    if (life_s < 1 || life_s > access::kMaxJoinLife.count())
        return bad_value(request, "expires_s is 1 to 300", "expires_s");
    if (grant.user.size() > kMaxNameBytes || grant.name.size() > kMaxNameBytes)
        return bad_value(request, "user and name have at most 128 bytes", "user");
    grant.expires_s = base::realtime_ns() / base::kNsPerS + life_s;
    return token_response(request, parts, grant);
}

http::Response supervise(const http::Request& request, const ApiParts& parts) {
    const auto id = id_of(request);
    if (!id || !parts.calls.find(*id)) return no_such_call(request);
    OrderBody body(request, {"mode", "user", "name"});
    const std::string mode = body.needed("mode");
    access::JoinGrant grant;
    grant.user = body.optional("user");
    grant.name = body.optional("name");
    if (body.problem()) return *body.problem();
    const auto role = model::member_role(mode);
    if (!role || *role == model::MemberRole::Speaker)
        return bad_value(request, "mode is listen, whisper, barge or take-over", "mode");
    grant.role = *role;
    if (*role != model::MemberRole::Listen && !request.may("barge")) {
        return refuse(
            request,
            base::Error{
                base::ErrorCode::Denied, mode + " needs a token with the scope barge as well", {}});
    }
    if (grant.user.empty()) grant.user = request.user;
    if (grant.user.empty()) return bad_value(request, "user is missing or empty", "user");
    if (grant.user.size() > kMaxNameBytes || grant.name.size() > kMaxNameBytes)
        return bad_value(request, "user and name have at most 128 bytes", "user");
    auto channel = parts.control->supervise(*id);
    if (!channel) return refuse(request, channel.error());
    grant.channel = *channel;
    grant.expires_s = base::realtime_ns() / base::kNsPerS + kTokenLifeS;
    return token_response(request, parts, grant);
}

}  // namespace

void Api::install_channels(http::Server& server) {
    server.route(
        "GET",
        "/api/v1/channels",
        [this](const http::Request&) { return list(*parts_.channels); },
        kRead);
    server.route(
        "POST",
        "/api/v1/channels",
        [this](const http::Request& request) { return create(request, *parts_.channels); },
        kOperate);
    server.route(
        "GET",
        "/api/v1/channels/{name}",
        [this](const http::Request& request) {
            const auto channel = parts_.channels->find(request.params.at("name"));
            return channel ? channel_response(200, *channel) : no_such_channel(request);
        },
        kRead);
    server.route(
        "DELETE",
        "/api/v1/channels/{name}",
        [this](const http::Request& request) {
            const auto closed = parts_.channels->close(request.params.at("name"));
            return closed ? http::Response{204, "", "", {}} : refuse(request, closed.error());
        },
        kOperate);
    server.route(
        "GET",
        "/api/v1/channels/{name}/members",
        [this](const http::Request& request) { return list_members(request, *parts_.channels); },
        kRead);
    server.route(
        "POST",
        "/api/v1/channels/{name}/tokens",
        [this](const http::Request& request) { return mint(request, parts_); },
        kOperate);
    server.route(
        "POST",
        "/api/v1/channels/{name}/members/{id}/role",
        [this](const http::Request& request) { return change_role(request, *parts_.channels); },
        {.scope = "barge"});
    server.route(
        "POST",
        "/api/v1/channels/{name}/members/{id}/{action}",
        [this](const http::Request& request) { return change_member(request, *parts_.channels); },
        kOperate);
    if (parts_.control == nullptr) return;
    server.route("POST",
                 "/api/v1/calls/{id}/supervise",
                 [this](const http::Request& request) { return supervise(request, parts_); },
                 {.scope = "listen"});
}

}  // namespace offhook::api

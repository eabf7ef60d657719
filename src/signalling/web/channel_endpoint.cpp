#include "signalling/web/channel_endpoint.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace offhook::signalling::web {
namespace {

/// Takes the same time wherever they differ.
bool is_same(const std::string& a, const std::string& b) {
    if (a.size() != b.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        difference |= static_cast<unsigned char>(a[i] ^ b[i]);
    return difference == 0;
}

}  // namespace

ChannelEndpoint::ChannelEndpoint(ChannelSettings settings, ChannelParts parts)
    : settings_(std::move(settings)), parts_(std::move(parts)) {}

ChannelEndpoint::~ChannelEndpoint() {
    while (!sessions_.empty()) {
        const auto session = sessions_.begin()->second;
        session->end(connection::EndReason::Shutdown, "the daemon stops", false);
    }
    while (!members_.empty()) {
        const auto member = members_.begin()->second;
        member->leave(model::ended(model::EndReason::Drained, "the daemon stops"));
    }
}

void ChannelEndpoint::install(http::Server& server) {
    server.websocket(
        kChannelPath,
        {.admit = [this](const http::Request& request) -> std::optional<http::Response> {
             return parts_.admit ? parts_.admit(request) : std::nullopt;
         },
         .open =
             [this](const http::Request& request, std::unique_ptr<http::ServerWebSocket> socket) {
                 ChannelHouse& house = *this;
                 const auto session = std::make_shared<ChannelSession>(
                     settings_, parts_, house, request, std::move(socket));
                 sessions_.emplace(session.get(), session);
                 session->begin();
             }},
        {.origins = settings_.origins,
         .websocket = settings_.websocket,
         .protocols = {kChannelProtocol}});
}

std::shared_ptr<ChannelMember> ChannelEndpoint::find(const base::Secret& resume) const {
    std::shared_ptr<ChannelMember> found;
    for (const auto& [key, member] : members_)
        if (is_same(member->resume().reveal(), resume.reveal())) found = member;
    return found;
}

void ChannelEndpoint::clear(const connection::Place& place) {
    std::vector<std::shared_ptr<ChannelMember>> before;
    for (const auto& [key, member] : members_)
        if (member->place() == place) before.push_back(member);
    for (const auto& member : before) member->give_way();
}

std::shared_ptr<ChannelMember> ChannelEndpoint::make(const connection::Place& place) {
    return std::make_shared<ChannelMember>(
        settings_, parts_, place, [this](ChannelMember* gone) { members_.erase(gone); });
}

void ChannelEndpoint::add(std::shared_ptr<ChannelMember> member) {
    ChannelMember* const key = member.get();
    members_.emplace(key, std::move(member));
}

bool ChannelEndpoint::is_coming_back(const ChannelMember& member) const {
    return std::any_of(sessions_.begin(), sessions_.end(), [&](const auto& each) {
        return each.second->comes_back_as(member);
    });
}

void ChannelEndpoint::forget(ChannelSession* session) {
    sessions_.erase(session);
}

}  // namespace offhook::signalling::web

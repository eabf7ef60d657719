#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>

#include "http/server.h"
#include "signalling/web/channel_member.h"
#include "signalling/web/channel_parts.h"
#include "signalling/web/channel_session.h"

namespace offhook::signalling::web {

/// The signalling of voice channels for browsers: `GET /api/v1/channels/ws`, one WebSocket for one
/// place in one channel. docs/channel-protocol.md
///
/// A connection that is lost leaves its member away, its sound goes on, and the client may come back
/// for it with the secret of `joined`. Whoever joins without that secret is a new member, and the one
/// of the same user in the same channel leaves.
/// @thread control
class ChannelEndpoint final : private ChannelHouse {
public:
    ChannelEndpoint(ChannelSettings settings, ChannelParts parts);
    /// Everybody leaves.
    ~ChannelEndpoint();
    ChannelEndpoint(const ChannelEndpoint&) = delete;
    ChannelEndpoint& operator=(const ChannelEndpoint&) = delete;

    /// Adds the route. This outlives the server.
    void install(http::Server& server);
    /// Connections, members that are here or away.
    [[nodiscard]] std::size_t connections() const { return sessions_.size(); }
    [[nodiscard]] std::size_t members() const { return members_.size(); }

private:
    // ChannelHouse
    [[nodiscard]] std::shared_ptr<ChannelMember> find(const base::Secret& resume) const override;
    void clear(const connection::Place& place) override;
    [[nodiscard]] std::shared_ptr<ChannelMember> make(const connection::Place& place) override;
    void add(std::shared_ptr<ChannelMember> member) override;
    [[nodiscard]] bool is_coming_back(const ChannelMember& member) const override;
    void forget(ChannelSession* session) override;

    const ChannelSettings settings_;
    const ChannelParts parts_;
    std::unordered_map<ChannelSession*, std::shared_ptr<ChannelSession>> sessions_;
    std::unordered_map<ChannelMember*, std::shared_ptr<ChannelMember>> members_;
};

}  // namespace offhook::signalling::web

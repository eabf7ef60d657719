#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "connection/registry.h"
#include "glib/timer.h"
#include "http/server_websocket.h"
#include "signalling/web/channel_member.h"
#include "signalling/web/channel_parts.h"

namespace offhook::signalling::web {

class ChannelSession;

/// Who knows all connections and members.
class ChannelHouse {
public:
    /// The member whose secret that is; null: nobody's.
    [[nodiscard]] virtual std::shared_ptr<ChannelMember> find(const base::Secret& resume) const = 0;
    /// Those who hold the place or are away from it leave.
    virtual void clear(const connection::Place& place) = 0;
    [[nodiscard]] virtual std::shared_ptr<ChannelMember> make(const connection::Place& place) = 0;
    virtual void add(std::shared_ptr<ChannelMember> member) = 0;
    /// Whether a connection that is about to be let in comes back as this member.
    [[nodiscard]] virtual bool is_coming_back(const ChannelMember& member) const = 0;
    /// It is over.
    virtual void forget(ChannelSession* session) = 0;

protected:
    ~ChannelHouse() = default;
};

/// One WebSocket of a client that is, or wants to be, a member of a channel.
///
///     begin: welcome -> join: who is it -> the registry's grant of the place, by which the one
///     before is told and closed -> member -> joined -> messages -> finish
///
/// @thread control; lives by shared_ptr
class ChannelSession final : public http::ServerWebSocket::Listener,
                             public connection::Socket,
                             public ChannelLine,
                             public std::enable_shared_from_this<ChannelSession> {
public:
    /// The references outlive this.
    ChannelSession(const ChannelSettings& settings,
                   const ChannelParts& parts,
                   ChannelHouse& house,
                   const http::Request& request,
                   std::unique_ptr<http::ServerWebSocket> socket);
    ~ChannelSession() = default;
    ChannelSession(const ChannelSession&) = delete;
    ChannelSession& operator=(const ChannelSession&) = delete;

    void begin();
    [[nodiscard]] bool comes_back_as(const ChannelMember& member) const {
        return coming_back_.get() == &member;
    }

    // connection::Socket
    [[nodiscard]] connection::Traffic traffic() const override { return socket_->traffic(); }
    void end(connection::EndReason why, const std::string& detail, bool must_cut) override;

private:
    /// What becomes of the member.
    enum class Fate : std::uint8_t { Away, Leaves };

    // http::ServerWebSocket::Listener
    void on_websocket_message(std::string_view text) override;
    void on_websocket_closed(base::Error why, int code) override;
    // ChannelLine
    void say(const std::string& message) override;
    void on_moved(const connection::Place& place) override;
    void on_member_gone(std::string_view why) override;
    [[nodiscard]] const http::Request& request() const override { return request_; }

    void act(asked::Join join);
    void act(asked::Offer offer);
    void act(const asked::Candidate& candidate);
    void act(const asked::Mute& mute);
    void act(const asked::Leave& leave);
    void act(const asked::Ping& ping);
    void act(const asked::Diagnose& diagnose);
    void act(asked::Stats stats);

    void on_granted(const base::Result<void>& granted);
    [[nodiscard]] bool is_flooding();
    /// Whether there is a member; complains otherwise.
    [[nodiscard]] bool is_member();
    void complain(Complaint complaint);
    /// An error with which the connection ends.
    void give_up(const Complaint& complaint, connection::EndReason why, int code);
    void finish(connection::EndReason why,
                const std::string& detail,
                int code,
                Fate fate,
                model::EndReason end = model::EndReason::CallerHangup);

    const ChannelSettings& settings_;
    const ChannelParts& parts_;
    ChannelHouse& house_;
    http::Request request_;
    std::unique_ptr<http::ServerWebSocket> socket_;
    connection::ConnectionId id_;  ///< empty: not in the registry
    bool is_over_ = false;
    std::optional<access::JoinGrant> grant_;      ///< once it asked for its place
    bool may_only_come_back_ = false;             ///< its token has expired
    std::shared_ptr<ChannelMember> coming_back_;  ///< as which it asked for it; null: a new one
    std::shared_ptr<ChannelMember> member_;       ///< once it joined
    std::size_t messages_ = 0;                    ///< since `minute_began_ns_`
    std::int64_t minute_began_ns_ = 0;
    glib::Timer timer_;
};

}  // namespace offhook::signalling::web

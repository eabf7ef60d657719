#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "connection/lease_store.h"
#include "glib/timer.h"
#include "model/channel.h"
#include "signalling/web/channel_messages.h"
#include "signalling/web/channel_parts.h"
#include "signalling/web/web_signaller.h"

namespace offhook::signalling::web {

/// The connection of a member that is here.
class ChannelLine {
public:
    /// Queues a whole message. The connection, and so its member, may be over behind this.
    virtual void say(const std::string& message) = 0;
    /// The member is where `place` says by now.
    virtual void on_moved(const connection::Place& place) = 0;
    /// The member is gone, and the connection has to go as well.
    virtual void on_member_gone(std::string_view why) = 0;
    /// What its leg's call is told of the client.
    [[nodiscard]] virtual const http::Request& request() const = 0;

protected:
    ~ChannelLine() = default;
};

/// A place in a channel that a client took by WebSocket, and the leg in it. It outlives its
/// connection for as long as the client may come back for it.
///
///     enter -> attach -> [ offer, candidates, stats ] -> detach -> attach -> ... -> leave
///                                                          `-- 10 s, or its leg ends: leave
///
/// The leg is one call after another: one that failed leaves the member joining, and its client may
/// offer again.
/// @thread control; lives by shared_ptr
class ChannelMember final : public model::ChannelListener,
                            public Peer,
                            public std::enable_shared_from_this<ChannelMember> {
public:
    using Gone = std::function<void(ChannelMember*)>;
    /// @param settings, parts  outlive this  @param gone  once, after `enter` succeeded
    ChannelMember(const ChannelSettings& settings,
                  const ChannelParts& parts,
                  connection::Place place,
                  Gone gone);
    ~ChannelMember() = default;
    ChannelMember(const ChannelMember&) = delete;
    ChannelMember& operator=(const ChannelMember&) = delete;

    /// Takes the place. @param name  that others see  @errors as ChannelControl::join
    base::Result<void> enter(model::MemberRole role, const std::string& name);
    /// It goes, and its leg with it. Its line is told nothing. Nothing when it is gone.
    void leave(const model::CallEnd& why);

    /// The same user takes its place as somebody new.
    void give_way();

    /// A client is here, at `line`. False: it is in the channel no longer.
    bool attach(ChannelLine& line);
    /// The client is lost. It may come back for a while.
    void detach();
    /// What was missed while nobody was here.
    void catch_up();

    void offer(asked::Offer offer);
    void candidate(const asked::Candidate& candidate);
    void mute(bool is_muted);
    void diagnose(std::optional<std::int64_t> id);
    void take_report(ClientFigures report) { report_ = std::move(report); }

    [[nodiscard]] const model::MemberId& id() const { return id_; }
    [[nodiscard]] const connection::Place& place() const { return place_; }
    /// Whether a client that asks for this place means it: by the channel's name as it was joined, or
    /// as it is now.
    [[nodiscard]] bool is_known_as(std::string_view channel) const {
        return channel == place_.channel || channel == joined_channel_;
    }
    [[nodiscard]] const base::Secret& resume() const { return resume_; }
    [[nodiscard]] bool is_here() const { return line_ != nullptr; }
    [[nodiscard]] bool is_gone() const { return id_.empty(); }
    /// All of the channel it is in.
    [[nodiscard]] std::optional<model::ChannelInfo> channel() const;

private:
    // model::ChannelListener
    void on_members(const model::ChannelInfo& channel) override;
    void on_speaking(const std::vector<model::MemberId>& speaking) override;
    void on_removed(std::string_view why) override;
    void on_moved(const model::ChannelInfo& to) override;
    // Peer
    void on_answer(const std::string& sdp, std::uint32_t exchange) override;
    void on_refused(const Refusal& refusal, std::uint32_t exchange) override;
    void on_over(const model::CallEnd& why) override;

    void say(const std::string& message) {
        if (line_ != nullptr) line_->say(message);
    }
    void complain(Refusal refusal, std::optional<std::int64_t> id = {});
    void begin_leg(asked::Offer offer);
    void tell_stats();
    /// @return the line that was there
    ChannelLine* end(const model::CallEnd& why);

    const ChannelSettings& settings_;
    const ChannelParts& parts_;
    connection::Place place_;
    const std::string joined_channel_;
    Gone gone_;
    base::Secret resume_;
    model::MemberId id_;           ///< empty: not in a channel
    ChannelLine* line_ = nullptr;  ///< null: away
    model::CallId call_;           ///< of its leg; empty: none
    model::CallId last_call_;      ///< that ended, for whoever asks why
    bool is_offering_ = false;     ///< the first offer of a leg is on its way to it
    struct Exchange {
        std::optional<std::int64_t> id;  ///< the client's
        std::string answer;              ///< whole message; empty: none yet
        std::int64_t answered_ns = 0;
        bool was_missed = false;
    };
    Exchange exchange_;  ///< the last one
    std::int64_t lost_ns_ = 0;
    ClientFigures report_;
    glib::Timer away_timer_, stats_timer_;
};

}  // namespace offhook::signalling::web

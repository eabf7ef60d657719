#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/executor.h"
#include "channel/book.h"
#include "channel/sound.h"
#include "config/config.h"
#include "glib/timer.h"
#include "model/audio_port.h"
#include "model/call_id.h"
#include "model/channel.h"

namespace offhook::channel {

/// An AI that a channel wants, on a port of its own.
struct ChannelAi {
    model::CallId session;  ///< names it, as a call's id does
    std::string channel, ai;
    std::shared_ptr<model::AudioPort> port;
};

/// AtOnce: it is there without a connection. Soon: its state is told.
enum class AiComes : std::uint8_t { No, Soon, AtOnce };

/// A call that somebody wants to watch.
struct WatchedCall {
    std::string name;  ///< who calls; not escaped
    model::MemberKind kind = model::MemberKind::Phone;
    SeatedLeg leg;
    std::shared_ptr<model::AudioPort> port;
    std::string ai;
    bool is_ai_live = false;
};

/// All channels of the process: the book of who is in which, what their legs and AIs are told to
/// take part in the mix, and who hears of it.
///
///     join -> seat_leg (its media plays) -> ... -> unseat_leg (its call is over) -> leave
///     supervise -> join (a supervisor) -> leave -> [5 s] -> the call's direct path
///
/// A supervised call changes its path in this order, so that an AI's port never has two readers:
///
///     mixer takes the seat -> leg takes the seat -> mixer takes the AI's port
///     mixer lets the AI's port go -> leg leaves the seat -> the mixer goes
///
/// What listeners and hooks are told comes from the loop, once for all that happened in a turn.
/// @thread control
class Channels final : public model::ChannelControl {
public:
    static constexpr std::size_t kMaxChannels = 256;
    /// A supervised call goes back to its direct path so long after the last supervisor left.
    static constexpr std::chrono::milliseconds kReturnAfter{5'000};
    /// And not before a supervisor that was invited had so much time to come.
    static constexpr std::chrono::milliseconds kInvitation{60'000};

    /// Told from the loop.
    struct Hooks {
        /// The member of this leg is gone: its call is to end.
        std::function<void(const model::CallId& call, const std::string& why)> end_leg;
        /// A leg that was somewhere is in another channel now; both empty: in none.
        std::function<void(
            const model::CallId& call, const std::string& channel, const model::MemberId& member)>
            on_place{};
        /// Told at once.
        std::function<AiComes(const ChannelAi&)> attach_ai{};
        std::function<void(const model::CallId& session)> dismiss_ai{};
        std::function<bool(const std::string& name)> has_ai{};
    };
    /// Borrowed; they outlive this.
    struct Parts {
        GMainContext* context = nullptr;
        base::Executor* control = nullptr;
        MixWorkers workers;
        Hooks hooks;
        std::chrono::milliseconds return_after = kReturnAfter;
    };
    explicit Channels(Parts parts);
    ~Channels() override;

    /// The channels that are always there. @pre checked
    void add(const std::vector<config::Channel>& configured);

    // model::ChannelControl
    [[nodiscard]] std::vector<model::ChannelInfo> channels() const override;
    [[nodiscard]] std::optional<model::ChannelInfo> find(std::string_view channel) const override;
    base::Result<void> create(const model::ChannelOrder& order) override;
    base::Result<void> close(std::string_view channel) override;
    base::Result<model::MemberId> join(const model::ChannelJoin& join,
                                       model::ChannelListener& listener) override;
    void leave(const model::MemberId& member) override;
    base::Result<void> set_away(const model::MemberId& member, bool is_away) override;
    base::Result<void> mute_self(const model::MemberId& member, bool is_muted) override;
    base::Result<void> mute(std::string_view channel,
                            const model::MemberId& member,
                            bool is_muted) override;
    base::Result<void> set_gain(std::string_view channel,
                                const model::MemberId& member,
                                double db) override;
    base::Result<void> remove(std::string_view channel, const model::MemberId& member) override;
    base::Result<void> move(std::string_view channel,
                            const model::MemberId& member,
                            std::string_view to) override;
    base::Result<void> set_role(std::string_view channel,
                                const model::MemberId& member,
                                model::MemberRole role) override;

    // For the call room.

    [[nodiscard]] bool has(const model::ChannelPlace& place) const;
    /// Where the member is by now; empty: nowhere.
    [[nodiscard]] std::string channel_of(const model::MemberId& member) const;
    /// The member's leg plays: it takes part from here on. An older leg of it ends.
    /// @errors NotFound
    base::Result<void> seat_leg(const model::MemberId& member, SeatedLeg leg);
    /// The call is over: its member has no sound; a supervised one's channel is closed.
    void unseat_leg(const model::CallId& call);
    /// A phone joins: it is heard of by nobody but through its leg. @errors as `join`
    base::Result<model::MemberId> join_phone(const std::string& channel, const std::string& name);

    /// @return the channel's name. @errors Conflict: it cannot just now
    base::Result<std::string> supervise(WatchedCall call);
    /// Another AI is on the supervised call. Nothing for another call.
    void set_call_ai(const model::CallId& call, const std::string& ai, bool is_live);

    // Of an AI: a channel's own by its session, a supervised call's by the call.
    void on_ai_state(const model::CallId& session, bool is_live, bool is_lost);
    /// The channel's AI is gone by itself.
    void on_ai_gone(const model::CallId& session);

    /// Since the start, of all channels.
    [[nodiscard]] std::uint64_t late_frames_total() const;
    /// All legs and AIs are let go; nothing is told.
    void shut();

private:
    struct Told {
        enum class What : std::uint8_t { Removed, Moved, EndLeg, Placed };
        What what = What::Removed;
        model::MemberId member;
        model::ChannelListener* listener = nullptr;
        model::CallId call;
        std::string why;  ///< Placed: the channel
    };
    struct Found {
        Channel* channel = nullptr;
        Member* member = nullptr;
        explicit operator bool() const { return member != nullptr; }
    };
    [[nodiscard]] Channel* get(std::string_view name) const;
    [[nodiscard]] Found get_member(const model::MemberId& id) const;
    [[nodiscard]] Found get_leg(const model::CallId& call) const;
    [[nodiscard]] Channel* get_call(const model::CallId& call) const;
    /// @errors NotFound
    [[nodiscard]] base::Result<Found> found(std::string_view channel,
                                            const model::MemberId& id) const;
    base::Result<Member*> admit(const model::ChannelJoin& join, model::ChannelListener* listener);
    Channel& make(const std::string& name, model::ChannelPolicy policy);
    void take_out(Channel& channel, const model::MemberId& member, const std::string& why);
    void erase(const std::string& name);
    void call_ai(Channel& channel);
    void dismiss_ai(Channel& channel);
    void after_leave(Channel& channel);

    void open(Channel& channel);
    void on_seated(const model::CallId& call);
    void let_go(Channel& channel);
    void on_let_go(const model::CallId& call);
    void on_direct(const model::CallId& call);
    void plan_return(Channel& channel);
    [[nodiscard]] bool is_wanted(const Channel& channel) const;
    /// Comes on control, unless this is gone by then.
    [[nodiscard]] std::function<void()> guarded(std::function<void()> task) const;
    /// The same from another thread.
    [[nodiscard]] std::function<void()> posted(std::function<void()> task) const;

    void changed(const Channel& channel);
    void tell_later(Told told);
    void wake_up();
    void tell();
    void look();
    void watch();

    Parts parts_;
    std::map<std::string, std::unique_ptr<Channel>, std::less<>> channels_;
    std::set<std::string> changed_;
    std::vector<Told> told_;
    glib::Timer tell_timer_, look_timer_;
    std::uint64_t late_before_ = 0;  ///< of channels that are gone
    std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace offhook::channel

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/call_id.h"

namespace offhook::model {

// A channel is members and who hears whom. An answered call with a supervisor is one, a voice
// channel of browsers and phones is one: the matrix follows from the roles alone.

/// What a member is. `Ai` has no transport of its own.
enum class MemberKind : std::uint8_t { Browser, Phone, Ai };
[[nodiscard]] std::string_view name_of(MemberKind kind) noexcept;

/// What a member does. Speaker, Caller and Ai hear and are heard by each other; the others watch
/// over them.
enum class MemberRole : std::uint8_t {
    Speaker,   ///< everybody to everybody
    Caller,    ///< the call that the channel is about
    Ai,        ///< the AI
    Listen,    ///< hears all, is heard by none
    Whisper,   ///< hears all, is heard by the AI alone
    Barge,     ///< hears all, is heard by all
    TakeOver,  ///< as Barge; meanwhile the AI neither hears nor is heard
};
[[nodiscard]] std::string_view name_of(MemberRole role) noexcept;
/// "speaker", "listen", "whisper", "barge", "take-over"; empty: none of those that may be asked for.
[[nodiscard]] std::optional<MemberRole> member_role(std::string_view name) noexcept;

/// Who is who when a channel is made; the roles say the rest.
enum class ChannelPolicy : std::uint8_t { Everybody, Call, Supervised };
[[nodiscard]] std::string_view name_of(ChannelPolicy policy) noexcept;
[[nodiscard]] std::optional<ChannelPolicy> channel_policy(std::string_view name) noexcept;

/// Name of a channel: 1 to 64 letters, digits and "-._~+", as in a URL. That of a supervised call is
/// "call-" and its id.
[[nodiscard]] bool is_channel_name(std::string_view name) noexcept;

/// "m-0123456789ab", unique in the process, never used again.
using MemberId = std::string;

/// The place that a leg is to take: an incoming call with one gets no AI of its own.
struct ChannelPlace {
    std::string channel;
    MemberId member;
};

/// `Joining`: no sound yet; `Away`: its signalling is lost, and it may come back to its place.
enum class MemberState : std::uint8_t { Joining, Connected, Away };
[[nodiscard]] std::string_view name_of(MemberState state) noexcept;

/// How the sound of a member fares at the mixer.
struct MemberSound {
    double level_dbov = -127;  ///< of what it says, RMS of the last 200 ms, before its gain
    double peak_dbov = -127;
    bool is_speaking = false;
    std::uint64_t clipped_samples = 0;  ///< of it, at full scale
    std::uint64_t heard_frames = 0;     ///< frames of 20 ms that it brought to the mix
    std::uint64_t missing_frames = 0;   ///< it had nothing when its turn came, while it was live
    std::uint64_t dropped_frames = 0;   ///< too many waited: its clock is faster, or the mixer late
    std::uint64_t unheard_frames = 0;   ///< of the mix, that its leg had to fill
};

/// One member as the outside sees it. Strings from the network are escaped already.
struct MemberInfo {
    MemberId id;
    MemberKind kind = MemberKind::Browser;
    MemberRole role = MemberRole::Speaker;
    MemberState state = MemberState::Joining;
    std::string user, name;
    CallId call;            ///< of its leg; empty: none yet
    bool is_muted = false;  ///< by itself, or by an operator
    bool is_muted_by_operator = false;
    double gain_db = 0;          ///< of what the others hear of it, -60 to 20
    std::int64_t joined_ns = 0;  ///< CLOCK_REALTIME
    MemberSound sound;
};

struct ChannelInfo {
    std::string name;
    ChannelPolicy policy = ChannelPolicy::Everybody;
    bool is_permanent =
        false;       ///< configured or made by the API; the others go with their last member
    std::string ai;  ///< name of an [[ai]] that is a member; empty: none
    std::int64_t created_ns = 0;  ///< CLOCK_REALTIME
    int worker = -1;              ///< whose tick mixes
    std::uint64_t mixed_frames = 0, late_frames = 0;
    std::vector<MemberInfo> members;  ///< in the order of joining
};

/// Hears what happens in the channel a member is in. Told from the loop, on control; whoever
/// listens leaves (`ChannelControl::leave`) before it goes.
class ChannelListener {
public:
    /// Somebody came, went, or changed (name, mute, role, state); `channel` is all of it, its sound
    /// included.
    virtual void on_members(const ChannelInfo& channel) = 0;
    /// Who began or stopped to speak; at most ten times a second.
    virtual void on_speaking(const std::vector<MemberId>& speaking) = 0;
    /// It was taken out, by the API or because the channel is gone; nothing more comes. @param why
    /// "removed", "channel-closed", "call-ended"
    virtual void on_removed(std::string_view why) = 0;
    /// It is in another channel now, with the same id.
    virtual void on_moved(const ChannelInfo& to) = 0;

protected:
    ~ChannelListener() = default;
};

/// Who wants in. Strings are bounded by whoever asks, not escaped.
struct ChannelJoin {
    std::string channel, user, name;
    MemberKind kind = MemberKind::Browser;
    MemberRole role = MemberRole::Speaker;
};

struct ChannelOrder {
    std::string name;
    ChannelPolicy policy = ChannelPolicy::Everybody;
    std::string ai;  ///< joins it, and leaves with the last of the others
};

/// The channels of this process, for signalling and the API.
/// @thread control
class ChannelControl {
public:
    virtual ~ChannelControl() = default;

    [[nodiscard]] virtual std::vector<ChannelInfo> channels() const = 0;
    [[nodiscard]] virtual std::optional<ChannelInfo> find(std::string_view channel) const = 0;
    /// @errors InvalidArgument: name, ai; Conflict: there is one; LimitReached: too many
    virtual base::Result<void> create(const ChannelOrder& order) = 0;
    /// All are taken out. @errors NotFound
    virtual base::Result<void> close(std::string_view channel) = 0;

    /// A new member without sound yet. Others hear of it. @errors NotFound: no such channel;
    /// Conflict: full
    virtual base::Result<MemberId> join(const ChannelJoin& join, ChannelListener& listener) = 0;
    /// It goes, and its leg with it. Nothing for an unknown one.
    virtual void leave(const MemberId& member) = 0;
    /// Its signalling is lost or back; the others see its state, not a leave. @errors NotFound
    virtual base::Result<void> set_away(const MemberId& member, bool is_away) = 0;
    /// By itself. @errors NotFound
    virtual base::Result<void> mute_self(const MemberId& member, bool is_muted) = 0;

    // By an operator. @errors NotFound; InvalidArgument: gain out of range; Conflict
    virtual base::Result<void> mute(std::string_view channel,
                                    const MemberId& member,
                                    bool is_muted) = 0;
    virtual base::Result<void> set_gain(std::string_view channel,
                                        const MemberId& member,
                                        double db) = 0;
    virtual base::Result<void> remove(std::string_view channel, const MemberId& member) = 0;
    virtual base::Result<void> move(std::string_view channel,
                                    const MemberId& member,
                                    std::string_view to) = 0;
    virtual base::Result<void> set_role(std::string_view channel,
                                        const MemberId& member,
                                        MemberRole role) = 0;
};

}  // namespace offhook::model

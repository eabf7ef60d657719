#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channel/sound.h"
#include "glib/timer.h"
#include "mixer/channel_mixer.h"
#include "model/audio_port.h"
#include "model/call_id.h"
#include "model/channel.h"
#include "model/channel_seat.h"
#include "worker/media_worker.h"

namespace offhook::channel {

/// A leg that can take a place in a channel, as whoever owns it knows it.
struct SeatedLeg {
    model::CallId call;
    /// Whose tick moves its sound; null: nobody's that matters.
    const worker::MediaWorker* worker = nullptr;
    /// From the leg's next frame on its sound goes by `seat`; null: straight to and from its AI.
    /// `after`, which may be empty, runs on the leg's worker then; never when the leg is gone.
    std::function<void(std::shared_ptr<model::ChannelSeat> seat, std::function<void()> after)>
        take_seat;
};

[[nodiscard]] model::MemberId make_member_id();
/// It watches over others.
[[nodiscard]] bool is_supervisor(model::MemberRole role) noexcept;

/// Somebody in a channel. Strings are escaped.
struct Member {
    model::MemberId id;
    model::MemberKind kind = model::MemberKind::Browser;
    model::MemberRole role = model::MemberRole::Speaker;
    std::string user, name;
    model::ChannelListener* listener = nullptr;  ///< null: nobody
    bool is_away = false;
    bool is_muted_by_itself = false, is_muted_by_operator = false;
    double gain_db = 0;
    std::int64_t joined_ns = 0;  ///< CLOCK_REALTIME
    model::CallId call;          ///< of its leg, or the name of its AI's session
    const worker::MediaWorker* worker = nullptr;
    mixer::MixMember sound;    ///< of neither seat nor AI: none yet
    bool is_mixable = true;    ///< nobody else has hold of `sound`
    bool is_ai_ready = false;  ///< of an AI: it can be talked to
    bool is_ai_lost = false;   ///< it was there, and is not

    [[nodiscard]] bool is_ai() const { return kind == model::MemberKind::Ai; }
    [[nodiscard]] bool is_muted() const { return is_muted_by_itself || is_muted_by_operator; }
    [[nodiscard]] bool has_sound() const { return sound.seat || sound.ai; }
    [[nodiscard]] model::MemberState state() const;
    [[nodiscard]] model::MemberInfo info() const;
};

/// A call that is supervised: what is needed to give it back its direct path.
struct SupervisedCall {
    /// Opening: the leg takes its seat; Returning: the mixer lets the AI's port go, then the leg
    /// leaves its seat.
    enum class Phase : std::uint8_t { Opening, Mixed, Returning };

    SeatedLeg leg;
    std::shared_ptr<model::AudioPort> port;  ///< of the leg and its AI
    Phase phase = Phase::Opening;
    bool is_closing = false;            ///< nobody may join any more
    std::int64_t invited_until_ns = 0;  ///< CLOCK_MONOTONIC; somebody was told that they may come
    glib::Timer return_timer;
};

struct Channel {
    Channel(base::Executor& control, const MixWorkers& workers) : sound(control, workers) {}

    std::string name;
    model::ChannelPolicy policy = model::ChannelPolicy::Everybody;
    bool is_permanent = false;
    std::string ai;
    std::size_t max_members = 32;
    std::int64_t created_ns = 0;  ///< CLOCK_REALTIME
    std::vector<std::unique_ptr<Member>> members;
    std::vector<model::MemberId> speaking;  ///< as it was told
    bool has_ai_gone = false;  ///< by itself: it comes back after the channel was empty
    std::optional<SupervisedCall> call;
    ChannelSound sound;

    [[nodiscard]] Member* member(const model::MemberId& id) const;
    /// The member whose leg, or AI session, that is.
    [[nodiscard]] Member* member_of(const model::CallId& call) const;
    [[nodiscard]] Member* ai_member() const;
    /// Those that are neither AI nor the supervised caller.
    [[nodiscard]] std::size_t guests() const;
    [[nodiscard]] model::ChannelInfo info() const;
    /// What is in the mix now, in the order of its matrix.
    [[nodiscard]] std::vector<const Member*> mixed() const;
    [[nodiscard]] mixer::Matrix matrix() const;
    /// Tells the mixer. @param then  as ChannelSound::set
    void mix(std::function<void()> then = {});
};

}  // namespace offhook::channel

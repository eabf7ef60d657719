#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ai/back_off.h"
#include "ai/barge_in_judge.h"
#include "ai/bot_door.h"
#include "ai/bot_line.h"
#include "ai/bot_session.h"
#include "ai/caller_feed.h"
#include "ai/caller_speech.h"
#include "ai/farewells.h"
#include "ai/turn_clock.h"
#include "ai/verb_desk.h"

namespace offhook::ai {

/// Sound, verbs and news are in bot_session.cpp, how connections come and go in
/// bot_connections.cpp.
class BotSession::Impl final : public BotHost,
                               public socket::LinkEvents,
                               public BotDoor::Host,
                               public BotLine::Events,
                               public CallerFeed::Sink,
                               public CallerSpeech::Events,
                               public BargeInJudge::Events {
public:
    explicit Impl(Parts parts);
    ~Impl() override;

    void hear(std::span<const std::int16_t> pcm);
    void tick(std::int64_t now_ns);
    void tell(const CallNews& news);
    void sent(std::int64_t now_ns);
    [[nodiscard]] LastWords last_words() const { return feed_->last_words(); }

private:
    enum class Phase {
        Waiting,  ///< for the next attempt, or at the door
        Dialling,
        Opening,  ///< open; the protocol is not ready
        Live,
        Leaving,  ///< what is queued plays to its end, then `next_`
        Done
    };
    static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
    enum class Next { Fallback, Finish };
    /// Why a connection ends, or an attempt.
    struct Ending {
        enum class Kind { Orderly, Planned, Lost, Final } kind = Kind::Lost;
        std::string sentence{};
        const char* word = "failed";  ///< a literal, for AiStats
    };

    // BotHost
    bool send_text(std::string_view text) override;
    bool send_binary(std::span<const std::byte> bytes) override;
    void ready() override;
    std::uint64_t play(std::span<const std::int16_t> pcm) override;
    void mark(std::string name) override { line_->mark(std::move(name)); }
    void clear() override;
    void pause() override;
    void resume() override;
    std::uint64_t given() const noexcept override { return line_->given(); }
    std::uint64_t played() const noexcept override { return line_->played(); }
    std::uint64_t queued() const noexcept override { return line_->queued(); }
    void judge_barge_in(bool is_one) override { judge_.judge(is_one, now_ns_); }
    void note_caller_speech(bool is_speaking) override;
    void ask(BotRequest request) override;
    void finish() override { end({Ending::Kind::Orderly, "the bot ended its part", "finished"}); }
    void fail(std::string sentence, bool is_final) override {
        end({is_final ? Ending::Kind::Final : Ending::Kind::Lost, std::move(sentence)});
    }
    void reconnect(std::string why) override {
        end({Ending::Kind::Planned, std::move(why), "planned"});
    }
    void complain(std::string sentence) override;
    const BotSettings& settings() const noexcept override { return *parts_.settings; }
    const BotCall& call() const noexcept override { return parts_.call; }

    // socket::LinkEvents
    void on_open() override;
    void on_text(std::string_view text) override;
    void on_binary(std::span<const std::byte> bytes) override;
    void on_closed(const socket::LinkEnd& end) override;
    // BotDoor::Host
    bool is_served() const noexcept override { return link() != nullptr; }
    std::string subprotocol() const override { return protocol_->opening().subprotocol; }
    socket::LinkEvents& welcome() override;
    void take(std::unique_ptr<socket::Link> link) override;
    // BotLine::Events
    void on_mark(const std::string& name, BotProtocol::MarkEnd how, std::uint64_t at) override;
    void on_call_back(std::uint64_t number, bool is_played) override;
    void on_dropped(std::uint64_t from, std::uint64_t to) override;
    void on_started(std::int64_t left_ns) override { turns_.sound_left(left_ns); }
    void on_drained() override;
    // CallerFeed::Sink
    void on_frame(std::span<const std::int16_t> pcm, FrameAt at) override;
    // CallerSpeech::Events
    void on_speech(bool is_speaking, std::uint64_t position, std::int64_t heard_ns) override;
    // BargeInJudge::Events
    void on_barge_in() override;
    void on_confirmed() override;
    void on_taken_back() override;

    // the connection
    [[nodiscard]] std::string next_traceparent() const;
    void connect();
    void schedule(const std::string& why);
    void end(Ending ending);
    void settle();
    void disconnect(const Ending& ending);
    void give_up(const std::string& why);
    void leave(Next next, const std::string& why);
    void go_on_leaving();
    void fall_back();
    void look_at_the_time();
    void look_at_lost_prompt();

    // verbs
    void carry_out(const BotRequest& request);
    void refuse(const BotRequest& request, std::string_view why);

    void on(const DigitNews& news);
    void on(const HoldNews& news);
    void on(const VerbNews& news);
    void on(const EndNews& news);
    void on(const DropNews& news);

    [[nodiscard]] socket::Link* link() const noexcept {
        return connection_ ? connection_->link() : nullptr;
    }
    [[nodiscard]] bool is_open() const noexcept {
        return phase_ == Phase::Opening || phase_ == Phase::Live;
    }
    [[nodiscard]] bool is_playing() const noexcept {
        return !is_paused_by_bot_ && line_->queued() != 0;
    }
    [[nodiscard]] double ms(std::uint64_t samples) const noexcept {
        return 1e3 * static_cast<double>(samples) / line_->rate_hz();
    }
    void set_state(model::AiState state, const std::string& detail);
    void write_stats();
    void write_link_stats(const socket::Link::Counters& link);
    /// What a link tells comes from the loop, where nobody knows which call it is of: an exception
    /// ends the connection, not the thread.
    template <class Act>
    void guard(const Act& act) {
        try {
            act();
        } catch (const std::exception& error) {
            end({Ending::Kind::Lost, std::string("we failed: ") + error.what()});
        }
        settle();
    }

    Parts parts_;
    AiEvents& events_;
    model::AiStats& stats_;
    TurnClock turns_;
    BargeInJudge judge_;
    BackOff back_off_;
    VerbDesk desk_;
    std::unique_ptr<BotProtocol> protocol_;
    std::unique_ptr<BotLine> line_;
    std::unique_ptr<CallerFeed> feed_;
    std::unique_ptr<CallerSpeech> speech_;
    std::unique_ptr<Connection> connection_;

    std::int64_t now_ns_;
    std::int64_t stats_ns_ = 0;

    Phase phase_ = Phase::Waiting;
    std::optional<Ending> ending_;
    std::int64_t due_ns_ = kNever;  ///< Waiting: the next attempt, or the end of it at the door;
                                    ///< Opening: ready; Leaving: gone at the latest
    int connections_ = 0;           ///< that came up
    std::int64_t opened_ns_ = 0;
    std::int64_t lost_ns_;  ///< since when there is none; from the beginning there is none
    std::deque<std::string> played_marks_;
    std::vector<std::string> lost_marks_;

    Next next_ = Next::Fallback;
    std::size_t fallback_ = 0;  ///< of the list, the next
    std::string why_;           ///< of Leaving
    bool is_transferring_ = false;
    std::int64_t sounded_ns_;  ///< when something was queued last

    bool is_paused_by_bot_ = false;
    bool is_held_ = false;
    std::deque<DigitNews> digits_;  ///< pressed while no bot was there
    bool is_send_refused_ = false;
    std::int64_t tapped_ns_ = 0;
    bool is_frame_sent_ = false;
    std::int64_t complained_ns_ = 0;
    std::uint64_t unsaid_complaints_ = 0;
};

}  // namespace offhook::ai

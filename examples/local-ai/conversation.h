#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dialogue.h"
#include "endpointer.h"
#include "socket/event_loop.h"
#include "socket/link.h"
#include "transcript.h"
#include "voice.h"
#include "wire.h"
#include "workers.h"

namespace offhook::local_ai {

/// What all conversations share; outlives them.
struct Bot {
    socket::EventLoop& loop;
    Workers& workers;
    Voice& voice;
    Transcript& transcript;
    std::optional<TimeOfDay> fixed_time;  ///< tells this instead of the clock's
};

/// One call: its socket, what it hears and what it says.
///
///     link -> wire -> endpointer -> [worker: recogniser] -> dialogue -> [worker: voice] -> wire -> link
///
/// It speaks a whole sentence in one burst, with a mark behind it: until the mark comes back it is
/// speaking, and a caller who speaks meanwhile makes it stop (barge-in). A sentence that is ready
/// while the caller speaks is not begun.
/// @thread the loop's; workers post back to it, and find nothing if the call is gone by then
class Conversation final : public socket::LinkEvents,
                           public WireEvents,
                           private Endpointer::Events,
                           public std::enable_shared_from_this<Conversation> {
public:
    enum class Protocol { ByFirstMessage, Plain, Twilio };
    static constexpr std::size_t kMostWaiting = 8;  ///< utterances not recognised yet

    Conversation(Bot& bot, Protocol protocol) : bot_(bot), protocol_(protocol) {}
    /// @param on_over  told last; may let go of the conversation
    void when_over(std::function<void()> on_over) { on_over_ = std::move(on_over); }
    void take(std::unique_ptr<socket::Link> link);
    /// The bot ends: the peer is told.
    void close();

    void on_open() override {}
    void on_text(std::string_view text) override;
    void on_binary(std::span<const std::byte> bytes) override;
    void on_closed(const socket::LinkEnd& end) override;

    void on_start(const CallStart& start) override;
    void on_sound(std::span<const std::int16_t> pcm) override;
    void on_digit(char digit) override;
    void on_mark(std::string_view name) override;
    void on_barge_in() override;
    void on_refused_hang_up() override;
    void on_stop(const std::string& reason) override;

private:
    void on_speech_started() override;
    void on_utterance(std::vector<std::int16_t> pcm) override;

    void recognise_next();
    void on_recognised(const std::optional<std::string>& words);
    void say(Answer answer);
    void on_spoken(const Answer& answer, const std::vector<std::int16_t>& pcm);
    void interrupt();

    Bot& bot_;
    Protocol protocol_;
    std::function<void()> on_over_;
    std::unique_ptr<socket::Link> link_;
    std::unique_ptr<Wire> wire_;
    std::optional<CallStart> start_;
    std::optional<Endpointer> endpointer_;
    Dialogue dialogue_;
    std::deque<std::vector<std::int16_t>> utterances_;
    bool is_recognising_ = false;
    bool is_caller_speaking_ = false;
    std::uint64_t sentences_ = 0;  ///< said so far; names the marks
    std::string speaking_;         ///< mark of the sentence that plays; empty: none
    bool is_leaving_ = false;      ///< has said goodbye
    bool closes_after_speech_ = false;
};

}  // namespace offhook::local_ai

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace offhook::socket {
class Link;
}

namespace offhook::local_ai {

/// Who calls, and how the sound is.
struct CallStart {
    std::string id, from, to;
    std::uint32_t sample_rate_hz = 8000;
};

/// What a caller's end tells the bot.
class WireEvents {
public:
    virtual ~WireEvents() = default;
    virtual void on_start(const CallStart& start) = 0;
    virtual void on_sound(std::span<const std::int16_t> pcm) = 0;
    virtual void on_digit(char digit) = 0;
    /// Everything before the mark has played, or was cleared.
    virtual void on_mark(std::string_view name) = 0;
    /// The far end has heard the caller speak and holds our speech.
    virtual void on_barge_in() = 0;
    /// It will not hang up because the bot asks for it: the socket's end has to do.
    virtual void on_refused_hang_up() = 0;
    virtual void on_stop(const std::string& reason) = 0;
};

/// One protocol's words on one connection. Bad messages are counted and otherwise ignored: the call
/// goes on.
/// @thread the loop's
class Wire {
public:
    virtual ~Wire() = default;
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    virtual void on_text(std::string_view text) = 0;
    virtual void on_binary(std::span<const std::byte> bytes) = 0;

    /// @param pcm mono S16 at CallStart's rate, any length
    virtual void send_sound(std::span<const std::int16_t> pcm) = 0;
    virtual void send_mark(std::string_view name) = 0;
    /// What has not played is to be forgotten.
    virtual void clear() = 0;
    /// Answers on_barge_in.
    virtual void accept_barge_in() = 0;
    /// The call ends when everything has played. @return false: the protocol has no word for it,
    /// the socket is to be closed once it has
    virtual bool hang_up() = 0;

protected:
    Wire() = default;
};

/// The plain protocol of Offhook (docs/plain-protocol.md). @param link outlives it
[[nodiscard]] std::unique_ptr<Wire> make_plain_wire(socket::Link& link, WireEvents& events);
/// Twilio Media Streams, the server's side. @param link outlives it
[[nodiscard]] std::unique_ptr<Wire> make_twilio_wire(socket::Link& link, WireEvents& events);
/// The one that a peer speaks whose first message this is; none when it is neither's.
[[nodiscard]] std::unique_ptr<Wire> make_wire_of(std::string_view first_message,
                                                 socket::Link& link,
                                                 WireEvents& events);

}  // namespace offhook::local_ai

#include "socket/web_socket_link.h"

#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/escape.h"

namespace offhook::socket {
namespace {

using Kind = FrameReader::Event::Kind;
using Why = LinkEnd::Why;

constexpr std::size_t kMaxReasonBytes = 123;
/// Pongs stay in the queue no longer than messages do.
constexpr std::size_t kPongBytes = 2 + 4 + 125;

std::string_view as_text(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// At most `max` bytes, cut between characters.
std::string_view cut(std::string_view text, std::size_t max) noexcept {
    if (text.size() <= max) return text;
    while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0U) == 0x80U) --max;
    return text.substr(0, max);
}

}  // namespace

bool WebSocketLink::send_text(std::string_view text) {
    return send(Opcode::Text, std::as_bytes(std::span(text)));
}

bool WebSocketLink::send_binary(std::span<const std::byte> bytes) {
    return send(Opcode::Binary, bytes);
}

bool WebSocketLink::send(Opcode opcode, std::span<const std::byte> payload) {
    if (!has_room(header_bytes(payload.size(), role_) + payload.size())) return false;
    put(opcode, payload);
    count_sent(payload.size());
    return true;
}

void WebSocketLink::put(Opcode opcode, std::span<const std::byte> payload) {
    if (role_ == Role::Client) {
        const MaskKey key = commons().new_mask();
        append_frame(queue(), opcode, payload, &key);
    } else {
        append_frame(queue(), opcode, payload, nullptr);
    }
    queued();
}

void WebSocketLink::put_close(std::uint16_t code, std::string_view reason) {
    std::array<std::byte, 2 + kMaxReasonBytes> payload;
    payload[0] = static_cast<std::byte>(code >> 8U);
    payload[1] = static_cast<std::byte>(code & 0xFFU);
    const std::string_view text = cut(reason, kMaxReasonBytes);
    if (!text.empty()) std::memcpy(payload.data() + 2, text.data(), text.size());
    put(Opcode::Close, std::span(payload).first(2 + text.size()));
}

void WebSocketLink::on_bytes(std::span<std::byte> bytes) {
    Alive alive(*this);
    for (;;) {
        const FrameReader::Event event = reader_.next(bytes);
        const bool is_closing = state() == State::Closing;
        switch (event.kind) {
            case Kind::None:
                return;
            case Kind::Text:
            case Kind::Binary:
                count_received(event.payload.size());
                if (is_closing) break;
                if (event.kind == Kind::Text) {
                    events().on_text(as_text(event.payload));
                } else {
                    events().on_binary(event.payload);
                }
                if (!alive) return;
                break;
            case Kind::Ping:
                if (!is_closing &&
                    counters().queued_bytes + kPongBytes <= limits().max_queued_bytes) {
                    put(Opcode::Pong, event.payload);
                }
                break;
            case Kind::Pong:
                if (event.payload.size() == sizeof pings_ &&
                    std::memcmp(event.payload.data(), &pings_, sizeof pings_) == 0) {
                    heard_pong();
                }
                break;
            case Kind::Close:
                return on_close_frame(event);
            case Kind::Broken: {
                const std::uint16_t code = event.code;
                std::string why(event.why);
                if (is_closing) return end(own_end());
                put_close(code, why);
                return end_after_flush({Why::Protocol, code, std::move(why)});
            }
        }
    }
}

void WebSocketLink::on_close_frame(const FrameReader::Event& event) {
    if (state() == State::Closing) return end_after_flush(own_end());
    LinkEnd why{Why::ClosedByPeer, event.code, base::escape_untrusted(as_text(event.payload))};
    if (event.code == 1005) {
        put(Opcode::Close, {});
    } else {
        put_close(event.code, {});
    }
    end_after_flush(std::move(why));
}

bool WebSocketLink::queue_goodbye(std::uint16_t code, std::string_view reason) {
    put_close(may_be_sent(code) ? code : std::uint16_t{1000}, reason);
    return true;
}

LinkEnd WebSocketLink::end_of_stream() const {
    if (state() == State::Closing) return own_end();
    return {Why::Reset, 0, "the peer closed the connection without a close frame"};
}

bool WebSocketLink::queue_ping() {
    ++pings_;
    std::array<std::byte, sizeof pings_> payload;
    std::memcpy(payload.data(), &pings_, sizeof pings_);
    put(Opcode::Ping, payload);
    return true;
}

}  // namespace offhook::socket

#include <algorithm>
#include <vector>

#include "ai/protocols/encoding.h"
#include "ai/protocols/message.h"
#include "base/json_writer.h"
#include "socket/link.h"
#include "wire.h"

namespace offhook::local_ai {
namespace {

constexpr std::string_view kHangUpId = "goodbye";

class PlainWire final : public Wire {
public:
    PlainWire(socket::Link& link, WireEvents& events) : link_(link), events_(events) {}

    void on_text(std::string_view text) override {
        const auto message = ai::Message::read(text);
        const auto type = message ? message->text("type") : std::nullopt;
        if (!type) return;
        if (*type == "start") {
            read_start(*message);
        } else if (*type == "dtmf") {
            const auto digit = message->text("digit");
            if (digit && digit->size() == 1) events_.on_digit(digit->front());
        } else if (*type == "mark") {
            if (const auto name = message->text("name")) events_.on_mark(*name);
        } else if (*type == "barge-in") {
            events_.on_barge_in();
        } else if (*type == "verb") {
            const bool is_ours = message->text("id") == kHangUpId;
            const auto state = message->text("state");
            if (is_ours && (state == "refused" || state == "failed")) events_.on_refused_hang_up();
        } else if (*type == "stop") {
            events_.on_stop(std::string(message->text("reason").value_or("no reason")));
        }
    }

    void on_binary(std::span<const std::byte> bytes) override {
        ai::decode_samples(ai::Encoding::Pcm, bytes, pcm_);
        events_.on_sound(pcm_);
    }

    void send_sound(std::span<const std::int16_t> pcm) override {
        // Seconds, so that no message is longer than a peer takes; all of them at once.
        const std::size_t second = sample_rate_hz_;
        while (!pcm.empty()) {
            const auto some = pcm.first(std::min(second, pcm.size()));
            ai::encode_samples(ai::Encoding::Pcm, some, bytes_);
            link_.send_binary(bytes_);
            pcm = pcm.subspan(some.size());
        }
    }
    void send_mark(std::string_view name) override {
        base::JsonWriter json;
        json.begin_object().field("type", "mark").field("name", name).end();
        link_.send_text(json.text());
    }
    void clear() override { link_.send_text(R"({"type":"clear"})"); }
    void accept_barge_in() override { link_.send_text(R"({"type":"barge-in","accept":true})"); }
    bool hang_up() override {
        base::JsonWriter json;
        json.begin_object()
            .field("type", "hangup")
            .field("after_speech", true)
            .field("id", kHangUpId)
            .end();
        return link_.send_text(json.text());
    }

private:
    void read_start(const ai::Message& message) {
        CallStart start;
        start.id = message.text("call.id").value_or("call");
        start.from = message.text("call.from").value_or("");
        start.to = message.text("call.to").value_or("");
        const auto rate = message.whole("audio.sample_rate").value_or(0);
        const bool is_known = rate == 8000 || rate == 16000 || rate == 24000 || rate == 48000;
        start.sample_rate_hz = sample_rate_hz_ =
            is_known ? static_cast<std::uint32_t>(rate) : 16000;
        events_.on_start(start);
    }

    socket::Link& link_;
    WireEvents& events_;
    std::uint32_t sample_rate_hz_ = 16000;
    std::vector<std::int16_t> pcm_;
    std::vector<std::byte> bytes_;
};

}  // namespace

std::unique_ptr<Wire> make_plain_wire(socket::Link& link, WireEvents& events) {
    return std::make_unique<PlainWire>(link, events);
}

}  // namespace offhook::local_ai

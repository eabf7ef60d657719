#include <algorithm>
#include <vector>

#include "ai/protocols/base64.h"
#include "ai/protocols/encoding.h"
#include "ai/protocols/message.h"
#include "base/json_writer.h"
#include "socket/link.h"
#include "wire.h"

namespace offhook::local_ai {
namespace {

constexpr std::uint32_t kSampleRateHz = 8000;

class TwilioWire final : public Wire {
public:
    TwilioWire(socket::Link& link, WireEvents& events) : link_(link), events_(events) {}

    void on_text(std::string_view text) override {
        const auto message = ai::Message::read(text);
        const auto event = message ? message->text("event") : std::nullopt;
        if (!event) return;
        if (*event == "media") {
            if (!ai::decode_base64(message->text("media.payload").value_or(""), bytes_)) return;
            ai::decode_samples(ai::Encoding::Pcmu, bytes_, pcm_);
            events_.on_sound(pcm_);
        } else if (*event == "start") {
            stream_ = message->text("streamSid").value_or("");
            CallStart start;
            // Offhook tells its own id beside the one in Twilio's form.
            start.id = message->text("start.customParameters.call_id")
                           .value_or(message->text("start.callSid").value_or(stream_));
            start.from = message->text("start.customParameters.from").value_or("");
            start.to = message->text("start.customParameters.to").value_or("");
            start.sample_rate_hz = kSampleRateHz;
            events_.on_start(start);
        } else if (*event == "dtmf") {
            const auto digit = message->text("dtmf.digit");
            if (digit && digit->size() == 1) events_.on_digit(digit->front());
        } else if (*event == "mark") {
            if (const auto name = message->text("mark.name")) events_.on_mark(*name);
        } else if (*event == "stop") {
            events_.on_stop("the caller's end stopped the stream");
        }
    }
    // Media Streams has text only.
    void on_binary(std::span<const std::byte> /*bytes*/) override {}

    void send_sound(std::span<const std::int16_t> pcm) override {
        while (!pcm.empty()) {
            const auto second = pcm.first(std::min<std::size_t>(kSampleRateHz, pcm.size()));
            ai::encode_samples(ai::Encoding::Pcmu, second, bytes_);
            payload_.clear();
            ai::append_base64(bytes_, payload_);
            auto json = begin("media");
            json.key("media").begin_object().field("payload", payload_).end().end();
            link_.send_text(json.text());
            pcm = pcm.subspan(second.size());
        }
    }
    void send_mark(std::string_view name) override {
        auto json = begin("mark");
        json.key("mark").begin_object().field("name", name).end().end();
        link_.send_text(json.text());
    }
    void clear() override {
        auto json = begin("clear");
        link_.send_text(json.end().text());
    }
    void accept_barge_in() override {}
    bool hang_up() override { return false; }

private:
    base::JsonWriter begin(std::string_view event) const {
        base::JsonWriter json;
        json.begin_object().field("event", event).field("streamSid", stream_);
        return json;
    }

    socket::Link& link_;
    WireEvents& events_;
    std::string stream_;
    std::vector<std::int16_t> pcm_;
    std::vector<std::byte> bytes_;
    std::string payload_;
};

}  // namespace

std::unique_ptr<Wire> make_twilio_wire(socket::Link& link, WireEvents& events) {
    return std::make_unique<TwilioWire>(link, events);
}

std::unique_ptr<Wire> make_wire_of(std::string_view first_message,
                                   socket::Link& link,
                                   WireEvents& events) {
    const auto message = ai::Message::read(first_message);
    if (message && message->text("event")) return make_twilio_wire(link, events);
    if (message && message->text("type")) return make_plain_wire(link, events);
    return nullptr;
}

}  // namespace offhook::local_ai

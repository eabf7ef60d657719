#include "ai/protocols/openai_tools.h"

#include <string>

#include "ai/protocols/message.h"

namespace offhook::ai {
namespace {

constexpr std::size_t kMaxArgumentBytes = 512;

class Tool {
public:
    Tool(base::JsonWriter& w, std::string_view name, std::string_view description) : w_(w) {
        w_.begin_object()
            .field("type", "function")
            .field("name", name)
            .field("description", description)
            .key("parameters")
            .begin_object()
            .field("type", "object")
            .key("properties")
            .begin_object();
    }
    Tool(const Tool&) = delete;
    Tool& operator=(const Tool&) = delete;
    ~Tool() {
        w_.end().key("required").begin_array();
        if (!parameter_.empty()) w_.value(parameter_);
        w_.end().end().end();
    }
    /// The one that it takes; the object of its schema is left open.
    base::JsonWriter& parameter(std::string_view name,
                                std::string_view type,
                                std::string_view description) {
        parameter_ = name;
        return w_.key(name).begin_object().field("type", type).field("description", description);
    }

private:
    base::JsonWriter& w_;
    std::string_view parameter_;
};

}  // namespace

bool has_openai_tools(const BotSettings& settings) {
    return settings.may_hang_up || settings.may_transfer || settings.may_send_digits ||
           settings.may_play_prompt || settings.may_hold;
}

void write_openai_tools(const BotSettings& settings, base::JsonWriter& w) {
    w.begin_array();
    if (settings.may_hang_up)
        Tool(w, "hang_up", "End the phone call, after what you said so far was heard.");
    if (settings.may_transfer) {
        Tool(w, "transfer", "Hand the caller over to somebody else.")
            .parameter("target", "string", "Extension, phone number or SIP URI.")
            .end();
    }
    if (settings.may_send_digits) {
        Tool(w, "send_digits", "Press keys of the phone.")
            .parameter("digits", "string", "Of 0-9, *, #, A-D.")
            .end();
    }
    if (settings.may_play_prompt) {
        Tool tool(w, "play_prompt", "Play a recording to the caller.");
        auto& schema = tool.parameter("name", "string", "Which recording.");
        if (settings.prompts && !settings.prompts->empty()) {
            schema.key("enum").begin_array();
            for (const auto& [name, sound] : *settings.prompts) schema.value(name);
            schema.end();
        }
        schema.end();
    }
    if (settings.may_hold) {
        Tool(w, "hold", "Put the caller on hold, or take them back.")
            .parameter("on", "boolean", "true: on hold; false: back.")
            .end();
    }
    w.end();
}

std::optional<BotRequest> openai_request(std::string_view name, std::string_view arguments) {
    BotRequest request;
    if (name == "hang_up") {
        request.verb = BotVerb::HangUp;
        request.is_after_speech = true;
        return request;
    }
    const auto message = Message::read(arguments);
    if (!message) return std::nullopt;
    const auto text = [&](std::string_view key) -> bool {
        const auto value = message->text(key);
        if (!value || value->empty() || value->size() > kMaxArgumentBytes) return false;
        request.argument = *value;
        return true;
    };
    if (name == "transfer" && text("target")) {
        request.verb = BotVerb::Transfer;
        request.is_after_speech = true;
    } else if (name == "send_digits" && text("digits")) {
        request.verb = BotVerb::SendDigits;
    } else if (name == "play_prompt" && text("name")) {
        request.verb = BotVerb::PlayPrompt;
        request.is_after_speech = true;
    } else if (name == "hold" && message->boolean("on")) {
        request.verb = *message->boolean("on") ? BotVerb::Hold : BotVerb::Resume;
        request.is_after_speech = true;
    } else {
        return std::nullopt;
    }
    return request;
}

}  // namespace offhook::ai

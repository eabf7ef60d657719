#include "app/ai_settings.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "ai/prompt_loader.h"
#include "base/secret.h"

namespace offhook::app {
namespace {

using base::Result;

constexpr std::size_t kMaxInstructionsBytes = 64 * 1024;

// Wherever it is: the configuration has to change, or what it names.
base::Error as_config(base::Error error) {
    error.code = base::ErrorCode::InvalidArgument;
    return error;
}

/// Nothing is named: an empty secret.
Result<base::Secret> secret_of(base::SecretSource source, const std::string& what) {
    if (source.file.empty() && source.environment.empty() && source.credential.empty())
        return base::Secret();
    auto secret = base::load_secret(source, what);
    if (!secret) return tl::unexpected(as_config(secret.error()));
    return secret;
}

Result<std::string> instructions_of(const config::Ai& ai) {
    const std::string& path = ai.session.instructions_file;
    if (path.empty()) return std::string();
    std::ifstream in(path, std::ios::binary);
    std::string text(kMaxInstructionsBytes + 1, '\0');
    if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
    if (!in.is_open() || in.bad() || text.empty() || text.size() > kMaxInstructionsBytes) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "ai \"" + ai.name + "\": instructions_file " + path +
                              " must be a text of 1 byte to 64 KiB that can be read");
    }
    return text;
}

Result<ai::BotSettings> bot_of(const config::Ai& ai) {
    const std::string whose = "ai \"" + ai.name + "\": ";
    ai::BotSettings bot;
    bot.ai = ai;
    auto bearer = secret_of({ai.bearer_file, ai.bearer_env, ai.bearer_credential},
                            whose + "the bearer token");
    if (!bearer) return tl::unexpected(bearer.error());
    bot.bearer = std::move(*bearer);
    auto password = secret_of({ai.password_file, ai.password_env, ai.password_credential},
                              whose + "the password");
    if (!password) return tl::unexpected(password.error());
    bot.password = std::move(*password);
    auto signature = secret_of({ai.signature_file, ai.signature_env, ai.signature_credential},
                               whose + "the auth token of signatures");
    if (!signature) return tl::unexpected(signature.error());
    bot.signature = std::move(*signature);
    for (const config::Ai::Header& header : ai.header) {
        auto value = secret_of({header.value_file, header.value_env, header.value_credential},
                               whose + "the value of header " + header.name);
        if (!value) return tl::unexpected(value.error());
        bot.headers.emplace_back(header.name,
                                 value->empty() ? base::Secret(header.value) : std::move(*value));
    }
    auto instructions = instructions_of(ai);
    if (!instructions) return tl::unexpected(instructions.error());
    bot.instructions = std::move(*instructions);
    return bot;
}

ai::Fallback fallback_of(const std::string& word) {
    using Kind = ai::Fallback::Kind;
    const auto colon = word.find(':');
    const std::string kind = word.substr(0, colon);
    const std::string what = colon == std::string::npos ? std::string() : word.substr(colon + 1);
    if (kind == "ai") return {Kind::Ai, what};
    if (kind == "prompt") return {Kind::Prompt, what};
    if (kind == "transfer") return {Kind::Transfer, what};
    return {Kind::HangUp, {}};
}

void add_route(ai::BotSettings& bot, const config::Route& route, std::size_t fallbacks_used) {
    const auto may = [&](const char* verb) {
        return std::find(route.verbs.begin(), route.verbs.end(), verb) != route.verbs.end();
    };
    bot.barge_in = route.barge_in == "off"      ? ai::BargeInPolicy::Off
                   : route.barge_in == "detect" ? ai::BargeInPolicy::Detect
                                                : ai::BargeInPolicy::Bot;
    bot.may_hang_up = may("hang-up");
    bot.may_transfer = may("transfer");
    bot.may_send_digits = may("dtmf");
    bot.may_play_prompt = may("prompt");
    bot.may_hold = may("hold");
    bot.greeting = fallbacks_used == 0 ? route.greeting : std::string();
    bot.lost_prompt = route.lost_prompt;
    bot.lost_prompt_s = route.lost_prompt_s;
    bot.reconnect_s = route.reconnect_s;
    for (std::size_t i = fallbacks_used; i < route.fallback.size(); ++i)
        bot.fallback.push_back(fallback_of(route.fallback[i]));
}

constexpr const char* kConsentAndGreeting = "consent, then the greeting";

// One sound of the two, so that nothing comes between them.
void put_consent_first(ai::BotSettings& bot, const std::string& consent) {
    const auto notice = bot.prompts->find(consent);
    if (notice == bot.prompts->end()) return;
    auto both = std::make_shared<ai::PromptSound>(*notice->second);
    const auto greeting = bot.prompts->find(bot.greeting);
    if (greeting != bot.prompts->end()) {
        for (const auto part : {&ai::PromptSound::pcm_8k, &ai::PromptSound::pcm_16k}) {
            const auto& more = (*greeting->second).*part;
            ((*both).*part).insert(((*both).*part).end(), more.begin(), more.end());
        }
    }
    both->name = kConsentAndGreeting;
    auto prompts = std::make_shared<ai::PromptBook>(*bot.prompts);
    prompts->insert_or_assign(kConsentAndGreeting, std::move(both));
    bot.prompts = std::move(prompts);
    bot.greeting = kConsentAndGreeting;
}

}  // namespace

Result<AiSettings> AiSettings::load(const config::Config& config) {
    AiSettings settings;
    ai::PromptBook prompts;
    for (const config::Prompt& prompt : config.prompt) {
        auto sound = ai::load_prompt(prompt.name, prompt.file);
        if (!sound) {
            return base::fail(base::ErrorCode::InvalidArgument,
                              "prompt \"" + prompt.name + "\": " + sound.error().text());
        }
        prompts.emplace(prompt.name, std::move(*sound));
    }
    settings.consent_prompt_ = config.recording.consent_prompt;
    settings.prompts_ = std::make_shared<const ai::PromptBook>(std::move(prompts));
    for (const config::Ai& ai : config.ai) {
        auto bot = bot_of(ai);
        if (!bot) return tl::unexpected(bot.error());
        bot->prompts = settings.prompts_;
        settings.bots_.emplace(ai.name, std::move(*bot));
    }
    return settings;
}

std::shared_ptr<const ai::BotSettings> AiSettings::find(const call::BotChoice& choice) {
    const auto known = bots_.find(choice.ai);
    if (known == bots_.end()) return nullptr;
    auto& made = made_[{choice.route.name, choice.ai, choice.fallbacks_used}];
    if (!made) {
        ai::BotSettings bot = known->second;
        add_route(bot, choice.route, choice.fallbacks_used);
        if (choice.route.record == "consent" && choice.fallbacks_used == 0)
            put_consent_first(bot, consent_prompt_);
        made = std::make_shared<const ai::BotSettings>(std::move(bot));
    }
    return made;
}

}  // namespace offhook::app

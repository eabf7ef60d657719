#include <algorithm>
#include <array>
#include <string_view>

#include "config/ai_keys.h"
#include "config/bot_url.h"
#include "config/endpoint.h"
#include "config/nearest.h"

namespace offhook::config {
namespace {

using Problems = std::vector<std::pair<std::string, std::string>>;

/// Keys that only one protocol has.
struct Owned {
    std::string_view key;
    AiProtocol protocol;
};
constexpr std::array<Owned, 14> kOwned{{{"dialect", AiProtocol::Twilio},
                                        {"signature_file", AiProtocol::Twilio},
                                        {"signature_env", AiProtocol::Twilio},
                                        {"signature_credential", AiProtocol::Twilio},
                                        {"dial", AiProtocol::Asterisk},
                                        {"control", AiProtocol::Asterisk},
                                        {"digits", AiProtocol::AudioSocket},
                                        {"instructions_file", AiProtocol::OpenAi},
                                        {"voice", AiProtocol::OpenAi},
                                        {"beta", AiProtocol::OpenAi},
                                        {"greets", AiProtocol::OpenAi},
                                        {"turn_detection", AiProtocol::OpenAi},
                                        {"transcription", AiProtocol::OpenAi},
                                        {"session_limit_min", AiProtocol::OpenAi}}};
// What stands among the keys of all bots without being of theirs alone.
constexpr std::array<std::string_view, 5> kOfAll{
    "name", "protocol", "delay_ms", "frequency_hz", "level_dbov"};

bool is_said(const Ai& ai, const Key<Ai>& key) {
    static const Ai untouched;
    return key.get(ai) != key.get(untouched);
}

class Checker {
public:
    explicit Checker(const Config& config) : config_(config) {
        for (const Ai& ai : config.ai) ai_names_.push_back(ai.name);
        for (const Prompt& prompt : config.prompt) prompt_names_.push_back(prompt.name);
    }

    Problems run() {
        check_listen();
        for (std::size_t i = 0; i < config_.prompt.size(); ++i) {
            if (config_.prompt[i].file.empty()) {
                add("prompt[" + std::to_string(i) + "].file", "is missing: path of a WAV file");
            }
        }
        for (std::size_t i = 0; i < config_.ai.size(); ++i)
            check_ai(config_.ai[i], "ai[" + std::to_string(i) + "].");
        for (std::size_t i = 0; i < config_.route.size(); ++i)
            check_route(config_.route[i], "route[" + std::to_string(i) + "].");
        return std::move(problems_);
    }

private:
    void add(const std::string& path, const std::string& what) {
        problems_.emplace_back(path, what);
    }

    void check_listen() {
        const AiListen& listen = config_.ai_listen;
        if (!listen.allow_remote && !HostPort{.host = listen.address, .port = 0}.is_loopback()) {
            add("ai_listen.address",
                "is reachable from other machines; take 127.0.0.1, or set ai_listen.allow_remote = "
                "true behind a proxy with TLS");
        }
    }

    void check_ai(const Ai& ai, const std::string& path) {
        check_keys(ai, path);
        if (is_built_in(ai.protocol)) return;
        check_url(ai, path);
        check_encoding(ai, path);
        one_source(path, "bearer", ai.bearer_file, ai.bearer_env, ai.bearer_credential);
        one_source(path, "signature", ai.signature_file, ai.signature_env, ai.signature_credential);
        const int passwords =
            one_source(path, "password", ai.password_file, ai.password_env, ai.password_credential);
        const bool has_bearer =
            !ai.bearer_file.empty() || !ai.bearer_env.empty() || !ai.bearer_credential.empty();
        if (ai.user.find(':') != std::string::npos) {
            add(path + "user", "must have no colon (RFC 7617)");
        } else if (!ai.user.empty() && passwords == 0) {
            add(path + "password_file",
                "is missing: name the password of user in one of password_file, password_env, "
                "password_credential");
        } else if (ai.user.empty() && passwords > 0) {
            add(path + "user", "is missing: whose the password is");
        } else if (!ai.user.empty() && has_bearer) {
            add(path + "user", "and a bearer token exclude each other: keep one");
        }
        if (ai.protocol == AiProtocol::OpenAi && !has_bearer && ai.url.starts_with("wss:")) {
            add(path + "bearer_file",
                "is missing: name the API key in one of bearer_file, bearer_env, "
                "bearer_credential");
        }
        check_lists(ai, path);
    }

    void check_keys(const Ai& ai, const std::string& path) {
        for (const Key<Ai>& key : ai_keys()) {
            if (!is_said(ai, key)) continue;
            const std::string name(key.name);
            const auto owned = std::find_if(
                kOwned.begin(), kOwned.end(), [&](const Owned& o) { return o.key == name; });
            if (owned != kOwned.end()) {
                if (owned->protocol != ai.protocol) {
                    add(path + name,
                        "is for protocol = \"" + std::string(name_of(owned->protocol)) + "\" only");
                }
            } else if (is_built_in(ai.protocol) &&
                       std::find(kOfAll.begin(), kOfAll.end(), name) == kOfAll.end()) {
                add(path + name,
                    "is for bots behind a socket; " + std::string(name_of(ai.protocol)) +
                        " is built in and connects to nothing");
            }
        }
    }

    void check_url(const Ai& ai, const std::string& path) {
        if (ai.protocol == AiProtocol::Asterisk && !ai.is_dialled) {
            if (!ai.url.empty())
                add(path + "url", "is for dial = true: with dial = false the bot comes to us");
            if (config_.ai_listen.port == 0)
                add(path + "dial", "= false needs ai_listen.port: nothing listens for the bot");
            return;
        }
        const bool is_tcp = ai.protocol == AiProtocol::AudioSocket;
        if (ai.url.empty()) {
            add(path + "url",
                std::string("is missing: where the bot is, such as \"") +
                    (is_tcp ? "tcp://127.0.0.1:9092" : "ws://127.0.0.1:8080/call") + "\"");
            return;
        }
        const auto url = parse_bot_url(ai.url);
        if (!url) return;  // told where the key is
        if ((url->scheme == "tcp") != is_tcp) {
            add(path + "url",
                "must begin with " + std::string(is_tcp ? "tcp://" : "ws:// or wss://") +
                    " for protocol = \"" + std::string(name_of(ai.protocol)) + "\"");
        }
        if (url->is_private() && !ai.allow_private) {
            add(path + "url",
                "is at an address of a private network: set allow_private = true if that is meant");
        }
        if (!ai.ca_file.empty() && url->scheme != "wss")
            add(path + "ca_file", "is for wss:// only: there is no certificate otherwise");
    }

    void check_encoding(const Ai& ai, const std::string& path) {
        const bool is_g711 = ai.encoding == "pcmu" || ai.encoding == "pcma";
        if (is_g711 && ai.sample_rate_hz != 0 && ai.sample_rate_hz != 8000) {
            add(path + "sample_rate_hz",
                "must be 8000 or left out with encoding = \"" + ai.encoding + "\"");
        }
        if (is_g711 && ai.protocol == AiProtocol::Plain) {
            add(path + "encoding", "must be pcm with protocol = \"plain\"");
        }
        if (is_g711 && ai.protocol == AiProtocol::AudioSocket) {
            add(path + "encoding", "must be pcm with protocol = \"audiosocket\"");
        }
        if (ai.protocol == AiProtocol::OpenAi && ai.sample_rate_hz != 0 &&
            ai.sample_rate_hz != (is_g711 || ai.encoding.empty() ? 8000 : 24000)) {
            add(path + "sample_rate_hz", "is 24000 with pcm and 8000 otherwise: leave it out");
        }
    }

    int one_source(const std::string& path,
                   const std::string& key,
                   const std::string& file,
                   const std::string& environment,
                   const std::string& credential) {
        const int count = !file.empty() + !environment.empty() + !credential.empty();
        if (count > 1) {
            add(path + key + "_file",
                "is not the only source: keep one of " + key + "_file, " + key + "_env, " + key +
                    "_credential");
        }
        return count;
    }

    void check_lists(const Ai& ai, const std::string& path) {
        for (std::size_t i = 0; i < ai.header.size(); ++i) {
            const Ai::Header& header = ai.header[i];
            const std::string at = path + "header[" + std::to_string(i) + "].";
            if (header.name.empty()) add(at + "name", "is missing");
            const int secrets = one_source(
                at, "value", header.value_file, header.value_env, header.value_credential);
            if (header.value.empty() && secrets == 0) {
                add(at + "value",
                    "is missing: give it, or for a secret one of value_file, value_env, "
                    "value_credential");
            } else if (!header.value.empty() && secrets > 0) {
                add(at + "value", "and a place of it exclude each other: keep one");
            }
            std::string lower = header.name;
            std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
                return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            });
            if (!header.value.empty() && (lower == "authorization" || lower == "cookie")) {
                add(at + "value",
                    "must not stand in the configuration, which is copied, shown and mailed "
                    "around: name a file in value_file, or use bearer_file");
            }
        }
        for (std::size_t i = 0; i < ai.parameter.size(); ++i) {
            if (!ai.parameter[i].name.empty()) continue;
            add(path + "parameter[" + std::to_string(i) + "].name", "is missing");
        }
    }

    void check_route(const Route& route, const std::string& path) {
        for (const auto& [key, name] : {std::pair{"greeting", &route.greeting},
                                        std::pair{"lost_prompt", &route.lost_prompt}}) {
            if (!name->empty() && !is_in(prompt_names_, *name)) {
                add(path + key,
                    "= \"" + *name + "\": is not the name of a [[prompt]]" +
                        did_you_mean(*name, prompt_names_));
            }
        }
        if (route.record == "consent" && config_.recording.consent_prompt.empty())
            add(path + "record", "= \"consent\" needs [recording] consent_prompt");
        const auto ai = std::find_if(config_.ai.begin(), config_.ai.end(), [&](const Ai& each) {
            return each.name == route.ai;
        });
        if (route.record == "consent" &&
            (!route.channel.empty() || (ai != config_.ai.end() && is_built_in(ai->protocol)))) {
            add(path + "record",
                "= \"consent\": only a bot with a socket can have the prompt played; use "
                "\"always\" and say it in another way");
        }
        for (std::size_t i = 0; i < route.fallback.size(); ++i) {
            const std::string& word = route.fallback[i];
            const std::string kind = word.substr(0, word.find(':'));
            const std::string name = kind == word ? std::string() : word.substr(kind.size() + 1);
            const std::string at = "has \"" + word + "\": ";
            if (kind == "ai" && !is_in(ai_names_, name)) {
                add(path + "fallback",
                    at + "there is no such [[ai]]" + did_you_mean(name, ai_names_));
            } else if (kind == "prompt" && !is_in(prompt_names_, name)) {
                add(path + "fallback",
                    at + "there is no such [[prompt]]" + did_you_mean(name, prompt_names_));
            } else if (kind == "ai" && name == route.ai) {
                add(path + "fallback", at + "that is the route's ai itself; raise reconnect_s");
            }
            const bool ends_call = kind == "prompt" || kind == "hang-up";
            if (ends_call && i + 1 < route.fallback.size())
                add(path + "fallback", at + "the call ends there, nothing behind it is reached");
        }
    }

    static bool is_in(const std::vector<std::string_view>& names, std::string_view name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    }

    const Config& config_;
    std::vector<std::string_view> ai_names_, prompt_names_;
    Problems problems_;
};

}  // namespace

Problems ai_problems(const Config& config) {
    return Checker(config).run();
}

}  // namespace offhook::config

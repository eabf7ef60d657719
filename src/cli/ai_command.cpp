#include "cli/ai_command.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "base/secret.h"
#include "cli/bot_check.h"
#include "config/keys.h"
#include "model/wav.h"

namespace offhook::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr std::uint32_t kSpeechHz = 16000;

struct Choices {
    config::Ai ai;
    std::string protocol = "plain";
    std::string encoding;
    std::string wav;
    std::vector<std::string> parameters;
    int patience_s = 10;
    bool json = false;
};

int complain(const std::string& sentence) {
    std::fprintf(stderr, "offhook ai check: %s\n", sentence.c_str());
    return kUsage;
}

/// From a file or the environment, if one is named.
base::Result<base::Secret> secret_of(const std::string& file,
                                     const std::string& environment,
                                     std::string_view what) {
    if (file.empty() && environment.empty()) return base::Secret();
    return base::load_secret({.file = file, .environment = environment}, what);
}

base::Result<BotCheck::Settings> settings_from(const Choices& choices) {
    BotCheck::Settings settings;
    settings.bot.ai = choices.ai;
    settings.bot.ai.name = "check";
    settings.patience_s = choices.patience_s;
    for (const auto protocol : {config::AiProtocol::Plain,
                                config::AiProtocol::Twilio,
                                config::AiProtocol::Asterisk,
                                config::AiProtocol::AudioSocket,
                                config::AiProtocol::OpenAi}) {
        if (config::name_of(protocol) == choices.protocol) settings.bot.ai.protocol = protocol;
    }
    for (const std::string& parameter : choices.parameters) {
        const std::size_t equals = parameter.find('=');
        if (equals == 0 || equals == std::string::npos) {
            return base::fail(base::ErrorCode::InvalidArgument,
                              "--parameter " + parameter + ": NAME=VALUE is wanted");
        }
        settings.bot.ai.parameter.push_back(
            {.name = parameter.substr(0, equals), .value = parameter.substr(equals + 1)});
    }
    const config::Ai& ai = choices.ai;
    auto bearer = secret_of(ai.bearer_file, ai.bearer_env, "the bearer token");
    if (!bearer) return tl::unexpected(bearer.error());
    auto password = secret_of(ai.password_file, ai.password_env, "the password");
    if (!password) return tl::unexpected(password.error());
    auto signature = secret_of(ai.signature_file, ai.signature_env, "the signature's token");
    if (!signature) return tl::unexpected(signature.error());
    settings.bot.bearer = std::move(*bearer);
    settings.bot.password = std::move(*password);
    settings.bot.signature = std::move(*signature);
    if (!choices.wav.empty()) {
        auto sound = model::read_wav(choices.wav, kSpeechHz);
        if (!sound) return tl::unexpected(sound.error());
        settings.speech = std::move(*sound);
    }
    return settings;
}

void print(const BotFinding& finding) {
    const char* const mark = finding.state == BotFinding::State::Ok       ? "ok    "
                             : finding.state == BotFinding::State::Failed ? "FAILED"
                                                                          : "-     ";
    std::printf("%s  %-20s %s\n", mark, finding.name.c_str(), finding.detail.c_str());
    if (!finding.advice.empty()) std::printf("%30s%s\n", "-> ", finding.advice.c_str());
    std::fflush(stdout);
}

std::string json_of(const Choices& choices, const std::vector<BotFinding>& findings, bool is_ok) {
    base::JsonWriter json;
    json.begin_object().field("url", choices.ai.url).field("protocol", choices.protocol);
    json.field("ok", is_ok).key("checks").begin_array();
    for (const BotFinding& finding : findings) {
        json.begin_object().field("name", finding.name).field("state", name_of(finding.state));
        json.field("detail", finding.detail).key("advice");
        finding.advice.empty() ? json.null() : json.value(finding.advice);
        json.end();
    }
    return json.end().end().text();
}

int check(const Choices& choices) {
    if (const auto checked = socket::check_url(choices.ai.url); !checked)
        return complain(checked.error().text());
    auto settings = settings_from(choices);
    if (!settings) return complain(settings.error().text());
    std::vector<BotFinding> findings;
    BotCheck run(std::move(*settings), [&](const BotFinding& finding) {
        findings.push_back(finding);
        if (!choices.json) print(finding);
    });
    const auto is_good = run.run();
    if (!is_good) return complain(is_good.error().text());
    if (choices.json) {
        std::printf("%s\n", json_of(choices, findings, *is_good).c_str());
    } else {
        std::puts(*is_good ? "\nThis bot can take calls." : "\nThis bot is not ready for calls.");
    }
    return *is_good ? 0 : kFailed;
}

}  // namespace

void add_ai_command(CLI::App& app, int& exit_code) {
    CLI::App* ai = app.add_subcommand("ai", "Try bots that calls are to be handed to");
    ai->require_subcommand(1);
    const auto choices = std::make_shared<Choices>();  // lives as long as the callback
    CLI::App* command = ai->add_subcommand(
        "check", "Call a bot as the daemon would, some 20 s long, and say what it does");
    command->add_option("URL", choices->ai.url, "ws://, wss://, or tcp:// for audiosocket")
        ->required();
    command->add_option("--protocol", choices->protocol, "What the bot speaks")
        ->check(CLI::IsMember({"plain", "twilio", "asterisk", "audiosocket", "openai"}))
        ->capture_default_str();
    command->add_option("--dialect", choices->ai.dialect, "twilio: whose Media Streams")
        ->check(CLI::IsMember({"twilio", "telnyx", "signalwire", "exotel", "jambonz"}))
        ->capture_default_str();
    command
        ->add_option(
            "--encoding", choices->ai.encoding, "Of the sound; the protocol's own if not said")
        ->check(CLI::IsMember({"pcmu", "pcma", "pcm"}));
    command->add_option("--sample-rate", choices->ai.sample_rate_hz, "Of pcm, in Hz")
        ->check(CLI::IsMember({8000, 16000, 24000}));
    command->add_option("--subprotocol", choices->ai.subprotocol, "Sec-WebSocket-Protocol");
    command
        ->add_option(
            "--parameter", choices->parameters, "NAME=VALUE for the first message; may be repeated")
        ->allow_extra_args(false);
    command
        ->add_option("--wav",
                     choices->wav,
                     "What the caller says (16-bit PCM); without it something like speech")
        ->check(CLI::ExistingFile);
    command->add_option("--patience", choices->patience_s, "Seconds that an answer may take")
        ->check(CLI::Range(1, 60))
        ->capture_default_str();
    command
        ->add_option("--ca-file", choices->ai.ca_file, "PEM: who may have signed the certificate")
        ->check(CLI::ExistingFile);
    command->add_flag("--allow-private",
                      choices->ai.allow_private,
                      "Let URL be at an address of a private network");
    command->add_option("--proxy", choices->ai.proxy, "http://HOST:PORT");
    command->add_option("--bearer-file", choices->ai.bearer_file, "File with a bearer token");
    command->add_option(
        "--bearer-env", choices->ai.bearer_env, "Environment variable with a bearer token");
    command->add_option("--user", choices->ai.user, "Name for basic authentication");
    command->add_option("--password-file", choices->ai.password_file, "File with its password");
    command->add_option(
        "--password-env", choices->ai.password_env, "Environment variable with its password");
    command->add_option("--signature-file",
                        choices->ai.signature_file,
                        "twilio: file with the auth token for X-Twilio-Signature");
    command->add_option(
        "--signature-env", choices->ai.signature_env, "twilio: environment variable with it");
    command->add_flag("--json", choices->json, "One JSON object instead of lines");
    command->footer(
        "Exit code: 0 the bot passed, 1 it did not, 2 bad arguments.\n"
        "Examples:\n"
        "  offhook ai check ws://127.0.0.1:8765\n"
        "  offhook ai check wss://bot.example/media --protocol twilio --wav question.wav");
    command->callback([choices, &exit_code] { exit_code = check(*choices); });
}

}  // namespace offhook::cli

#include "config/ai_keys.h"

#include "config/checks.h"
#include "config/key_kinds.h"

namespace offhook::config {
namespace {

using namespace kind;

const Names<AiProtocol>& protocol_names() {
    static const Names<AiProtocol> names{{"echo", AiProtocol::Echo},
                                         {"mute", AiProtocol::Mute},
                                         {"burst", AiProtocol::Burst},
                                         {"tone", AiProtocol::Tone},
                                         {"plain", AiProtocol::Plain},
                                         {"twilio", AiProtocol::Twilio},
                                         {"asterisk", AiProtocol::Asterisk},
                                         {"audiosocket", AiProtocol::AudioSocket},
                                         {"openai", AiProtocol::OpenAi}};
    return names;
}

Names<std::string> words(std::initializer_list<std::string_view> list) {
    Names<std::string> names;
    for (const std::string_view word : list) names.emplace_back(word, word);
    return names;
}

// What the protocol chooses by itself is kept as an empty string.
Names<std::string> words_or_default(std::initializer_list<std::string_view> list) {
    Names<std::string> names{{"default", ""}};
    for (const std::string_view word : list) names.emplace_back(word, word);
    return names;
}

// clang-format off: one key, one paragraph
std::vector<Key<Ai>> built_in_keys() {
    using A = Ai;
    return {
        text<A>("ai",
                "name",
                [](A & a) -> auto& { return a.name; },
                check::name,
                {"",
                 "1 to 64 letters, digits, . _ -; unique; required",
                 "What `[[route]] ai` refers to."}),
        choice<A>("ai",
                  "protocol",
                  [](A & a) -> auto& { return a.protocol; },
                  protocol_names(),
                  {"",
                   "",
                   "Built in: echo: the caller's words come back; mute: says nothing; burst: 2 s "
                   "of speech "
                   "at once, then 2 s nothing; tone: a steady tone. A bot behind `url` (ai.md): "
                   "plain: PCM over WebSocket; "
                   "twilio: Media Streams; asterisk: chan_websocket; audiosocket: Asterisk's, over "
                   "TCP; openai: Realtime."}),
        whole<A>("ai",
                 "delay_ms",
                 [](A & a) -> auto& { return a.delay_ms; },
                 40,
                 5000,
                 {"ms", "", "echo: how much later the caller's words come back."}),
        number<A>("ai",
                  "frequency_hz",
                  [](A & a) -> auto& { return a.frequency_hz; },
                  50,
                  3400,
                  {"Hz", "", "tone: pitch; burst: pitch of the first of ten rising tones."}),
        number<A>("ai",
                  "level_dbov",
                  [](A & a) -> auto& { return a.level_dbov; },
                  -60,
                  -3,
                  {"dBov", "", "tone and burst: loudness."}),
    };
}

std::vector<Key<Ai>> bot_keys() {
    using A = Ai;
    return {
        text<A>("ai",
                "url",
                [](A & a) -> auto& { return a.url; },
                check::bot_url_or_empty,
                {"",
                 "ws://HOST:PORT/PATH or wss://HOST/PATH; audiosocket: tcp://HOST:PORT; empty for "
                 "the built-in ones",
                 "Where the bot is. wss: its certificate has to hold for HOST."}),
        choice<A>(
            "ai",
            "encoding",
            [](A & a) -> auto& { return a.encoding; },
            words_or_default({"pcmu", "pcma", "pcm"}),
            {"",
             "",
             "Of the sound on the socket, both ways; pcm: 16 bits. default: the protocol's own."}),
        whole_of<A>("ai",
                    "sample_rate_hz",
                    [](A & a) -> auto& { return a.sample_rate_hz; },
                    {0, 8000, 16000, 24000},
                    {"Hz",
                     "0 = the protocol's own",
                     "Of pcm. Only where it differs from the call's there is resampling, once."}),
        whole_of<A>(
            "ai",
            "frame_ms",
            [](A & a) -> auto& { return a.frame_ms; },
            {20, 40},
            {"ms",
             "",
             "The caller's sound in one message: 40 costs half of 20, and 20 ms of delay."}),
        whole<A>("ai",
                 "queue_s",
                 [](A & a) -> auto& { return a.queue_s; },
                 1,
                 600,
                 {"s",
                  "",
                  "Sound of the bot that has not played yet, at most; beyond it the oldest goes, "
                  "counted."}),
        choice<A>("ai",
                  "on_close",
                  [](A & a) -> auto& { return a.on_close; },
                  words_or_default({"hang-up", "reconnect", "fallback"}),
                  {"",
                   "",
                   "What an orderly close of the connection by the bot means: the call ends, the "
                   "bot is called again, "
                   "or the route's `fallback`. default: the protocol's own (ai.md)."}),
        text<A>("ai",
                "bearer_file",
                [](A & a) -> auto& { return a.bearer_file; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "Token for `Authorization: Bearer`, OpenAI's API key too. File with it and "
                 "nothing else; only its owner and group may read it."}),
        text<A>("ai",
                "bearer_env",
                [](A & a) -> auto& { return a.bearer_env; },
                check::environment_name_or_empty,
                {"", "name, or empty", "Environment variable that has the token."}),
        text<A>(
            "ai",
            "bearer_credential",
            [](A & a) -> auto& { return a.bearer_credential; },
            check::name_or_empty,
            {"", "name, or empty", "systemd credential (`LoadCredential=`) that has the token."}),
        text<A>("ai",
                "user",
                [](A & a) -> auto& { return a.user; },
                check::display_name,
                {"",
                 "up to 128 bytes, no colon, or empty",
                 "Name for `Authorization: Basic` (RFC 7617)."}),
        text<A>("ai",
                "password_file",
                [](A & a) -> auto& { return a.password_file; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "File with the password of `user` and nothing else; only its owner and group may "
                 "read it."}),
        text<A>("ai",
                "password_env",
                [](A & a) -> auto& { return a.password_env; },
                check::environment_name_or_empty,
                {"", "name, or empty", "Environment variable that has the password."}),
        text<A>("ai",
                "password_credential",
                [](A & a) -> auto& { return a.password_credential; },
                check::name_or_empty,
                {"",
                 "name, or empty",
                 "systemd credential (`LoadCredential=`) that has the password."}),
        text<A>("ai",
                "subprotocol",
                [](A & a) -> auto& { return a.subprotocol; },
                check::word_or_empty,
                {"",
                 "a word, or empty: the protocol's own",
                 "Sec-WebSocket-Protocol (RFC 6455 §1.9); the bot has to answer the same."}),
        text<A>("ai",
                "ca_file",
                [](A & a) -> auto& { return a.ca_file; },
                check::path_or_empty,
                {"",
                 "path of a PEM file, or empty: the system's",
                 "wss: authorities that may have signed the certificate."}),
        text<A>(
            "ai",
            "proxy",
            [](A & a) -> auto& { return a.proxy; },
            check::proxy_or_empty,
            {"", "http://HOST:PORT, or empty: none", "HTTP proxy on the way to `url` (CONNECT)."}),
        yes_no<A>("ai",
                  "allow_private",
                  [](A & a) -> auto& { return a.allow_private; },
                  {"",
                   "",
                   "Lets `url` be at an address of a private network (10/8, 172.16/12, 192.168/16, "
                   "169.254/16, 100.64/10, fc00::/7, fe80::/10). This machine always may."}),
        whole<A>("ai",
                 "connect_timeout_ms",
                 [](A & a) -> auto& { return a.connect_timeout_ms; },
                 100,
                 60'000,
                 {"ms", "", "From the look-up of the name to the end of the handshake."}),
        whole<A>("ai",
                 "ping_s",
                 [](A & a) -> auto& { return a.ping_s; },
                 0,
                 600,
                 {"s",
                  "0 = none",
                  "How often a ping is sent; a bot whose pong is 10 s late counts as gone."}),
    };
}

std::vector<Key<Ai>> family_keys() {
    using A = Ai;
    return {
        choice<A>("ai",
                  "dialect",
                  [](A & a) -> auto& { return a.dialect; },
                  words({"twilio", "telnyx", "signalwire", "exotel", "jambonz"}),
                  {"", "", "twilio: whose Media Streams the bot was written for."}),
        text<A>("ai",
                "signature_file",
                [](A & a) -> auto& { return a.signature_file; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "twilio: auth token that X-Twilio-Signature is made with. File with it and "
                 "nothing else; only its owner and group may read it."}),
        text<A>("ai",
                "signature_env",
                [](A & a) -> auto& { return a.signature_env; },
                check::environment_name_or_empty,
                {"", "name, or empty", "twilio: environment variable that has the auth token."}),
        text<A>("ai",
                "signature_credential",
                [](A & a) -> auto& { return a.signature_credential; },
                check::name_or_empty,
                {"", "name, or empty", "twilio: systemd credential that has the auth token."}),
        yes_no<A>("ai",
                  "dial",
                  [](A & a) -> auto& { return a.is_dialled; },
                  {"",
                   "",
                   "asterisk: we connect to `url`. false: the bot connects to /media/ID at "
                   "[ai_listen]; the call's `ai.media_path` in the API tells where."}),
        choice<A>("ai",
                  "control",
                  [](A & a) -> auto& { return a.control; },
                  words({"text", "json"}),
                  {"", "", "asterisk: form of the control messages."}),
        yes_no<A>("ai",
                  "digits",
                  [](A & a) -> auto& { return a.digits; },
                  {"", "", "audiosocket: keys that the caller presses are told (kind 0x03)."}),
        text<A>("ai",
                "instructions_file",
                [](A & a) -> auto& { return a.session.instructions_file; },
                check::path_or_empty,
                {"",
                 "path of a text file of at most 64 KiB, or empty",
                 "openai: what the bot is told to be."}),
        text<A>("ai",
                "voice",
                [](A & a) -> auto& { return a.session.voice; },
                check::name,
                {"", "1 to 64 letters, digits, . _ -", "openai: voice."}),
        yes_no<A>("ai",
                  "beta",
                  [](A & a) -> auto& { return a.session.beta; },
                  {"", "", "openai: event and field names of before general availability."}),
        yes_no<A>("ai",
                  "greets",
                  [](A & a) -> auto& { return a.session.greets; },
                  {"", "", "openai: the bot speaks first."}),
        choice<A>("ai",
                  "turn_detection",
                  [](A & a) -> auto& { return a.session.turn_detection; },
                  words({"server_vad", "semantic_vad", "none"}),
                  {"", "", "openai: how the service hears that the caller has finished."}),
        text<A>("ai",
                "transcription",
                [](A & a) -> auto& { return a.session.transcription; },
                check::name_or_empty,
                {"",
                 "1 to 64 letters, digits, . _ -, or empty",
                 "openai: model that writes down what the caller says, which a session that takes "
                 "over is told. Empty: it is told the bot's side only."}),
        whole<A>("ai",
                 "session_limit_min",
                 [](A & a) -> auto& { return a.session.limit_min; },
                 0,
                 1440,
                 {"min",
                  "0 = never",
                  "openai: a planned reconnect before the service ends the session."}),
    };
}
// clang-format on

}  // namespace

std::string_view name_of(AiProtocol protocol) noexcept {
    for (const auto& [word, each] : protocol_names()) {
        if (each == protocol) return word;
    }
    return {};
}

bool is_built_in(AiProtocol protocol) noexcept {
    return protocol == AiProtocol::Echo || protocol == AiProtocol::Mute ||
           protocol == AiProtocol::Burst || protocol == AiProtocol::Tone;
}

const std::vector<Key<Ai>>& ai_keys() {
    static const std::vector<Key<Ai>> keys = [] {
        std::vector<Key<Ai>> all = built_in_keys();
        for (Key<Ai>& key : bot_keys()) all.push_back(std::move(key));
        for (Key<Ai>& key : family_keys()) all.push_back(std::move(key));
        return all;
    }();
    return keys;
}

// clang-format off: one key, one paragraph
const std::vector<Key<Ai::Header>>& ai_header_keys() {
    using H = Ai::Header;
    static const std::vector<Key<H>> keys{
        text<H>("ai.header",
                "name",
                [](H & h) -> auto& { return h.name; },
                check::header_name,
                {"",
                 "name of an HTTP header, none of the handshake's own; required",
                 "Sent with the handshake."}),
        text<H>(
            "ai.header",
            "value",
            [](H & h) -> auto& { return h.value; },
            check::line,
            {"", "up to 500 printable ASCII characters", "What it says, where that is no secret."}),
        text<H>("ai.header",
                "value_file",
                [](H & h) -> auto& { return h.value_file; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "File with the value and nothing else; only its owner and group may read it."}),
        text<H>("ai.header",
                "value_env",
                [](H & h) -> auto& { return h.value_env; },
                check::environment_name_or_empty,
                {"", "name, or empty", "Environment variable that has the value."}),
        text<H>(
            "ai.header",
            "value_credential",
            [](H & h) -> auto& { return h.value_credential; },
            check::name_or_empty,
            {"", "name, or empty", "systemd credential (`LoadCredential=`) that has the value."}),
    };
    return keys;
}

const std::vector<Key<Ai::Parameter>>& ai_parameter_keys() {
    using P = Ai::Parameter;
    static const std::vector<Key<P>> keys{
        text<P>("ai.parameter",
                "name",
                [](P & p) -> auto& { return p.name; },
                check::name,
                {"", "1 to 64 letters, digits, . _ -; required", "What the bot finds it under."}),
        text<P>(
            "ai.parameter",
            "value",
            [](P & p) -> auto& { return p.value; },
            check::parameter,
            {"",
             "up to 500 bytes; ${from} ${to} ${call_id} ${account} ${route} stand for the call's",
             "What it says."}),
    };
    return keys;
}

const std::vector<Key<Prompt>>& prompt_keys() {
    using M = Prompt;
    static const std::vector<Key<M>> keys{
        text<M>("prompt",
                "name",
                [](M & m) -> auto& { return m.name; },
                check::name,
                {"",
                 "1 to 64 letters, digits, . _ -; unique; required",
                 "What routes and bots call it."}),
        text<M>("prompt",
                "file",
                [](M & m) -> auto& { return m.file; },
                check::readable_file,
                {"",
                 "path of a WAV file (16-bit PCM) that can be read; required",
                 "The recording; read at start."}),
    };
    return keys;
}

std::vector<Key<Config>> ai_listen_keys() {
    using C = Config;
    return {
        text<C>("ai_listen",
                "address",
                [](C & c) -> auto& { return c.ai_listen.address; },
                check::address,
                {"",
                 "numeric IPv4 or IPv6 address; a loopback one unless `allow_remote`",
                 "Where bots connect that come to us (`[[ai]] dial = false`)."}),
        yes_no<C>(
            "ai_listen",
            "allow_remote",
            [](C & c) -> auto& { return c.ai_listen.allow_remote; },
            {"",
             "",
             "Lets `address` be one that other machines reach. The sound goes in the clear, and "
             "whoever knows a waiting call's id gets it: put a proxy with TLS in front."}),
        whole<C>("ai_listen",
                 "port",
                 [](C & c) -> auto& { return c.ai_listen.port; },
                 0,
                 65535,
                 {"", "0 = nothing listens", "Its TCP port."}),
        whole<C>("ai_listen",
                 "wait_s",
                 [](C & c) -> auto& { return c.ai_listen.wait_s; },
                 1,
                 600,
                 {"s", "", "How long a call waits for its bot; then the bot counts as gone."}),
    };
}
// clang-format on

}  // namespace offhook::config

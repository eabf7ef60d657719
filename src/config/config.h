#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/codec.h"
#include "model/leg_kind.h"
#include "model/srtp.h"

namespace offhook::config {

/// Everything a person can set, with the built-in defaults. Units in the names.
/// docs/configuration.md is checked against the table in keys.cpp.
struct Http {
    std::string listen = "127.0.0.1:5000";  ///< host:port; port 0 = chosen by the kernel
    bool allow_remote = false;              ///< listen beyond loopback; takes a Token as well
    std::vector<std::string>
        hosts;  ///< names accepted in the Host header beside loopback and the listen address
    std::vector<std::string> origins{};  ///< pages of others that may use the API
    std::vector<std::string> proxies{};  ///< CIDR; whose word about the client's address counts
    std::string join_key_file{}, join_key_env{}, join_key_credential{};  ///< at most one
    std::vector<std::string> session_scopes{"admin"};  ///< of who opened the page by a one-time URL
    int max_connections = 1'024;  ///< with requests; and as many more that bring none
    int max_websockets = 4'096;
    int handshake_s = 10;  ///< for a whole request to come, and for its answer to be taken
    int idle_s = 30;       ///< for the next request of a connection
};

/// Who may use the API. Either the token itself from a secret source, or its SHA-256.
struct Token {
    std::string name{}, user{};         ///< user: empty: the name
    std::vector<std::string> scopes{};  ///< read, operate, listen, barge, debug, admin
    std::string sha256{};
    std::string token_file{}, token_env{}, token_credential{};
};

/// Limits of WebSockets.
struct Connections {
    int max_claims = 5;       ///< of one place within the window
    int claim_window_s = 10;  ///< 1-3600
};

/// Where daemons that share their users' places keep them.
struct Redis {
    /// redis://[user@]host:port[/db], rediss://..., unix:PATH; empty: places are this process's
    std::string url{};
    std::string password_file{}, password_env{}, password_credential{};
    std::string ca_file{};  ///< PEM, for rediss://; empty: the system's authorities
    std::string prefix = "offhook:";
    int lease_s = 10;  ///< a place is free again when its daemon was silent for so long
    std::string when_away = "admit";  ///< admit: by this daemon's own knowledge; refuse
};

/// A voice channel that is always there.
struct Channel {
    std::string name{};
    std::string policy = "everybody";  ///< everybody, supervised
    std::string ai{};                  ///< name of an Ai that joins with the first member
    int max_members = 32;
};

struct Sip {
    std::vector<std::string> listen{"udp:127.0.0.1:5060",
                                    "tcp:127.0.0.1:5060"};     ///< transport:host:port
    std::vector<std::string> allow{"127.0.0.0/8", "::1/128"};  ///< CIDRs that get service
    std::string advertise;    ///< address in Contact and Via; empty: the local one of each flow
    int dscp = 24;            ///< 0-63
    int answer_delay_ms = 0;  ///< 0-60000
    int session_expires_s = 1800;  ///< RFC 4028; 0-86400, 0: only when the peer asks
    int min_se_s = 90;             ///< 90-86400
};

enum class HoldMedia { None, Keep };

struct Rtp {
    std::string address;    ///< local address the sockets bind to; empty: that of the SIP flow
    std::string advertise;  ///< address written into SDP; empty: learned, or the local one
    std::string stun;       ///< host:port that tells our address behind NAT; empty: nobody is asked
    int dscp = 46;          ///< 0-63
    std::uint16_t first_port = 20000;  ///< from `ports = "20000-29999"`
    std::uint16_t last_port = 29999;
    std::vector<model::Codec> codecs{
        model::Codec::Pcmu, model::Codec::Pcma, model::Codec::G722, model::Codec::Opus};
    int timeout_s = 60;  ///< hang up when the caller's RTP stopped this long; 0 = never
    HoldMedia hold_media = HoldMedia::None;
    model::SrtpPolicy srtp = model::SrtpPolicy::Prefer;
    int opus_complexity = 2;       ///< 0-10
    int opus_bitrate_bps = 24000;  ///< 6000-64000
};

struct Media {
    int workers = 0;                          ///< 0: one per core
    bool realtime = true;                     ///< ask for SCHED_FIFO
    std::string pipelines;                    ///< folder of *.launch; empty: the shipped one
    std::vector<std::string> allow_elements;  ///< factories allowed beside the built-in list
};

/// One STUN or TURN server for web legs. The meaning of each key is in web_keys.cpp.
struct IceServer {
    std::string url{}, username{};
    std::string credential_file{}, credential_env{}, credential_credential{};  ///< at most one

    [[nodiscard]] bool is_turn() const { return url.starts_with("turn"); }
};

/// Web legs (ICE, DTLS-SRTP). The meaning of each key is in web_keys.cpp.
struct Web {
    int workers = 0;    ///< 0: one for every two cores, two at most
    int max_legs = 50;  ///< 0: none
    std::vector<model::Codec> codecs{model::Codec::Opus, model::Codec::Pcmu, model::Codec::Pcma};
    std::vector<std::string> addresses{};
    std::uint16_t first_port = 0, last_port = 0;  ///< from `ports`; 0: the kernel chooses
    bool relay_only = false;
    int gather_ms = 2000;
    int connect_s = 15;
    int vanish_s = 4;
    int vanish_end_s = 10;  ///< 0: at once
    int max_candidates = 32;
    int max_mdns = 2;
    std::vector<std::string> deny{};                ///< CIDR
    bool whip = true, whep = true, browser = true;  ///< doors over HTTP
    std::vector<std::string> origins{};
    std::string token_file{}, token_env{}, token_credential{};  ///< at most one
    std::vector<IceServer> ice_server{};
};

struct Admission {
    int max_calls = 2000;
    double tick_p99_ms =
        10;  ///< refuse new calls while a worker's p99 lateness stays above this for 3 s
    double cpu_share = 0.9;  ///< or its CPU above this share of a core
};

/// The first run: a bot and a caller of our own, and faults on purpose. Loopback only.
struct Demo {
    bool enabled = false;
    std::string bot{};              ///< path of offhook-local-ai; empty: whoever the routes name
    std::string caller_sound{};     ///< WAV that the built-in caller speaks; empty: it beeps
    bool caller_calls = true;       ///< from the start, and again when a call is over
    std::string transcript{};       ///< file that what bot and caller say is appended to; or empty
    std::string setup_directory{};  ///< where *Connect your PBX* writes; empty: nowhere
    std::string setup_command{};    ///< what starts it, told to who wrote it
};

struct Drain {
    int timeout_s = 300;  ///< 0: at once
};

struct State {
    std::string directory;  ///< empty: as state::StateDirectory::path_for says
};

/// Call records. The meaning of each key is in store_keys.cpp.
struct Store {
    bool enabled = true;
    std::string directory{};  ///< empty: "records" in the state directory
    int retention_days = 90;  ///< 0: for ever
};

/// What is recorded of calls, where a Route or the API says so. The meaning of each key is in
/// store_keys.cpp.
struct Recording {
    std::string directory{};      ///< empty: "recordings" in the state directory
    std::string format = "opus";  ///< opus, wav
    int retention_days = 30;      ///< 0: for ever
    int max_minutes = 240;
    std::string consent_prompt{};  ///< name of a Prompt
};

struct Log {
    std::string level = "info";   ///< debug, info, warning, error
    std::string format = "auto";  ///< auto, text, json
    bool marks = true;
    std::string file;
};

/// What is told at once, beside being counted.
struct Alarm {
    int rtp_gap_ms = 60;  ///< between two packets of ours
};

/// What happens, for who wants to know: events.md.
struct Events {
    int keep = 10'000;   ///< in memory
    std::string file{};  ///< of JSON lines; empty: none
};

/// Where events are posted to.
struct Webhook {
    std::string name{}, url{};
    std::vector<std::string> types{};  ///< globs; empty: all
    std::string level = "info";
    std::string secret_file{}, secret_env{}, secret_credential{};  ///< exactly one
    std::string ca_file{};
    bool allow_private = false;
    int timeout_s = 10;
    int spool_mib = 16;
};

/// The collector of spans (OpenTelemetry).
struct Otlp {
    std::string endpoint{};  ///< empty: OTEL_EXPORTER_OTLP_ENDPOINT, or none
    std::string service{};   ///< empty: OTEL_SERVICE_NAME, or offhook
    std::string headers_file{}, headers_env{}, headers_credential{};  ///< at most one
    std::string ca_file{};
    bool allow_private = false;
};

/// The first four are built in; the others speak to a bot over a socket.
enum class AiProtocol { Echo, Mute, Burst, Tone, Plain, Twilio, Asterisk, AudioSocket, OpenAi };

/// Who hears and speaks. The meaning of each key of those with a socket is in ai_keys.cpp.
struct Ai {
    struct Header {
        std::string name{};
        std::string value{};  ///< or one of these
        std::string value_file{}, value_env{}, value_credential{};
    };
    struct Parameter {
        std::string name{}, value{};  ///< value: with ${from}, ${to}, ${call_id}, ${account}
    };
    /// Of a session with OpenAI Realtime.
    struct Session {
        std::string instructions_file{}, voice = "marin";
        bool beta = false;                          ///< the event and field names of before GA
        bool greets = true;                         ///< asks for a response before the caller spoke
        std::string turn_detection = "server_vad";  ///< semantic_vad, none
        /// Model that writes down what the caller says, for a session that takes over; empty: none.
        std::string transcription = "gpt-4o-mini-transcribe";
        int limit_min = 55;  ///< a planned reconnect before the service ends the session; 0: none
    };

    std::string name{};
    AiProtocol protocol = AiProtocol::Echo;
    std::string url{};          ///< ws, wss; audiosocket: tcp
    int delay_ms = 200;         ///< echo: how much later the caller's words come back (40-5000)
    double frequency_hz = 440;  ///< tone; burst: of the first tone
    double level_dbov = -20;    ///< tone and burst

    std::string dialect = "twilio";  ///< twilio, telnyx, signalwire, exotel, jambonz
    std::string encoding{};          ///< empty: the protocol's own; pcmu, pcma, pcm
    int sample_rate_hz = 0;          ///< of pcm: 8000, 16000, 24000; 0: the protocol's own
    bool is_dialled = true;          ///< asterisk: false: the bot comes to /media/{call-id}
    std::string control = "text";    ///< asterisk: text, json
    bool digits = true;              ///< audiosocket: tell them (kind 0x03)
    Session session{};
    std::string user{};
    std::string password_file{}, password_env{}, password_credential{};
    std::string bearer_file{}, bearer_env{}, bearer_credential{};
    std::string signature_file{}, signature_env{}, signature_credential{};  ///< X-Twilio-Signature
    std::vector<Header> header{};
    std::vector<Parameter> parameter{};
    std::string subprotocol{};
    std::string ca_file{};
    std::string proxy{};  ///< http://host:port
    bool allow_private = false;
    int connect_timeout_ms = 5000;
    int ping_s = 20;
    int frame_ms = 20;       ///< 20 or 40: two packets a message cost half, and 20 ms
    int queue_s = 60;        ///< of the bot's sound that has not played; then the oldest goes
    std::string on_close{};  ///< an orderly close: hang-up, reconnect, fallback; empty: the
                             ///< protocol's own
};

/// Where bots connect that come to us.
struct AiListen {
    std::string address = "127.0.0.1";
    bool allow_remote = false;  ///< `address` may be one that other machines reach
    int port = 0;               ///< 0: no listener
    int wait_s = 30;
};

/// A recording to be played by name: 16-bit PCM WAV.
struct Prompt {
    std::string name{}, file{};
};

struct Route {
    std::string name{};
    std::string to = "*";    ///< glob on the Request-URI's user
    std::string from = "*";  ///< glob on the From user
    std::string account{};   ///< name of an Account; empty: any, and listeners
    std::string ai{};
    std::string channel{};  ///< name of a Channel that its calls join; then `ai` is not used
    std::string pipeline = "phone";
    std::string web_pipeline = "web";
    bool accept_transfer = false;  ///< whether a peer may have us call somebody else (REFER)
    std::string fill =
        {};  ///< silence, comfort-noise, tone, file:PATH; empty: what the pipeline says
    std::string greeting{};        ///< name of a Prompt, plays while the bot connects
    std::string record = "off";    ///< off, always, consent
    std::string barge_in = "bot";  ///< off, bot, detect
    std::vector<std::string>
        verbs{};                ///< what the bot may do: hang-up, transfer, dtmf, prompt, hold
    int reconnect_s = 60;       ///< how long a bot that went is called again; 0: not at all
    std::string lost_prompt{};  ///< name of a Prompt, plays again and again while it is gone
    int lost_prompt_s = 5;      ///< from then on, and between
    /// What then, in order: ai:NAME, prompt:NAME (and hang up), transfer:URI, hang-up.
    std::vector<std::string> fallback{};
};

/// What an Account of kind "ringcentral" has beside the others. The meaning of each key is in
/// ringcentral_keys.cpp.
struct RingCentral {
    std::string server = "https://platform.ringcentral.com";
    std::string client_id{};
    std::string client_secret_file{}, client_secret_env{}, client_secret_credential{};  ///< one
    std::string jwt_file{}, jwt_env{}, jwt_credential{};                                ///< one
    std::string device_id{}, region{};
};

/// One identity at one registrar. The meaning of each key is in account_keys.cpp.
struct Account {
    std::string name{};
    std::string kind = "sip";
    std::string user{}, domain{}, auth_user{}, display_name{};
    std::string password_file{}, password_env{}, password_credential{};  ///< at most one is set
    std::string realm{};
    std::string transport = "udp";  ///< udp, tcp, tls, ws, wss
    std::string outbound_proxy{}, backup_proxy{};
    int switch_back_s = 300;
    int expires_s = 300;
    int keepalive_s = 25;
    std::string tls_name{}, ca_file{};
    bool insecure = false;
    std::string websocket_path = "/";
    int answer_delay_ms = -1;                 ///< -1: as Sip::answer_delay_ms
    std::string route{};                      ///< name of a Route; empty: the first that matches
    std::optional<model::SrtpPolicy> srtp{};  ///< empty: as Rtp::srtp
    model::LegKind media = model::LegKind::Phone;  ///< of what we offer
    bool allow_outbound = false;
    std::vector<std::string> outbound_allow{};  ///< globs
    int outbound_per_minute = 10;
    RingCentral ringcentral{};
};

struct Config {
    Http http;
    std::vector<Token> token{};
    Connections connections;
    Redis redis;
    std::vector<Channel> channel{};
    Sip sip;
    Rtp rtp;
    Media media;
    Web web;
    Admission admission;
    Demo demo{};
    Drain drain;
    State state;
    Store store;
    Recording recording;
    Log log;
    Alarm alarm;
    Events events;
    Otlp otlp;
    std::vector<Webhook> webhook{};
    std::vector<Account> account{};
    AiListen ai_listen;
    std::vector<Prompt> prompt{};
    std::vector<Ai> ai{{.name = "echo"}};
    std::vector<Route> route{{.name = "default", .ai = "echo", .fill = ""}};
};

}  // namespace offhook::config

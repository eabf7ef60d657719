#include "config/keys.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "config/access_keys.h"
#include "config/ai_keys.h"
#include "config/alarm_keys.h"
#include "config/checks.h"
#include "config/connection_keys.h"
#include "config/demo_keys.h"
#include "config/event_keys.h"
#include "config/key_kinds.h"
#include "config/store_keys.h"
#include "config/web_keys.h"

namespace offhook::config {
namespace {

using namespace kind;

const Names<HoldMedia>& hold_names() {
    static const Names<HoldMedia> names{{"none", HoldMedia::None}, {"keep", HoldMedia::Keep}};
    return names;
}

const Names<model::SrtpPolicy>& srtp_names() {
    static const Names<model::SrtpPolicy> names{{"require", model::SrtpPolicy::Require},
                                                {"prefer", model::SrtpPolicy::Prefer},
                                                {"off", model::SrtpPolicy::Off}};
    return names;
}

template <class E>
std::string_view word_of(const Names<E>& names, E wanted) noexcept {
    for (const auto& [word, e] : names) {
        if (e == wanted) return word;
    }
    return {};
}

constexpr int kDaySeconds = 86'400;

}  // namespace

std::string_view name_of(HoldMedia media) noexcept {
    return word_of(hold_names(), media);
}

std::string_view name_of(model::SrtpPolicy policy) noexcept {
    return word_of(srtp_names(), policy);
}

namespace {

// clang-format off: one key, one paragraph
std::vector<Key<Config>> common_keys() {
    using C = Config;
    return {
        text<C>("http",
                "listen",
                [](C & c) -> auto& { return c.http.listen; },
                check::host_port,
                {"",
                 "host:port; a loopback address without `allow_remote` and a `[[token]]`; port 0 = "
                 "chosen by the kernel",
                 "Where the API, health and metrics listen."}),
        yes_no<C>("http",
                  "allow_remote",
                  [](C & c) -> auto& { return c.http.allow_remote; },
                  {"",
                   "",
                   "Lets `listen` be an address that other machines reach; that takes a "
                   "`[[token]]` as well. There is no TLS here: put a proxy that has it in front "
                   "([proxies.md](proxies.md))."}),
        texts<C>("http",
                 "hosts",
                 [](C & c) -> auto& { return c.http.hosts; },
                 {0, 32},
                 check::name,
                 {"",
                  "up to 32 names",
                  "Names accepted in the Host header, beside loopback names and the address a "
                  "request came in on (against DNS rebinding)."}),

        texts<C>(
            "sip",
            "listen",
            [](C & c) -> auto& { return c.sip.listen; },
            {0, 16},
            check::sip_listen,
            {"",
             "up to 16 of transport:host:port, transport udp or tcp; port 0 = chosen by the kernel",
             "Where SIP listens for callers that need no account. With an `[[account]]` and "
             "without "
             "this key nothing listens: calls come over the account's own flow."}),
        texts<C>("sip",
                 "allow",
                 [](C & c) -> auto& { return c.sip.allow; },
                 {1, 256},
                 check::cidr,
                 {"",
                  "1 to 256 address blocks (CIDR) or addresses",
                  "Peers that get service; others are not answered (UDP) or cut off (TCP)."}),
        text<C>("sip",
                "advertise",
                [](C & c) -> auto& { return c.sip.advertise; },
                check::address_or_empty,
                {"",
                 "numeric IPv4 or IPv6 address, or empty",
                 "Address in Contact and Via of listeners behind a NAT that forwards their port. "
                 "Empty: the local address of each flow."}),
        whole<C>("sip",
                 "dscp",
                 [](C & c) -> auto& { return c.sip.dscp; },
                 0,
                 63,
                 {"",
                  "",
                  "Differentiated services code point of SIP packets: 24 is CS3 (RFC 4594), 0 is "
                  "none."}),
        whole<C>("sip",
                 "answer_delay_ms",
                 [](C & c) -> auto& { return c.sip.answer_delay_ms; },
                 0,
                 60000,
                 {"ms", "", "Time between INVITE and 200; meanwhile the caller hears 180."}),
        whole<C>(
            "sip",
            "session_expires_s",
            [](C & c) -> auto& { return c.sip.session_expires_s; },
            0,
            86400,
            {"s",
             "0 = only when the peer asks",
             "Session timer that is asked for (RFC 4028): a call whose refresh goes unanswered "
             "ends."}),
        whole<C>("sip",
                 "min_se_s",
                 [](C & c) -> auto& { return c.sip.min_se_s; },
                 90,
                 86400,
                 {"s",
                  "",
                  "Shortest session timer that is accepted; less is refused with 422 (RFC 4028)."}),

        text<C>("rtp",
                "address",
                [](C & c) -> auto& { return c.rtp.address; },
                check::address_or_empty,
                {"",
                 "numeric IPv4 or IPv6 address, or empty",
                 "Local address of the RTP sockets. Empty: for each call the address that its SIP "
                 "came to, or where the offer is of the other IP version, the one the kernel would "
                 "send from."}),
        text<C>("rtp",
                "advertise",
                [](C & c) -> auto& { return c.rtp.advertise; },
                check::address_or_empty,
                {"",
                 "numeric address, or empty: that of the sockets",
                 "Address written into SDP, for a machine behind NAT. Needed when `address` is "
                 "0.0.0.0 or ::. An offer of the other IP version is answered with the sockets' "
                 "address."}),
        text<C>(
            "rtp",
            "stun",
            [](C & c) -> auto& { return c.rtp.stun; },
            check::server_or_empty,
            {"",
             "host or host:port (3478), or empty: nobody is asked",
             "STUN server (RFC 8489) that tells under which address the world outside sees us. "
             "It is asked over UDP at start and every minute; no call waits for it, the last "
             "address that it told goes into SDP. `advertise` goes before it; calls on loopback "
             "do without."}),
        ports<C>(
            "rtp",
            "ports",
            [](C & c) -> auto& { return c.rtp.first_port; },
            [](C & c) -> auto& { return c.rtp.last_port; },
            false,
            {"",
             "\"FIRST-LAST\", 1024 to 65535, FIRST even, outside the kernel's ephemeral range",
             "Ports for RTP (even) and RTCP (the next); one pair a call. A taken pair is "
             "passed over."}),
        codecs<C>(
            "rtp",
            "codecs",
            [](C & c) -> auto& { return c.rtp.codecs; },
            all_codecs(),
            "Codecs in order of preference: the first that the caller's offer has is used. "
            "opus16 is Opus with a 16 kHz RTP clock (\"OPUS/16000\"), which only RingCentral "
            "has."),
        whole<C>("rtp",
                 "dscp",
                 [](C & c) -> auto& { return c.rtp.dscp; },
                 0,
                 63,
                 {"",
                  "46 = expedited forwarding (RFC 4594)",
                  "Differentiated services code point of RTP and RTCP packets."}),
        whole<C>("rtp",
                 "timeout_s",
                 [](C & c) -> auto& { return c.rtp.timeout_s; },
                 0,
                 kDaySeconds,
                 {"s",
                  "0 = never",
                  "Hangs up when the caller's RTP stopped this long (hold excepted)."}),
        choice<C>("rtp",
                  "hold_media",
                  [](C & c) -> auto& { return c.rtp.hold_media; },
                  hold_names(),
                  {"",
                   "",
                   "What a caller on hold that asks for nothing gets: nothing (RFC 3264), or "
                   "filler all the same."}),
        choice<C>("rtp",
                  "srtp",
                  [](C & c) -> auto& { return c.rtp.srtp; },
                  srtp_names(),
                  {"",
                   "",
                   "Protection of phone legs with keys from SDP (SDES). `prefer`: SRTP where the "
                   "peer has it, else plain RTP. `require`: 488 for offers without it. `off`: 488 "
                   "for offers of nothing else."}),
        whole<C>(
            "rtp",
            "opus_complexity",
            [](C & c) -> auto& { return c.rtp.opus_complexity; },
            0,
            10,
            {"", "", "Opus encoder effort: about 2.5 ms of CPU per call-second at 0, 13 at 10."}),
        whole<C>("rtp",
                 "opus_bitrate_bps",
                 [](C & c) -> auto& { return c.rtp.opus_bitrate_bps; },
                 6000,
                 64000,
                 {"bit/s", "", "Opus encoder rate."}),

        whole<C>("media",
                 "workers",
                 [](C & c) -> auto& { return c.media.workers; },
                 0,
                 64,
                 {"", "0 = one per core", "Media worker threads."}),
        yes_no<C>("media",
                  "realtime",
                  [](C & c) -> auto& { return c.media.realtime; },
                  {"",
                   "",
                   "Asks for SCHED_FIFO for the media workers; a warning and the metric "
                   "`offhook_media_realtime` tell when it was refused."}),
        text<C>("media",
                "pipelines",
                [](C & c) -> auto& { return c.media.pipelines; },
                check::path_or_empty,
                {"", "folder, or empty: the shipped one", "Where `NAME.launch` files are."}),
        texts<C>("media",
                 "allow_elements",
                 [](C & c) -> auto& { return c.media.allow_elements; },
                 {0, 256},
                 check::name,
                 {"",
                  "up to 256 element names",
                  "GStreamer elements that pipeline files may use beside the built-in list."}),

        whole<C>("admission",
                 "max_calls",
                 [](C & c) -> auto& { return c.admission.max_calls; },
                 1,
                 100000,
                 {"", "", "Calls at once; more get 503 with Retry-After."}),
        number<C>("admission",
                  "tick_p99_ms",
                  [](C & c) -> auto& { return c.admission.tick_p99_ms; },
                  1,
                  1000,
                  {"ms",
                   "",
                   "No new calls while a worker's tick lateness (p99) stays above this for 3 s."}),
        number<C>("admission",
                  "cpu_share",
                  [](C & c) -> auto& { return c.admission.cpu_share; },
                  0.05,
                  1,
                  {"of one core", "", "No new calls on a worker that uses more CPU than this."}),

        whole<C>("drain",
                 "timeout_s",
                 [](C & c) -> auto& { return c.drain.timeout_s; },
                 0,
                 kDaySeconds,
                 {"s",
                  "0 = at once",
                  "How long SIGTERM waits for running calls before it hangs them up."}),

        text<C>("state",
                "directory",
                [](C & c) -> auto& { return c.state.directory; },
                check::path_or_empty,
                {"",
                 "folder, or empty: $STATE_DIRECTORY, else $XDG_STATE_HOME/offhook, else "
                 "~/.local/state/offhook",
                 "Where instance ids and provisioned credentials outlive a restart; made with mode "
                 "0700, files with 0600."}),

        choice<C>(
            "log",
            "level",
            [](C & c) -> auto& { return c.log.level; },
            Names<std::string>{
                {"debug", "debug"}, {"info", "info"}, {"warning", "warning"}, {"error", "error"}},
            {"", "", "The least important level that is written."}),
        choice<C>("log",
                  "format",
                  [](C & c) -> auto& { return c.log.format; },
                  Names<std::string>{{"auto", "auto"}, {"text", "text"}, {"json", "json"}},
                  {"", "", "auto: text on a terminal, JSON lines otherwise."}),
        yes_no<C>(
            "log",
            "marks",
            [](C & c) -> auto& { return c.log.marks; },
            {"",
             "",
             "Marks lines with 🔔 call, 🎙️ voice, 🖥️ system, ✅ ok, ⚠️ warning, "
             "❌ "
             "error."}),
        text<C>("log",
                "file",
                [](C & c) -> auto& { return c.log.file; },
                check::path_or_empty,
                {"", "path, or empty: standard error", "Appended to; opened anew on SIGHUP."}),
    };
}
// clang-format on

}  // namespace

const std::vector<Key<Config>>& section_keys() {
    static const std::vector<Key<Config>> keys = [] {
        std::vector<Key<Config>> all = common_keys();
        std::vector<Key<Config>> access = access_keys();
        const auto sip = std::find_if(
            all.begin(), all.end(), [](const auto& key) { return key.section == "sip"; });
        all.insert(
            sip, std::make_move_iterator(access.begin()), std::make_move_iterator(access.end()));
        // Beside the other keys of media.
        const auto after = std::find_if(
            all.begin(), all.end(), [](const auto& key) { return key.section == "admission"; });
        std::vector<Key<Config>> web = web_keys();
        std::vector<Key<Config>> listen = ai_listen_keys();
        std::move(listen.begin(), listen.end(), std::back_inserter(web));
        all.insert(after, std::make_move_iterator(web.begin()), std::make_move_iterator(web.end()));
        const auto drain = std::find_if(
            all.begin(), all.end(), [](const auto& key) { return key.section == "drain"; });
        std::vector<Key<Config>> connections = connection_keys();
        std::vector<Key<Config>> demo = demo_keys();
        std::move(demo.begin(), demo.end(), std::back_inserter(connections));
        all.insert(drain,
                   std::make_move_iterator(connections.begin()),
                   std::make_move_iterator(connections.end()));
        for (Key<Config>& key : alarm_keys()) all.push_back(std::move(key));
        for (Key<Config>& key : event_keys()) all.push_back(std::move(key));
        for (Key<Config>& key : store_keys()) all.push_back(std::move(key));
        return all;
    }();
    return keys;
}

// clang-format off: one key, one paragraph
const std::vector<Key<Route>>& route_keys() {
    static const std::vector<Key<Route>> keys{
        text<Route>("route",
                    "name",
                    [](Route & r) -> auto& { return r.name; },
                    check::name,
                    {"",
                     "1 to 64 letters, digits, . _ -; unique; required",
                     "Appears in logs and the API."}),
        text<Route>("route",
                    "to",
                    [](Route & r) -> auto& { return r.to; },
                    check::glob,
                    {"",
                     "pattern: * any run, ? any one character; up to 128 characters, 8 stars",
                     "Compared with the user part of the Request-URI."}),
        text<Route>("route",
                    "from",
                    [](Route & r) -> auto& { return r.from; },
                    check::glob,
                    {"", "pattern as `to`", "Compared with the user part of From."}),
        text<Route>(
            "route",
            "account",
            [](Route & r) -> auto& { return r.account; },
            check::name_or_empty,
            {"",
             "name of an `[[account]]`, or empty: any",
             "Only calls that came in over this `[[account]]`; empty: also those of listeners."}),
        text<Route>(
            "route",
            "ai",
            [](Route & r) -> auto& { return r.ai; },
            check::name,
            {"", "name of an `[[ai]]`; required without `channel`", "Who talks to the caller."}),
        text<Route>("route",
                    "channel",
                    [](Route & r) -> auto& { return r.channel; },
                    check::name_or_empty,
                    {"",
                     "name of a `[[channel]]`, or empty",
                     "The caller becomes a member of this channel; `ai` and what says how it "
                     "speaks are not used then."}),
        text<Route>(
            "route",
            "pipeline",
            [](Route & r) -> auto& { return r.pipeline; },
            check::name,
            {"", "1 to 64 letters, digits, . _ -", "`NAME.launch` in `[media] pipelines`."}),
        text<Route>("route",
                    "web_pipeline",
                    [](Route & r) -> auto& { return r.web_pipeline; },
                    check::name,
                    {"",
                     "1 to 64 letters, digits, . _ -",
                     "The same for calls over ICE and DTLS-SRTP; see [web]."}),
        yes_no<Route>("route",
                      "accept_transfer",
                      [](Route & r) -> auto& { return r.accept_transfer; },
                      {"",
                       "",
                       "Whether a peer may have us call somebody else (REFER): the AI goes on with "
                       "the new call. Only on calls of an account, and only to its "
                       "`outbound_allow`."}),
        text<Route>("route",
                    "fill",
                    [](Route & r) -> auto& { return r.fill; },
                    check::fill,
                    {"",
                     "silence, comfort-noise, tone, file:PATH (readable; WAV), or empty",
                     "What the caller hears while the AI says nothing; empty: what the pipeline "
                     "says, comfort noise where it says nothing."}),
        text<Route>("route",
                    "greeting",
                    [](Route & r) -> auto& { return r.greeting; },
                    check::name_or_empty,
                    {"",
                     "name of a `[[prompt]]`, or empty: none",
                     "Plays once the call is answered, while the bot connects."}),
        choice<Route>(
            "route",
            "record",
            [](Route & r) -> auto& { return r.record; },
            Names<std::string>{{"off", "off"}, {"always", "always"}, {"consent", "consent"}},
            {"",
             "",
             "Whether calls are recorded. always: from the answer on; consent: the caller hears "
             "`[recording] "
             "consent_prompt` first, and it begins when that is over; off: only what "
             "the API asks for."}),
        choice<Route>(
            "route",
            "barge_in",
            [](Route & r) -> auto& { return r.barge_in; },
            Names<std::string>{{"off", "off"}, {"bot", "bot"}, {"detect", "detect"}},
            {"",
             "",
             "Who decides that the caller interrupts the bot. off: nobody, what it said plays to "
             "its end; bot: it does, by clearing; detect: a voice detector of ours pauses at once "
             "and asks the bot."}),
        texts<Route>(
            "route",
            "verbs",
            [](Route & r) -> auto& { return r.verbs; },
            {0, 5},
            check::verb,
            {"",
             "of hang-up, transfer, dtmf, prompt, hold",
             "What the bot may have done to the call, beside being heard. What is not listed is "
             "refused, and the bot is told. The orderly end of its connection is `on_close`."}),
        whole<Route>("route",
                     "reconnect_s",
                     [](Route & r) -> auto& { return r.reconnect_s; },
                     0,
                     3'600,
                     {"s",
                      "0 = not at all",
                      "How long a bot that is gone is called again; then `fallback`."}),
        text<Route>(
            "route",
            "lost_prompt",
            [](Route & r) -> auto& { return r.lost_prompt; },
            check::name_or_empty,
            {"",
             "name of a `[[prompt]]`, or empty: none",
             "Plays again and again while the bot is gone; between, and without it, `fill`."}),
        whole<Route>("route",
                     "lost_prompt_s",
                     [](Route & r) -> auto& { return r.lost_prompt_s; },
                     1,
                     600,
                     {"s", "", "How long a bot is gone until `lost_prompt` plays, and between."}),
        texts<Route>(
            "route",
            "fallback",
            [](Route & r) -> auto& { return r.fallback; },
            {0, 8},
            check::fallback,
            {"",
             "up to 8 of ai:NAME, transfer:TARGET, prompt:NAME, hang-up; none behind the last two",
             "What follows, in order, when a bot stays away: another `[[ai]]`, the caller is sent "
             "elsewhere (REFER), a `[[prompt]]` plays and the call ends, the call ends. At the end "
             "of the list it ends."}),
    };
    return keys;
}
// clang-format on

std::vector<std::string_view> section_names() {
    std::vector<std::string_view> names;
    for (const Key<Config>& key : section_keys()) {
        if (names.empty() || names.back() != key.section) names.push_back(key.section);
    }
    return names;
}

}  // namespace offhook::config

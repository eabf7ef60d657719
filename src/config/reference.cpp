#include "config/reference.h"

#include "config/keys.h"

namespace offhook::config {
namespace {

template <class T>
void add_table(std::vector<EffectiveTable>& out,
               const T& object,
               const std::vector<Key<T>>& keys,
               std::string_view section,
               std::string label,
               const Loaded& loaded,
               bool is_listed = true) {
    EffectiveTable table{
        .section = std::string(section), .label = std::move(label), .is_listed = is_listed};
    for (const Key<T>& key : keys) {
        if (key.section != section) continue;
        table.keys.push_back({.name = std::string(key.name),
                              .value = text_of(key.get(object)),
                              .origin = loaded.origin_of(table.label + "." + std::string(key.name)),
                              .description = key.description});
    }
    out.push_back(std::move(table));
}

template <class T>
void add_list(std::vector<EffectiveTable>& out,
              const std::vector<T>& list,
              const std::vector<Key<T>>& keys,
              const std::string& section,
              const std::string& label,
              const Loaded& loaded) {
    for (std::size_t i = 0; i < list.size(); ++i)
        add_table(out, list[i], keys, section, label + "[" + std::to_string(i) + "]", loaded);
}

void add_ais(std::vector<EffectiveTable>& out, const Loaded& loaded) {
    const std::vector<Ai>& list = loaded.config.ai;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string label = "ai[" + std::to_string(i) + "]";
        add_table(out, list[i], ai_keys(), "ai", label, loaded);
        add_list(out, list[i].header, ai_header_keys(), "ai.header", label + ".header", loaded);
        add_list(out,
                 list[i].parameter,
                 ai_parameter_keys(),
                 "ai.parameter",
                 label + ".parameter",
                 loaded);
    }
}

std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') out += '\\';
        out += c;
    }
    return out;
}

template <class T>
void table_of(std::string& out,
              const std::vector<Key<T>>& keys,
              std::string_view section,
              const T& defaults) {
    out += "| key | type | default | allowed | what it is |\n|---|---|---|---|---|\n";
    for (const Key<T>& key : keys) {
        if (key.section != section) continue;
        std::string type(key.type);
        if (!key.unit.empty()) type += ", " + key.unit;
        out += "| `" + std::string(key.name) + "` | " + type + " | `" +
               cell(text_of(key.get(defaults))) + "` | " + cell(key.range) + " | " +
               cell(key.description) + " |\n";
    }
}

constexpr std::string_view kIntroduction = R"(# Configuration

<!-- Made by `offhook config reference`; a test compares. Change src/config/keys.cpp, not this page. -->

Offhook reads one TOML file, `offhook serve --config FILE`. Without one it starts with the defaults below: everything on
loopback, every call answered by the echo AI.

A value can be said in four places. Later ones win:

1. the built-in default
2. the file
3. the environment: `OFFHOOK_SECTION__KEY` (two underscores), for instance `OFFHOOK_RTP__TIMEOUT_S=30`
4. the command line: `--set section.key=value`, for instance `--set rtp.timeout_s=30`

Values in the environment and in `--set` are TOML values, so a text needs its own quotes behind the shell's:
`--set 'http.listen="127.0.0.1:0"'`, `OFFHOOK_SIP__ALLOW='["10.0.0.0/8"]'`. `[[token]]`, `[[account]]`, `[[prompt]]`,
`[[ai]]`, `[[channel]]`, `[[webhook]]`, `[[route]]` and `[[web.ice_server]]` come from the file only.

An unknown section or key is an error with its place and the nearest name, and so is a value outside what is allowed; the
program exits with 78 and tells every problem it found.

- `offhook config check FILE` checks a file (with the environment) and says so.
- `offhook config show [--config FILE] [--set ...] [--origin]` prints what is in force, and where each value was said.
- `offhook config reference` prints this page.
)";

constexpr std::string_view kExample = R"(
## Example

```toml
[http]
listen = "127.0.0.1:5000"

[sip]
listen = ["udp:10.0.0.5:5060", "tcp:10.0.0.5:5060"]
allow = ["10.0.0.0/24"]          # the PBX

[rtp]
address = "10.0.0.5"
codecs = ["G722", "PCMA"]

[[account]]
name = "front-desk"
user = "200"
domain = "pbx.example.com"
transport = "tls"
password_file = "/etc/offhook/front-desk.password"

[[ai]]
name = "echo"
protocol = "echo"
delay_ms = 300

[[ai]]
name = "desk-bot"
protocol = "plain"
url = "ws://127.0.0.1:8080/call"

[[ai]]
name = "quiet"
protocol = "mute"

[[route]]
name = "test"
to = "99*"
ai = "quiet"
fill = "tone"

[[route]]
name = "everything-else"
ai = "desk-bot"
verbs = ["hang-up", "transfer"]
fallback = ["ai:echo"]
```
)";

}  // namespace

std::vector<EffectiveTable> effective(const Loaded& loaded) {
    std::vector<EffectiveTable> out;
    const Config& config = loaded.config;
    for (const std::string_view section : section_names()) {
        add_table(out, config, section_keys(), section, std::string(section), loaded, false);
        if (section == "web") {
            add_list(out,
                     config.web.ice_server,
                     ice_server_keys(),
                     "web.ice_server",
                     "web.ice_server",
                     loaded);
        }
    }
    add_list(out, config.token, token_keys(), "token", "token", loaded);
    add_list(out, config.account, account_keys(), "account", "account", loaded);
    add_list(out, config.prompt, prompt_keys(), "prompt", "prompt", loaded);
    add_ais(out, loaded);
    add_list(out, config.channel, channel_keys(), "channel", "channel", loaded);
    add_list(out, config.webhook, webhook_keys(), "webhook", "webhook", loaded);
    add_list(out, config.route, route_keys(), "route", "route", loaded);
    return out;
}

std::string show(const Loaded& loaded, bool with_origin) {
    std::string out;
    for (const EffectiveTable& table : effective(loaded)) {
        if (!out.empty()) out += '\n';
        out += table.is_listed ? "[[" + table.section + "]]\n" : "[" + table.section + "]\n";
        for (const EffectiveKey& key : table.keys) {
            out += key.name + " = " + key.value;
            if (with_origin) out += "  # " + key.origin.where;
            out += '\n';
        }
    }
    return out;
}

std::string reference_markdown() {
    std::string out(kIntroduction);
    const Config defaults;
    for (const std::string_view section : section_names()) {
        out += "\n## [" + std::string(section) + "]\n\n";
        table_of(out, section_keys(), section, defaults);
        if (section != "web") continue;
        out +=
            "\nThe section and its servers are read at start, not on SIGHUP.\n\n"
            "### [[web.ice_server]]\n\nOne table for each STUN or TURN server; none is built in. A "
            "TURN password never stands here: it comes from one of\n`credential_file`, "
            "`credential_env` and `credential_credential`, read at start.\n\n";
        table_of(out, ice_server_keys(), "web.ice_server", IceServer{});
    }
    out +=
        "\n## [[token]]\n\nOne table for each token that opens the API "
        "([http-api.md](http-api.md#who-gets-in)); none is built in. While there is none, "
        "clients of this\nmachine may do everything and nobody else anything. The token itself "
        "never stands here, but its SHA-256 or where it is.\nTokens are read at start, not on "
        "SIGHUP.\n\n";
    table_of(out, token_keys(), "token", Token{});
    out +=
        "\n## [[account]]\n\nOne table for each phone that Offhook is at a PBX "
        "([phone.md](phone.md)); "
        "there is none built in. The password never\nstands here: it comes from one of "
        "`password_file`, `password_env` and `password_credential`, read at start. Accounts\nare "
        "not read again on SIGHUP.\n\n";
    table_of(out, account_keys(), "account", Account{});
    out +=
        "\n## [[prompt]]\n\nOne table for each recording that routes and bots play by name; none "
        "is built in. They are read at start.\n\n";
    table_of(out, prompt_keys(), "prompt", Prompt{});
    out +=
        "\n## [[ai]]\n\nOne table for each AI ([ai.md](ai.md)). When the file has any, they "
        "replace "
        "the built-in one (`name = \"echo\"`, `protocol = \"echo\"`).\nTokens and passwords never "
        "stand here: each comes from one of its `_file`, `_env` and `_credential`, read at "
        "start.\n\n";
    table_of(out, ai_keys(), "ai", Ai{});
    out +=
        "\n### [[ai.header]]\n\nHeaders of the handshake with the `[[ai]]` they stand behind.\n\n";
    table_of(out, ai_header_keys(), "ai.header", Ai::Header{});
    out +=
        "\n### [[ai.parameter]]\n\nWhat the bot is told of the call beside its facts: Twilio's "
        "custom parameters, `parameters` of a plain bot.\n\n";
    table_of(out, ai_parameter_keys(), "ai.parameter", Ai::Parameter{});
    out +=
        "\n## [[channel]]\n\nOne table for each voice channel that is always there "
        "([channels.md](channels.md)); none is built in, and the API makes others. They are read "
        "at start.\n\n";
    table_of(out, channel_keys(), "channel", Channel{});
    out +=
        "\n## [[webhook]]\n\nOne table for each receiver of events "
        "([events.md](events.md#webhooks)); "
        "none is built in. They are read at start.\n\n";
    table_of(out, webhook_keys(), "webhook", Webhook{});
    out +=
        "\n## [[route]]\n\nWhich AI takes which call. The first route that matches wins; a call "
        "that none matches is answered "
        "404. When the file has any,\nthey replace the built-in one (`name = \"default\"`, "
        "everything, to the first AI).\n\n";
    table_of(out, route_keys(), "route", Route{});
    out += kExample;
    return out;
}

}  // namespace offhook::config

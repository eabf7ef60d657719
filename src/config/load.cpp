#include "config/load.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>

#include "base/escape.h"
#include "config/access_keys.h"
#include "config/ai_keys.h"
#include "config/connection_keys.h"
#include "config/demo_keys.h"
#include "config/endpoint.h"
#include "config/event_keys.h"
#include "config/keys.h"
#include "config/nearest.h"
#include "config/ringcentral_keys.h"
#include "config/toml_reader.h"
#include "config/web_keys.h"

namespace offhook::config {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxProblems = 20;
constexpr std::size_t kMaxTables = 1000;
constexpr std::string_view kPrefix = "OFFHOOK_";

std::string shown(std::string_view text) {
    return base::escape_untrusted(text, 120);
}

template <class T>
const Key<T>* find_key(const std::vector<Key<T>>& keys,
                       std::string_view section,
                       std::string_view name) {
    for (const Key<T>& key : keys) {
        if (key.section == section && key.name == name) return &key;
    }
    return nullptr;
}

template <class T>
std::vector<std::string_view> names_in(const std::vector<Key<T>>& keys, std::string_view section) {
    std::vector<std::string_view> names;
    for (const Key<T>& key : keys) {
        if (key.section == section) names.push_back(key.name);
    }
    return names;
}

std::vector<std::string_view> all_sections() {
    std::vector<std::string_view> names = section_names();
    names.insert(names.end(),
                 {"token",
                  "web.ice_server",
                  "account",
                  "prompt",
                  "ai",
                  "ai.header",
                  "ai.parameter",
                  "channel",
                  "webhook",
                  "route"});
    return names;
}

bool is_array_section(std::string_view section) {
    return section == "token" || section == "account" || section == "prompt" || section == "ai" ||
           section == "ai.header" || section == "ai.parameter" || section == "channel" ||
           section == "webhook" || section == "route" || section == "web.ice_server";
}

// Has its value elsewhere, and keys that say where.
bool is_secret(std::string_view key) {
    return key == "password" || key == "client_secret" || key == "jwt" || key == "credential" ||
           key == "token" || key == "bearer" || key == "signature" || key == "secret" ||
           key == "join_key";
}

// Builds one Loaded out of the sources and collects what is wrong with them, so that one run tells
// everything.
class Loader {
public:
    explicit Loader(const LoadRequest& request) : request_(request) {}

    base::Result<Loaded> run() {
        if (request_.file) {
            if (auto read = apply_file(*request_.file); !read) return tl::unexpected(read.error());
        }
        for (const auto& [name, value] : request_.environment) apply_environment(name, value);
        for (const std::string& set : request_.sets) apply_set(set);
        if (problems_.empty()) check_whole();
        // With an account calls come over its own flow; nothing else listens unasked.
        if (!loaded_.config.account.empty() && !loaded_.origins.contains("sip.listen"))
            loaded_.config.sip.listen.clear();
        if (problems_.empty()) return std::move(loaded_);
        std::string all;
        for (std::size_t i = 0; i < problems_.size() && i < kMaxProblems; ++i) {
            all += (i == 0 ? "" : "\n") + problems_[i];
        }
        if (problems_.size() > kMaxProblems) {
            all += "\n... and " + std::to_string(problems_.size() - kMaxProblems) + " more";
        }
        return base::fail(base::ErrorCode::InvalidArgument, all);
    }

private:
    void problem(const Origin& origin, const std::string& what) {
        problems_.push_back(origin.where + ": " + what);
    }

    template <class T>
    void apply(
        T& object, const Key<T>& key, const std::string& path, const Value& value, Origin origin) {
        if (const std::string wrong = key.set(object, value); !wrong.empty()) {
            problem(origin, path + " = " + shown(text_of(value)) + ": " + wrong);
            return;
        }
        loaded_.origins[path] = std::move(origin);
    }

    // ---- the file

    base::Result<void> apply_file(const std::string& path) {
        std::ifstream in(path, std::ios::binary);
        std::string text(kMaxFileBytes + 1, '\0');
        if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
        if (!in.is_open() || in.bad() || (in.fail() && !in.eof())) {
            return base::fail_errno("cannot read the configuration " + path, errno);
        }
        text.resize(static_cast<std::size_t>(in.gcount()));
        if (text.size() > kMaxFileBytes) {
            return base::fail(base::ErrorCode::LimitReached,
                              "the configuration " + path + " is larger than 1 MiB");
        }
        auto tables = read_toml(text, path);
        if (!tables) return tl::unexpected(tables.error());
        const auto has = [&](std::string_view section) {
            return std::any_of(tables->begin(), tables->end(), [&](const TomlTable& t) {
                return t.is_array_element && t.section == section;
            });
        };
        if (has("ai")) {
            loaded_.config.ai.clear();
            if (!has("route")) loaded_.config.route.front().ai.clear();
        }
        if (has("route")) loaded_.config.route.clear();
        for (const TomlTable& table : *tables) apply_table(path, table);
        if (!has("route") && loaded_.config.route.front().ai.empty()) {
            loaded_.config.route.front().ai = loaded_.config.ai.front().name;
        }
        return {};
    }

    static Origin in_file(const std::string& path, int line) {
        return {Origin::Kind::File, path + ":" + std::to_string(line)};
    }

    void apply_table(const std::string& path, const TomlTable& table) {
        const Origin here = in_file(path, table.line);
        if (table.section.empty()) {
            for (const TomlEntry& entry : table.entries) {
                problem(in_file(path, entry.line),
                        "\"" + shown(entry.key) + "\" stands before any [section]" +
                            did_you_mean(entry.key, all_sections()));
            }
            return;
        }
        const std::vector<std::string_view> sections = all_sections();
        if (std::find(sections.begin(), sections.end(), table.section) == sections.end()) {
            problem(here,
                    "unknown section [" + shown(table.section) + "]" +
                        did_you_mean(table.section, sections));
            return;
        }
        if (is_array_section(table.section) != table.is_array_element) {
            problem(here,
                    is_array_section(table.section)
                        ? "write [[" + table.section + "]]: there can be several"
                        : "write [" + table.section + "]: there is only one");
            return;
        }
        if (table.section == "token") {
            add_element(path, table, loaded_.config.token, token_keys());
        } else if (table.section == "account") {
            add_element(path, table, loaded_.config.account, account_keys());
        } else if (table.section == "ai") {
            add_element(path, table, loaded_.config.ai, ai_keys());
        } else if (table.section == "ai.header" || table.section == "ai.parameter") {
            apply_in_ai(path, table);
        } else if (table.section == "prompt") {
            add_element(path, table, loaded_.config.prompt, prompt_keys());
        } else if (table.section == "channel") {
            add_element(path, table, loaded_.config.channel, channel_keys());
        } else if (table.section == "route") {
            add_element(path, table, loaded_.config.route, route_keys());
        } else if (table.section == "webhook") {
            add_element(path, table, loaded_.config.webhook, webhook_keys());
        } else if (table.section == "web.ice_server") {
            add_element(path, table, loaded_.config.web.ice_server, ice_server_keys());
        } else {
            apply_entries(path, table, loaded_.config, section_keys(), table.section);
        }
    }

    // Tables of an [[ai]] come right behind it.
    void apply_in_ai(const std::string& path, const TomlTable& table) {
        if (loaded_.config.ai.empty()) return;  // it was one too many, which is told
        Ai& ai = loaded_.config.ai.back();
        const std::string owner = "ai[" + std::to_string(loaded_.config.ai.size() - 1) + "].";
        if (table.section == "ai.header") {
            add_element(path, table, ai.header, ai_header_keys(), owner + "header");
        } else {
            add_element(path, table, ai.parameter, ai_parameter_keys(), owner + "parameter");
        }
    }

    template <class T>
    void add_element(const std::string& path,
                     const TomlTable& table,
                     std::vector<T>& list,
                     const std::vector<Key<T>>& keys) {
        add_element(path, table, list, keys, table.section);
    }
    template <class T>
    void add_element(const std::string& path,
                     const TomlTable& table,
                     std::vector<T>& list,
                     const std::vector<Key<T>>& keys,
                     const std::string& list_label) {
        if (list.size() == kMaxTables) {
            problem(in_file(path, table.line), "more than 1000 of [[" + table.section + "]]");
            return;
        }
        T& object = list.emplace_back();
        const std::string label = list_label + "[" + std::to_string(list.size() - 1) + "]";
        loaded_.origins[label] = in_file(path, table.line);
        apply_entries(path, table, object, keys, label);
    }

    template <class T>
    void apply_entries(const std::string& path,
                       const TomlTable& table,
                       T& object,
                       const std::vector<Key<T>>& keys,
                       const std::string& label) {
        for (const TomlEntry& entry : table.entries) {
            const Origin origin = in_file(path, entry.line);
            const std::string name = label + "." + entry.key;
            const std::string section = table.section + "." + entry.key;
            const Key<T>* key = find_key(keys, table.section, entry.key);
            if (key == nullptr && is_secret(entry.key)) {
                // The value is not repeated: this text ends in terminals and logs.
                problem(origin,
                        name +
                            " must not stand in the configuration, which is copied, shown and "
                            "mailed around: put it into a file of its own and name that in " +
                            entry.key + "_file, or name a variable in " + entry.key +
                            "_env or a systemd credential in " + entry.key + "_credential");
            } else if (key == nullptr && is_array_section(section)) {
                problem(origin, "write [[" + section + "]]: there can be several");
            } else if (key == nullptr) {
                problem(origin,
                        "unknown key " + shown(name) +
                            did_you_mean(entry.key, names_in(keys, table.section)));
            } else if (!entry.value) {
                problem(origin,
                        name + ": must be " + with_article(key->type) + ", not a " + entry.type);
            } else {
                apply(object, *key, name, *entry.value, origin);
            }
        }
    }

    // ---- environment and --set

    void apply_environment(const std::string& variable, const std::string& text) {
        std::string name = variable.substr(std::min(kPrefix.size(), variable.size()));
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
            return static_cast<char>(std::tolower(c));
        });
        const std::size_t split = name.find("__");
        const Origin origin{Origin::Kind::Environment, shown(variable)};
        if (!variable.starts_with(kPrefix) || split == std::string::npos) {
            problem(origin, "is not OFFHOOK_SECTION__KEY");
            return;
        }
        apply_text(name.substr(0, split), name.substr(split + 2), text, origin);
    }

    void apply_set(const std::string& set) {
        const std::size_t equals = set.find('=');
        const std::string name = set.substr(0, equals);
        const std::size_t dot = name.find('.');
        const Origin origin{Origin::Kind::Set, "--set " + shown(name)};
        if (equals == std::string::npos || dot == std::string::npos) {
            problem(origin, "must be section.key=value");
            return;
        }
        apply_text(name.substr(0, dot), name.substr(dot + 1), set.substr(equals + 1), origin);
    }

    void apply_text(const std::string& section,
                    const std::string& name,
                    const std::string& text,
                    const Origin& origin) {
        if (is_array_section(section)) {
            problem(origin, "[[" + section + "]] can only be given in the file");
            return;
        }
        const std::vector<std::string_view> sections = section_names();
        if (std::find(sections.begin(), sections.end(), section) == sections.end()) {
            problem(origin,
                    "unknown section \"" + shown(section) + "\"" + did_you_mean(section, sections));
            return;
        }
        const Key<Config>* key = find_key(section_keys(), section, name);
        if (key == nullptr) {
            problem(origin,
                    "unknown key " + section + "." + shown(name) +
                        did_you_mean(name, names_in(section_keys(), section)));
            return;
        }
        const auto value = read_toml_value(text);
        if (!value) {
            problem(origin,
                    section + "." + name + " = " + shown(text) + " " + value.error().message);
            return;
        }
        apply(loaded_.config, *key, section + "." + name, *value, origin);
    }

    // ---- what only the whole shows

    void check_whole() {
        const Config& c = loaded_.config;
        if ((c.rtp.address == "0.0.0.0" || c.rtp.address == "::") && c.rtp.advertise.empty() &&
            c.rtp.stun.empty()) {
            wrong("rtp.address",
                  c.rtp.address,
                  "needs rtp.advertise or rtp.stun: SDP must name an address that callers reach");
        }
        check_ports("rtp.ports", c.rtp.first_port, c.rtp.last_port);
        if (c.web.first_port != 0) check_ports("web.ports", c.web.first_port, c.web.last_port);
        check_names("token", c.token);
        check_names("account", c.account);
        check_names("prompt", c.prompt);
        check_names("ai", c.ai);
        check_names("channel", c.channel);
        check_names("webhook", c.webhook);
        check_names("route", c.route);
        std::vector<std::string_view> ai_names;
        for (const Ai& ai : c.ai) ai_names.push_back(ai.name);
        for (std::size_t i = 0; i < c.route.size(); ++i) {
            const Route& route = c.route[i];
            const std::string path = "route[" + std::to_string(i) + "]";
            if (route.ai.empty() && route.channel.empty()) {
                problem(loaded_.origin_of(path), path + ".ai is missing: name one of the [[ai]]");
            } else if (!route.ai.empty() &&
                       std::find(ai_names.begin(), ai_names.end(), route.ai) == ai_names.end()) {
                wrong(path + ".ai",
                      route.ai,
                      "is not the name of an [[ai]]" + did_you_mean(route.ai, ai_names));
            }
            check_reference(path + ".account", route.account, "account", c.account);
            check_reference(path + ".channel", route.channel, "channel", c.channel);
        }
        for (std::size_t i = 0; i < c.channel.size(); ++i)
            check_reference("channel[" + std::to_string(i) + "].ai", c.channel[i].ai, "ai", c.ai);
        if (c.account.empty() && c.sip.listen.empty()) {
            problem(loaded_.origin_of("sip.listen"),
                    "sip.listen is empty and there is no [[account]]: nobody could call");
        }
        for (std::size_t i = 0; i < c.account.size(); ++i) {
            const std::string path = "account[" + std::to_string(i) + "]";
            Account& account = loaded_.config.account[i];
            if (account.kind == "ringcentral" && !loaded_.origins.contains(path + ".transport"))
                account.transport = "tls";
            if (account.kind == "ringcentral" && account.transport == "wss")
                choose_web(path, account);
            check_account(path, account);
        }
        for (const auto& [key, what] : access_problems(c))
            problem(nearest_origin(key), key + " " + what);
        for (const auto& [key, what] : web_problems(c))
            problem(nearest_origin(key), key + " " + what);
        for (const auto& [key, what] : redis_problems(c))
            problem(nearest_origin(key), key + " " + what);
        for (const auto& [key, what] : demo_problems(c))
            problem(nearest_origin(key), key + " " + what);
        for (const auto& [key, what] : event_problems(c))
            problem(nearest_origin(key), key + " " + what);
        for (const auto& [key, what] : ai_problems(c))
            problem(nearest_origin(key), key + " " + what);
    }

    void choose_web(const std::string& path, Account& account) {
        const std::string key = path + ".media";
        if (loaded_.origins.contains(key) && account.media != model::LegKind::Web)
            problem(loaded_.origin_of(key),
                    key +
                        " must be \"web\": RingCentral's WebPhones know "
                        "nothing else");
        account.media = model::LegKind::Web;
    }

    /// Of the key itself, else of the table that it would stand in.
    Origin nearest_origin(const std::string& key) const {
        return loaded_.origins.contains(key) ? loaded_.origin_of(key)
                                             : loaded_.origin_of(key.substr(0, key.rfind('.')));
    }

    void check_account(const std::string& path, const Account& account) {
        const auto required = [&](const char* key, const std::string& value, const char* what) {
            if (!value.empty()) return;
            problem(loaded_.origin_of(path), path + "." + key + " is missing: " + what);
        };
        if (account.kind == "sip") {
            required("user", account.user, "the extension at the PBX");
            required("domain", account.domain, "the PBX's SIP domain, often its host name");
            const int sources = !account.password_file.empty() + !account.password_env.empty() +
                                !account.password_credential.empty();
            if (sources > 1) {
                problem(loaded_.origin_of(path),
                        path +
                            " has the password in several places: keep one of password_file, "
                            "password_env and password_credential");
            }
        }
        for (const auto& [key, what] : ringcentral_problems(account))
            problem(nearest_origin(path + "." + key), path + "." + key + " " + what);
        check_reference(path + ".route", account.route, "route", loaded_.config.route);
        if (account.allow_outbound && account.outbound_allow.empty()) {
            problem(loaded_.origin_of(path + ".allow_outbound"),
                    path +
                        ".allow_outbound = true needs outbound_allow: patterns of who may be "
                        "called, such as [\"+49*\", \"2??\"]");
        }
    }

    /// `name` is empty or one of those in `list`.
    template <class T>
    void check_reference(const std::string& path,
                         const std::string& name,
                         const std::string& section,
                         const std::vector<T>& list) {
        std::vector<std::string_view> names;
        for (const T& each : list) names.push_back(each.name);
        if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) return;
        const std::string article = section == "account" || section == "ai" ? "an" : "a";
        wrong(path,
              name,
              "is not the name of " + article + " [[" + section + "]]" + did_you_mean(name, names));
    }

    template <class T>
    void check_names(const std::string& section, const std::vector<T>& list) {
        std::set<std::string> seen;
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string path = section + "[" + std::to_string(i) + "]";
            if (list[i].name.empty()) {
                problem(loaded_.origin_of(path), path + ".name is missing");
            } else if (!seen.insert(list[i].name).second) {
                wrong(path + ".name",
                      list[i].name,
                      "is the name of another [[" + section + "]] already");
            }
        }
    }

    void check_ports(const std::string& key, unsigned first, unsigned last) {
        std::ifstream in(request_.port_range_file);
        unsigned low = 0;
        unsigned high = 0;
        if (!(in >> low >> high)) return;  // not Linux as we know it: nothing to compare with
        if (last < low || first > high) return;
        const std::string kernel = std::to_string(low) + "-" + std::to_string(high);
        wrong(key,
              std::to_string(first) + "-" + std::to_string(last),
              "overlaps the kernel's ephemeral range " + kernel + " (" + request_.port_range_file +
                  "), from which it gives ports to other sockets; " + port_advice(low, high));
    }

    static std::string port_advice(unsigned low, unsigned high) {
        constexpr unsigned kUsable = 1024;
        const unsigned below = low > kUsable ? low - kUsable : 0;
        const unsigned above = high < 65535 ? 65535 - high : 0;
        if (below < 2 && above < 2) {
            return "no port is outside it: narrow it with sysctl net.ipv4.ip_local_port_range";
        }
        unsigned first = below >= above ? kUsable : high + 1;
        const unsigned last = below >= above ? low - 1 : 65535;
        if (first < 20000 && last >= 29999) return "use for instance \"20000-29999\"";
        first += first % 2;
        return "use for instance \"" + std::to_string(first) + "-" + std::to_string(last) + "\"";
    }

    void wrong(const std::string& path, const std::string& value, const std::string& what) {
        problem(loaded_.origin_of(path), path + " = \"" + shown(value) + "\": " + what);
    }

    const LoadRequest& request_;
    Loaded loaded_;
    std::vector<std::string> problems_;
};

}  // namespace

Origin Loaded::origin_of(const std::string& key) const {
    const auto found = origins.find(key);
    return found == origins.end() ? Origin{Origin::Kind::BuiltIn, "built-in"} : found->second;
}

base::Result<Loaded> load(const LoadRequest& request) {
    return Loader(request).run();
}

std::vector<std::pair<std::string, std::string>> process_environment() {
    std::vector<std::pair<std::string, std::string>> found;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::size_t equals = text.find('=');
        if (!text.starts_with(kPrefix) || equals == std::string_view::npos) continue;
        const std::string_view name = text.substr(0, equals);
        if (name.find("__") == std::string_view::npos) continue;
        found.emplace_back(name, text.substr(equals + 1));
    }
    return found;
}

}  // namespace offhook::config

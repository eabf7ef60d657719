#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/api_access.h"

namespace offhook::cli {

/// An option, a flag or an argument of a verb.
struct VerbOption {
    std::string names;    ///< "--json", "-o,--output"; an argument has no dashes: "id"
    std::string help;     ///< a sentence without its point
    std::string value{};  ///< how its value is called, "FILE"; empty: a flag
    std::vector<std::string> choices{};  ///< the only values; none: any
    bool is_needed = false;
};

/// What the user wrote.
struct Given {
    ApiOptions api;
    std::map<std::string, std::string, std::less<>>
        values;  ///< by the long name without dashes; a flag has "true"

    [[nodiscard]] bool has(std::string_view name) const { return values.contains(name); }
    /// Empty when it was not written.
    [[nodiscard]] std::string value(std::string_view name) const {
        const auto found = values.find(name);
        return found == values.end() ? std::string() : found->second;
    }
};

/// A client of the daemon's HTTP API. `--url` and `--token-file` come by themselves.
struct Verb {
    std::string name, summary, footer;
    std::vector<VerbOption> options;
    std::function<int(const Given&)> run;  ///< gives the exit code
};

/// In the order of the help.
[[nodiscard]] std::vector<Verb> api_verbs();

[[nodiscard]] Verb calls_verb();
[[nodiscard]] Verb diagnose_verb();
[[nodiscard]] Verb dump_verb();
[[nodiscard]] Verb hangup_verb();
[[nodiscard]] Verb cdr_verb();
[[nodiscard]] Verb tail_verb();
[[nodiscard]] Verb channels_verb();
[[nodiscard]] Verb connections_verb();
[[nodiscard]] Verb accounts_verb();
[[nodiscard]] Verb log_level_verb();
[[nodiscard]] Verb drain_verb();

}  // namespace offhook::cli

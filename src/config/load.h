#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "config/config.h"

namespace offhook::config {

/// Where the value in force was said.
struct Origin {
    enum class Kind { BuiltIn, File, Environment, Set } kind = Kind::BuiltIn;
    std::string
        where;  ///< "built-in", "offhook.toml:12", "OFFHOOK_HTTP__LISTEN", "--set http.listen"
};

struct LoadRequest {
    std::optional<std::string> file;                               ///< `--config`
    std::vector<std::pair<std::string, std::string>> environment;  ///< see `process_environment`
    std::vector<std::string> sets;  ///< `--set section.key=value`, in order
    std::string port_range_file = "/proc/sys/net/ipv4/ip_local_port_range";
};

struct Loaded {
    Config config;
    std::map<std::string, Origin>
        origins;  ///< by "http.listen", "ai[0].name"; a key that is missing is built-in

    [[nodiscard]] Origin origin_of(const std::string& key) const;
};

/// Reads all sources, lowest first: built-in < file < environment OFFHOOK_SECTION__KEY < `--set`.
/// Values of the last two are TOML values. `[[ai]]` and `[[route]]` come from the file only: given
/// there, they replace the built-in ones; the built-in route goes to the first `[[ai]]`.
/// @errors InvalidArgument (or Io, Malformed): every problem found, one a line, each with its
/// place, the key, the
///         value and what is allowed
[[nodiscard]] base::Result<Loaded> load(const LoadRequest& request);

/// The variables of this process whose names begin with OFFHOOK_ and have a double underscore.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> process_environment();

}  // namespace offhook::config

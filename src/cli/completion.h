#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace offhook::cli {

/// An option, a flag or an argument, as the command line knows it.
struct OptionInfo {
    std::vector<std::string> names;  ///< "-o", "--output"; none: an argument
    std::string argument{};          ///< its name; empty: not an argument
    std::string help{};
    std::string value{};                 ///< how its value is called, "FILE"; empty: a flag
    std::vector<std::string> choices{};  ///< the only values; none: any
    std::string default_value{};
    bool is_needed = false;
};

struct CommandInfo {
    std::string path;  ///< "offhook token new"
    std::string summary{}, footer{};
    std::vector<OptionInfo> options{};
    std::vector<CommandInfo> commands{};
};

/// What a shell reads to complete the words of `root`, and of all in it. A value called ID is
/// completed by the ids of calls, asked of the daemon of the moment.
/// @param shell  "bash", "zsh", "fish"; "json": the table itself, for the manual
[[nodiscard]] std::string completion_script(std::string_view shell, const CommandInfo& root);

}  // namespace offhook::cli

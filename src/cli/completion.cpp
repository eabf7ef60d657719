#include "cli/completion.h"

#include <algorithm>

#include "base/json_writer.h"

namespace offhook::cli {
namespace {

constexpr std::string_view kIds = "offhook calls --ids 2>/dev/null";

/// Every command, parents first.
void flatten(const CommandInfo& command, std::vector<const CommandInfo*>& all) {
    all.push_back(&command);
    for (const CommandInfo& inner : command.commands) flatten(inner, all);
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
    std::string text;
    for (const std::string& word : words) text.append(text.empty() ? "" : between).append(word);
    return text;
}

/// In single quotes, as POSIX shells and zsh read them.
std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

/// fish knows two escapes within single quotes.
std::string fish_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

bool is_file(const OptionInfo& option) {
    return option.value == "FILE" || option.value == "DIR" ||
           std::any_of(option.names.begin(), option.names.end(), [](const std::string& name) {
               return name == "--config" || name.ends_with("file");
           });
}

std::string last_word(const std::string& path) {
    return path.substr(path.rfind(' ') + 1);
}

/// "'offhook calls'|'offhook token'|..." : the words that lead into a command.
std::string paths_below(const std::vector<const CommandInfo*>& all, std::string_view between) {
    std::vector<std::string> paths;
    for (const CommandInfo* each : all)
        if (each != all.front()) paths.push_back(quoted(each->path));
    return joined(paths, between);
}

std::string words_of(const CommandInfo& command) {
    std::vector<std::string> words;
    for (const CommandInfo& inner : command.commands) words.push_back(last_word(inner.path));
    for (const OptionInfo& option : command.options) {
        words.insert(words.end(), option.names.begin(), option.names.end());
        if (option.names.empty())
            words.insert(words.end(), option.choices.begin(), option.choices.end());
    }
    return joined(words, " ");
}

bool takes_call(const CommandInfo& command) {
    return std::any_of(
        command.options.begin(), command.options.end(), [](const OptionInfo& option) {
            return option.names.empty() && option.value == "ID";
        });
}

/// "'offhook serve --config'|..." : an option of this command stands before the word.
std::string cases_of(const CommandInfo& command, const OptionInfo& option) {
    std::vector<std::string> cases;
    for (const std::string& name : option.names) cases.push_back(quoted(command.path + " " + name));
    return joined(cases, "|");
}

std::string bash(const std::vector<const CommandInfo*>& all) {
    std::string out =
        "# bash completion for offhook; made by `offhook completion bash`\n"
        "_offhook() {\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} at=offhook i\n"
        "    COMPREPLY=()\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        case \"$at ${COMP_WORDS[i]}\" in\n"
        "            " +
        paths_below(all, "|") +
        ") at+=\" ${COMP_WORDS[i]}\" ;;\n"
        "        esac\n"
        "    done\n"
        "    case \"$at ${COMP_WORDS[COMP_CWORD - 1]}\" in\n";
    const auto reply = [](const std::string& words) {
        return "mapfile -t COMPREPLY < <(compgen -W " + words + " -- \"$cur\")";
    };
    for (const CommandInfo* command : all) {
        for (const OptionInfo& option : command->options) {
            if (option.names.empty() || option.value.empty()) continue;
            out += "        " + cases_of(*command, option) + ")";
            if (!option.choices.empty()) {
                out += " " + reply(quoted(joined(option.choices, " "))) + ";";
            } else if (option.value == "ID") {
                out += " " + reply("\"$(" + std::string(kIds) + ")\"") + ";";
            } else if (is_file(option)) {
                out +=
                    " compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "
                    "\"$cur\");";
            }
            out += " return ;;\n";
        }
    }
    out += "    esac\n    case \"$at\" in\n";
    for (const CommandInfo* command : all) {
        std::string words = quoted(words_of(*command));
        if (takes_call(*command)) words += "\" $([[ $cur == -* ]] || " + std::string(kIds) + ")\"";
        out += "        " + quoted(command->path) + ") " + reply(words) + " ;;\n";
    }
    return out + "    esac\n}\ncomplete -F _offhook offhook\n";
}

/// "word:what it is", for _describe.
std::string described(const std::string& word, const std::string& help) {
    std::string safe;
    for (const char c : help) safe += c == ':' ? std::string("\\:") : std::string(1, c);
    return quoted(word + ":" + safe);
}

std::string zsh(const std::vector<const CommandInfo*>& all) {
    std::string out =
        "#compdef offhook\n"
        "# zsh completion for offhook; made by `offhook completion zsh`\n"
        "_offhook() {\n"
        "    local at=offhook word\n"
        "    local -a commands options\n"
        "    for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
        "        case \"$at $word\" in\n"
        "            (" +
        paths_below(all, "|") +
        ") at+=\" $word\" ;;\n"
        "        esac\n"
        "    done\n"
        "    case \"$at $words[CURRENT-1]\" in\n";
    for (const CommandInfo* command : all) {
        for (const OptionInfo& option : command->options) {
            if (option.names.empty() || option.value.empty()) continue;
            out += "        (" + cases_of(*command, option) + ") ";
            if (!option.choices.empty()) {
                out += "compadd -- " + joined(option.choices, " ");
            } else if (option.value == "ID") {
                out += "compadd -- ${(f)\"$(" + std::string(kIds) + ")\"}";
            } else if (is_file(option)) {
                out += "_files";
            } else {
                out += "_message " + quoted(option.value);
            }
            out += "; return ;;\n";
        }
    }
    out += "    esac\n    case \"$at\" in\n";
    for (const CommandInfo* command : all) {
        out += "        (" + quoted(command->path) + ")\n";
        std::string commands, options;
        for (const CommandInfo& inner : command->commands)
            commands += " " + described(last_word(inner.path), inner.summary);
        for (const OptionInfo& option : command->options) {
            for (const std::string& name : option.names)
                options += " " + described(name, option.help);
            if (option.names.empty())
                for (const std::string& choice : option.choices) commands += " " + quoted(choice);
        }
        out += "            commands=(" + commands + ")\n            options=(" + options + ")\n";
        if (takes_call(*command))
            out += "            [[ $PREFIX == -* ]] || compadd -- ${(f)\"$(" + std::string(kIds) +
                   ")\"}\n";
        out += "            ;;\n";
    }
    return out +
           "    esac\n"
           "    (( ${#commands} )) && _describe -t commands command commands\n"
           "    (( ${#options} )) && _describe -o -t options option options\n"
           "}\n"
           "if [[ $funcstack[1] == _offhook ]]; then\n"
           "    _offhook \"$@\"\n"
           "else\n"
           "    compdef _offhook offhook\n"
           "fi\n";
}

std::string fish(const std::vector<const CommandInfo*>& all) {
    std::string out =
        "# fish completion for offhook; made by `offhook completion fish`\n"
        "function __offhook_at\n"
        "    set -l at offhook\n"
        "    for word in (commandline -opc)[2..-1]\n"
        "        switch \"$at $word\"\n"
        "            case " +
        paths_below(all, " ") +
        "\n"
        "                set at \"$at $word\"\n"
        "        end\n"
        "    end\n"
        "    test \"$at\" = \"$argv[1]\"\n"
        "end\n"
        "complete -c offhook -f\n";
    for (const CommandInfo* command : all) {
        const std::string here =
            "complete -c offhook -n " + fish_quoted("__offhook_at \"" + command->path + "\"");
        for (const CommandInfo& inner : command->commands)
            out +=
                here + " -a " + last_word(inner.path) + " -d " + fish_quoted(inner.summary) + "\n";
        for (const OptionInfo& option : command->options) {
            std::string line = here;
            for (const std::string& name : option.names)
                line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
            if (!option.names.empty() && !option.value.empty())
                line += is_file(option) ? " -r -F" : " -x";
            if (!option.choices.empty()) {
                line += " -a " + fish_quoted(joined(option.choices, " "));
            } else if (option.value == "ID") {
                line += " -a " + fish_quoted("(" + std::string(kIds) + ")");
            } else if (option.names.empty()) {
                continue;
            }
            out += line + " -d " + fish_quoted(option.help) + "\n";
        }
    }
    return out;
}

void write(base::JsonWriter& json, const CommandInfo& command) {
    json.begin_object().field("path", command.path).field("summary", command.summary);
    json.field("footer", command.footer).key("options").begin_array();
    for (const OptionInfo& option : command.options) {
        json.begin_object().key("names").begin_array();
        for (const std::string& name : option.names) json.value(name);
        json.end().field("argument", option.argument).field("help", option.help);
        json.field("value", option.value).key("choices").begin_array();
        for (const std::string& choice : option.choices) json.value(choice);
        json.end().field("default", option.default_value).field("needed", option.is_needed).end();
    }
    json.end().key("commands").begin_array();
    for (const CommandInfo& inner : command.commands) write(json, inner);
    json.end().end();
}

}  // namespace

std::string completion_script(std::string_view shell, const CommandInfo& root) {
    std::vector<const CommandInfo*> all;
    flatten(root, all);
    if (shell == "bash") return bash(all);
    if (shell == "zsh") return zsh(all);
    if (shell == "fish") return fish(all);
    base::JsonWriter json;
    write(json, root);
    return std::move(json).text() + "\n";
}

}  // namespace offhook::cli

#include "config/toml_reader.h"

#include <toml++/toml.h>

#include <sstream>

#include "base/escape.h"

namespace offhook::config {
namespace {

int line_of(const toml::node& node) {
    return static_cast<int>(node.source().begin.line);
}

std::optional<Value> value_of(const toml::node& node) {
    if (const auto* b = node.as_boolean()) return Value(b->get());
    if (const auto* i = node.as_integer()) return Value(i->get());
    if (const auto* f = node.as_floating_point()) return Value(f->get());
    if (const auto* s = node.as_string()) return Value(s->get());
    const auto* array = node.as_array();
    if (array == nullptr) return std::nullopt;
    std::vector<std::string> items;
    for (const toml::node& item : *array) {
        if (!item.is_string()) return std::nullopt;
        items.push_back(item.as_string()->get());
    }
    return Value(std::move(items));
}

std::string type_name(const toml::node& node) {
    std::ostringstream out;
    out << node.type();
    return out.str();
}

TomlEntry entry_of(std::string_view key, const toml::node& node) {
    TomlEntry entry{std::string(key), value_of(node), type_name(node), line_of(node)};
    if (node.is_array() && !entry.value) entry.type = "list of something other than strings";
    return entry;
}

// The table, and behind it the lists of tables in it as sections of their own ("web.ice_server").
void add_table(std::vector<TomlTable>& tables,
               const std::string& section,
               const toml::table& table,
               bool is_array_element) {
    tables.push_back({section, is_array_element, line_of(table), {}});
    const std::size_t own = tables.size() - 1;
    for (const auto& [key, node] : table) {
        const bool is_list = node.is_array_of_tables();
        if (!is_list) {
            tables[own].entries.push_back(entry_of(key.str(), node));
            continue;
        }
        for (const toml::node& item : *node.as_array())
            add_table(tables, section + "." + std::string(key.str()), *item.as_table(), true);
    }
}

}  // namespace

base::Result<std::vector<TomlTable>> read_toml(std::string_view text, std::string_view name) {
    toml::table root;
    try {
        root = toml::parse(text);
    } catch (const toml::parse_error& e) {
        std::ostringstream where;
        where << name << ':' << e.source().begin.line << ':' << e.source().begin.column << ": "
              << base::escape_untrusted(e.description());
        return base::fail(base::ErrorCode::Malformed, where.str());
    }
    std::vector<TomlTable> tables;
    TomlTable loose;
    for (const auto& [key, node] : root) {
        if (const auto* table = node.as_table()) {
            add_table(tables, std::string(key.str()), *table, false);
        } else if (const auto* array = node.as_array();
                   array != nullptr && node.is_array_of_tables()) {
            for (const toml::node& item : *array) {
                add_table(tables, std::string(key.str()), *item.as_table(), true);
            }
        } else {
            loose.entries.push_back(entry_of(key.str(), node));
        }
    }
    if (!loose.entries.empty()) tables.push_back(std::move(loose));
    return tables;
}

base::Result<Value> read_toml_value(std::string_view text) {
    const auto refuse = [&](const std::string& why) {
        const std::string shown = base::escape_untrusted(text, 120);
        std::string hint;
        if (text.find_first_of("\"'[]{}\n") == std::string_view::npos)
            hint = "; a text needs quotes: \"" + shown + "\"";
        return base::fail(base::ErrorCode::Malformed, why + hint);
    };
    try {
        const toml::table table = toml::parse("value = " + std::string(text));
        const toml::node* node = table.get("value");
        if (table.size() != 1 || node == nullptr) return refuse("is more than one TOML value");
        if (auto value = value_of(*node)) return *std::move(value);
        return refuse("is a " + type_name(*node) + ", which no key takes");
    } catch (const toml::parse_error&) {
        return refuse("is not a TOML value");
    }
}

}  // namespace offhook::config

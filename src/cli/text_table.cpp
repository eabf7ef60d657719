#include "cli/text_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/escape.h"
#include "base/json_writer.h"

namespace offhook::cli {
namespace {

constexpr std::size_t kMaxValueBytes = 300;
constexpr int kIndentStep = 2;

/// Code points: what a terminal gives a place each, more or less.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned>(c) & 0xC0U) != 0x80U;
    }));
}

std::string line(const std::string& name, const std::string& value, int indent, std::size_t wide) {
    const std::size_t name_bytes = std::max(wide, name.size());
    return std::string(static_cast<std::size_t>(indent), ' ') + name +
           std::string(name_bytes - name.size() + 2, ' ') + value + "\n";
}

}  // namespace

std::string TextTable::text() const {
    std::vector<std::size_t> widths(rows_.front().size(), 0);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    }
    std::string out;
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            out += row[i];
            if (i + 1 < row.size()) out.append(widths[i] - width(row[i]) + 2, ' ');
        }
        out += '\n';
    }
    return out;
}

std::string shown(const glib::JsonBody& object, const char* name, std::size_t max_bytes) {
    if (const auto text = object.text(name))
        return text->empty() ? "-" : base::escape_untrusted(*text, max_bytes);
    if (const auto yes = object.boolean(name)) return *yes ? "yes" : "no";
    if (const auto whole = object.whole(name)) return std::to_string(*whole);
    if (const auto number = object.number(name)) return base::short_number(*number);
    return "-";
}

std::string duration_text(double ms) {
    if (!(ms >= 0)) return "-";
    const long long seconds = std::llround(std::floor(ms / 1000));
    char text[48];
    if (seconds < 3600) {
        std::snprintf(text, sizeof text, "%lld:%02lld", seconds / 60, seconds % 60);
    } else {
        std::snprintf(text,
                      sizeof text,
                      "%lld:%02lld:%02lld",
                      seconds / 3600,
                      seconds / 60 % 60,
                      seconds % 60);
    }
    return text;
}

std::string number_text(const glib::JsonBody& object, const char* name, int decimals) {
    const auto number = object.number(name);
    if (!number) return "-";
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", decimals, *number);
    return text;
}

std::string members_text(const glib::JsonBody& object, int indent) {
    const std::vector<std::string> names = object.names();
    std::size_t wide = 0;
    for (const std::string& name : names) wide = std::max(wide, name.size());
    wide = std::min<std::size_t>(wide, 32);
    const std::string margin(static_cast<std::size_t>(indent), ' ');
    std::string out;
    for (const std::string& name : names) {
        const std::string safe = base::escape_untrusted(name, 64);
        if (const auto inner = object.object(name.c_str())) {
            out += margin + safe + "\n" + members_text(*inner, indent + kIndentStep);
        } else if (const auto all = object.objects(name.c_str()); !all.empty()) {
            for (std::size_t i = 0; i < all.size(); ++i) {
                out += margin + safe + " " + std::to_string(i + 1) + "\n" +
                       members_text(all[i], indent + kIndentStep);
            }
        } else if (const auto texts = object.texts(name.c_str()); !texts.empty()) {
            std::string joined;
            for (const std::string& text : texts)
                joined += (joined.empty() ? "" : ", ") + base::escape_untrusted(text, 64);
            out += line(safe, joined, indent, wide);
        } else {
            out += line(safe, shown(object, name.c_str(), kMaxValueBytes), indent, wide);
        }
    }
    return out;
}

}  // namespace offhook::cli

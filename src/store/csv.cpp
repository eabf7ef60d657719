#include "store/csv.h"

#include "base/json_writer.h"
#include "base/timestamp.h"

namespace offhook::store {
namespace {

std::string quoted(std::string_view text) {
    const bool is_formula =
        !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
    if (!is_formula && text.find_first_of(",\"\r\n") == std::string_view::npos)
        return std::string(text);
    std::string out = is_formula ? "\"'" : "\"";
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + '"';
}

std::string text_of(const Column& column, const Cell& cell) {
    if (const auto* text = std::get_if<std::string_view>(&cell)) return quoted(*text);
    if (const auto* number = std::get_if<double>(&cell)) return base::short_number(*number);
    if (const auto* whole = std::get_if<std::int64_t>(&cell)) {
        return column.kind == Column::Kind::Time ? base::rfc3339_utc_ms(*whole)
                                                 : std::to_string(*whole);
    }
    return {};
}

template <class Field>
std::string line_of(Field field) {
    std::string line;
    bool is_first = true;
    for (const Column& column : columns()) {
        if (!std::exchange(is_first, false)) line += ',';
        line += field(column);
    }
    return line + "\r\n";
}

}  // namespace

std::string csv_header() {
    return line_of([](const Column& column) { return std::string(label_of(column)); });
}

std::string csv_line(const CallRecord& record) {
    return line_of([&](const Column& column) { return text_of(column, cell_of(record, column)); });
}

}  // namespace offhook::store

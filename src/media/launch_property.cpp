#include "media/launch_property.h"

#include <gst/gst.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "config/nearest.h"
#include "glib/ref.h"

namespace offhook::media {
namespace {

std::string number_text(double value) {
    if (value >= std::numeric_limits<double>::max()) return "unlimited";
    if (value <= std::numeric_limits<double>::lowest()) return "unlimited";
    if (value >= static_cast<double>(std::numeric_limits<float>::max())) return "unlimited";
    if (value <= static_cast<double>(std::numeric_limits<float>::lowest())) return "unlimited";
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(text, sizeof text, "%.9g", value);
    return text;
}

std::string range_text(const std::string& low, const std::string& high) {
    return "from " + low + " to " + high;
}

LaunchComplaint not_a(const std::string& assignment,
                      std::string_view kind,
                      const std::string& range) {
    return {assignment + " is not " + std::string(kind), range};
}

LaunchComplaint out_of_range(const std::string& assignment, const std::string& range) {
    return {assignment + " is out of range", range};
}

/// Decimal or 0x hexadecimal, the whole text. `negative` and `magnitude` so that one reader serves
/// all widths.
struct Integer {
    bool negative = false;
    std::uint64_t magnitude = 0;
    bool too_large = false;
};
std::optional<Integer> read_integer(std::string_view text) {
    Integer number;
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
        number.negative = text.front() == '-';
        text.remove_prefix(1);
    }
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text.front() == '0') {
        return std::nullopt;  // GStreamer would read it as octal
    }
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number.magnitude, base);
    if (stopped != end || error == std::errc::invalid_argument) return std::nullopt;
    number.too_large = error == std::errc::result_out_of_range;
    if (number.magnitude == 0) number.negative = false;
    return number;
}

template <class Spec>
std::optional<LaunchComplaint> check_signed(const std::string& assignment,
                                            const std::string& value,
                                            const Spec* spec) {
    const std::string range =
        range_text(std::to_string(spec->minimum), std::to_string(spec->maximum));
    const auto number = read_integer(value);
    if (!number) return not_a(assignment, "a whole number", range);
    constexpr std::uint64_t kTop =
        static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const std::uint64_t bound = number->negative ? kTop + 1 : kTop;
    if (number->too_large || number->magnitude > bound) return out_of_range(assignment, range);
    const std::int64_t exact = number->negative ? static_cast<std::int64_t>(~number->magnitude + 1)
                                                : static_cast<std::int64_t>(number->magnitude);
    if (exact < spec->minimum || exact > spec->maximum) return out_of_range(assignment, range);
    return std::nullopt;
}

template <class Spec>
std::optional<LaunchComplaint> check_unsigned(const std::string& assignment,
                                              const std::string& value,
                                              const Spec* spec) {
    const std::string range =
        range_text(std::to_string(spec->minimum), std::to_string(spec->maximum));
    const auto number = read_integer(value);
    if (!number) return not_a(assignment, "a whole number", range);
    if (number->negative || number->too_large || number->magnitude < spec->minimum ||
        number->magnitude > spec->maximum) {
        return out_of_range(assignment, range);
    }
    return std::nullopt;
}

template <class Spec>
std::optional<LaunchComplaint> check_real(const std::string& assignment,
                                          const std::string& value,
                                          const Spec* spec) {
    const auto low = static_cast<double>(spec->minimum);
    const auto high = static_cast<double>(spec->maximum);
    const std::string range = range_text(number_text(low), number_text(high));
    char* end = nullptr;
    const double number = g_ascii_strtod(value.c_str(), &end);
    if (value.empty() || *end != '\0' || std::isnan(number))
        return not_a(assignment, "a number", range);
    if (!(number >= low && number <= high)) return out_of_range(assignment, range);
    return std::nullopt;
}

std::optional<LaunchComplaint> check_enum(const std::string& assignment,
                                          const std::string& value,
                                          GEnumClass* values) {
    std::string known = "one of:";
    for (guint i = 0; i < values->n_values; ++i) {
        const GEnumValue& one = values->values[i];
        if (value == one.value_nick || value == one.value_name ||
            value == std::to_string(one.value)) {
            return std::nullopt;
        }
        known += " " + std::string(one.value_nick);
    }
    return not_a(assignment, "a known value", known);
}

std::optional<LaunchComplaint> check_flags(const std::string& assignment,
                                           const std::string& value,
                                           GFlagsClass* flags) {
    std::string known = "joined by '+':";
    for (guint i = 0; i < flags->n_values; ++i)
        known += " " + std::string(flags->values[i].value_nick);
    std::string_view rest = value;
    while (true) {
        const std::size_t end = std::min(rest.find('+'), rest.size());
        const std::string word(rest.substr(0, end));
        bool is_known = false;
        for (guint i = 0; i < flags->n_values; ++i) {
            is_known = is_known || word == flags->values[i].value_nick ||
                       word == flags->values[i].value_name;
        }
        if (!is_known) return not_a(assignment, "made of known flags", known);
        if (end == rest.size()) return std::nullopt;
        rest.remove_prefix(end + 1);
    }
}

/// Caps, structures, fractions, arrays: whatever GStreamer itself can read from text.
std::optional<LaunchComplaint> check_other(const std::string& assignment,
                                           const std::string& value,
                                           GParamSpec* spec) {
    GValue parsed = G_VALUE_INIT;
    g_value_init(&parsed, spec->value_type);
    std::optional<LaunchComplaint> complaint;
    if (!gst_value_deserialize_with_pspec(&parsed, value.c_str(), spec)) {
        complaint =
            not_a(assignment, "a value of type " + std::string(g_type_name(spec->value_type)), {});
    } else if (g_param_value_validate(spec, &parsed)) {
        complaint = out_of_range(assignment, "see gst-inspect-1.0");
    }
    g_value_unset(&parsed);
    return complaint;
}

std::optional<LaunchComplaint> check_by_type(const std::string& assignment,
                                             const std::string& value,
                                             GParamSpec* spec) {
    switch (G_TYPE_FUNDAMENTAL(spec->value_type)) {
        case G_TYPE_INT:
            return check_signed(assignment, value, G_PARAM_SPEC_INT(spec));
        case G_TYPE_LONG:
            return check_signed(assignment, value, G_PARAM_SPEC_LONG(spec));
        case G_TYPE_INT64:
            return check_signed(assignment, value, G_PARAM_SPEC_INT64(spec));
        case G_TYPE_UINT:
            return check_unsigned(assignment, value, G_PARAM_SPEC_UINT(spec));
        case G_TYPE_ULONG:
            return check_unsigned(assignment, value, G_PARAM_SPEC_ULONG(spec));
        case G_TYPE_UINT64:
            return check_unsigned(assignment, value, G_PARAM_SPEC_UINT64(spec));
        case G_TYPE_FLOAT:
            return check_real(assignment, value, G_PARAM_SPEC_FLOAT(spec));
        case G_TYPE_DOUBLE:
            return check_real(assignment, value, G_PARAM_SPEC_DOUBLE(spec));
        case G_TYPE_BOOLEAN:
            if (value == "true" || value == "false") return std::nullopt;
            return not_a(assignment, "true or false", {});
        case G_TYPE_ENUM:
            return check_enum(assignment, value, G_PARAM_SPEC_ENUM(spec)->enum_class);
        case G_TYPE_FLAGS:
            return check_flags(assignment, value, G_PARAM_SPEC_FLAGS(spec)->flags_class);
        case G_TYPE_STRING:
            return std::nullopt;
        case G_TYPE_OBJECT:
        case G_TYPE_POINTER:
        case G_TYPE_INTERFACE:
            return LaunchComplaint{assignment + " cannot be set from text", "it takes an object"};
        default:
            return check_other(assignment, value, spec);
    }
}

}  // namespace

std::optional<LaunchComplaint> complain_about_value(GObject* element,
                                                    std::string_view factory,
                                                    const std::string& property,
                                                    const std::string& value) {
    GObjectClass* type = G_OBJECT_GET_CLASS(element);
    GParamSpec* spec = g_object_class_find_property(type, property.c_str());
    const std::string owner = "element \"" + std::string(factory) + "\"";
    if (spec == nullptr) {
        guint count = 0;
        const glib::Unique<GParamSpec*, g_free> all(g_object_class_list_properties(type, &count));
        std::vector<std::string_view> names;
        for (guint i = 0; i < count; ++i) names.emplace_back(all.get()[i]->name);
        const std::string_view near = config::nearest(property, names);
        return LaunchComplaint{owner + " has no property \"" + property + "\"",
                               near.empty()
                                   ? "gst-inspect-1.0 " + std::string(factory) + " lists them"
                                   : "did you mean \"" + std::string(near) + "\"?"};
    }
    if ((spec->flags & G_PARAM_WRITABLE) == 0) {
        return LaunchComplaint{"property \"" + property + "\" of " + owner + " can only be read",
                               "leave it out"};
    }
    return check_by_type(std::string(factory) + " " + property + "=" + value, value, spec);
}

}  // namespace offhook::media

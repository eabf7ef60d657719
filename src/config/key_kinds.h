#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json_writer.h"
#include "config/keys.h"
#include "config/value.h"

/// The kinds of keys that the tables are made of; each checks, stores and shows one value.
namespace offhook::config::kind {

using Check = std::string (*)(const std::string&);

// The end of every line of the table: which unit, what is allowed, what it is for.
struct Words {
    std::string_view unit;
    std::string range;
    std::string_view description;
};

template <class T>
using Names = std::vector<std::pair<std::string_view, T>>;

inline std::string joined(const std::vector<std::string_view>& names) {
    std::string out;
    for (const std::string_view name : names) {
        if (!out.empty()) out += ", ";
        out += name;
    }
    return out;
}

inline std::string type_problem(std::string_view wanted, const Value& value) {
    return "must be " + with_article(wanted) + ", not " + with_article(type_of(value));
}

template <class T, class Ref>
Key<T> whole(std::string_view section, std::string_view name, Ref ref, int min, int max, Words w) {
    const std::string range = std::to_string(min) + " to " + std::to_string(max);
    return {
        section,
        name,
        "whole number",
        std::string(w.unit),
        w.range.empty() ? range : range + "; " + w.range,
        w.description,
        [ref, min, max, range, unit = std::string(w.unit)](T& c, const Value& v) -> std::string {
            const auto* number = std::get_if<std::int64_t>(&v);
            if (number == nullptr) return type_problem("whole number", v);
            if (*number < min || *number > max) {
                return "must be " + range + (unit.empty() ? "" : " " + unit);
            }
            ref(c) = static_cast<int>(*number);
            return {};
        },
        [ref](const T& c) { return Value(std::int64_t{ref(const_cast<T&>(c))}); }};
}

template <class T, class Ref>
Key<T> number(
    std::string_view section, std::string_view name, Ref ref, double min, double max, Words w) {
    const std::string range = base::short_number(min) + " to " + base::short_number(max);
    return {
        section,
        name,
        "number",
        std::string(w.unit),
        range,
        w.description,
        [ref, min, max, range, unit = std::string(w.unit)](T& c, const Value& v) -> std::string {
            double given = 0;
            if (const auto* i = std::get_if<std::int64_t>(&v)) {
                given = static_cast<double>(*i);
            } else if (const auto* d = std::get_if<double>(&v)) {
                given = *d;
            } else {
                return type_problem("number", v);
            }
            // Written so that nan fails as well.
            if (!(given >= min && given <= max)) {
                return "must be " + range + (unit.empty() ? "" : " " + unit);
            }
            ref(c) = given;
            return {};
        },
        [ref](const T& c) { return Value(ref(const_cast<T&>(c))); }};
}

template <class T, class Ref>
Key<T> yes_no(std::string_view section, std::string_view name, Ref ref, Words w) {
    return {section,
            name,
            "true or false",
            "",
            "",
            w.description,
            [ref](T& c, const Value& v) -> std::string {
                const auto* yes = std::get_if<bool>(&v);
                if (yes == nullptr) return "must be true or false";
                ref(c) = *yes;
                return {};
            },
            [ref](const T& c) { return Value(ref(const_cast<T&>(c))); }};
}

template <class T, class Ref>
Key<T> text(std::string_view section, std::string_view name, Ref ref, Check good, Words w) {
    return {section,
            name,
            "string",
            std::string(w.unit),
            std::move(w.range),
            w.description,
            [ref, good](T& c, const Value& v) -> std::string {
                const auto* given = std::get_if<std::string>(&v);
                if (given == nullptr) return type_problem("string", v);
                if (std::string problem = good(*given); !problem.empty()) return problem;
                ref(c) = *given;
                return {};
            },
            [ref](const T& c) { return Value(ref(const_cast<T&>(c))); }};
}

// A string out of a fixed set, kept as E (an enumerator, or the string itself).
template <class T, class E, class Ref>
Key<T> choice(std::string_view section, std::string_view name, Ref ref, Names<E> names, Words w) {
    std::vector<std::string_view> words;
    for (const auto& [word, e] : names) words.push_back(word);
    const std::string range = joined(words);
    return {section,
            name,
            "string",
            "",
            range,
            w.description,
            [ref, names, range](T& c, const Value& v) -> std::string {
                const auto* given = std::get_if<std::string>(&v);
                if (given == nullptr) return type_problem("string", v);
                for (const auto& [word, e] : names) {
                    if (word != *given) continue;
                    ref(c) = e;
                    return {};
                }
                return "must be one of " + range;
            },
            [ref, names](const T& c) {
                for (const auto& [word, e] : names) {
                    if (e == ref(const_cast<T&>(c))) return Value(std::string(word));
                }
                return Value(std::string());
            }};
}

struct Count {
    std::size_t min, max;
};

template <class T, class Ref>
Key<T> texts(
    std::string_view section, std::string_view name, Ref ref, Count count, Check good, Words w) {
    return {section,
            name,
            "list of strings",
            "",
            std::move(w.range),
            w.description,
            [ref, count, good](T& c, const Value& v) -> std::string {
                const auto* given = std::get_if<std::vector<std::string>>(&v);
                if (given == nullptr) return type_problem("list of strings", v);
                if (given->size() < count.min || given->size() > count.max) {
                    return "must have " + std::to_string(count.min) + " to " +
                           std::to_string(count.max) + " entries";
                }
                for (std::size_t i = 0; i < given->size(); ++i) {
                    const std::string& item = (*given)[i];
                    if (std::string problem = good(item); !problem.empty()) {
                        return "entry " + text_of(Value(item)) + " " + problem;
                    }
                    if (std::find(given->begin(),
                                  given->begin() + static_cast<std::ptrdiff_t>(i),
                                  item) != given->begin() + static_cast<std::ptrdiff_t>(i)) {
                        return "has " + text_of(Value(item)) + " twice";
                    }
                }
                ref(c) = *given;
                return {};
            },
            [ref](const T& c) { return Value(ref(const_cast<T&>(c))); }};
}

}  // namespace offhook::config::kind

#pragma once

#include <algorithm>
#include <charconv>
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

// A whole number out of a few.
template <class T, class Ref>
Key<T> whole_of(std::string_view section,
                std::string_view name,
                Ref ref,
                std::vector<std::int64_t> allowed,
                Words w) {
    std::string list;
    for (const std::int64_t each : allowed)
        list += (list.empty() ? "" : ", ") + std::to_string(each);
    return {section,
            name,
            "whole number",
            std::string(w.unit),
            w.range.empty() ? list : list + "; " + w.range,
            w.description,
            [ref, allowed, list](T& c, const Value& v) -> std::string {
                const auto* number = std::get_if<std::int64_t>(&v);
                if (number == nullptr) return type_problem("whole number", v);
                if (std::find(allowed.begin(), allowed.end(), *number) == allowed.end())
                    return "must be one of " + list;
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

// "FIRST-LAST". `or_empty`: nothing stands for 0 and 0.
template <class T, class First, class Last>
Key<T> ports(std::string_view section,
             std::string_view name,
             First first_ref,
             Last last_ref,
             bool or_empty,
             Words w) {
    return {
        section,
        name,
        "string",
        std::string(w.unit),
        std::move(w.range),
        w.description,
        [first_ref, last_ref, or_empty](T& c, const Value& v) -> std::string {
            const std::string wanted =
                std::string(or_empty ? "must be empty or" : "must be") +
                " \"FIRST-LAST\" within 1024 to 65535 with an even FIRST and room for a "
                "pair, such as \"20000-29999\"";
            const auto* given = std::get_if<std::string>(&v);
            if (given == nullptr) return wanted;
            unsigned first = 0;
            unsigned last = 0;
            if (!given->empty() || !or_empty) {
                const char* const end = given->data() + given->size();
                const auto a = std::from_chars(given->data(), end, first);
                if (a.ec != std::errc{} || a.ptr == end || *a.ptr != '-') return wanted;
                const auto b = std::from_chars(a.ptr + 1, end, last);
                if (b.ec != std::errc{} || b.ptr != end) return wanted;
                if (first < 1024 || last > 65535 || first % 2 != 0 || last <= first) return wanted;
            }
            first_ref(c) = static_cast<std::uint16_t>(first);
            last_ref(c) = static_cast<std::uint16_t>(last);
            return {};
        },
        [first_ref, last_ref](const T& c) {
            T& read = const_cast<T&>(c);
            if (first_ref(read) == 0) return Value(std::string());
            return Value(std::to_string(first_ref(read)) + "-" + std::to_string(last_ref(read)));
        }};
}

inline std::vector<model::Codec> all_codecs() {
    std::vector<model::Codec> all;
    for (const model::CodecFacts& facts : model::kCodecs) all.push_back(facts.codec);
    return all;
}

// One or more of `known`, each once.
template <class T, class Ref>
Key<T> codecs(std::string_view section,
              std::string_view name,
              Ref ref,
              const std::vector<model::Codec>& known,
              std::string_view description) {
    std::vector<std::string_view> words;
    for (const model::Codec codec : known) words.push_back(model::facts_of(codec).name);
    const std::string names = joined(words);
    return {section,
            name,
            "list of strings",
            "",
            "one or more of " + names,
            description,
            [ref, known, names](T& c, const Value& v) -> std::string {
                const auto* given = std::get_if<std::vector<std::string>>(&v);
                if (given == nullptr) return type_problem("list of strings", v);
                if (given->empty()) return "must name at least one of " + names;
                std::vector<model::Codec> chosen;
                for (const std::string& word : *given) {
                    const auto codec = model::codec_by_name(word);
                    if (!codec || std::find(known.begin(), known.end(), *codec) == known.end())
                        return "has " + text_of(Value(word)) + "; known are " + names;
                    if (std::find(chosen.begin(), chosen.end(), *codec) != chosen.end())
                        return "has " + text_of(Value(word)) + " twice";
                    chosen.push_back(*codec);
                }
                ref(c) = std::move(chosen);
                return {};
            },
            [ref](const T& c) {
                std::vector<std::string> texts;
                for (const model::Codec codec : ref(const_cast<T&>(c)))
                    texts.emplace_back(model::facts_of(codec).name);
                return Value(std::move(texts));
            }};
}

}  // namespace offhook::config::kind

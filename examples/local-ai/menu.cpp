#include "menu.h"

#include <vector>

#include "dialogue.h"
#include "sentences.h"

namespace offhook::local_ai {
namespace {

constexpr std::string_view kHeader = "#JSGF V1.0;\ngrammar kitchen;\n";

std::string rule(std::string_view name, const std::vector<std::string>& alternatives) {
    std::string text = "<" + std::string(name) + "> = ";
    for (const std::string& one : alternatives)
        text += (&one == &alternatives.front() ? "" : " | ") + one;
    return text + ";\n";
}

template <class List>
std::vector<std::string> texts(const List& list) {
    return {list.begin(), list.end()};
}

/// The rule <item> and those it needs: "one small pizza with spinach", "a dozen pancakes with ...".
std::string item_rules() {
    std::vector<std::string> one;
    std::vector<std::string> many;
    for (const Dish& dish : kDishes) {
        one.emplace_back(dish.one);
        many.emplace_back(dish.many);
    }
    return rule("item", {"(one <size> <dish> | <count> <size> <dishes>) with <topping>"}) +
           rule("count", texts(kCounts)) + rule("size", texts(kSizes)) + rule("dish", one) +
           rule("dishes", many) + rule("topping", texts(kToppings));
}

}  // namespace

std::string menu_sentence() {
    std::string text = "Today we have";
    for (const Dish& dish : kDishes) {
        const bool is_last = &dish == &kDishes.back();
        text += (is_last ? " and " : " ") + std::string(dish.many) + (is_last ? "." : ",");
    }
    return text;
}

std::string caller_grammar() {
    std::vector<std::string> sayings{"[" + std::string(kWouldLike) + "] <item>"};
    for (const Phrase& phrase : kPhrases) sayings.emplace_back(phrase.words);
    return std::string(kHeader) + "public " + rule("saying", sayings) + item_rules();
}

std::string answer_grammar() {
    std::vector<std::string> sayings;
    for (const std::string_view whole : {kGreeting,
                                         kNotUnderstood,
                                         kOpeningHours,
                                         kNothingOrdered,
                                         kCancelled,
                                         kTooMuch,
                                         kListening,
                                         kGoodbye})
        sayings.push_back(plain_words(whole));
    sayings.push_back(plain_words(menu_sentence()));
    sayings.push_back("<item> " + plain_words(kAnythingElse));
    sayings.push_back(plain_words(kOrderBefore) + " <item> [and <item>] " +
                      plain_words(kOrderBehind));
    sayings.push_back(plain_words(kItIs) +
                      " (/12/ <minutes> (after | before) <hour> | /1/ <hour> o'clock) <part>");
    return std::string(kHeader) + "public " + rule("saying", sayings) + item_rules() +
           rule("minutes", texts(kMinutes)) + rule("hour", texts(kHours)) +
           rule("part", texts(kDayParts));
}

}  // namespace offhook::local_ai

#pragma once

#include <array>
#include <string>
#include <string_view>

/// The words of the telephone kitchen. Each was chosen by trial (trial.py, README.md): it survives
/// G.711, and pocketsphinx tells it from its neighbours. Digits do not, nor do many short words:
/// "seven" is heard as "eleven", "pizzas" as "burritos".
namespace offhook::local_ai {

inline constexpr std::array<std::string_view, 5> kCounts{
    "two", "three", "five", "eleven", "a dozen"};
inline constexpr std::array<std::string_view, 4> kSizes{"small", "medium", "large", "enormous"};

struct Dish {
    std::string_view one, many;
};
inline constexpr std::array<Dish, 6> kDishes{{{"pizza", "pizzas"},
                                              {"hamburger", "hamburgers"},
                                              {"sandwich", "sandwiches"},
                                              {"pancake", "pancakes"},
                                              {"chicken salad", "chicken salads"},
                                              {"vegetable soup", "vegetable soups"}}};
inline constexpr std::array<std::string_view, 7> kToppings{
    "mushrooms", "pineapple", "tomatoes", "cucumber", "broccoli", "spinach", "avocado"};

/// What a caller can want beside an order.
enum class Wish { Time, Hours, Menu, Ready, Cancel, Again, Quiet, Goodbye };
struct Phrase {
    Wish wish;
    std::string_view words;
};
inline constexpr std::array<Phrase, 9> kPhrases{{
    {Wish::Time, "what time is it now please"},
    {Wish::Time, "could you tell me the time please"},
    {Wish::Hours, "what are your opening hours"},
    {Wish::Menu, "what is on the menu today"},
    {Wish::Ready, "that would be everything thank you"},
    {Wish::Cancel, "please cancel my order"},
    {Wish::Again, "i did not understand you"},
    {Wish::Quiet, "please stop talking"},
    {Wish::Goodbye, "goodbye and thank you very much"},
}};

/// JSGF of what a caller can say: a phrase of kPhrases, or an order as "two large pizzas with
/// mushrooms".
[[nodiscard]] std::string caller_grammar();

/// JSGF of what the bot says, so that its answers can be recognised at the other end.
[[nodiscard]] std::string answer_grammar();

}  // namespace offhook::local_ai

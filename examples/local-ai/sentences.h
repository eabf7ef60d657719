#pragma once

#include <array>
#include <string>
#include <string_view>

/// What the bot says, as it says it; the answers' grammar is made of the same.
namespace offhook::local_ai {

inline constexpr std::string_view kWouldLike = "i would like";  ///< the caller, before an order

inline constexpr std::string_view kGreeting =
    "Welcome to the telephone kitchen. Ask me for the time, or order something.";
inline constexpr std::string_view kNotUnderstood =
    "I am sorry, I did not understand. Ask me what is on the menu.";
inline constexpr std::string_view kOpeningHours =
    "We are open every day, from eleven in the morning until midnight.";
inline constexpr std::string_view kNothingOrdered = "You have not ordered anything yet.";
inline constexpr std::string_view kCancelled = "Your order is cancelled. What else can I do?";
inline constexpr std::string_view kTooMuch =
    "The kitchen is small. Please finish this order before the next.";
inline constexpr std::string_view kListening = "All right, I am listening.";
inline constexpr std::string_view kGoodbye = "Thank you for calling the kitchen. Goodbye.";
inline constexpr std::string_view kAnythingElse = "Would you like anything else?";
inline constexpr std::string_view kOrderBefore = "Your order of";
inline constexpr std::string_view kOrderBehind = "will be ready in twenty minutes.";

inline constexpr std::string_view kItIs = "It is now";
inline constexpr std::array<std::string_view, 6> kMinutes{"five minutes",
                                                          "ten minutes",
                                                          "a quarter",
                                                          "twenty minutes",
                                                          "twenty five minutes",
                                                          "half an hour"};
inline constexpr std::array<std::string_view, 12> kHours{"twelve",
                                                         "one",
                                                         "two",
                                                         "three",
                                                         "four",
                                                         "five",
                                                         "six",
                                                         "seven",
                                                         "eight",
                                                         "nine",
                                                         "ten",
                                                         "eleven"};
inline constexpr std::array<std::string_view, 4> kDayParts{
    "in the morning", "in the afternoon", "in the evening", "at night"};

/// All dishes; long enough to be interrupted.
[[nodiscard]] std::string menu_sentence();

}  // namespace offhook::local_ai

#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/value.h"

namespace offhook::config {

/// One key of one section: everything the loader, `config show` and docs/configuration.md need to
/// know.
/// @tparam T what holds it: Config for plain sections, Ai and Route for `[[ai]]` and so on
template <class T>
struct Key {
    std::string_view section, name;
    std::string_view type;  ///< as in `type_of`
    std::string unit;       ///< empty: none
    std::string range;      ///< what is allowed, in words
    std::string_view description;
    /// Checks and stores; returns what is wrong in words ("must be 0 to 60000"), empty when all is
    /// well.
    std::function<std::string(T&, const Value&)> set;
    std::function<Value(const T&)> get;
};

[[nodiscard]] const std::vector<Key<Config>>& section_keys();
[[nodiscard]] const std::vector<Key<Token>>& token_keys();
[[nodiscard]] const std::vector<Key<Ai>>& ai_keys();
[[nodiscard]] const std::vector<Key<Ai::Header>>& ai_header_keys();
[[nodiscard]] const std::vector<Key<Ai::Parameter>>& ai_parameter_keys();
[[nodiscard]] const std::vector<Key<Prompt>>& prompt_keys();
[[nodiscard]] const std::vector<Key<Channel>>& channel_keys();
[[nodiscard]] const std::vector<Key<Webhook>>& webhook_keys();
[[nodiscard]] const std::vector<Key<Route>>& route_keys();
[[nodiscard]] const std::vector<Key<Account>>& account_keys();
[[nodiscard]] const std::vector<Key<IceServer>>& ice_server_keys();

/// Names of the plain sections, in the order of the table.
[[nodiscard]] std::vector<std::string_view> section_names();

/// It needs no socket.
[[nodiscard]] bool is_built_in(AiProtocol protocol) noexcept;

/// What a configuration's enumerators are called in files and logs.
[[nodiscard]] std::string_view name_of(AiProtocol protocol) noexcept;
[[nodiscard]] std::string_view name_of(HoldMedia media) noexcept;
[[nodiscard]] std::string_view name_of(model::SrtpPolicy policy) noexcept;

}  // namespace offhook::config

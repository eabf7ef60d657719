#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::cli {

/// What the table shows.
struct AccountsTable {
    std::string text;  ///< lines with their ends, escaped
    bool is_all_well = true;
};
/// @param body  of `GET /api/v1/accounts`
/// @errors Malformed
[[nodiscard]] base::Result<AccountsTable> accounts_table(std::string_view body);

}  // namespace offhook::cli

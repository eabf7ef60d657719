#pragma once

#include <string>

#include "store/call_record.h"

namespace offhook::store {

/// The first line of the table (RFC 4180), CRLF at its end: the labels of `columns()`.
[[nodiscard]] std::string csv_header();
/// One line. Times are RFC 3339 in UTC; what is not known is empty. A text that a spreadsheet would
/// take for a formula (begins with = + - @, a tab or CR) gets an apostrophe in front.
[[nodiscard]] std::string csv_line(const CallRecord& record);

}  // namespace offhook::store

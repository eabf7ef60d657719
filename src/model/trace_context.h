#pragma once

#include <string>
#include <string_view>

namespace offhook::model {

/// The names of a call and its parts in distributed tracing (W3C Trace Context, level 1). They follow
/// from the call's id and a number of this process, so that nobody has to carry them along.
/// @thread any

/// 32 hexadecimal digits, not all zero; the last twelve are those of the call's id.
[[nodiscard]] std::string trace_id_of(std::string_view call);

/// 16 hexadecimal digits, not all zero: of the call itself with an empty `part`.
[[nodiscard]] std::string span_id_of(std::string_view call, std::string_view part = {});

/// The part of a call that its `number`th connection (from 1) to the AI `name` is.
[[nodiscard]] std::string ai_connection_part(std::string_view name, int number);

/// The value of the header `traceparent`: "00-TRACE-SPAN-01".
[[nodiscard]] std::string traceparent(std::string_view call, std::string_view part = {});

}  // namespace offhook::model

#pragma once

#include <string>

#include "harness/http.h"

namespace offhook::harness {

/// Writes an answer of Offhook down for tests/integration/openapi/answers_test.py: a line of JSON in a file of this process
/// in the folder $OFFHOOK_HTTP_LOG. Without it, and of the answers of others, nothing. Of answers that are alike in method,
/// path (but for ids) and status the first 100 are kept.
void log_answer(const std::string& method, const std::string& path, const HttpAnswer& answer);

}  // namespace offhook::harness

#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace offhook::local_ai {

/// What happened in the calls, a line each on standard output, for people or as JSON.
/// @thread any
class Transcript {
public:
    enum class What { Begins, Heard, Unclear, Says, Interrupted, Digit, Ends };

    explicit Transcript(bool is_json) : is_json_(is_json) {}

    /// @param call   id of the call, as the peer named it
    /// @param words  from the network or the grammar; escaped here
    void line(const std::string& call, What what, std::string_view words);

private:
    const bool is_json_;
    std::mutex mutex_;
};

}  // namespace offhook::local_ai

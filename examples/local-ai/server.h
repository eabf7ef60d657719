#pragma once

#include <string>

#include "recogniser.h"

namespace offhook::local_ai {

struct ServerOptions {
    std::string listen = "127.0.0.1:9090";
    std::string model = Recogniser::kModel;
    std::string voice = "en-us";
    int words_per_minute = 150;
    int workers = 0;
    int most_calls = 50;
    std::string time;  ///< "HH:MM"; empty: the clock's
    bool is_json = false;
    int ready_fd = -1;
};

/// Takes calls until SIGINT or SIGTERM. @return exit code
[[nodiscard]] int run_server(const ServerOptions& options);

/// A few things a caller may say, for --help.
[[nodiscard]] std::string example_sayings();

}  // namespace offhook::local_ai

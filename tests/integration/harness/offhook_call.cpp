#include "harness/offhook_call.h"

#include <sstream>

#include "harness/daemon.h"

namespace offhook::harness {

OffhookCall::OffhookCall(const std::string& uri, const std::vector<std::string>& arguments) {
    std::vector<std::string> argv{offhook_program(), "call", uri, "--json", "--quiet"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    process_ = std::make_unique<Process>(argv);
}

int OffhookCall::finish(milliseconds limit) {
    const int code = process_->wait(limit).value_or(-1);
    // The report is the last line; the pipe is read to its end.
    process_->wait_output(std::string(1, '\0'), seconds(5));
    return code;
}

Json OffhookCall::report() {
    std::istringstream lines(process_->output());
    std::string last;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("{")) {
            last = line;
        }
    }
    return Json(last);
}

}  // namespace offhook::harness

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/http.h"
#include "harness/process.h"

namespace offhook::harness {

/// A running `offhook call --json`.
class OffhookCall {
public:
    /// @param arguments  after the URI, for instance `{"--seconds", "10"}`
    OffhookCall(const std::string& uri, const std::vector<std::string>& arguments);

    [[nodiscard]] Process& process() { return *process_; }
    /// Exit code, or -1 when it did not end in time. The report is then complete.
    int finish(milliseconds limit);
    /// Its JSON object; invalid before `finish`.
    [[nodiscard]] Json report();
    /// What it printed, for a failure message.
    [[nodiscard]] std::string text() { return process_->output(); }

private:
    std::unique_ptr<Process> process_;
};

}  // namespace offhook::harness

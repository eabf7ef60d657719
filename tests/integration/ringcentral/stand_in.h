#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "harness/http.h"
#include "harness/process.h"

namespace offhook::harness {

/// The stand-in of RingCentral (README.md), running.
class StandIn {
public:
    /// @param folder  gets its certificates. @errors throws when it does not start
    explicit StandIn(const std::filesystem::path& folder);

    /// Steers it: `{"do":"call",...}`; what it answered.
    Json steer(const std::string& command);
    std::string text() { return http("GET", control_, "/state").body; }
    Json state() { return Json(http("GET", control_, "/state").body); }
    /// Places a call to the phone; its number here. @errors throws when nobody is registered
    int call(const std::string& plan);
    /// Waits until the call, named by its path in `state`, is as `good` wants it.
    bool call_shows(int id,
                    const std::function<bool(const Json&, const std::string&)>& good,
                    Process* alive,
                    milliseconds limit = seconds(20));
    /// Fails the test with each violation it noticed.
    void expect_no_violations();

    [[nodiscard]] const std::string& rest() const { return rest_; }
    [[nodiscard]] const std::string& ca() const { return ca_; }
    [[nodiscard]] const std::string& certificate() const { return certificate_; }
    [[nodiscard]] std::string output() { return process_->output(); }

private:
    std::unique_ptr<Process> process_;
    std::string control_, rest_, ca_, certificate_;
};

/// The tone of a call comes back from the phone, over ICE and DTLS-SRTP, and the phone sent to the
/// INVITE what the vendor's phones send, in their order. One check for both.
void expect_web_call(StandIn& stand_in, int id, Process* alive);

}  // namespace offhook::harness

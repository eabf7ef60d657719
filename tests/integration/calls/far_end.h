#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "harness/daemon.h"
#include "harness/process.h"

namespace offhook::harness {

/// The PBX and the far end of an account's calls in one SIPp: it answers REGISTER with 200, and each
/// INVITE as a behaviour's `callee.xml` says (README.md of this folder).
class FarEnd {
public:
    /// @param behaviour  a folder of tests/integration/calls
    /// @param invites    how many INVITEs of ours it will see before it is done
    FarEnd(const TempDir& folder, const std::string& behaviour, int invites = 1);

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// The tables of a daemon whose account "office" (extension 200) is on it over UDP and may call
    /// 1??: with the AIs and routes `tables`, without which "echo" answers.
    [[nodiscard]] Daemon::Options account(const std::string& tables = {}) const;
    /// True when every step came as written.
    bool succeeds(milliseconds limit = seconds(30));
    [[nodiscard]] std::string problem();

private:
    std::filesystem::path folder_;
    std::uint16_t port_ = 0;
    std::unique_ptr<Process> process_;
};

}  // namespace offhook::harness

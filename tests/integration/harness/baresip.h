#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "harness/process.h"
#include "harness/sound.h"

namespace offhook::harness {

/// A baresip that calls as soon as it runs and speaks a sound.
class Baresip {
public:
    /// @param uri    whom it calls
    /// @param codec  PCMU, PCMA, G722 or opus, the only one it offers
    Baresip(const TempDir& folder,
            const std::string& uri,
            const std::string& codec,
            const Sound& sound);

    [[nodiscard]] Process& process() { return *process_; }
    /// True once it says that the call is up.
    bool is_established(milliseconds limit = seconds(15));
    /// Hangs up and ends.
    void quit();

private:
    std::unique_ptr<Process> process_;
};

/// True when Debian's package has what that codec needs.
bool baresip_has(const std::string& codec);

}  // namespace offhook::harness

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "harness/process.h"
#include "harness/sound.h"
#include "pbx/pbx.h"

namespace offhook::harness {

/// SIPp as a phone of the PBX, over UDP: registers once, then answers one call.
class SippPhone {
public:
    /// Registers; returns when the registrar answered as expected. @errors throws when not.
    /// @param expects_refusal  a second challenge must come instead of 200
    SippPhone(const TempDir& folder,
              const Pbx& pbx,
              const std::string& user,
              const std::string& password,
              bool expects_refusal = false);

    /// Waits for a call and answers it. @param says  streamed from the answer on; empty: no packet
    /// at all
    void answer(const Sound& says);
    /// True when the call came and ended by a BYE to it; then `bye` is that request.
    bool is_hung_up(milliseconds limit);
    [[nodiscard]] std::string bye();
    [[nodiscard]] std::string problem();

private:
    std::unique_ptr<Process> start(const std::string& name, const std::string& scenario);

    std::filesystem::path folder_;
    std::uint16_t pbx_port_ = 0, port_ = 0;
    std::string user_;
    std::unique_ptr<Process> process_;
};

/// baresip as a phone of the PBX: registers, answers every call at once and says a tone.
class BaresipPhone {
public:
    /// @param media  Plain or Sdes
    BaresipPhone(const TempDir& folder,
                 const Pbx& pbx,
                 const std::string& user,
                 const std::string& password,
                 Pbx::Transport transport,
                 Pbx::Media media = Pbx::Media::Plain);

    [[nodiscard]] Process& process() { return *process_; }
    bool is_registered(milliseconds limit = seconds(15));
    /// True when the registrar refused it.
    bool is_refused(milliseconds limit = seconds(15));

private:
    std::unique_ptr<Process> process_;
};

}  // namespace offhook::harness

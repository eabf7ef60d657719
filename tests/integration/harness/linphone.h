#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "harness/process.h"
#include "harness/sound.h"

namespace offhook::harness {

/// A linphone (linphone-daemon of Debian's linphone-cli), another phone not written by us: PCMU,
/// without a sound card, ordered about over its pipe.
class Linphone {
public:
    /// ICE and DTLS-SRTP with rtcp-mux.
    static constexpr const char* kDtls = "dtls";

    /// @param protection  the only SRTP suite that it offers, over RTP/SAVP; or `kDtls`; empty:
    /// plain RTP
    Linphone(const TempDir& folder, const std::string& protection);
    ~Linphone();
    Linphone(const Linphone&) = delete;
    Linphone& operator=(const Linphone&) = delete;

    [[nodiscard]] Process& process() { return *process_; }
    /// Calls, and waits until the sound runs.
    bool call(const std::string& uri, milliseconds limit = seconds(15));
    /// Speaks a file in the call.
    bool play(const std::filesystem::path& wav);
    /// Hangs up and ends.
    void quit();

private:
    /// Its answer; empty when it gave none within 20 s (it makes its certificate first).
    std::string command(const std::string& text);

    std::string pipe_;  ///< name of its socket under /tmp, where it insists on having it
    int fd_ = -1;
    std::unique_ptr<Process> process_;
};

bool has_linphone();

}  // namespace offhook::harness

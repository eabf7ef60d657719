#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "harness/process.h"
#include "harness/sound.h"

namespace offhook::harness {

/// A baresip that calls as soon as it runs, or answers whoever calls, and speaks a sound.
class Baresip {
public:
    struct Options {
        std::string media_encryption{};  ///< "srtp", "srtp-mand", "srtp-mandf"; empty: plain RTP
        bool keeps_what_it_hears = false;
        bool is_web = false;        ///< ICE and DTLS-SRTP with rtcp-mux
        bool takes_orders = false;  ///< `order` works
        std::string transport{};    ///< "tcp"; empty: UDP
    };
    /// @param uri    whom it calls; empty: it answers
    /// @param codec  PCMU, PCMA, G722 or opus, the only one it offers
    Baresip(const TempDir& folder,
            const std::string& uri,
            const std::string& codec,
            const Sound& sound,
            const Options& options);
    Baresip(const TempDir& folder,
            const std::string& uri,
            const std::string& codec,
            const Sound& sound)
        : Baresip(folder, uri, codec, sound, Options{}) {}

    [[nodiscard]] Process& process() { return *process_; }
    /// True once it says that the call is up.
    bool is_established(milliseconds limit = seconds(15));
    /// Where it takes calls over UDP: "sip:baresip@127.0.0.1:PORT"; empty when it does not say.
    std::string uri(milliseconds limit = seconds(15));
    /// A command of its menu in the running call: "hold", "resume", "sndcode" with a digit.
    bool order(const std::string& command, const std::string& parameters = {});
    /// Hangs up and ends.
    void quit();
    /// What it decoded and would have played, of its last call; after `quit`.
    [[nodiscard]] Sound heard() const;

private:
    std::filesystem::path home_;
    std::uint16_t order_port_ = 0;
    std::unique_ptr<Process> process_;
};

/// True when Debian's package has what that codec needs.
bool baresip_has(const std::string& codec);

}  // namespace offhook::harness

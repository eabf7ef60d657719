#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "harness/process.h"
#include "pbx/control.h"

namespace offhook::harness {

/// A call that was taken from its callee and given to the voicemail.
struct Diversion {
    std::string call_id;
    double after_answer_s = 0;
};

/// The feature of the PBX that the product exists for: a thread that looks at every answered call
/// ten times a second and, when its callee has sent no media for the limit, hangs up on the callee
/// and plays the greeting to the caller, who is recorded from then on.
class NoMediaWatch {
public:
    struct Settings {
        milliseconds limit;              ///< 0: never
        double packets_hz = 1;           ///< from here on it is media
        std::uint16_t sip_port = 0;      ///< of the proxy, UDP
        std::filesystem::path greeting;  ///< WAV
    };

    /// @param log  the proxy's whole log so far; it only grows
    NoMediaWatch(Settings settings,
                 RelayControl relay,
                 ProxyControl proxy,
                 std::function<std::string()> log);
    ~NoMediaWatch();
    NoMediaWatch(const NoMediaWatch&) = delete;
    NoMediaWatch& operator=(const NoMediaWatch&) = delete;

    std::vector<Diversion> diversions();
    /// What it did, for failure messages.
    std::string report();

private:
    struct Call {
        std::map<std::string, std::string> facts;  ///< words of the answer's log line
        Clock::time_point answered_at, judged_since;
        bool is_renegotiated = false;  ///< by a re-INVITE: it may be on hold
        std::vector<std::pair<Clock::time_point, std::int64_t>> packets;  ///< from the callee

        [[nodiscard]] std::string fact(const std::string& name) const;
    };

    void run();
    void read_log();
    void note(const std::string& line);
    [[nodiscard]] bool lacks_media(Call& call);
    void divert(const Call& call);

    Settings settings_;
    RelayControl relay_;
    ProxyControl proxy_;
    std::function<std::string()> log_;
    std::size_t read_up_to_ = 0;  ///< this and the calls are the thread's alone
    std::map<std::string, Call> calls_;

    std::mutex mutex_;  ///< guards all below
    std::vector<Diversion> diversions_;
    std::string report_;
    bool is_ending_ = false;
    std::thread thread_;
};

}  // namespace offhook::harness

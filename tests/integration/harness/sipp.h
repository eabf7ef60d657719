#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/process.h"

namespace offhook::harness {

/// A UDP port of loopback that was free a moment ago. SIPp would take 5060, where somebody's own
/// server may be.
std::uint16_t free_udp_port();

/// A SIPp scenario of a caller, written step by step. SIPp fails when anything else happens.
class Scenario {
public:
    struct Media {
        std::string formats = "0 101";  ///< payload numbers of the m-line
        std::vector<std::string> attributes{
            "rtpmap:0 PCMU/8000", "rtpmap:101 telephone-event/8000", "fmtp:101 0-15", "ptime:20"};
        std::string direction = "sendrecv";
        std::string address = "[local_ip]";  ///< of the c-line
        int version = 1;                     ///< of the o-line; a re-INVITE counts on
    };

    /// @param headers  further header lines of the INVITE, each ended by `\n`
    Scenario& invite(const Media& media, const std::string& headers = {});
    Scenario& invite_without_sdp();
    /// An INVITE with this body, whatever it is.
    Scenario& invite_with_body(const std::string& content_type, const std::string& body);
    Scenario& reinvite(const Media& media);
    Scenario& receive(int status);
    /// Accepts the response when it comes before the next expected one.
    Scenario& may_receive(int status);
    /// The status must come and its message must contain this text.
    Scenario& receive_matching(int status, const std::string& regex);
    Scenario& receive_request(const std::string& method);
    /// 200 to the request just received.
    Scenario& ok();
    Scenario& ack();
    Scenario& ack_with(const Media& media);
    /// ACK of a response that is not 2xx: same branch as the INVITE.
    Scenario& ack_failure();
    Scenario& cancel();
    Scenario& bye();
    Scenario& options();
    /// A request of any method outside or inside the dialog, with Content-Length 0.
    Scenario& request(const std::string& method);
    Scenario& pause(milliseconds length);
    /// Answers every re-INVITE; goes on when none came for `quiet`. At most once in a scenario.
    Scenario& answer_reinvites(const Media& media, milliseconds quiet);
    /// Streams mu-law bytes again and again from now on.
    Scenario& stream(const std::filesystem::path& mulaw_file);
    Scenario& pause_stream();

    [[nodiscard]] std::string xml() const;

private:
    Scenario& send(const std::string& message, const std::string& attributes = {});
    Scenario& step(const std::string& element);
    [[nodiscard]] static std::string body_of(const Media& media);

    std::string steps_;
    int cseq_ = 0;
    int invite_cseq_ = 0;
    int step_ = 0;  ///< SIPp numbers its steps
    int invite_step_ = 0;
};

/// A running SIPp.
class Sipp {
public:
    struct Options {
        std::string user = "echo";
        bool is_tcp = false;
        int calls = 1;
        std::vector<std::string> arguments;
    };
    /// Starts calling 127.0.0.1:`port`.
    Sipp(const TempDir& folder, std::uint16_t port, const Scenario& scenario)
        : Sipp(folder, port, scenario, Options{}) {}
    Sipp(const TempDir& folder,
         std::uint16_t port,
         const Scenario& scenario,
         const Options& options);
    /// One of SIPp's own scenarios (`uac`, `uac_pcap`).
    Sipp(const TempDir& folder,
         std::uint16_t port,
         const std::string& builtin,
         const Options& options);

    /// A scenario in a file.
    [[nodiscard]] static Sipp from_file(const TempDir& folder,
                                        std::uint16_t port,
                                        const std::filesystem::path& scenario,
                                        const Options& options);

    [[nodiscard]] Process& process() { return *process_; }
    /// True when every step came as written. `problem` tells what did not.
    bool succeeds(milliseconds limit = seconds(60));
    [[nodiscard]] std::string problem();
    /// All messages it sent and received.
    [[nodiscard]] std::string messages();

private:
    Sipp() = default;
    void start(std::uint16_t port,
               const Options& options,
               std::vector<std::string> scenario_arguments);

    std::filesystem::path folder_;
    std::unique_ptr<Process> process_;
};

}  // namespace offhook::harness

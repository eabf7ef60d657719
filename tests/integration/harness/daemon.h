#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/http.h"
#include "harness/process.h"

namespace offhook::harness {

/// A range of RTP ports that no other test of this machine uses while the object lives.
class RtpPorts {
public:
    RtpPorts();
    ~RtpPorts();
    RtpPorts(const RtpPorts&) = delete;
    RtpPorts& operator=(const RtpPorts&) = delete;
    std::uint16_t first = 0, last = 0;

private:
    int lock_fd_ = -1;
};

/// `offhook serve` with ports chosen by the kernel, started for one test.
class Daemon {
public:
    struct Options {
        std::string sip, rtp, log;  ///< more keys of these tables, as TOML lines
        std::string more;  ///< more tables; without `[[ai]]` the built-in echo answers every call
        std::vector<std::string> arguments;  ///< more options of `serve`
        std::map<std::string, std::string> env;
        bool has_tcp = false;   ///< listens on SIP over TCP as well
        bool has_ipv6 = false;  ///< listens on udp:[::1] as well
        std::optional<std::pair<std::uint16_t, std::uint16_t>>
            ports;  ///< instead of a range of its own
    };

    explicit Daemon(const TempDir& folder) : Daemon(folder, Options{}) {}
    /// Returns when the daemon has said that it serves and its listeners are known. @errors throws.
    Daemon(const TempDir& folder, const Options& options);

    [[nodiscard]] Process& process() { return *process_; }
    [[nodiscard]] std::uint16_t sip_port() const { return udp_port_; }
    [[nodiscard]] std::uint16_t tcp_port() const { return tcp_port_; }
    [[nodiscard]] std::uint16_t ipv6_port() const { return ipv6_port_; }
    [[nodiscard]] const std::string& http_address() const { return http_address_; }
    [[nodiscard]] std::uint16_t first_rtp_port() const { return first_port_; }
    [[nodiscard]] std::uint16_t last_rtp_port() const { return last_port_; }
    [[nodiscard]] const std::filesystem::path& config_file() const { return config_file_; }
    /// `sip:user@127.0.0.1:port`
    [[nodiscard]] std::string uri(const std::string& user = "echo") const;
    /// libpcap filter for its RTP and RTCP (and SIP over UDP).
    [[nodiscard]] std::string filter() const;

    HttpAnswer get(const std::string& path) { return http("GET", http_address_, path); }
    HttpAnswer post(const std::string& path, const std::string& body = {}) {
        return http("POST", http_address_, path, body);
    }
    /// A JSON answer; invalid when the status is not 200.
    Json json(const std::string& path);

    /// Calls in the list of live calls.
    std::size_t live_calls();
    /// Waits until exactly `count` calls are live.
    bool wait_live_calls(std::size_t count, milliseconds limit = seconds(10));
    /// The id of the only live call, once there is one; empty when none came.
    std::string only_call(milliseconds limit = seconds(10));

    /// Waits for the next log line of event `name` after those already returned for it.
    std::optional<Json> wait_event(const std::string& name, milliseconds limit = seconds(10));
    /// How often the event stands in the log so far.
    std::size_t count_events(const std::string& name);

    /// Peak-free figures of /proc: resident KiB, threads, open descriptors.
    struct Footprint {
        long rss_kib = 0;
        long threads = 0;
        long descriptors = 0;
    };
    [[nodiscard]] Footprint footprint() const;

private:
    std::unique_ptr<RtpPorts> own_ports_;
    std::uint16_t first_port_ = 0, last_port_ = 0;
    std::filesystem::path config_file_;
    std::unique_ptr<Process> process_;
    std::string http_address_;
    std::uint16_t udp_port_ = 0, tcp_port_ = 0, ipv6_port_ = 0;
    std::map<std::string, std::size_t> read_up_to_;
};

/// Path of the program under test (OFFHOOK_PROGRAM).
std::string offhook_program();

}  // namespace offhook::harness

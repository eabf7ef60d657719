#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "harness/http.h"
#include "harness/process.h"
#include "harness/sound.h"
#include "pbx/control.h"
#include "pbx/no_media_watch.h"

namespace offhook::harness {

/// UDP and TCP ports of rtpengine that no other test of this machine uses while the object lives:
/// apart from those of daemons under test, since a relay that shares a port with its phone hears
/// itself.
class RelayPorts {
public:
    RelayPorts();
    ~RelayPorts();
    RelayPorts(const RelayPorts&) = delete;
    RelayPorts& operator=(const RelayPorts&) = delete;
    std::uint16_t first = 0, last = 0;

private:
    int lock_fd_ = -1;
};

/// A PBX of real parts on loopback: Kamailio as registrar and proxy, rtpengine as media relay, and
/// the diversion to voicemail of calls whose callee sends no media (README.md beside this file).
///
/// Callers from outside call `trunk_uri`, without authentication. Phones register and call at
/// `port(transport)`.
class Pbx {
public:
    enum class Transport { Udp, Tcp, Tls, Ws, Wss };
    /// What the phone is offered: RTP/AVP, RTP/SAVP with SDES, UDP/TLS/RTP/SAVPF with ICE, or what
    /// the other end wrote: then the relay stays out, also for the other end.
    enum class Media { Plain, Sdes, Dtls, Direct };
    /// What a new proxy process knows of those who registered at the old one.
    enum class Location { Kept, Lost };

    struct User {
        std::string name;
        std::string password = "white-rabbit";
        std::string auth_user = {};  ///< empty: the name
        Media media = Media::Plain;
    };

    struct Options {
        std::vector<User> users{{"alice"}};
        std::string domain = "pbx.test";  ///< also the realm
        std::string name = "pbx";         ///< of its folder, when a test has two
        /// A call whose callee sent fewer packets a second than `media_packets_hz` for this long is
        /// diverted; 0: never.
        milliseconds no_media_limit = seconds(5);
        /// One keeps RTCP from counting as media; a thousand makes every call one without.
        double media_packets_hz = 1;
        std::string algorithm = "MD5";  ///< of the digest; or SHA-256
        bool has_qop = true;
        seconds expires{60};  ///< the longest that is granted
        seconds min_expires{1};
        seconds nonce_expire{300};
        /// A new contact replaces the old one; else up to 5 ring in parallel and the next gets 503.
        bool keeps_one_contact = true;
        seconds ws_ping{20};
        /// Where calls to nobody of ours go, `127.0.0.1:port` over UDP; empty: 404.
        std::string outside = {};
        /// subjectAltName of the server's certificate.
        std::string certificate_names = "DNS:pbx.test,DNS:localhost,IP:127.0.0.1";
    };

    /// Why this machine has no PBX; empty when it has (scripts/peers unpacks it).
    static std::string missing();

    explicit Pbx(const TempDir& folder) : Pbx(folder, Options{}) {}
    /// Returns when all listeners answer. @errors throws.
    Pbx(const TempDir& folder, const Options& options);
    Pbx(const Pbx&) = delete;
    Pbx& operator=(const Pbx&) = delete;

    [[nodiscard]] std::uint16_t port(Transport transport) const;
    [[nodiscard]] std::uint16_t trunk_port() const { return trunk_port_; }
    [[nodiscard]] std::string trunk_uri(const std::string& user = "alice") const;
    [[nodiscard]] std::filesystem::path ca_file() const { return folder_ / "ca.pem"; }
    /// The server's own certificate.
    [[nodiscard]] std::filesystem::path certificate_file() const { return folder_ / "server.pem"; }
    [[nodiscard]] const Options& options() const { return options_; }
    [[nodiscard]] const std::string& password(const std::string& user) const;
    /// `[[account]]` of offhook's configuration for a user; the password lies in a file beside.
    /// @param proxy_port  0: the PBX itself; else a relay on the way to it
    [[nodiscard]] std::string account(const std::string& user,
                                      Transport transport,
                                      std::uint16_t proxy_port = 0) const;

    /// RTP of the relay, for a capture.
    [[nodiscard]] std::uint16_t first_rtp_port() const { return relay_ports_.first; }
    [[nodiscard]] std::uint16_t last_rtp_port() const { return relay_ports_.last; }
    [[nodiscard]] std::string filter() const;

    /// Contacts of a user in the location table.
    std::vector<std::string> contacts(const std::string& user);
    /// Reaches the user at this URI from now on, without registration: a static endpoint.
    void add_contact(const std::string& user, const std::string& uri);
    bool wait_registered(const std::string& user, milliseconds limit = seconds(10));
    /// REGISTER requests of the user that got 200 (un-register and refresh included), and those
    /// with a wrong password.
    std::size_t registrations(const std::string& user);
    std::size_t wrong_passwords(const std::string& user);

    /// From now on every REGISTER gets this answer, with Retry-After when it is not zero.
    void answer_registers_with(int status, seconds retry_after = seconds(0));
    void ignore_registers();
    void answer_registers();
    /// REGISTER requests that `answer_registers_with` has refused so far.
    std::size_t refused_registers();

    /// Ends the proxy: its connections are closed by the kernel. The media relay goes on.
    void stop_proxy();
    /// Starts it again on the same ports.
    void start_proxy(Location location);
    void restart(Location location) {
        stop_proxy();
        start_proxy(location);
    }

    std::vector<Diversion> diversions() { return watch_->diversions(); }
    /// Folder of what diverted callers said (pcap).
    [[nodiscard]] std::filesystem::path voicemail() const { return folder_ / "voicemail"; }
    std::optional<Diversion> wait_diversion(milliseconds limit);

    /// What the voicemail plays to a diverted caller, a tone of this frequency.
    static constexpr double kGreeting_hz = 1060;

    /// Everything Kamailio and rtpengine said, for failure messages.
    std::string log();
    /// Commands of the proxy, `ul.dump` and the like.
    ProxyControl& control() { return control_; }

private:
    [[nodiscard]] const User& find(const std::string& user) const;
    void write_configuration();
    void make_certificates();
    void start_relay();
    void launch_proxy();
    [[nodiscard]] std::string proxy_log();
    std::size_t count_lines(const std::string& start);

    Options options_;
    RelayPorts relay_ports_;
    std::filesystem::path folder_;
    std::map<Transport, std::uint16_t> ports_;
    std::uint16_t trunk_port_ = 0, relay_control_port_ = 0;
    ProxyControl control_;
    RelayControl relay_control_{0};

    std::mutex mutex_;  ///< guards these three
    std::unique_ptr<Process> relay_, proxy_;
    std::string ended_log_;  ///< of proxies that were stopped
    std::unique_ptr<NoMediaWatch> watch_;
};

}  // namespace offhook::harness

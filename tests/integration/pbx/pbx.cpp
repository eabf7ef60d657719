#include "pbx/pbx.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "pbx/sockets.h"

namespace offhook::harness {
namespace {

constexpr milliseconds kStartLimit = seconds(20);
constexpr int kStartAttempts = 3;

// Between the range of daemons by default and the kernel's ephemeral ports: 50 calls a PBX.
constexpr int kFirstRelayPort = 30000;
constexpr int kRelayPorts = 200;
constexpr int kRelaySlots = 13;

std::filesystem::path peers() {
    const char* folder = std::getenv("OFFHOOK_PEERS");
    return std::filesystem::absolute(folder != nullptr ? folder : "build/peers");
}

std::filesystem::path templates() {
    const char* folder = std::getenv("OFFHOOK_PBX_TEMPLATES");
    return folder != nullptr ? folder : "tests/integration/pbx/templates";
}

std::filesystem::path libraries() {
    for (const auto& entry : std::filesystem::directory_iterator(peers() / "usr/lib")) {
        if (std::filesystem::exists(entry.path() / "kamailio/modules")) {
            return entry.path();
        }
    }
    throw std::runtime_error("no Kamailio modules below " + peers().string());
}

/// The unpacked programs find the unpacked libraries; nothing else of the test sees them.
std::map<std::string, std::string> peer_environment() {
    const std::string folder = libraries().string();
    return {{"LD_LIBRARY_PATH", folder + ":" + folder + "/kamailio"}};
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path);
    if (!file) {
        throw std::runtime_error("cannot read " + path.string());
    }
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string replace_all(std::string text, const std::string& name, const std::string& value) {
    for (std::size_t at = text.find(name); at != std::string::npos;
         at = text.find(name, at + value.size())) {
        text.replace(at, name.size(), value);
    }
    return text;
}

const char* name_of(Pbx::Media media) {
    switch (media) {
        case Pbx::Media::Sdes:
            return "sdes";
        case Pbx::Media::Dtls:
            return "dtls";
        case Pbx::Media::Direct:
            return "direct";
        case Pbx::Media::Plain:
            break;
    }
    return "plain";
}

const char* name_of(Pbx::Transport transport) {
    switch (transport) {
        case Pbx::Transport::Tcp:
            return "tcp";
        case Pbx::Transport::Tls:
            return "tls";
        case Pbx::Transport::Ws:
            return "ws";
        case Pbx::Transport::Wss:
            return "wss";
        case Pbx::Transport::Udp:
            break;
    }
    return "udp";
}

bool accepts_tcp(std::uint16_t port) {
    const Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    return ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

std::string options_request(std::uint16_t port) {
    const std::string host = "127.0.0.1:" + std::to_string(port);
    return "OPTIONS sip:" + host + " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKup" +
           std::to_string(Clock::now().time_since_epoch().count()) +
           "\r\nMax-Forwards: 5\r\nFrom: <sip:harness@127.0.0.1>;tag=up\r\nTo: <sip:" + host +
           ">\r\nCall-ID: up\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
}

}  // namespace

RelayPorts::RelayPorts() {
    for (int slot = 0; slot < kRelaySlots; ++slot) {
        const auto path = std::filesystem::temp_directory_path() /
                          ("offhook-test-relay-" + std::to_string(slot) + ".lock");
        const int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666);
        if (fd < 0) {
            continue;  // another user's
        }
        if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
            lock_fd_ = fd;
            first = static_cast<std::uint16_t>(kFirstRelayPort + slot * kRelayPorts);
            last = static_cast<std::uint16_t>(first + kRelayPorts - 1);
            return;
        }
        ::close(fd);
    }
    throw std::runtime_error("every range of relay ports is in use by another test");
}

RelayPorts::~RelayPorts() {
    ::close(lock_fd_);
}

std::string Pbx::missing() {
    if (!std::filesystem::exists(peers() / "unpacked")) {
        return "no PBX in " + peers().string() + "; scripts/peers unpacks it";
    }
    return has_program("openssl") ? "" : "openssl is not installed: apt install openssl";
}

Pbx::Pbx(const TempDir& folder, const Options& options)
    : options_(options), folder_(folder / options.name), control_(folder_ / "rpc", folder_) {
    if (const std::string reason = missing(); !reason.empty()) {
        throw std::runtime_error(reason);
    }
    std::filesystem::create_directory(folder_);
    make_certificates();
    Sound greeting = tone(8000, kGreeting_hz, 8);
    write_wav(folder_ / "greeting.wav", greeting);
    // Between choosing a port and opening it, somebody else may take it.
    for (int attempt = 1;; ++attempt) {
        const std::vector<std::uint16_t> ports = free_ports(7);
        ports_ = {{Transport::Udp, ports[0]},
                  {Transport::Tcp, ports[1]},
                  {Transport::Tls, ports[2]},
                  {Transport::Ws, ports[3]},
                  {Transport::Wss, ports[4]}};
        trunk_port_ = ports[5];
        relay_control_port_ = ports[6];
        write_configuration();
        try {
            start_relay();
            start_proxy(Location::Lost);
            break;
        } catch (const std::runtime_error&) {
            if (attempt == kStartAttempts) {
                throw;
            }
        }
    }
    watch_ = std::make_unique<NoMediaWatch>(NoMediaWatch::Settings{options_.no_media_limit,
                                                                   options_.media_packets_hz,
                                                                   port(Transport::Udp),
                                                                   folder_ / "greeting.wav"},
                                            relay_control_,
                                            control_,
                                            [this] {
                                                const std::lock_guard lock(mutex_);
                                                return proxy_log();
                                            });
}

void Pbx::make_certificates() {
    const auto openssl = [this](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "openssl");
        Process::Options options;
        options.folder = folder_;
        run(arguments, seconds(30), options);
    };
    openssl({"req",
             "-x509",
             "-newkey",
             "ec",
             "-pkeyopt",
             "ec_paramgen_curve:prime256v1",
             "-nodes",
             "-keyout",
             "ca.key",
             "-out",
             "ca.pem",
             "-days",
             "2",
             "-subj",
             "/CN=Test CA",
             "-addext",
             "keyUsage=critical,keyCertSign"});
    openssl({"req",
             "-x509",
             "-CA",
             "ca.pem",
             "-CAkey",
             "ca.key",
             "-newkey",
             "ec",
             "-pkeyopt",
             "ec_paramgen_curve:prime256v1",
             "-nodes",
             "-keyout",
             "server.key",
             "-out",
             "server.pem",
             "-days",
             "2",
             "-subj",
             "/CN=" + options_.domain,
             "-addext",
             "basicConstraints=critical,CA:FALSE",
             "-addext",
             "subjectAltName=" + options_.certificate_names});
}

void Pbx::write_configuration() {
    std::string users;
    for (const User& user : options_.users) {
        const std::string auth_user = user.auth_user.empty() ? user.name : user.auth_user;
        users += "    $sht(password=>" + auth_user + ") = \"" + user.password + "\";\n";
        users += "    $sht(owner=>" + auth_user + ") = \"" + user.name + "\";\n";
        users += "    $sht(profile=>" + user.name + ") = \"" + name_of(user.media) + "\";\n";
    }
    const std::map<std::string, std::string> values{
        {"@modules@", (libraries() / "kamailio/modules").string()},
        {"@folder@", folder_.string()},
        {"@rpc_socket@", (folder_ / "rpc").string()},
        {"@domain@", options_.domain},
        {"@udp_port@", std::to_string(ports_[Transport::Udp])},
        {"@tcp_port@", std::to_string(ports_[Transport::Tcp])},
        {"@tls_port@", std::to_string(ports_[Transport::Tls])},
        {"@ws_port@", std::to_string(ports_[Transport::Ws])},
        {"@wss_port@", std::to_string(ports_[Transport::Wss])},
        {"@trunk_port@", std::to_string(trunk_port_)},
        {"@relay_port@", std::to_string(relay_control_port_)},
        {"@first_rtp_port@", std::to_string(relay_ports_.first)},
        {"@last_rtp_port@", std::to_string(relay_ports_.last)},
        {"@expires@", std::to_string(options_.expires.count())},
        {"@min_expires@", std::to_string(options_.min_expires.count())},
        {"@nonce_expire@", std::to_string(options_.nonce_expire.count())},
        {"@max_contacts@", options_.keeps_one_contact ? "1" : "5"},
        // 4: the new contact is the only one.
        {"@save_flags@", options_.keeps_one_contact ? "4" : "0"},
        {"@has_one_contact@", options_.keeps_one_contact ? "1" : "0"},
        {"@algorithm@", options_.algorithm},
        {"@qop@", options_.has_qop ? "1" : "0"},
        {"@ws_ping@", std::to_string(options_.ws_ping.count())},
        {"@outside@", options_.outside},
        {"@users@", users}};
    for (const char* name : {"kamailio.cfg", "tls.cfg", "rtpengine.conf"}) {
        std::string text = read_file(templates() / name);
        for (const auto& [placeholder, value] : values) {
            text = replace_all(std::move(text), placeholder, value);
        }
        std::ofstream(folder_ / name) << text;
    }
}

void Pbx::start_relay() {
    std::filesystem::create_directories(folder_ / "voicemail");
    Process::Options process;
    process.folder = folder_;
    process.env = peer_environment();
    auto relay = std::make_unique<Process>(
        std::vector<std::string>{(peers() / "usr/bin/rtpengine").string(),
                                 "--config-file=" + (folder_ / "rtpengine.conf").string()},
        process);
    relay_control_ = RelayControl(relay_control_port_);
    const bool is_up =
        eventually(kStartLimit, relay.get(), [this] { return relay_control_.answers_ping(); });
    if (!is_up) {
        throw std::runtime_error("rtpengine does not start:\n" + relay->output());
    }
    const std::lock_guard lock(mutex_);
    relay_ = std::move(relay);
}

void Pbx::stop_proxy() {
    const std::lock_guard lock(mutex_);
    if (proxy_ == nullptr) {
        return;
    }
    proxy_->stop();
    ended_log_ += proxy_->output();
    proxy_.reset();
}

void Pbx::start_proxy(Location location) {
    if (location == Location::Lost) {
        const std::filesystem::path tables = folder_ / "location";
        std::filesystem::remove_all(tables);
        std::filesystem::create_directory(tables);
        for (const char* name : {"location", "version"}) {
            std::filesystem::copy_file(peers() / "usr/share/kamailio/dbtext/kamailio" / name,
                                       tables / name);
        }
    }
    launch_proxy();
}

void Pbx::launch_proxy() {
    // When the test dies the kernel ends Kamailio's first process only; the guard in its group ends
    // the others. It is no child of Kamailio, which waits for all of its own.
    const std::string guard =
        "( (tail --pid=" + std::to_string(::getpid()) +
        " -s 1 -f /dev/null; kill -KILL -- -$$) </dev/null >/dev/null 2>&1 & ); exec \"$@\"";
    Process::Options process;
    process.folder = folder_;
    process.env = peer_environment();
    auto proxy =
        std::make_unique<Process>(std::vector<std::string>{"sh",
                                                           "-c",
                                                           guard,
                                                           "sh",
                                                           (peers() / "usr/sbin/kamailio").string(),
                                                           "-f",
                                                           (folder_ / "kamailio.cfg").string(),
                                                           "-DD",
                                                           "-E",
                                                           "-Y",
                                                           folder_.string(),
                                                           "-m",
                                                           "96",
                                                           "-M",
                                                           "8"},
                                  process);
    const bool is_up = eventually(kStartLimit, proxy.get(), [this] {
        return ask(port(Transport::Udp), options_request(port(Transport::Udp)), seconds(1)) &&
               accepts_tcp(port(Transport::Tcp)) && accepts_tcp(port(Transport::Tls)) &&
               accepts_tcp(port(Transport::Ws)) && accepts_tcp(port(Transport::Wss)) &&
               control_.call("core.uptime").has("result");
    });
    if (!is_up) {
        throw std::runtime_error("Kamailio does not start:\n" + proxy->output());
    }
    const std::lock_guard lock(mutex_);
    proxy_ = std::move(proxy);
}

std::uint16_t Pbx::port(Transport transport) const {
    return ports_.at(transport);
}

std::string Pbx::trunk_uri(const std::string& user) const {
    return "sip:" + user + "@127.0.0.1:" + std::to_string(trunk_port_);
}

const Pbx::User& Pbx::find(const std::string& user) const {
    const auto found = std::find_if(options_.users.begin(),
                                    options_.users.end(),
                                    [&](const User& one) { return one.name == user; });
    if (found == options_.users.end()) {
        throw std::runtime_error("the PBX has no user " + user);
    }
    return *found;
}

const std::string& Pbx::password(const std::string& user) const {
    return find(user).password;
}

std::string Pbx::account(const std::string& user,
                         Transport transport,
                         std::uint16_t proxy_port) const {
    const User& found = find(user);
    const std::filesystem::path password = folder_ / (user + ".password");
    std::ofstream(password) << found.password << "\n";
    std::filesystem::permissions(password, std::filesystem::perms::owner_read);
    std::ostringstream text;
    text << "[[account]]\nname = \"" << user << "\"\nuser = \"" << user << "\"\ndomain = \""
         << options_.domain << "\"\n";
    if (!found.auth_user.empty()) {
        text << "auth_user = \"" << found.auth_user << "\"\n";
    }
    text << "password_file = \"" << password.string() << "\"\ntransport = \"" << name_of(transport)
         << "\"\noutbound_proxy = \"127.0.0.1:" << (proxy_port != 0 ? proxy_port : port(transport))
         << "\"\n";
    if (transport == Transport::Tls || transport == Transport::Wss) {
        text << "ca_file = \"" << ca_file().string() << "\"\n";
    }
    return text.str();
}

std::string Pbx::filter() const {
    std::string text = "udp portrange " + std::to_string(relay_ports_.first) + "-" +
                       std::to_string(relay_ports_.last) + " or udp port " +
                       std::to_string(trunk_port_);
    for (const auto& [transport, port] : ports_) {
        text += " or port " + std::to_string(port);
    }
    return text;
}

std::vector<std::string> Pbx::contacts(const std::string& user) {
    const Json answer = control_.call("ul.lookup", R"(["location",")" + user + R"("])");
    std::vector<std::string> result;
    for (std::size_t index = 0; index < answer.size("result.Contacts"); ++index) {
        result.push_back(
            answer.text("result.Contacts." + std::to_string(index) + ".Contact.Address"));
    }
    return result;
}

void Pbx::add_contact(const std::string& user, const std::string& uri) {
    const Json answer = control_.call(
        "ul.add", R"(["location",")" + user + R"(",")" + uri + R"(",3600,1.0,"0",0,0,4294967295])");
    if (!answer.is_valid() || answer.has("error")) {
        throw std::runtime_error("Kamailio does not take the contact " + uri + ": " +
                                 answer.text("error.message"));
    }
}

bool Pbx::wait_registered(const std::string& user, milliseconds limit) {
    return eventually(limit, nullptr, [&] { return !contacts(user).empty(); });
}

std::string Pbx::proxy_log() {
    return ended_log_ + (proxy_ != nullptr ? proxy_->output() : std::string());
}

std::size_t Pbx::count_lines(const std::string& start) {
    const std::lock_guard lock(mutex_);
    const std::string text = proxy_log();
    std::size_t count = 0;
    for (std::size_t at = text.find(start); at != std::string::npos;
         at = text.find(start, at + 1)) {
        ++count;
    }
    return count;
}

std::size_t Pbx::registrations(const std::string& user) {
    return count_lines("pbx: registered user=" + user + " ");
}

std::size_t Pbx::wrong_passwords(const std::string& user) {
    return count_lines("pbx: wrong-password user=" + user + "\n");
}

std::size_t Pbx::refused_registers() {
    return count_lines("pbx: refused ");
}

void Pbx::answer_registers_with(int status, seconds retry_after) {
    control_.call("htable.seti",
                  R"(["answer","retry_after",)" + std::to_string(retry_after.count()) + "]");
    const Json answer =
        control_.call("htable.seti", R"(["answer","register",)" + std::to_string(status) + "]");
    if (!answer.is_valid() || answer.has("error")) {
        throw std::runtime_error("Kamailio does not take the answer to REGISTER");
    }
}

void Pbx::ignore_registers() {
    answer_registers_with(-1);
}

void Pbx::answer_registers() {
    answer_registers_with(0);
}

std::string Pbx::log() {
    const std::lock_guard lock(mutex_);
    return "Kamailio:\n" + proxy_log() + "rtpengine:\n" +
           (relay_ != nullptr ? relay_->output() : std::string()) + "no-media watch:\n" +
           watch_->report();
}

std::optional<Diversion> Pbx::wait_diversion(milliseconds limit) {
    std::optional<Diversion> result;
    eventually(limit, nullptr, [&] {
        if (const auto all = diversions(); !all.empty()) {
            result = all.front();
        }
        return result.has_value();
    });
    return result;
}

}  // namespace offhook::harness

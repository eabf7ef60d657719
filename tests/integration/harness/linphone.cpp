#include "harness/linphone.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "harness/free_port.h"

namespace offhook::harness {
namespace {

int connect_to(const std::string& path) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

}  // namespace

bool has_linphone() {
    return has_program("linphone-daemon");
}

Linphone::Linphone(const TempDir& folder, const std::string& protection) {
    const std::filesystem::path home = folder / "linphone";
    // Without a folder for its database it starts, and can do nothing.
    std::filesystem::create_directories(home / ".local/share/linphone");
    std::filesystem::create_directories(home / ".config/linphone");
    const std::string sip_port = std::to_string(free_port());
    std::ofstream config(home / "linphonerc");
    config << "[sip]\nsip_port=" << sip_port << "\nsip_tcp_port=" << sip_port
           << "\nsip_tls_port=0\nuse_ipv6=0\nguess_hostname=0\ncontact=sip:linphone@127.0.0.1\n";
    const bool is_web = protection == kDtls;
    if (is_web) {
        config << "media_encryption=dtls\nmedia_encryption_mandatory=1\nuser_certificates_path="
               << (home / "certificates").string()
               << "\n[net]\nnat_policy_ref=ice\n[nat_policy_0]\nref=ice\nprotocols=ice\n";
        std::filesystem::create_directory(home / "certificates");
    } else if (!protection.empty()) {
        config << "media_encryption=srtp\nmedia_encryption_mandatory=1\nsrtp_crypto_suites="
               << protection << '\n';
    }
    config << "[rtp]\nrtcp_mux=" << is_web << "\naudio_rtp_port=" << free_port()
           << "\n[audio_codec_0]\nmime=PCMU\nrate=8000\nchannels=1\nenabled=1\n";
    config.close();
    Process::Options options;
    options.folder = home;
    options.env["HOME"] = home.string();
    pipe_ = "offhook-linphone-" + sip_port;
    process_ = std::make_unique<Process>(std::vector<std::string>{"linphone-daemon",
                                                                  "--config",
                                                                  (home / "linphonerc").string(),
                                                                  "--log",
                                                                  (home / "log").string(),
                                                                  "--disable-stats-events",
                                                                  "--pipe",
                                                                  pipe_},
                                         options);
    eventually(
        seconds(15), process_.get(), [&] { return (fd_ = connect_to("/tmp/" + pipe_)) >= 0; });
}

Linphone::~Linphone() {
    if (fd_ >= 0) close(fd_);
    process_.reset();
    std::error_code ignored;
    std::filesystem::remove("/tmp/" + pipe_, ignored);
}

std::string Linphone::command(const std::string& text) {
    const std::string line = text + "\n";
    if (fd_ < 0 || send(fd_, line.data(), line.size(), MSG_NOSIGNAL) < 0) return {};
    pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
    std::array<char, 4096> answer;
    if (poll(&wait, 1, 20'000) != 1) return {};
    const ssize_t n = recv(fd_, answer.data(), answer.size(), 0);
    return n > 0 ? std::string(answer.data(), static_cast<std::size_t>(n)) : std::string();
}

bool Linphone::call(const std::string& uri, milliseconds limit) {
    return command("call " + uri).find("Status: Ok") != std::string::npos &&
           eventually(limit, process_.get(), [&] {
               return command("call-status 1").find("StreamsRunning") != std::string::npos;
           });
}

bool Linphone::play(const std::filesystem::path& wav) {
    return command("incall-player-start " + wav.string() + " 1").find("Status: Ok") !=
           std::string::npos;
}

void Linphone::quit() {
    (void)command("terminate 1");
    (void)command("quit");
    process_->stop(seconds(10));
}

}  // namespace offhook::harness

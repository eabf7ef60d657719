#include "harness/baresip.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <regex>
#include <vector>

#include "harness/free_port.h"

namespace offhook::harness {
namespace {

const std::filesystem::path kModules = "/usr/lib/baresip/modules";

std::string module_of(const std::string& codec) {
    if (codec == "G722") {
        return "g722.so";
    }
    return codec == "opus" ? "opus.so" : "g711.so";
}

std::string name_of(const std::string& codec) {
    if (codec == "G722") {
        return "G722/16000/1";
    }
    return codec == "opus" ? "opus/48000/2" : codec + "/8000/1";
}

}  // namespace

bool baresip_has(const std::string& codec) {
    return has_program("baresip") && std::filesystem::exists(kModules / module_of(codec));
}

Baresip::Baresip(const TempDir& folder,
                 const std::string& uri,
                 const std::string& codec,
                 const Sound& sound,
                 const Options& options)
    : home_(folder / "baresip") {
    const std::filesystem::path& home = home_;
    std::filesystem::create_directory(home);
    const std::filesystem::path wav = home / "spoken.wav";
    write_wav(wav, sound);
    std::ofstream config(home / "config");
    // No audio player: what comes back is judged by the capture. At the end of the file baresip
    // hangs up.
    config << "sip_listen 127.0.0.1:0\nnet_interface 127.0.0.1\nrtp_ports "
              "8000-9998\naudio_source aufile,"
           << wav.string() << "\nring_aufile none\nmodule_path " << kModules.string() << "\nmodule "
           << module_of(codec)
           << "\nmodule aufile.so\nmodule_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\n"
           << "opus_stereo no\nopus_sprop_stereo no\nmodule_app debug_cmd.so\n";
    if (!options.media_encryption.empty()) config << "module srtp.so\n";
    if (options.is_web) config << "rtcp_mux yes\nmodule ice.so\nmodule dtls_srtp.so\n";
    if (options.takes_orders) {
        order_port_ = free_port();
        config << "module_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:" << order_port_ << '\n';
    }
    if (options.keeps_what_it_hears)
        config << "module sndfile.so\nsnd_path " << home.string() << '\n';
    config.close();
    std::ofstream(home / "accounts")
        << "<sip:baresip@127.0.0.1>;regint=0;audio_codecs=" << name_of(codec) << ";ptime=20"
        << (options.media_encryption.empty() ? "" : ";mediaenc=" + options.media_encryption)
        << (options.is_web ? ";medianat=ice;mediaenc=dtls_srtp" : "")
        << (options.transport.empty() ? ""
                                      : ";outbound=\"sip:" + uri.substr(uri.find('@') + 1) +
                                            ";transport=" + options.transport + '"')
        << (uri.empty() ? ";answermode=auto" : "") << '\n';
    std::ofstream(home / "contacts") << "";
    Process::Options process;
    process.folder = home;
    process_ = std::make_unique<Process>(
        std::vector<std::string>{
            "baresip", "-f", home.string(), "-e", uri.empty() ? "/sipstat" : "/dial " + uri},
        process);
}

bool Baresip::is_established(milliseconds limit) {
    return process_->wait_output("Call established", limit).has_value();
}

std::string Baresip::uri(milliseconds limit) {
    if (!process_->wait_output("(UDP)", limit)) return {};
    const std::string said = process_->output();
    std::smatch match;
    const std::regex listens(R"((127\.0\.0\.1:[0-9]+) \(UDP\))");
    return std::regex_search(said, match, listens) ? "sip:baresip@" + match[1].str() : "";
}

bool Baresip::order(const std::string& command, const std::string& parameters) {
    // A netstring with JSON in it, and one back; events of the call come on the same connection.
    const std::string json = R"({"command":")" + command + R"(","params":")" + parameters + "\"}";
    const std::string text = std::to_string(json.size()) + ':' + json + ',';
    const int fd = connect_loopback(order_port_);
    std::string answer;
    if (fd >= 0 && send(fd, text.data(), text.size(), MSG_NOSIGNAL) > 0) {
        pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
        std::array<char, 4096> bytes;
        while (answer.find(R"("response":true)") == std::string::npos &&
               poll(&wait, 1, 5000) == 1) {
            const ssize_t n = recv(fd, bytes.data(), bytes.size(), 0);
            if (n <= 0) break;
            answer.append(bytes.data(), static_cast<std::size_t>(n));
        }
    }
    if (fd >= 0) close(fd);
    return answer.find(R"("ok":true)") != std::string::npos;
}

Sound Baresip::heard() const {
    std::vector<std::filesystem::path> dumps;
    for (const auto& entry : std::filesystem::directory_iterator(home_)) {
        if (entry.path().filename().string().ends_with("-dec.wav")) dumps.push_back(entry.path());
    }
    std::sort(dumps.begin(), dumps.end());
    return dumps.empty() ? Sound{} : read_wav(dumps.back());
}

void Baresip::quit() {
    process_->stop(seconds(10));
}

}  // namespace offhook::harness

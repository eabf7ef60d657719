#include "harness/daemon.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <tuple>

namespace offhook::harness {
namespace {

// Below the kernel's ephemeral ports, as the daemon demands, and apart from the default range
// (20000-29999), where any other daemon of this machine may be; a thousand ports are five hundred calls.
constexpr int kFirstPort = 10000;
constexpr int kSlotPorts = 1000;
constexpr int kSlots = 9;

std::uint16_t port_of(const std::string& listener) {
    return static_cast<std::uint16_t>(std::stoi(listener.substr(listener.rfind(':') + 1)));
}

}  // namespace

RtpPorts::RtpPorts() {
    for (int slot = 0; slot < kSlots; ++slot) {
        const auto path = std::filesystem::temp_directory_path() /
                          ("offhook-test-ports-" + std::to_string(slot) + ".lock");
        const int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666);
        if (fd < 0) {
            continue;  // another user's
        }
        if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
            lock_fd_ = fd;
            first = static_cast<std::uint16_t>(kFirstPort + slot * kSlotPorts);
            last = static_cast<std::uint16_t>(first + kSlotPorts - 1);
            return;
        }
        ::close(fd);
    }
    throw std::runtime_error("every range of RTP ports is in use by another test");
}

RtpPorts::~RtpPorts() {
    ::close(lock_fd_);
}

std::string offhook_program() {
    const char* program = std::getenv("OFFHOOK_PROGRAM");
    return program != nullptr ? program : "build/offhook";
}

Daemon::Daemon(const TempDir& folder, const Options& options)
    : config_file_(folder / "offhook.toml") {
    if (options.ports) {
        std::tie(first_port_, last_port_) = *options.ports;
    } else {
        own_ports_ = std::make_unique<RtpPorts>();
        first_port_ = own_ports_->first;
        last_port_ = own_ports_->last;
    }
    std::ofstream file(config_file_);
    file << "[http]\nlisten = \"127.0.0.1:0\"\n\n[sip]\nlisten = [\"udp:127.0.0.1:0\""
         << (options.has_tcp ? ", \"tcp:127.0.0.1:0\"" : "")
         << (options.has_ipv6 ? ", \"udp:[::1]:0\"" : "") << "]\n"
         << options.sip << "\n[rtp]\nports = \"" << first_port_ << "-" << last_port_ << "\"\n"
         << options.rtp << "\n[log]\nformat = \"json\"\n"
         << options.log << "\n"
         << options.more;
    file.close();
    std::vector<std::string> argv{
        offhook_program(), "serve", "--config", config_file_.string(), "--ready-fd", "3"};
    argv.insert(argv.end(), options.arguments.begin(), options.arguments.end());
    Process::Options process;
    process.has_ready_fd = true;
    process.env = options.env;
    // What it keeps stays in the test's folder; one daemon alone may write into a directory.
    process.env.emplace("XDG_STATE_HOME", (folder / "state").string());
    process_ = std::make_unique<Process>(argv, process);
    // Sanitizers make the start slow; the limit only has to be longer than that.
    const std::string line = process_->ready_line(seconds(60));
    std::istringstream words(line);
    for (std::string word; words >> word;) {
        if (word.starts_with("http://")) {
            http_address_ = word.substr(7);
        }
    }
    if (http_address_.empty()) {
        process_->wait(seconds(1));
        throw std::runtime_error("the daemon did not become ready ('" + line + "'):\n" +
                                 process_->output());
    }
    // Whatever the status: accounts may not be registered yet.
    const Json health(get("/health").body);
    for (std::size_t index = 0; index < health.size("listeners"); ++index) {
        const std::string listener = health.text("listeners." + std::to_string(index));
        if (listener.starts_with("udp:[")) {
            ipv6_port_ = port_of(listener);
        } else if (listener.starts_with("udp:")) {
            udp_port_ = port_of(listener);
        } else if (listener.starts_with("tcp:")) {
            tcp_port_ = port_of(listener);
        }
    }
    if (udp_port_ == 0) {
        throw std::runtime_error("/health names no SIP listener:\n" + get("/health").body);
    }
}

std::string Daemon::uri(const std::string& user) const {
    return "sip:" + user + "@127.0.0.1:" + std::to_string(udp_port_);
}

std::string Daemon::filter() const {
    return "udp portrange " + std::to_string(first_port_) + "-" + std::to_string(last_port_) +
           " or udp port " + std::to_string(udp_port_) +
           (ipv6_port_ != 0 ? " or udp port " + std::to_string(ipv6_port_) : std::string());
}

Json Daemon::json(const std::string& path) {
    const HttpAnswer answer = get(path);
    return Json(answer.status == 200 ? answer.body : std::string());
}

std::size_t Daemon::live_calls() {
    return json("/api/v1/calls").size("items");
}

bool Daemon::wait_live_calls(std::size_t count, milliseconds limit) {
    return eventually(limit, process_.get(), [&] {
        const Json calls = json("/api/v1/calls");
        return calls.has("items") && calls.size("items") == count;
    });
}

std::string Daemon::only_call(milliseconds limit) {
    std::string id;
    eventually(limit, process_.get(), [&] {
        const Json calls = json("/api/v1/calls");
        if (calls.size("items") == 1) {
            id = calls.text("items.0.id");
        }
        return !id.empty();
    });
    return id;
}

std::optional<Json> Daemon::wait_event(const std::string& name, milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    std::size_t& from = read_up_to_[name];
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
        const auto found = process_->wait_output(
            "\"event\":\"" + name + "\"", std::max(left, milliseconds(0)), from);
        if (!found || !process_->wait_output("\n", seconds(1), *found)) {
            return std::nullopt;
        }
        const std::string log = process_->output();
        const std::size_t start = log.rfind('\n', *found);
        const std::size_t end = log.find('\n', *found);
        from = end;
        Json line(log.substr(start == std::string::npos ? 0 : start + 1,
                             end - (start == std::string::npos ? 0 : start + 1)));
        if (line.is_valid()) {
            return line;
        }
    }
}

std::size_t Daemon::count_events(const std::string& name) {
    const std::string log = process_->output();
    const std::string text = "\"event\":\"" + name + "\"";
    std::size_t count = 0;
    for (std::size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) {
        ++count;
    }
    return count;
}

Daemon::Footprint Daemon::footprint() const {
    const std::filesystem::path proc = "/proc/" + std::to_string(process_->pid());
    Footprint result;
    std::ifstream status(proc / "status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) {
            result.rss_kib = std::strtol(line.c_str() + 6, nullptr, 10);
        } else if (line.starts_with("Threads:")) {
            result.threads = std::strtol(line.c_str() + 8, nullptr, 10);
        }
    }
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(proc / "fd")) {
        ++result.descriptors;
    }
    return result;
}

}  // namespace offhook::harness

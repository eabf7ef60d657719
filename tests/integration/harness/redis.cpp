#include "harness/redis.h"

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "harness/free_port.h"

namespace offhook::harness {
namespace {

std::filesystem::path peers() {
    const char* folder = std::getenv("OFFHOOK_PEERS");
    return folder == nullptr ? "build/peers" : folder;
}

Process::Options with_libraries() {
    Process::Options options;
    std::string libraries;
    for (const auto& place : std::filesystem::directory_iterator(peers() / "usr" / "lib")) {
        if (place.is_directory() && place.path().filename().string().ends_with("-linux-gnu"))
            libraries += (libraries.empty() ? "" : ":") + place.path().string();
    }
    options.env = {{"LD_LIBRARY_PATH", libraries}};
    return options;
}

}  // namespace

bool RedisServer::is_unpacked() {
    return std::filesystem::exists(peers() / "usr" / "bin" / "redis-server");
}

RedisServer::RedisServer(Options options) : options_(std::move(options)) {
    // Somebody else may be quicker with a port that was free.
    constexpr int kTries = 5;
    for (int i = 1;; ++i) {
        port_ = free_port();
        if (!options_.tls_folder.empty()) tls_port_ = free_port();
        try {
            restart();
            return;
        } catch (const std::runtime_error&) {
            if (i == kTries) throw;
        }
    }
}

std::string RedisServer::unix_url() const {
    return "unix:" + (folder_ / "redis.sock").string();
}

void RedisServer::restart() {
    process_.reset();
    std::vector<std::string> argv{(peers() / "usr" / "bin" / "redis-server").string(),
                                  "--bind",
                                  "127.0.0.1",
                                  "--port",
                                  std::to_string(port_),
                                  "--unixsocket",
                                  (folder_ / "redis.sock").string(),
                                  "--dir",
                                  folder_.path().string(),
                                  "--save",
                                  "",
                                  "--enable-debug-command",
                                  "local"};
    if (tls_port_ != 0) {
        const std::filesystem::path folder = options_.tls_folder;
        for (const std::string& word : {std::string("--tls-port"),
                                        std::to_string(tls_port_),
                                        std::string("--tls-cert-file"),
                                        (folder / "cert.pem").string(),
                                        std::string("--tls-key-file"),
                                        (folder / "key.pem").string(),
                                        std::string("--tls-ca-cert-file"),
                                        (folder / "ca.pem").string(),
                                        std::string("--tls-auth-clients"),
                                        std::string("no")})
            argv.push_back(word);
    }
    argv.insert(argv.end(), options_.arguments.begin(), options_.arguments.end());
    process_ = std::make_unique<Process>(argv, with_libraries());
    // It says so once for each kind of socket, the unix socket last.
    if (!process_->wait_output("at " + (folder_ / "redis.sock").string(), seconds(20)))
        throw std::runtime_error("redis-server does not become ready: " + process_->output());
}

void RedisServer::kill() {
    process_->signal(SIGKILL);
    process_->wait(seconds(10));
}

void RedisServer::freeze() {
    process_->signal(SIGSTOP);
}

void RedisServer::thaw() {
    process_->signal(SIGCONT);
}

std::vector<std::string> RedisServer::cli(const std::vector<std::string>& words) const {
    std::vector<std::string> argv{
        (peers() / "usr" / "bin" / "redis-cli").string(), "-s", (folder_ / "redis.sock").string()};
    argv.insert(argv.end(), words.begin(), words.end());
    return argv;
}

std::string RedisServer::ask(const std::vector<std::string>& words) {
    return run(cli(words), seconds(10), with_libraries());
}

std::unique_ptr<Process> RedisServer::begin(const std::vector<std::string>& words) {
    return std::make_unique<Process>(cli(words), with_libraries());
}

}  // namespace offhook::harness

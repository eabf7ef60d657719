#include "harness/browser.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace offhook::harness {
namespace {

constexpr int kMicrophone_hz = 48000;

std::string setting(const char* name, const std::string& otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : otherwise;
}

std::string script() {
    return setting("OFFHOOK_BROWSER", "tests/browser/browser.mjs");
}

std::filesystem::path modules() {
    return std::filesystem::absolute(setting("OFFHOOK_BROWSER_MODULES", "build/browser"));
}

std::string client() {
    return std::filesystem::absolute(setting("OFFHOOK_WEB_CLIENT", "build/web/dist/index.js"));
}

std::string order(const std::string& address,
                  const std::string& path,
                  const std::string& body,
                  milliseconds limit) {
    const HttpAnswer answer = http("POST", address, path, body, limit);
    if (answer.status != 200) {
        throw std::runtime_error("the browser, told " + path + " " + body + ": " +
                                 (answer.status == 0
                                      ? "no answer within " + std::to_string(limit.count()) + " ms"
                                      : answer.body));
    }
    return answer.body;
}

}  // namespace

std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char one : text) {
        if (one == '"' || one == '\\') {
            result += '\\';
        }
        result += one;
    }
    return result + "\"";
}

std::string Browser::missing() {
    if (!has_program("node")) {
        return "node is not installed: apt install nodejs npm";
    }
    if (::access(setting("OFFHOOK_CHROMIUM", "/usr/bin/chromium").c_str(), X_OK) != 0) {
        return "chromium is not installed: apt install chromium";
    }
    if (!std::filesystem::exists(modules() / "installed")) {
        return "no npm packages in " + modules().string() + "; scripts/browser fetches them";
    }
    return {};
}

std::string Browser::missing_client() {
    if (std::filesystem::exists(client())) {
        return {};
    }
    return "no browser client in " + client() + "; scripts/web builds it";
}

Browser::Browser(const TempDir& folder, const Options& options) {
    const std::filesystem::path home = folder / "browser";
    std::filesystem::create_directories(home);
    std::vector<std::string> argv{"node", script(), "--modules", modules().string()};
    if (!options.says.samples.empty()) {
        if (options.says.rate_hz != kMicrophone_hz) {
            throw std::runtime_error("a microphone of the browser has 48000 Hz");
        }
        write_wav(home / "says.wav", options.says);
        argv.insert(argv.end(), {"--says", (home / "says.wav").string()});
    }
    for (const std::filesystem::path& file : options.trusts) {
        argv.insert(argv.end(), {"--trusts", file.string()});
    }
    if (std::filesystem::exists(client())) {
        argv.insert(argv.end(), {"--module", "offhook-client=" + client()});
    }
    if (options.asks_to_play) {
        argv.emplace_back("--asks-to-play");
    }
    if (!options.pages.empty()) {
        argv.insert(argv.end(), {"--pages", options.pages.string()});
    }
    if (options.is_network_logged) {
        argv.insert(argv.end(), {"--net-log", (home / "net-log.json").string()});
    }
    Process::Options process;
    process.has_ready_fd = true;
    // Its profile goes with the test, and no setting of the user's has a say.
    process.env = {{"TMPDIR", home.string()}, {"HOME", home.string()}};
    process_ = std::make_unique<Process>(argv, process);
    const std::string line = process_->ready_line(seconds(60));
    constexpr std::string_view kReady = "ready http://";
    if (!line.starts_with(kReady)) {
        process_->wait(seconds(1));
        throw std::runtime_error("Chromium does not start:\n" + process_->output());
    }
    address_ = line.substr(kReady.size());
    while (!address_.empty() && address_.back() == '\n') {
        address_.pop_back();
    }
}

Browser::~Browser() {
    // Killed, it would leave its processes to notice by themselves.
    close();
}

void Browser::kill() {
    // Chromium is the child of the node that we started, and leads a group of its own.
    const std::string pid = std::to_string(process_->pid());
    std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
    pid_t child = 0;
    while (children >> child) {
        ::kill(::getpgid(child) == child ? -child : child, SIGKILL);
    }
    process_->wait(seconds(20));
}

Browser::Page Browser::open(const std::string& file, Manner manner) {
    std::string how = "{\"page\":" + quoted(file);
    if (manner == Manner::Denies) how += ",\"denies\":true";
    if (manner == Manner::Plain) how += ",\"plain\":true";
    const Json answer(order(address_, "/open", how + "}", seconds(30)));
    return Page(address_, static_cast<int>(answer.number("page")));
}

Json Browser::Page::call(const std::string& function,
                         const std::string& arguments,
                         milliseconds limit) const {
    const std::string body = "{\"page\":" + std::to_string(number_) +
                             ",\"function\":" + quoted(function) + ",\"arguments\":" + arguments +
                             "}";
    return Json(order(address_, "/call", body, limit));
}

void Browser::Page::click() const {
    order(address_, "/click", "{\"page\":" + std::to_string(number_) + "}", seconds(30));
}

void Browser::Page::close() const {
    order(address_, "/close", "{\"page\":" + std::to_string(number_) + "}", seconds(30));
}

}  // namespace offhook::harness

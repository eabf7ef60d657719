// The test PBX by hand (scripts/pbx): starts it on loopback, prints accounts to paste, and tells what
// happens until Ctrl-C.

#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <sstream>

#include "pbx/pbx.h"

namespace offhook::harness {
namespace {

using Transport = Pbx::Transport;
using Media = Pbx::Media;

struct Line {
    const char* user;
    Transport transport;
    Media media;
};

constexpr Line kLines[] = {{"udp", Transport::Udp, Media::Plain},
                           {"tcp", Transport::Tcp, Media::Plain},
                           {"tls", Transport::Tls, Media::Sdes},
                           {"ws", Transport::Ws, Media::Plain},
                           {"wss", Transport::Wss, Media::Plain}};

/// Prints what the proxy said about phones and calls since the last time.
void tell_news(Pbx& pbx, std::size_t& told_lines, std::size_t& told_diversions) {
    std::istringstream log(pbx.log());
    std::size_t lines = 0;
    for (std::string line; std::getline(log, line);) {
        const std::size_t at = line.find("pbx: ");
        if (at != std::string::npos && ++lines > told_lines) {
            std::cout << line.substr(at) << std::endl;
        }
    }
    told_lines = lines;
    const auto diversions = pbx.diversions();
    for (; told_diversions < diversions.size(); ++told_diversions) {
        const Diversion& one = diversions[told_diversions];
        std::cout << "pbx: DIVERTED ci=" << one.call_id << " after " << one.after_answer_s
                  << " s without media; the caller hears the voicemail" << std::endl;
    }
}

int serve(const Pbx::Options& options) {
    if (const std::string reason = Pbx::missing(); !reason.empty()) {
        std::cerr << "error: " << reason << '\n';
        return 69;
    }
    // Before any thread: all of them inherit it, and only sigtimedwait below takes the signals.
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGINT);
    ::sigaddset(&ends, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    const TempDir folder;
    Pbx pbx(folder, options);
    std::cout << "# Any one of these in offhook's configuration:\n";
    for (const Line& line : kLines) {
        std::cout << '\n' << pbx.account(line.user, line.transport);
    }
    std::cout << "\n# Call it from outside, for instance:\n#   build/offhook call "
              << pbx.trunk_uri("udp") << "\n# Ctrl-C ends it.\n"
              << std::endl;
    std::size_t lines = 0;
    std::size_t diversions = 0;
    const timespec pause{0, 200'000'000};
    while (::sigtimedwait(&ends, nullptr, &pause) < 0) {
        tell_news(pbx, lines, diversions);
    }
    return 0;
}

}  // namespace
}  // namespace offhook::harness

int main(int argc, char** argv) {
    using offhook::harness::Pbx;
    Pbx::Options options;
    double limit_s = 30;
    CLI::App app{"A PBX on 127.0.0.1 to try an account with: users udp, tcp, tls, ws, wss"};
    app.add_option("--limit", limit_s, "Seconds without media until voicemail; 0: never")
        ->capture_default_str();
    app.add_option("--digest", options.algorithm, "MD5 or SHA-256")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    options.no_media_limit =
        offhook::harness::milliseconds(static_cast<std::int64_t>(limit_s * 1000));
    options.users.clear();
    for (const auto& line : offhook::harness::kLines) {
        options.users.push_back({.name = line.user, .media = line.media});
    }
    try {
        return offhook::harness::serve(options);
    } catch (const std::exception& failure) {
        std::cerr << "error: " << failure.what() << '\n';
        return 70;
    }
}

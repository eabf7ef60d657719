#include "caller/caller_command.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>

#include "base/escape.h"
#include "caller/echo_meter.h"
#include "caller/expectation.h"
#include "caller/file_descriptor.h"
#include "caller/load_run.h"
#include "caller/report.h"

namespace offhook::caller {
namespace {

struct Options {
    RunSettings run;
    std::string wav;
    std::string codec = "PCMU";
    std::string expect;
    std::string srtp;  ///< name of a suite, or "any"
    bool wants_srtp = false;
    std::string handset;  ///< "200:20"
    bool json = false;
    bool quiet = false;
};

constexpr std::size_t kMaxDigits = rtp::DtmfSender::kMaxDigits;

int complain(const Options& options, const base::Error& error, int exit_code) {
    std::fprintf(stderr, "offhook call: %s\n", error.text().c_str());
    if (options.json) std::printf("%s\n", json_error(error.text(), exit_code).c_str());
    return exit_code;
}

int exit_code_of(const base::Error& error) {
    const bool is_unavailable = error.code == base::ErrorCode::Unavailable ||
                                error.code == base::ErrorCode::NotFound ||
                                error.code == base::ErrorCode::Timeout;
    return is_unavailable ? kExitNotAnswered : kExitUsage;
}

std::string suite_names() {
    std::string names;
    for (const auto& facts : model::kSrtpSuites)
        names += (names.empty() ? "" : ", ") + std::string(facts.name);
    return names;
}

/// "200:20"
base::Result<Handset::Echo> parse_handset(const std::string& text) {
    Handset::Echo echo;
    const char* const end = text.data() + text.size();
    const auto delay = std::from_chars(text.data(), end, echo.delay_ms);
    bool is_one = delay.ec == std::errc() && delay.ptr != end && *delay.ptr == ':';
    if (is_one) {
        const auto loss = std::from_chars(delay.ptr + 1, end, echo.loss_db);
        is_one = loss.ec == std::errc() && loss.ptr == end && echo.delay_ms >= 0 &&
                 echo.delay_ms <= 2000 && echo.loss_db >= 0 && echo.loss_db <= 100;
    }
    if (is_one) return echo;
    return base::fail(base::ErrorCode::InvalidArgument,
                      "--handset takes a delay of 0 to 2000 ms and a loss of 0 to 100 dB, like "
                      "200:20");
}

base::Result<void> prepare(Options& options) {
    const auto codec = model::codec_by_name(options.codec);
    if (!codec) {
        return base::fail(
            base::ErrorCode::InvalidArgument,
            "--codec " + options.codec + ": there are PCMU, PCMA, G722, opus and opus16");
    }
    options.run.codec = *codec;
    if (options.wants_srtp) {
        const auto suite = model::srtp_suite_named(options.srtp);
        if (suite) {
            options.run.srtp = {*suite};
        } else if (options.srtp.empty()) {
            options.run.srtp = {model::SrtpSuite::AeadAes128Gcm,
                                model::SrtpSuite::AesCm128HmacSha1_80,
                                model::SrtpSuite::AesCm128HmacSha1_32};
        } else {
            return base::fail(base::ErrorCode::InvalidArgument,
                              "--srtp " + base::escape_untrusted(options.srtp, 60) +
                                  ": there are " + suite_names());
        }
    }
    if (!options.handset.empty()) {
        auto echo = parse_handset(options.handset);
        if (!echo) return tl::unexpected(echo.error());
        options.run.handset = *echo;
    }
    const bool are_digits =
        options.run.dtmf.find_first_not_of("0123456789*#ABCD") == std::string::npos;
    if (!are_digits || options.run.dtmf.size() > kMaxDigits) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "--dtmf takes at most 64 of 0-9 * # A-D");
    }
    const std::uint32_t rate_hz = model::facts_of(*codec).sample_rate_hz;
    if (options.run.measures_echo) {
        options.run.sound = EchoMeter::markers(rate_hz);
    } else if (options.wav.empty()) {
        options.run.sound = beeps(rate_hz);
    } else if (options.wav == "none") {
        options.run.sound = silence(rate_hz);
    } else {
        auto sound = read_wav(options.wav);
        if (!sound) return tl::unexpected(sound.error());
        options.run.sound = std::move(*sound);
    }
    return {};
}

/// Ctrl-C as a readable descriptor instead of the end of the process, for as long as it lives.
class Interruption {
public:
    Interruption() {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &signals, &before_);
        fd_ = FileDescriptor(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
    }
    ~Interruption() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;
    [[nodiscard]] int fd() const { return fd_.get(); }

private:
    sigset_t before_{};
    FileDescriptor fd_;
};

void show_progress(const RunProgress& p) {
    std::fprintf(stderr,
                 "\r\033[K%5.0f s  %d of %d calls started, %d live, %d answered, %d failed; %llu "
                 "packets heard, longest gap %.1f ms",
                 p.elapsed_s,
                 p.started,
                 p.wanted,
                 p.live,
                 p.answered,
                 p.failed,
                 static_cast<unsigned long long>(p.received_packets),
                 p.max_gap_ms);
    std::fflush(stderr);
}

int run_call(Options& options) {
    auto expectation = options.expect.empty()
                           ? base::Result<Expectation>(Expectation::standard(options.run.calls))
                           : Expectation::parse(options.expect);
    if (!expectation) return complain(options, expectation.error(), kExitUsage);
    if (auto ok = prepare(options); !ok) return complain(options, ok.error(), kExitUsage);
    auto run = LoadRun::create(options.run);
    if (!run) return complain(options, run.error(), exit_code_of(run.error()));

    const Interruption interruption;
    const bool is_live = !options.quiet && ::isatty(STDERR_FILENO) != 0;
    auto result = (*run)->run(interruption.fd(),
                              is_live ? show_progress : std::function<void(const RunProgress&)>());
    if (is_live) std::fputs("\r\033[K", stderr);
    if (!result) return complain(options, result.error(), kExitUsage);
    const Report report = make_report(std::move(*result), *expectation);
    std::printf("%s\n", options.json ? json_report(report).c_str() : text_report(report).c_str());
    std::fflush(stdout);
    return report.exit_code;
}

}  // namespace

void add_call_command(CLI::App& app, int& exit_code) {
    const auto options = std::make_shared<Options>();
    CLI::App* call =
        app.add_subcommand("call", "Call a SIP server, speak, and measure what comes back");
    call->add_option(
            "target", options->run.target, "Whom to call: sip:user@host[:port][;transport=tcp]")
        ->required();
    call->add_option("--wav",
                     options->wav,
                     "Speak this WAV in a loop (PCM, any rate); \"none\" for silence; else beeps");
    call->add_flag("--echo",
                   options->run.measures_echo,
                   "Speak a marker each second and measure when it comes back, from who echoes")
        ->excludes("--wav");
    call->add_option(
        "--handset",
        options->handset,
        "MS:DB: what is heard comes back into what is said, so much later and quieter, "
        "as from a telephone that does not cancel");
    call->add_option("--seconds", options->run.seconds, "How long each call lasts once answered")
        ->capture_default_str()
        ->check(CLI::Range(0.1, 864000.0));
    call->add_option("--calls", options->run.calls, "How many calls to make")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000));
    call->add_option("--rate", options->run.rate_per_s, "New calls per second")
        ->capture_default_str()
        ->check(CLI::Range(0.01, 5000.0));
    call->add_option("--codec", options->codec, "PCMU, PCMA, G722, opus or opus16")
        ->capture_default_str();
    call->add_option(
            "--srtp",
            options->srtp,
            "Speak SRTP with keys from SDP (SDES); with a suite, that one alone: " + suite_names())
        ->expected(0, 1);
    call->add_option("--expect",
                     options->expect,
                     "What decides the exit code, e.g. rate>=99.9,max_gap<=40 (below)");
    call->add_option(
        "--record", options->run.record_path, "Write what the first call hears to this WAV");
    call->add_option("--dtmf", options->run.dtmf, "Digits to send 1 s after the answer (RFC 4733)");
    call->add_option("--from", options->run.from_user, "User part of the From address")
        ->capture_default_str();
    call->add_option("--local", options->run.local, "Own address to use, for SIP and RTP");
    call->add_option(
            "--answer-timeout", options->run.answer_timeout_s, "Seconds to wait for the answer")
        ->capture_default_str()
        ->check(CLI::Range(0.1, 3600.0));
    call->add_flag("--json", options->json, "One JSON object on standard output instead of text");
    call->add_flag("--quiet", options->quiet, "No progress on the terminal");
    call->footer(
        "Figures for --expect (without it: " + Expectation::standard(1).text() + "):\n" +
        Expectation::describe_names() +
        "\nExamples:\n"
        "  offhook call sip:demo@127.0.0.1\n"
        "  offhook call sip:100@192.0.2.7 --wav question.wav --record answer.wav --seconds 30\n"
        "  offhook call 'sip:load@127.0.0.1:5060;transport=tcp' --calls 500 --rate 50 --seconds 30 "
        "--json\n"
        "  offhook call sip:demo@127.0.0.1 --expect "
        "'rate>=99.9,max_gap<=40,p99_gap<=25,first_rtp<=20,ssrc=1'\n"
        "\nExit codes: 0 the promise held, 1 broken, 2 usage, 69 not answered.");
    call->callback([options, call, &exit_code] {
        options->wants_srtp = call->count("--srtp") > 0;
        exit_code = run_call(*options);
    });
}

}  // namespace offhook::caller

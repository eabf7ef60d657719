#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>

#include "hear.h"
#include "menu.h"
#include "server.h"

namespace {

constexpr int kExitUsage = 2;

}  // namespace

int main(int argc, char** argv) {
    using namespace offhook::local_ai;
    CLI::App app{
        "A bot in a box: a telephone kitchen that hears by pocketsphinx and speaks by "
        "espeak-ng. It takes calls over WebSocket, in the plain protocol of Offhook "
        "(ws://HOST:PORT/plain) and in Twilio's (ws://HOST:PORT/twilio); on another path "
        "the first message decides. No account, no network.",
        "offhook-local-ai"};
    app.set_version_flag("--version", "offhook-local-ai " OFFHOOK_VERSION);
    app.require_subcommand(0, 1);
    int exit_code = 0;

    ServerOptions server;
    app.add_option("--listen", server.listen, "host:port; port 0: any")->capture_default_str();
    app.add_option("--model", server.model, "Folder of the speech model")->capture_default_str();
    app.add_option("--voice", server.voice, "As espeak-ng --voices has them")
        ->capture_default_str();
    app.add_option("--speed", server.words_per_minute, "Words per minute of the voice")
        ->capture_default_str()
        ->check(CLI::Range(80, 450));
    app.add_option("--workers", server.workers, "Threads that recognise; 0: one a core")
        ->capture_default_str()
        ->check(CLI::Range(0, 64));
    app.add_option("--calls", server.most_calls, "More are refused with 503")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    app.add_option("--time", server.time, "Tells this time, HH:MM, instead of the clock's");
    app.add_flag("--json", server.is_json, "The transcript as JSON, one object a line");
    app.add_option("--ready-fd", server.ready_fd, "Gets a line \"ready HOST:PORT\"")
        ->check(CLI::NonNegativeNumber);

    auto* hear =
        app.add_subcommand("hear", "Recognise the utterances of recordings and print them");
    HearOptions files;
    hear->add_option("file", files.files, "WAV files")->required();
    hear->add_option("--grammar",
                     files.grammar,
                     "caller: what callers say; answers: what the bot says; else a JSGF file")
        ->capture_default_str();
    hear->add_option("--model", files.model, "Folder of the speech model")->capture_default_str();
    hear->add_flag("--json", files.is_json, "One object a file");
    hear->callback([&] { exit_code = run_hear(files); });

    std::string which = "caller";
    auto* grammar = app.add_subcommand("grammar", "Print a grammar in JSGF");
    grammar->add_option("which", which, "caller or answers")
        ->capture_default_str()
        ->check(CLI::IsMember({"caller", "answers"}));
    grammar->callback([&] {
        std::printf("%s", (which == "caller" ? caller_grammar() : answer_grammar()).c_str());
    });
    app.footer(
        "Examples:\n"
        "  offhook-local-ai --listen 127.0.0.1:9090\n"
        "  offhook-local-ai hear question.wav\n"
        "  offhook-local-ai hear --grammar answers recorded.wav\n"
        "Say: " +
        example_sayings() + "\nExit codes: 0 well, 1 it cannot run, 2 usage.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : kExitUsage;
    }
    return app.get_subcommands().empty() ? run_server(server) : exit_code;
}

// The black box of a call, as a file.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/escape.h"
#include "cli/api_talk.h"

namespace offhook::cli {
namespace {

constexpr std::int64_t kPatienceS = 30;
constexpr std::size_t kMaxDumpBytes = std::size_t{512} << 20;

/// Numbers of people are in it: nobody else reads it. @returns why not, or nothing
std::string write_file(const std::string& path, std::string_view bytes) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return std::strerror(errno);
    std::string why;
    while (!bytes.empty() && why.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) why = std::strerror(errno);
        if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::close(fd) != 0 && why.empty()) why = std::strerror(errno);
    return why;
}

int dump(const Given& given) {
    ApiTalk talk("dump", given);
    const auto id = talk.call_id(given.value("id"));
    if (!id) return talk.code();
    const std::string format = given.has("format") ? given.value("format") : "json";
    const auto reply = http_request(*talk.address(),
                                    {.path = "/api/v1/calls/" + *id + "/dump?format=" + format,
                                     .patience_s = kPatienceS,
                                     .max_bytes = kMaxDumpBytes});
    if (!reply) {
        talk.fail(kExitUnavailable, reply.error().text() + "; is `offhook serve` running?");
        return talk.code();
    }
    if (reply->status != 200) {
        talk.fail(exit_code_of(reply->status), refusal_text(*talk.address(), *reply));
        return talk.code();
    }
    std::string path = given.value("output");
    if (path == "-") return print(reply->body);
    if (path.empty()) path = *id + (format == "rtcstats" ? ".rtcstats.txt" : "." + format);
    if (const std::string why = write_file(path, reply->body); !why.empty()) {
        talk.fail(kExitFailed, "cannot write " + base::escape_untrusted(path, 200) + ": " + why);
        return talk.code();
    }
    return print(path + "\n");
}

}  // namespace

Verb dump_verb() {
    return {
        .name = "dump",
        .summary = "Save the black box of a call: SIP, RTP headers, AI frames, statistics",
        .footer =
            "It takes a token with the scope debug. The name of the file goes to standard output.\n"
            "Exit code: 0, 1 there is no such call or no black box of it, 69 the daemon is not "
            "there.\n"
            "\nExamples:\n"
            "  offhook dump 3f1c\n"
            "  offhook dump 3f1c --format pcapng -o call.pcapng\n"
            "  offhook dump 3f1c -o - | jq .events",
        .options = {{.names = "id",
                     .help = "The call, by the beginning of its id",
                     .value = "ID",
                     .is_needed = true},
                    {.names = "--format",
                     .help = "json, a capture for Wireshark, or what Chrome's pages read",
                     .value = "FORMAT",
                     .choices = {"json", "pcapng", "rtcstats"}},
                    {.names = "-o,--output",
                     .help = "Where to; - is standard output; without it the id and the format",
                     .value = "FILE"}},
        .run = dump};
}

}  // namespace offhook::cli

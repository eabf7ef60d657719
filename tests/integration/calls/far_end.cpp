#include "calls/far_end.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "harness/sipp.h"

namespace offhook::harness {
namespace {

// What a scenario would have to repeat at every step.
const std::vector<std::pair<std::string, std::string>>& words() {
    static const std::string kContact = "Contact: <sip:far@[local_ip]:[local_port]>\n";
    static const std::vector<std::pair<std::string, std::string>> kWords{
        {"@ANSWER@",
         "[last_Via:]\n[last_From:]\n[last_To:];tag=far-[call_number]\n[last_Call-ID:]\n"
         "[last_CSeq:]\n" +
             kContact},
        {"@REPLY@",
         "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n" + kContact},
        {"@REQUEST@",
         "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
         "From:[$callee];tag=far-[call_number]\nTo:[$caller]\nCall-ID: [call_id]\n"
         "Max-Forwards: 70\n" +
             kContact},
        {"@SDP@",
         "v=0\no=far 1 [cseq] IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n"
         "m=audio [media_port] RTP/AVP 0\na=rtpmap:0 PCMU/8000\na=ptime:20\n"}};
    return kWords;
}

std::string with_words(std::string text) {
    for (const auto& [word, meaning] : words()) {
        for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at))
            text.replace(at, word.size(), meaning);
    }
    return text;
}

// REGISTER and INVITE begin calls of SIPp's; both are this scenario.
std::string scenario(const std::string& steps) {
    return with_words(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n"
        "<!DOCTYPE scenario SYSTEM \"sipp.dtd\">\n<scenario name=\"far end\">\n"
        "<recv request=\"REGISTER\" optional=\"true\" next=\"registered\"/>\n"
        "<recv request=\"INVITE\" rrs=\"true\"><action>"
        "<ereg regexp=\".*\" search_in=\"hdr\" header=\"From:\" assign_to=\"caller\"/>"
        "<ereg regexp=\".*\" search_in=\"hdr\" header=\"To:\" assign_to=\"callee\"/>"
        "</action></recv>\n<Reference variables=\"caller,callee\"/>\n" +
        steps +
        "<nop next=\"done\"/>\n<label id=\"registered\"/>\n<send><![CDATA[\nSIP/2.0 200 OK\n"
        "@ANSWER@Expires: 300\nContent-Length: 0\n\n]]></send>\n<label id=\"done\"/>\n"
        "</scenario>\n");
}

std::string slurp(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

FarEnd::FarEnd(const TempDir& folder, const std::string& behaviour, int invites)
    : folder_(folder / "far-end"), port_(free_udp_port()) {
    const char* scenarios = std::getenv("OFFHOOK_CALL_SCENARIOS");
    if (scenarios == nullptr) throw std::runtime_error("OFFHOOK_CALL_SCENARIOS is not set");
    const std::string steps = slurp(std::filesystem::path(scenarios) / behaviour / "callee.xml");
    if (steps.empty()) throw std::runtime_error("there is no behaviour " + behaviour);
    std::filesystem::create_directory(folder_);
    std::ofstream(folder_ / "scenario.xml") << scenario(steps);
    Process::Options options;
    options.folder = folder_;
    options.env["TERM"] = "dumb";
    process_ = std::make_unique<Process>(std::vector<std::string>{"sipp",
                                                                  "-sf",
                                                                  "scenario.xml",
                                                                  "-i",
                                                                  "127.0.0.1",
                                                                  "-mi",
                                                                  "127.0.0.1",
                                                                  "-p",
                                                                  std::to_string(port_),
                                                                  "-m",
                                                                  std::to_string(invites + 1),
                                                                  "-nostdin",
                                                                  "-nd",
                                                                  "-trace_err",
                                                                  "-error_file",
                                                                  "errors.log",
                                                                  "-trace_msg",
                                                                  "-message_file",
                                                                  "messages.log",
                                                                  "-timeout",
                                                                  "60s",
                                                                  "-timeout_error",
                                                                  "-recv_timeout",
                                                                  "30000"},
                                         options);
}

Daemon::Options FarEnd::account(const std::string& tables) const {
    Daemon::Options options;
    options.more =
        (tables.empty() ? std::string("[[ai]]\nname = \"echo\"\nprotocol = \"echo\"\n"
                                      "[[route]]\nname = \"default\"\nai = \"echo\"\n"
                                      "accept_transfer = true\n")
                        : tables) +
        "[state]\ndirectory = \"" + (folder_ / "state").string() +
        "\"\n[[account]]\nname = \"office\"\nuser = \"200\"\ndomain = \"pbx.example.com\"\n"
        "transport = \"udp\"\noutbound_proxy = \"127.0.0.1:" +
        std::to_string(port_) + "\"\nallow_outbound = true\noutbound_allow = [\"1??\"]\n";
    return options;
}

bool FarEnd::succeeds(milliseconds limit) {
    return process_->wait(limit) == 0;
}

std::string FarEnd::problem() {
    const std::optional<int> code = process_->wait(milliseconds(0));
    return "SIPp " + (code ? "ended with " + std::to_string(*code) : std::string("still runs")) +
           "\n" + slurp(folder_ / "errors.log") + slurp(folder_ / "messages.log");
}

}  // namespace offhook::harness

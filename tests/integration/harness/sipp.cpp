#include "harness/sipp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>

namespace offhook::harness {
namespace {

constexpr const char* kVia = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n";

/// Headers of a request outside a dialog.
std::string initial(const std::string& method, int cseq) {
    return method + " sip:[service]@[remote_ip]:[remote_port] SIP/2.0\n" + kVia +
           "From: \"SIPp\" <sip:sipp@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]\n"
           "To: <sip:[service]@[remote_ip]:[remote_port]>\n"
           "Call-ID: [call_id]\nCSeq: " +
           std::to_string(cseq) + " " + method +
           "\nContact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>\n"
           "Max-Forwards: 70\n";
}

/// Headers of a request inside the dialog.
std::string inside(const std::string& method, int cseq) {
    return method + " [next_url] SIP/2.0\n" + kVia +
           "From: \"SIPp\" <sip:sipp@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]\n"
           "To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]\n"
           "[routes]\nCall-ID: [call_id]\nCSeq: " +
           std::to_string(cseq) + " " + method +
           "\nContact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>\n"
           "Max-Forwards: 70\n";
}

std::filesystem::path next_folder(const TempDir& folder) {
    static std::atomic<int> count{0};
    auto made = folder / ("sipp-" + std::to_string(++count));
    std::filesystem::create_directory(made);
    return made;
}

std::string slurp(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::stringstream buffer;
    buffer << file.rdbuf();
    return buffer.str();
}

}  // namespace

std::uint16_t free_udp_port() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    ::close(fd);
    return ntohs(address.sin_port);
}

std::string Scenario::body_of(const Media& media) {
    std::string sdp = "v=0\no=sipp 53655765 " + std::to_string(media.version) +
                      " IN IP4 [local_ip]\ns=-\nc=IN IP4 " + media.address +
                      "\nt=0 0\nm=audio "
                      "[rtpstream_audio_port] RTP/AVP " +
                      media.formats + "\n";
    for (const std::string& attribute : media.attributes) {
        sdp += "a=" + attribute + "\n";
    }
    return sdp + "a=" + media.direction + "\n";
}

Scenario& Scenario::send(const std::string& message, const std::string& attributes) {
    return step("<send" + attributes + "><![CDATA[\n\n" + message + "\n]]></send>");
}

Scenario& Scenario::step(const std::string& element) {
    ++step_;
    steps_ += element + "\n";
    return *this;
}

Scenario& Scenario::invite(const Media& media, const std::string& headers) {
    invite_cseq_ = ++cseq_;
    invite_step_ = step_;
    return send(initial("INVITE", cseq_) + headers +
                    "Content-Type: application/sdp\nContent-Length: [len]\n\n" + body_of(media),
                " retrans=\"500\"");
}

Scenario& Scenario::invite_without_sdp() {
    invite_cseq_ = ++cseq_;
    invite_step_ = step_;
    return send(initial("INVITE", cseq_) + "Content-Length: 0\n", " retrans=\"500\"");
}

Scenario& Scenario::invite_with_body(const std::string& content_type, const std::string& body) {
    invite_cseq_ = ++cseq_;
    invite_step_ = step_;
    return send(initial("INVITE", cseq_) + "Content-Type: " + content_type +
                    "\nContent-Length: [len]\n\n" + body,
                " retrans=\"500\"");
}

Scenario& Scenario::reinvite(const Media& media) {
    invite_cseq_ = ++cseq_;
    invite_step_ = step_;
    return send(inside("INVITE", cseq_) +
                    "Content-Type: application/sdp\nContent-Length: [len]\n\n" + body_of(media),
                " retrans=\"500\"");
}

Scenario& Scenario::receive(int status) {
    return step("<recv response=\"" + std::to_string(status) + "\" rrs=\"true\"/>");
}

Scenario& Scenario::may_receive(int status) {
    return step("<recv response=\"" + std::to_string(status) + "\" optional=\"true\"/>");
}

Scenario& Scenario::receive_matching(int status, const std::string& regex) {
    return step("<recv response=\"" + std::to_string(status) +
                "\" rrs=\"true\"><action><ereg regexp=\"" + regex +
                "\" search_in=\"msg\" check_it=\"true\" assign_to=\"1\"/><log "
                "message=\"[$1]\"/></action></recv>");
}

Scenario& Scenario::receive_request(const std::string& method) {
    return step("<recv request=\"" + method + "\" timeout=\"60000\"/>");
}

Scenario& Scenario::ok() {
    return send(
        "SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n"
        "Content-Length: 0\n");
}

Scenario& Scenario::ack() {
    return send(inside("ACK", invite_cseq_) + "Content-Length: 0\n");
}

Scenario& Scenario::ack_with(const Media& media) {
    return send(inside("ACK", invite_cseq_) +
                "Content-Type: application/sdp\nContent-Length: [len]\n\n" + body_of(media));
}

Scenario& Scenario::ack_failure() {
    return send(
        "ACK sip:[service]@[remote_ip]:[remote_port] "
        "SIP/2.0\n[last_Via:]\n[last_From:]\n[last_To:]\n"
        "[last_Call-ID:]\nCSeq: " +
        std::to_string(invite_cseq_) + " ACK\nMax-Forwards: 70\nContent-Length: 0\n");
}

Scenario& Scenario::cancel() {
    // The branch of the INVITE it cancels (RFC 3261 §9.1); SIPp counts steps back.
    const std::string branch = "[branch-" + std::to_string(step_ - invite_step_) + "]";
    return send(
        "CANCEL sip:[service]@[remote_ip]:[remote_port] SIP/2.0\n"
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=" +
        branch +
        "\n"
        "From: \"SIPp\" <sip:sipp@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]\n"
        "To: <sip:[service]@[remote_ip]:[remote_port]>\nCall-ID: [call_id]\nCSeq: " +
        std::to_string(invite_cseq_) + " CANCEL\nMax-Forwards: 70\nContent-Length: 0\n");
}

Scenario& Scenario::bye() {
    return send(inside("BYE", ++cseq_) + "Content-Length: 0\n", " retrans=\"500\"");
}

Scenario& Scenario::options() {
    return send(initial("OPTIONS", ++cseq_) + "Accept: application/sdp\nContent-Length: 0\n",
                " retrans=\"500\"");
}

Scenario& Scenario::request(const std::string& method) {
    return send(initial(method, ++cseq_) + "Content-Length: 0\n", " retrans=\"500\"");
}

Scenario& Scenario::pause(milliseconds length) {
    return step("<pause milliseconds=\"" + std::to_string(length.count()) + "\"/>");
}

Scenario& Scenario::answer_reinvites(const Media& media, milliseconds quiet) {
    step("<label id=\"1\"/>");
    step("<recv request=\"INVITE\" timeout=\"" + std::to_string(quiet.count()) +
         "\" ontimeout=\"2\"/>");
    send(
        "SIP/2.0 200 OK\n[last_Via:]\n[last_Record-Route:]\n[last_From:]\n[last_To:]\n"
        "[last_Call-ID:]\n[last_CSeq:]\n"
        "Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>\n"
        "Content-Type: application/sdp\nContent-Length: [len]\n\n" +
            body_of(media),
        " retrans=\"500\"");
    step("<recv request=\"ACK\" next=\"1\"/>");
    return step("<label id=\"2\"/>");
}

Scenario& Scenario::stream(const std::filesystem::path& mulaw_file) {
    return step("<nop><action><exec rtp_stream=\"" + mulaw_file.string() +
                ",-1,0\"/></action></nop>");
}

Scenario& Scenario::pause_stream() {
    return step("<nop><action><exec rtp_stream=\"pause\"/></action></nop>");
}

std::string Scenario::xml() const {
    return "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<!DOCTYPE scenario SYSTEM "
           "\"sipp.dtd\">\n"
           "<scenario name=\"offhook\">\n" +
           steps_ + "</scenario>\n";
}

Sipp::Sipp(const TempDir& folder,
           std::uint16_t port,
           const Scenario& scenario,
           const Options& options) {
    folder_ = next_folder(folder);
    std::ofstream(folder_ / "scenario.xml") << scenario.xml();
    start(port, options, {"-sf", (folder_ / "scenario.xml").string()});
}

Sipp Sipp::from_file(const TempDir& folder,
                     std::uint16_t port,
                     const std::filesystem::path& scenario,
                     const Options& options) {
    Sipp sipp;
    sipp.folder_ = next_folder(folder);
    sipp.start(port, options, {"-sf", scenario.string()});
    return sipp;
}

Sipp::Sipp(const TempDir& folder,
           std::uint16_t port,
           const std::string& builtin,
           const Options& options) {
    folder_ = folder / ("sipp-" + builtin);
    std::filesystem::create_directory(folder_);
    start(port, options, {"-sn", builtin});
}

void Sipp::start(std::uint16_t port,
                 const Options& options,
                 std::vector<std::string> scenario_arguments) {
    std::vector<std::string> argv{"sipp", "127.0.0.1:" + std::to_string(port)};
    argv.insert(argv.end(), scenario_arguments.begin(), scenario_arguments.end());
    for (const char* argument : {"-i",
                                 "127.0.0.1",
                                 "-mi",
                                 "127.0.0.1",
                                 "-nostdin",
                                 "-trace_err",
                                 "-error_file",
                                 "errors.log",
                                 "-trace_msg",
                                 "-message_file",
                                 "messages.log",
                                 "-nd",
                                 "-aa",
                                 "-timeout",
                                 "120s",
                                 "-timeout_error",
                                 "-recv_timeout",
                                 "30000"}) {
        argv.emplace_back(argument);
    }
    const std::vector<std::string> more{"-p",
                                        std::to_string(free_udp_port()),
                                        "-s",
                                        options.user,
                                        "-m",
                                        std::to_string(options.calls),
                                        "-t",
                                        options.is_tcp ? "t1" : "u1"};
    argv.insert(argv.end(), more.begin(), more.end());
    argv.insert(argv.end(), options.arguments.begin(), options.arguments.end());
    Process::Options process;
    process.folder = folder_;
    process.env["TERM"] = "dumb";
    process_ = std::make_unique<Process>(argv, process);
}

bool Sipp::succeeds(milliseconds limit) {
    return process_->wait(limit) == 0;
}

std::string Sipp::problem() {
    const std::optional<int> code = process_->wait(milliseconds(0));
    return "SIPp " + (code ? "ended with " + std::to_string(*code) : std::string("still runs")) +
           "\n" + slurp(folder_ / "errors.log") + messages();
}

std::string Sipp::messages() {
    return slurp(folder_ / "messages.log");
}

}  // namespace offhook::harness

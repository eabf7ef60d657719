#include "pbx/phones.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "pbx/sockets.h"

namespace offhook::harness {
namespace {

const char* const kScenarioHead = "<?xml version=\"1.0\"?>\n<scenario name=\"phone\">\n";

std::string registering(const std::string& user,
                        const std::string& domain,
                        int cseq,
                        const std::string& more) {
    return "<send retrans=\"500\"><![CDATA[\n\nREGISTER sip:" + domain +
           " SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\nFrom: <sip:" +
           user + "@" + domain + ">;tag=[pid]r\nTo: <sip:" + user + "@" + domain +
           ">\nCall-ID: [call_id]\nCSeq: " + std::to_string(cseq) +
           " REGISTER\nContact: <sip:" + user +
           "@[local_ip]:[local_port]>\nMax-Forwards: 70\nExpires: 60\n" + more +
           "Content-Length: 0\n\n]]></send>\n";
}

std::string reply(const std::string& line, const std::string& rest) {
    return "<send retrans=\"500\"><![CDATA[\n\nSIP/2.0 " + line +
           "\n[last_Via:]\n[last_Record-Route:]\n[last_From:]\n[last_To:];tag=[pid]p\n"
           "[last_Call-ID:]\n[last_CSeq:]\n" +
           rest + "\n]]></send>\n";
}

std::string without_retransmission(std::string step) {
    constexpr std::string_view kAttribute = " retrans=\"500\"";
    step.erase(step.find(kAttribute), kAttribute.size());
    return step;
}

std::string slurp(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

SippPhone::SippPhone(const TempDir& folder,
                     const Pbx& pbx,
                     const std::string& user,
                     const std::string& password,
                     bool expects_refusal)
    : folder_(folder / ("sipp-phone-" + user)),
      pbx_port_(pbx.port(Pbx::Transport::Udp)),
      port_(free_ports(1).front()),
      user_(user) {
    std::filesystem::create_directory(folder_);
    const std::string& domain = pbx.options().domain;
    const std::string scenario =
        kScenarioHead + registering(user, domain, 1, "") +
        "<recv response=\"401\" auth=\"true\"/>\n" +
        registering(
            user, domain, 2, "[authentication username=" + user + " password=" + password + "]\n") +
        "<recv response=\"" + (expects_refusal ? "401" : "200") + "\"/>\n</scenario>\n";
    process_ = start("register", scenario);
    if (process_->wait(seconds(20)) != 0) {
        throw std::runtime_error("SIPp does not register as expected: " + problem());
    }
}

std::unique_ptr<Process> SippPhone::start(const std::string& name, const std::string& scenario) {
    std::ofstream(folder_ / (name + ".xml")) << scenario;
    Process::Options process;
    process.folder = folder_;
    process.env["TERM"] = "dumb";
    return std::make_unique<Process>(
        std::vector<std::string>{"sipp",
                                 "127.0.0.1:" + std::to_string(pbx_port_),
                                 "-sf",
                                 name + ".xml",
                                 "-i",
                                 "127.0.0.1",
                                 "-mi",
                                 "127.0.0.1",
                                 "-p",
                                 std::to_string(port_),
                                 "-m",
                                 "1",
                                 "-nostdin",
                                 "-nd",
                                 "-trace_err",
                                 "-error_file",
                                 "errors.log",
                                 "-trace_msg",
                                 "-message_file",
                                 "messages.log",
                                 "-timeout",
                                 "120s",
                                 "-timeout_error"},
        process);
}

void SippPhone::answer(const Sound& says) {
    std::string talking;
    if (!says.samples.empty()) {
        write_mulaw(folder_ / "says.ulaw", says);
        talking = "<nop><action><exec rtp_stream=\"" + (folder_ / "says.ulaw").string() +
                  ",-1,0,PCMU/8000\"/></action></nop>\n";
    }
    const std::string contact = "Contact: <sip:" + user_ + "@[local_ip]:[local_port]>\nContent-";
    process_ = start(
        "answer",
        kScenarioHead + std::string("<recv request=\"INVITE\" rrs=\"true\"/>\n") +
            without_retransmission(reply("180 Ringing", contact + "Length: 0\n")) +
            reply("200 OK",
                  contact +
                      "Type: application/sdp\nContent-Length: [len]\n\nv=0\no=phone 1 1 IN IP4 "
                      "[local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio [rtpstream_audio_port] "
                      "RTP/AVP 0\na=rtpmap:0 PCMU/8000\na=sendrecv\n") +
            "<recv request=\"ACK\" crlf=\"true\"/>\n" + talking +
            "<recv request=\"BYE\" timeout=\"100000\"/>\n" +
            without_retransmission(
                "<send retrans=\"500\"><![CDATA[\n\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n"
                "[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n]]></send>\n") +
            "</scenario>\n");
}

bool SippPhone::is_hung_up(milliseconds limit) {
    return process_->wait(limit) == 0;
}

std::string SippPhone::bye() {
    const std::string messages = slurp(folder_ / "messages.log");
    const std::size_t start = messages.find("\nBYE ");
    return start == std::string::npos
               ? std::string()
               : messages.substr(start + 1, messages.find("\n-----", start) - start);
}

std::string SippPhone::problem() {
    return process_->output() + slurp(folder_ / "errors.log") + slurp(folder_ / "messages.log");
}

BaresipPhone::BaresipPhone(const TempDir& folder,
                           const Pbx& pbx,
                           const std::string& user,
                           const std::string& password,
                           Pbx::Transport transport,
                           Pbx::Media media) {
    const std::filesystem::path home = folder / ("baresip-phone-" + user);
    std::filesystem::create_directory(home);
    write_wav(home / "says.wav", tone(8000, 440, 60));
    const char* name = transport == Pbx::Transport::Tls   ? "tls"
                       : transport == Pbx::Transport::Tcp ? "tcp"
                                                          : "udp";
    std::ofstream(home / "config")
        << "sip_listen 127.0.0.1:0\nnet_interface 127.0.0.1\nrtp_ports 8000-9998\nsip_cafile "
        << pbx.ca_file().string() << "\naudio_source aufile," << (home / "says.wav").string()
        << "\nring_aufile none\nmodule_path /usr/lib/baresip/modules\nmodule g711.so\n"
           "module aufile.so\nmodule srtp.so\nmodule_tmp uuid.so\nmodule_tmp account.so\n"
           "module_app menu.so\n";
    std::ofstream(home / "accounts")
        << "<sip:" << user << "@" << pbx.options().domain << ";transport=" << name
        << ">;auth_pass=" << password << ";outbound=\"sip:127.0.0.1:" << pbx.port(transport)
        << ";transport=" << name << "\";regint=60;answermode=auto;audio_codecs=PCMU/8000/1;ptime=20"
        << (media == Pbx::Media::Sdes ? ";mediaenc=srtp-mand" : "") << "\n";
    std::ofstream(home / "contacts") << "";
    Process::Options options;
    options.folder = home;
    process_ = std::make_unique<Process>(std::vector<std::string>{"baresip", "-f", home.string()},
                                         options);
}

bool BaresipPhone::is_registered(milliseconds limit) {
    return process_->wait_output("200 OK", limit).has_value();
}

bool BaresipPhone::is_refused(milliseconds limit) {
    return process_->wait_output("401 Unauthorized", limit).has_value();
}

}  // namespace offhook::harness

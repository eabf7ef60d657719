// Bots written for Asterisk, by people who never saw Offhook (that is: from what is known of
// Asterisk, in another language), on a call of the real program.

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

#include "harness/call_test.h"
#include "harness/free_port.h"
#include "harness/offhook_call.h"

namespace offhook::harness {
namespace {

/// One of the scripts in this folder.
class Bot {
public:
    explicit Bot(const std::string& script, const std::vector<std::string>& arguments = {})
        : is_server_(arguments.empty() || arguments[0] == "server") {
        const char* folder = std::getenv("OFFHOOK_ASTERISK_PEERS");
        if (folder == nullptr) throw std::runtime_error("OFFHOOK_ASTERISK_PEERS is not set");
        std::vector<std::string> argv{"/usr/bin/python3", std::string(folder) + "/" + script};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        process_ = std::make_unique<Process>(
            argv,
            Process::Options{.folder = {}, .env = {}, .input = {}, .has_ready_fd = is_server_});
        if (!is_server_) return;
        port_ = process_->ready_line(seconds(30));
        if (port_.empty()) throw std::runtime_error("no bot:\n" + process_->output());
    }
    [[nodiscard]] const std::string& port() const { return port_; }
    [[nodiscard]] std::string output() { return process_->output(); }

    bool says(const std::string& text) {
        return process_->wait_output(text, seconds(20)).has_value();
    }
    /// What it says of the call, without "verdict ".
    std::string verdict(milliseconds limit = seconds(60)) {
        const auto at = process_->wait_output("verdict ", limit);
        if (!at) return "none:\n" + process_->output();
        process_->wait_output("\n", seconds(5), *at);
        const std::string text = process_->output();
        return text.substr(*at, text.find('\n', *at) - *at);
    }

private:
    bool is_server_;
    std::unique_ptr<Process> process_;
    std::string port_;
};

class Asterisk : public CallTest {
protected:
    static std::string ai(const std::string& url, const std::string& more) {
        return "[[ai]]\nname = \"bot\"\nprotocol = \"asterisk\"\n" +
               (url.empty() ? "" : "url = \"" + url + "\"\n") + more;
    }
    static std::string route(const std::string& verbs) {
        return "\n[[route]]\nname = \"all\"\nai = \"bot\"\nfill = \"silence\"\nverbs = [" + verbs +
               "]\n";
    }
    void start_with(const std::string& more) {
        Daemon::Options options;
        options.more = more;
        start(options);
    }
    OffhookCall call() {
        return OffhookCall(
            daemon_->uri(),
            {"--seconds", "20", "--dtmf", "5", "--record", (folder_ / "heard.wav").string()});
    }
    /// The far end hung up, and until then nothing was missing.
    void expect_ended_by_bot(OffhookCall& caller) {
        caller.finish(seconds(40));
        const Json report = caller.report();
        EXPECT_EQ(report.number("calls.hung_up_by_peer"), 1) << caller.text();
        EXPECT_EQ(report.number("continuity.lost"), 0) << caller.text();
        EXPECT_EQ(report.number("continuity.timestamp_breaks"), 0) << caller.text();
    }
    /// How much of a 1 kHz tone the caller heard: a second in bulk, what was flushed after 0.3 s,
    /// 0.2 s after a pause.
    void expect_heard_tone() {
        double length_s = 0;
        for (const HeardTone& each : heard_tones(read_wav(folder_ / "heard.wav"), {1000}))
            length_s += each.length_s;
        EXPECT_GT(length_s, 1.4);
        EXPECT_LT(length_s, 1.8);
    }
};

TEST_F(Asterisk, AStoryInPlainText) {
    Bot bot("chan_websocket.py", {"server"});
    start_with(ai("ws://127.0.0.1:" + bot.port() + "/story/text/ulaw",
                  "[[ai.parameter]]\nname = \"caller\"\nvalue = \"${from} & co\"\n") +
               route("\"hang-up\""));
    OffhookCall caller = call();
    EXPECT_TRUE(bot.verdict().starts_with("ok c-")) << bot.verdict();
    EXPECT_NE(bot.output().find(R"(parameters [["caller", "offhook & co"]])"), std::string::npos)
        << bot.output();
    expect_ended_by_bot(caller);
    expect_heard_tone();
}

TEST_F(Asterisk, AStoryInJson) {
    Bot bot("chan_websocket.py", {"server"});
    start_with(ai("ws://127.0.0.1:" + bot.port() + "/story/json/slin16",
                  "control = \"json\"\nencoding = \"pcm\"\n") +
               route("\"hang-up\""));
    OffhookCall caller = call();
    EXPECT_TRUE(bot.verdict().starts_with("ok c-")) << bot.verdict();
    expect_ended_by_bot(caller);
    expect_heard_tone();
}

TEST_F(Asterisk, ABotThatMayNotHangUpIsToldAndCloses) {
    Bot bot("chan_websocket.py", {"server"});
    start_with(ai("ws://127.0.0.1:" + bot.port() + "/may-not/text/ulaw", "") + route(""));
    OffhookCall caller = call();
    EXPECT_TRUE(bot.verdict().starts_with("ok c-")) << bot.verdict();
    expect_ended_by_bot(caller);
}

TEST_F(Asterisk, ABotComesToItsCall) {
    const std::string door = std::to_string(free_port());
    start_with("[ai_listen]\nport = " + door + "\n\n" + ai("", "dial = false\n") +
               route("\"hang-up\""));
    OffhookCall caller = call();
    const std::string id = daemon_->only_call();
    const std::string media = "ws://127.0.0.1:" + door + "/media/";
    Bot bot("chan_websocket.py", {"client", media + id});
    ASSERT_TRUE(bot.says("in\n")) << bot.output();
    Bot stranger("chan_websocket.py", {"refused", media + "c-000000000000", "404"});
    Bot second("chan_websocket.py", {"refused", media + id, "409"});
    EXPECT_EQ(stranger.verdict(), "ok");
    EXPECT_EQ(second.verdict(), "ok");
    EXPECT_EQ(bot.verdict(), "ok " + id);
    expect_ended_by_bot(caller);
    expect_heard_tone();
}

TEST_F(Asterisk, AudioSocketOverTcp) {
    Bot bot("audiosocket.py");
    start_with("[[ai]]\nname = \"bot\"\nprotocol = \"audiosocket\"\nurl = \"tcp://127.0.0.1:" +
               bot.port() + "\"\n" + route(""));
    const Sound sent = tone(8000, 700, 2.0);
    write_wav(folder_ / "sent.wav", sent);
    OffhookCall caller(daemon_->uri(),
                       {"--seconds",
                        "30",
                        "--dtmf",
                        "5",
                        "--wav",
                        (folder_ / "sent.wav").string(),
                        "--record",
                        (folder_ / "heard.wav").string()});
    const std::string id = daemon_->only_call();
    // The name that any AudioSocket server can make of the call's id.
    const std::string uuid =
        run({"/usr/bin/python3",
             "-c",
             "import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, 'offhook:" + id + "'), end='')"});
    EXPECT_EQ(bot.verdict(), "ok " + uuid);
    expect_ended_by_bot(caller);
    double echo_s = 0;
    for (const HeardTone& each : heard_tones(read_wav(folder_ / "heard.wav"), {700}))
        echo_s += each.length_s;
    EXPECT_GT(echo_s, 3.0);
}

}  // namespace
}  // namespace offhook::harness

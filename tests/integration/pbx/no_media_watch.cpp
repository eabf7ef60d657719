#include "pbx/no_media_watch.h"

#include <poll.h>

#include <sstream>

#include "pbx/sockets.h"

namespace offhook::harness {
namespace {

constexpr int kInterval_ms = 100;

/// `key=value` words of a log line.
std::map<std::string, std::string> facts_of(const std::string& line) {
    std::map<std::string, std::string> facts;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
        if (const std::size_t at = word.find('='); at != std::string::npos) {
            facts[word.substr(0, at)] = word.substr(at + 1);
        }
    }
    return facts;
}

}  // namespace

NoMediaWatch::NoMediaWatch(Settings settings,
                           RelayControl relay,
                           ProxyControl proxy,
                           std::function<std::string()> log)
    : settings_(std::move(settings)),
      relay_(relay),
      proxy_(std::move(proxy)),
      log_(std::move(log)),
      thread_([this] { run(); }) {}

NoMediaWatch::~NoMediaWatch() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    thread_.join();
}

std::vector<Diversion> NoMediaWatch::diversions() {
    const std::lock_guard lock(mutex_);
    return diversions_;
}

std::string NoMediaWatch::report() {
    const std::lock_guard lock(mutex_);
    return report_;
}

std::string NoMediaWatch::Call::fact(const std::string& name) const {
    const auto found = facts.find(name);
    return found == facts.end() ? std::string() : found->second;
}

void NoMediaWatch::run() {
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            if (is_ending_) {
                return;
            }
        }
        read_log();
        for (auto call = calls_.begin(); call != calls_.end();) {
            if (settings_.limit.count() > 0 && lacks_media(call->second)) {
                divert(call->second);
                call = calls_.erase(call);
            } else {
                ++call;
            }
        }
        ::poll(nullptr, 0, kInterval_ms);
    }
}

void NoMediaWatch::read_log() {
    const std::string log = log_();
    const std::size_t end = log.rfind('\n');
    if (end == std::string::npos || end < read_up_to_) {
        return;
    }
    std::istringstream lines(log.substr(read_up_to_, end + 1 - read_up_to_));
    read_up_to_ = end + 1;
    for (std::string line; std::getline(lines, line);) {
        note(line);
    }
}

void NoMediaWatch::note(const std::string& line) {
    auto facts = facts_of(line);
    if (line.find("pbx: ended ") != std::string::npos) {
        calls_.erase(facts["ci"]);
    } else if (line.find("pbx: answered ") != std::string::npos) {
        // Repeated 200s and re-INVITEs change nothing of the watch, but the caller's CSeq counts on.
        const auto [call, is_new] = calls_.try_emplace(facts["ci"]);
        if (is_new) {
            call->second.facts = facts;
            call->second.answered_at = call->second.judged_since = Clock::now();
            return;
        }
        const bool is_callers = call->second.fact("ft") == facts["ft"];
        call->second.is_renegotiated |= !is_callers || call->second.fact("cseq") != facts["cseq"];
        if (is_callers) {
            call->second.facts["cseq"] = facts["cseq"];
        }
    }
}

bool NoMediaWatch::lacks_media(Call& call) {
    const auto callee = relay_.party(call.fact("ci"), call.fact("tt"));
    // A call that the relay does not know (yet) is not the relay's to judge.
    if (!callee) {
        return false;
    }
    const auto now = Clock::now();
    if (call.is_renegotiated && !callee->is_both_ways) {
        // On hold: the time begins anew when it ends.
        call.packets.clear();
        call.judged_since = now;
        return false;
    }
    call.packets.emplace_back(now, callee->packets);
    // The last count that is at least `limit` old stays.
    while (call.packets.size() > 1 && now - call.packets[1].first >= settings_.limit) {
        call.packets.erase(call.packets.begin());
    }
    if (now - call.judged_since < settings_.limit) {
        return false;
    }
    // Below one packet a second it is RTCP: with rtcp-mux the relay counts that as well.
    const double heard = double(callee->packets - call.packets.front().second);
    return heard < std::chrono::duration<double>(settings_.limit).count() * settings_.packets_hz;
}

void NoMediaWatch::divert(const Call& call) {
    Diversion diversion;
    diversion.call_id = call.fact("ci");
    diversion.after_answer_s =
        std::chrono::duration<double>(Clock::now() - call.answered_at).count();
    proxy_.call("htable.sets", R"(["diverted",")" + diversion.call_id + R"(","yes"])");
    // As the caller's own would come, so that no transaction of the proxy invents a From tag.
    const std::string bye =
        "BYE " + call.fact("contact") +
        " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKnm" +
        std::to_string(Clock::now().time_since_epoch().count()) +
        "\r\nRoute: <sip:127.0.0.1:" + std::to_string(settings_.sip_port) +
        ";lr;ftag=" + call.fact("ft") + ";pbx=" + call.fact("ends") +
        ">\r\nMax-Forwards: 70\r\nFrom: <" + call.fact("from") + ">;tag=" + call.fact("ft") +
        "\r\nTo: <" + call.fact("to") + ">;tag=" + call.fact("tt") +
        "\r\nCall-ID: " + diversion.call_id +
        "\r\nCSeq: " + std::to_string(std::stol("0" + call.fact("cseq")) + 1) +
        " BYE\r\nReason: SIP;cause=480;text=\"no media\"\r\nX-Pbx: diversion\r\n"
        "Content-Length: 0\r\n\r\n";
    const auto answer = ask(settings_.sip_port, bye, seconds(4));
    const Bencode played = relay_.call({{"command", "play media"},
                                        {"call-id", diversion.call_id},
                                        {"from-tag", call.fact("ft")},
                                        {"file", settings_.greeting.string()}});
    relay_.call({{"command", "start recording"}, {"call-id", diversion.call_id}});
    const std::lock_guard lock(mutex_);
    report_ += "diverted " + diversion.call_id + "; BYE: " + answer.value_or("no answer\n") +
               "greeting: " + played["result"].text + played["error-reason"].text + "\n";
    diversions_.push_back(diversion);
}

}  // namespace offhook::harness

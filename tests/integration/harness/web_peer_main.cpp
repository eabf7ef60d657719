// Any number of web peers in one process, told what to do by JSON lines on standard input; each
// command is answered by one line. What benchmarks drive, with signalling of their own.
//
//     {"do":"offer","peer":"a","codec":"PCMU","seconds":1,"pitch_hz":600,"mute":false}
//                                          -> {"peer":"a","sdp":"v=0..."}
//     {"do":"answer","peer":"a","sdp":""}  -> {"peer":"a"}
//     {"do":"connected","peer":"a"}        -> {"peer":"a","connected":true}; waits at most 15 s
//     {"do":"heard","peer":"a","packets":1}-> {"peer":"a","heard":true}; waits at most 15 s
//     {"do":"forget","peer":"a"}           -> {"peer":"a"}: figures begin anew
//     {"do":"report","peer":"a"}           -> {"peer":"a","packets":500,"gap_p99_ms":...}
//     {"do":"gaps"}                        -> p50, p99 and max over all peers
//     {"do":"vanish","peer":"a"}, {"do":"close","peer":"a"}
// A command that fails is answered {"peer":"a","error":"..."}; the end of input ends the program.

#include <json-glib/json-glib.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/http.h"
#include "harness/web_peer.h"

namespace offhook::harness {
namespace {

constexpr milliseconds kLimit = seconds(15);

/// One line of the answer, written member by member.
class Line {
public:
    Line() : object_(json_object_new()) {}
    ~Line() { json_object_unref(object_); }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    Line& add(const char* name, const std::string& value) {
        json_object_set_string_member(object_, name, value.c_str());
        return *this;
    }
    Line& add(const char* name, double value) {
        json_object_set_double_member(object_, name, value);
        return *this;
    }
    Line& add_count(const char* name, std::int64_t value) {
        json_object_set_int_member(object_, name, value);
        return *this;
    }
    Line& add_flag(const char* name, bool value) {
        json_object_set_boolean_member(object_, name, value);
        return *this;
    }
    [[nodiscard]] std::string text() const {
        JsonNode* node = json_node_alloc();
        json_node_init_object(node, object_);
        gchar* text = json_to_string(node, FALSE);
        std::string result = text;
        g_free(text);
        json_node_free(node);
        return result;
    }

private:
    JsonObject* object_;
};

std::uint32_t step_of(WebPeer::Codec codec) {
    return codec == WebPeer::Codec::Opus ? 960 : 160;
}

class Peers {
public:
    void obey(const Json& command, Line& line) {
        const std::string verb = command.text("do");
        const std::string name = command.text("peer");
        if (verb == "gaps") {
            all_gaps(line);
            return;
        }
        line.add("peer", name);
        if (verb == "offer") {
            line.add("sdp", make(name, command).offer());
            return;
        }
        WebPeer& peer = *find(name).peer;
        if (verb == "answer") {
            peer.take_answer(command.text("sdp"));
        } else if (verb == "connected") {
            line.add_flag("connected", peer.wait_connected(kLimit));
        } else if (verb == "heard") {
            const auto packets = static_cast<std::size_t>(command.number("packets"));
            line.add_flag("heard", peer.wait_packets(packets, kLimit));
        } else if (verb == "forget") {
            peer.forget();
        } else if (verb == "report") {
            report(find(name), line);
        } else if (verb == "vanish") {
            peer.vanish();
        } else if (verb == "close") {
            peers_.erase(name);
        } else {
            throw std::runtime_error("unknown command '" + verb + "'");
        }
    }

private:
    struct Known {
        std::unique_ptr<WebPeer> peer;
        WebPeer::Codec codec = WebPeer::Codec::Pcmu;
    };

    WebPeer& make(const std::string& name, const Json& command) {
        Known known;
        const std::string codec = command.text("codec");
        known.codec = codec == "opus"   ? WebPeer::Codec::Opus
                      : codec == "PCMA" ? WebPeer::Codec::Pcma
                                        : WebPeer::Codec::Pcmu;
        WebPeer::Options options;
        options.codec = known.codec;
        options.is_mute = command.has("mute") && command.number("mute") != 0;
        options.keeps_sound = false;
        options.pacer = pacer_;
        if (command.has("address")) {
            options.address = command.text("address");
        }
        if (command.has("pitch_hz")) {
            options.sound = tone(8000, command.number("pitch_hz"), command.number("seconds"));
        }
        known.peer = std::make_unique<WebPeer>(std::move(options));
        return *(peers_[name] = std::move(known)).peer;
    }

    Known& find(const std::string& name) {
        const auto found = peers_.find(name);
        if (found == peers_.end()) {
            throw std::runtime_error("no peer '" + name + "'");
        }
        return found->second;
    }

    static void report(const Known& known, Line& line) {
        const RtpVerdict verdict = known.peer->wire().judge(step_of(known.codec));
        line.add_count("packets", static_cast<std::int64_t>(verdict.packets))
            .add("rate", verdict.rate_hz)
            .add("duration_s", verdict.duration_s)
            .add("gap_p99_ms", verdict.p99_gap_ms)
            .add("gap_max_ms", verdict.longest_gap_ms)
            .add_count("ssrcs", static_cast<std::int64_t>(verdict.ssrcs))
            .add_count("sequence_breaks", static_cast<std::int64_t>(verdict.sequence_breaks))
            .add_count("timestamp_breaks", static_cast<std::int64_t>(verdict.timestamp_breaks))
            .add_count("sent", static_cast<std::int64_t>(known.peer->sent()))
            .add_count("first_arrival_ns", known.peer->first_arrival_ns())
            .add_count("connected_ns", known.peer->connected_ns())
            .add_flag("is_verified", known.peer->is_peer_verified());
    }

    void all_gaps(Line& line) const {
        std::vector<double> gaps_ms;
        for (const auto& [name, known] : peers_) {
            const RtpStream stream = known.peer->wire();
            for (std::size_t index = 1; index < stream.packets().size(); ++index) {
                gaps_ms.push_back(
                    (stream.packets()[index].at_s - stream.packets()[index - 1].at_s) * 1000);
            }
        }
        std::sort(gaps_ms.begin(), gaps_ms.end());
        const auto at = [&](double share) {
            return gaps_ms.empty()
                       ? 0.0
                       : gaps_ms[static_cast<std::size_t>(double(gaps_ms.size() - 1) * share)];
        };
        line.add_count("gaps", static_cast<std::int64_t>(gaps_ms.size()))
            .add("p50_ms", at(0.5))
            .add("p99_ms", at(0.99))
            .add("max_ms", at(1));
    }

    std::shared_ptr<WebPacer> pacer_ = std::make_shared<WebPacer>();
    std::map<std::string, Known> peers_;
};

void serve() {
    WebPeer::warm_up();
    Peers peers;
    for (std::string text; std::getline(std::cin, text);) {
        Line line;
        try {
            peers.obey(Json(text), line);
        } catch (const std::exception& error) {
            line.add("error", error.what());
        }
        std::cout << line.text() << std::endl;
    }
}

}  // namespace
}  // namespace offhook::harness

int main() {
    offhook::harness::serve();
    return 0;
}

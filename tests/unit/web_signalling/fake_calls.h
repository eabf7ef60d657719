#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "model/signalling.h"

namespace offhook::testing {

/// A call room that writes down what it is told, in words ("incoming", "ended caller-hangup"), and
/// does with a new call what `on_call` says.
class FakeCalls final : public model::SignallingEvents {
public:
    std::function<void(const model::IncomingCall&)> on_call;
    std::function<void(const model::CallId&, const std::string& offer, std::uint32_t)> on_offer;

    void on_incoming(model::IncomingCall call) override {
        {
            const std::lock_guard lock(mutex_);
            calls_.push_back(call);
        }
        note("incoming");
        if (on_call) on_call(call);
    }
    void on_answer_sent(const model::CallId& /*id*/) override { note("answer sent"); }
    void on_confirmed(const model::CallId& /*id*/,
                      std::optional<model::RemoteSdp> /*answer*/) override {
        note("confirmed");
    }
    void on_reoffer(const model::CallId& id,
                    std::optional<model::RemoteSdp> offer,
                    std::uint32_t exchange) override {
        note("reoffer");
        if (on_offer) on_offer(id, offer->web_text, exchange);
    }
    void on_ended(const model::CallId& /*id*/, model::CallEnd end) override {
        note("ended " + std::string(model::name_of(end.reason)));
    }
    void on_candidates(const model::CallId& /*id*/,
                       std::vector<std::string> candidates,
                       bool is_end) override {
        for (const std::string& candidate : candidates) note(candidate);
        if (is_end) note("end of candidates");
    }
    void on_reoffer_done(const model::CallId& /*id*/,
                         int status,
                         std::optional<model::RemoteSdp> /*answer*/) override {
        note("reoffer done " + std::to_string(status));
    }

    /// Waits for a note; false after 10 s.
    bool wait_for(const std::string& what) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(10), [&] {
            return std::find(notes_.begin(), notes_.end(), what) != notes_.end();
        });
    }
    std::vector<std::string> notes() {
        const std::lock_guard lock(mutex_);
        return notes_;
    }
    /// @pre one came
    model::IncomingCall last() {
        const std::lock_guard lock(mutex_);
        return calls_.back();
    }

private:
    void note(std::string what) {
        const std::lock_guard lock(mutex_);
        notes_.push_back(std::move(what));
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> notes_;
    std::vector<model::IncomingCall> calls_;
};

/// An offer as a browser writes it, shortened. @param direction "sendrecv"
inline std::string web_offer(const std::string& direction = "sendrecv",
                             const std::string& ufrag = "abcd") {
    return "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
           "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=" +
           direction + "\r\na=rtcp-mux\r\na=ice-ufrag:" + ufrag +
           "\r\na=ice-pwd:0123456789012345678901\r\n"
           "a=fingerprint:sha-256 00:11\r\na=setup:actpass\r\na=rtpmap:111 opus/48000/2\r\n"
           "a=candidate:1 1 udp 1 127.0.0.1 5000 typ host\r\n";
}

inline model::LocalSdp web_answer(const std::string& text) {
    model::LocalSdp sdp;
    sdp.web_text = text;
    return sdp;
}

}  // namespace offhook::testing

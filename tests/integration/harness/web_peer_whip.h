#pragma once

#include <string>

#include "harness/http.h"
#include "harness/web_peer.h"

namespace offhook::harness {

/// A WHIP client (RFC 9725) that wants sound both ways: what a web peer of the tests signals with.
/// Blocking.
class WhipSession {
public:
    /// @param address   the daemon's HTTP, `127.0.0.1:5000`
    /// @param endpoint  who is called
    WhipSession(std::string address, std::string endpoint)
        : address_(std::move(address)), endpoint_(std::move(endpoint)) {}

    /// POSTs an offer. @return the answer; empty when it was refused: see `status`
    std::string post(const std::string& offer);
    /// Offers, and takes the answer. False: it was refused.
    bool connect(WebPeer& peer);
    /// PATCHes a fragment of this offer: trickled candidates, or other ICE credentials.
    /// @return the answer's body
    std::string patch(const std::string& offer, bool is_restart);
    /// DELETEs the session. @return status
    int end();

    [[nodiscard]] int status() const { return last_.status; }
    [[nodiscard]] const HttpAnswer& last() const { return last_; }
    /// When the POST began to be sent, CLOCK_MONOTONIC ns.
    [[nodiscard]] std::int64_t posted_ns() const { return posted_ns_; }

private:
    std::string address_, endpoint_, session_, etag_;
    std::int64_t posted_ns_ = 0;
    HttpAnswer last_;
};

}  // namespace offhook::harness

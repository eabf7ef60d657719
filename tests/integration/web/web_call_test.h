#pragma once

#include <memory>
#include <string>

#include "harness/call_test.h"
#include "harness/own_caller.h"
#include "harness/web_peer.h"
#include "harness/web_peer_whip.h"

namespace offhook::harness {

enum class Via : std::uint8_t { Sip, Whip };

/// A daemon and web peers that call it, by SIP or by WHIP.
class WebCallTest : public CallTest {
protected:
    static constexpr milliseconds kConnect = seconds(10);

    /// A daemon with the AIs echo, mute, burst and tone, called by their names.
    /// @param web   keys of `[web]`
    /// @param more  tables
    void start_web(const std::string& web = {}, const std::string& more = {});
    /// The peer offers, the daemon answers. False: it was refused.
    testing::AssertionResult call(WebPeer& peer, Via via, const std::string& user);
    testing::AssertionResult call_connected(WebPeer& peer, Via via, const std::string& user);
    /// Hangs up as the peer would.
    void hang_up();
    /// Another description in the call that `call` began. @return the answer
    std::string offer_again(const std::string& sdp);
    /// Waits for the end of the only call and compares its reason, in the log and in the metrics.
    void expect_ended(const std::string& reason, milliseconds limit = seconds(20));

    static WebPeer::Options says(const Sound& sound, WebPeer::Codec codec = WebPeer::Codec::Pcmu);
    /// The promise by what arrived at the peer.
    static testing::AssertionResult keeps_promise(const WebPeer& peer, WebPeer::Codec codec);

    std::unique_ptr<OwnCaller> sip_;
    std::unique_ptr<WhipSession> whip_;
};

}  // namespace offhook::harness

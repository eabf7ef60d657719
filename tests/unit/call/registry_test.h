#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ai/ai_runtime.h"
#include "call/call_registry.h"
#include "channel/channels.h"
#include "fake_signalling.h"
#include "fake_transport.h"
#include "glib/fd_executor.h"
#include "media/launch_library.h"
#include "media/reaper.h"
#include "media/worker_pool.h"

namespace offhook::call::testing {

/// What a browser's description says.
struct Browser {
    std::string ufrag = "theirs";
    std::string direction = "sendrecv";
    std::string setup = "actpass";
    std::string formats = "111 0 110";
};

/// A registry with everything real but signalling: one media worker, the AI thread, the reaper,
/// loopback sockets. The test is the control thread and signalling at once: it reports events by
/// calling the registry, and reads what was asked of it in `sip`.
///
/// Routes: "first" (AI tone, x*), "second" (AI mute, accept_transfer, y*), "into" (channel "sales",
/// z*). Channel "desk" has AI tone. Account "office" at pbx.example.com may call 1?? and
/// "sip:*@127.0.0.1"; "shut" may not call out; "browser" is as "office" and offers web legs. Those
/// have transports without webrtcbin (`ways`).
class RegistryTest : public ::testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    /// Runs the control thread until `is_so`, for 5 s at most. @return whether it came to be
    static bool wait_until(const std::function<bool()>& is_so);

    /// A description of a peer at 127.0.0.1, on a port that is open and read by nobody.
    model::RemoteSdp peer_sdp(model::Direction direction = model::Direction::SendRecv,
                              bool with_events = true);
    /// Reports an INVITE for the user `to`.
    model::CallId comes_in(const std::string& to = "x", const std::string& account = {});
    /// `comes_in`, and its 200 was sent.
    model::CallId answered(const std::string& to = "x", const std::string& account = {});

    static model::RemoteSdp web_sdp(const Browser& browser = {});
    /// As `comes_in`, with an offer of a browser; its transport is `ways.back()`.
    model::CallId web_comes_in(const Browser& browser = {}, const std::string& account = {});
    /// Its 200 was sent and acknowledged.
    model::CallId web_answered();
    /// And its sound flows.
    model::CallId web_connected();
    /// The newest transport has gathered, and what it says has arrived.
    void gathers(sdp::Setup setup = sdp::Setup::Active);
    /// The newest transport's sound may flow, and we know.
    void verifies(const model::CallId& id);
    /// A call of ours on "office" to 101 that was answered.
    model::CallId placed_and_answered();
    model::PlaceOrder order(const std::string& to = "101");
    model::CallInfo info(const model::CallId& id) const;
    /// Reports the end of a call.
    void ends(const model::CallId& id, model::CallEnd end);

    config::Config config;
    glib::FdExecutor control{g_main_context_default()};
    std::unique_ptr<media::LaunchLibrary> launches;
    std::unique_ptr<media::WorkerPool> workers;
    std::unique_ptr<media::WorkerPool> web_workers;
    media::WebSettings web_settings;
    std::vector<std::shared_ptr<media::testing::FakeTransport>> ways;  ///< oldest first
    std::unique_ptr<media::Reaper> reaper;
    std::unique_ptr<ai::AiRuntime> ai;
    FakeSignalling sip;
    std::map<std::string, AccountRules> accounts;
    std::unique_ptr<channel::Channels> channels;
    std::unique_ptr<CallRegistry> calls;
    std::vector<ai::Fallback> fallback;  ///< of every route
    std::vector<std::string> bots;       ///< that were asked for: "tone 0", with fallbacks used
    std::vector<std::string> bot_news;   ///< by the hooks: "dtmf done", "lost plain reset"
    std::vector<model::CallInfo> over;   ///< told by the hook
    bool is_drained = false;

private:
    session::SocketPair peer_;
};

}  // namespace offhook::call::testing

#include "web_call_test.h"

namespace offhook::harness {

void WebCallTest::start_web(const std::string& web, const std::string& more) {
    Daemon::Options options;
    options.more = "[web]\naddresses = [\"127.0.0.1\"]\n" + web;
    for (const std::string name : {"echo", "mute", "burst", "tone"}) {
        options.more += "[[ai]]\nname = \"" + name + "\"\nprotocol = \"" + name +
                        "\"\n[[route]]\nname = \"" + name + "\"\nto = \"" + name + "\"\nai = \"" +
                        name + "\"\n";
    }
    options.more += more;
    start(options);
}

testing::AssertionResult WebCallTest::call(WebPeer& peer, Via via, const std::string& user) {
    if (via == Via::Whip) {
        whip_ = std::make_unique<WhipSession>(daemon_->http_address(), user);
        if (!whip_->connect(peer)) {
            return testing::AssertionFailure()
                   << "WHIP: " << whip_->status() << ' ' << whip_->last().body;
        }
        return testing::AssertionSuccess();
    }
    sip_ = std::make_unique<OwnCaller>("127.0.0.1", daemon_->sip_port(), "", user);
    const std::string offer = peer.offer();
    const int status = sip_->invite(offer);
    if (status != 200) {
        return testing::AssertionFailure() << "INVITE: " << status << " to\n" << offer;
    }
    peer.take_answer(sip_->answer());
    return testing::AssertionSuccess();
}

testing::AssertionResult WebCallTest::call_connected(WebPeer& peer,
                                                     Via via,
                                                     const std::string& user) {
    if (const auto answered = call(peer, via, user); !answered) {
        return answered;
    }
    if (!peer.wait_connected(kConnect)) {
        return testing::AssertionFailure() << "the peer is not connected";
    }
    return testing::AssertionSuccess();
}

void WebCallTest::hang_up() {
    if (whip_) {
        EXPECT_EQ(whip_->end(), 200);
    } else {
        EXPECT_EQ(sip_->bye(), 200);
    }
}

std::string WebCallTest::offer_again(const std::string& sdp) {
    EXPECT_EQ(sip_->invite(sdp), 200);
    return sip_->answer();
}

void WebCallTest::expect_ended(const std::string& reason, milliseconds limit) {
    const auto ended = daemon_->wait_event("call.ended", limit);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->text("reason"), reason);
    const std::string counted = "offhook_calls_total{end_reason=\"" + reason + "\"} 1";
    EXPECT_NE(daemon_->get("/metrics").body.find(counted), std::string::npos) << counted;
}

WebPeer::Options WebCallTest::says(const Sound& sound, WebPeer::Codec codec) {
    WebPeer::Options options;
    options.sound = sound;
    options.codec = codec;
    return options;
}

testing::AssertionResult WebCallTest::keeps_promise(const WebPeer& peer, WebPeer::Codec codec) {
    return harness::keeps_promise(peer.wire().judge(codec == WebPeer::Codec::Opus ? 960 : 160));
}

}  // namespace offhook::harness

// Who watches the wire sees each message once, whatever came of it.
#include <gtest/gtest.h>

#include <mutex>

#include "scripted_uac.h"

namespace offhook::test {
namespace {

class Tapped : public testing::TestWithParam<ScriptedUac::Over> {
protected:
    [[nodiscard]] std::vector<model::SipWireMessage> seen() {
        const std::scoped_lock lock(mutex);
        return messages;
    }
    std::mutex mutex;
    std::vector<model::SipWireMessage> messages;
    Bench bench{[this](signalling::sip::SipSettings& settings) {
        settings.wire_tap = [this](model::SipWireMessage message) {
            const std::scoped_lock lock(mutex);
            messages.push_back(std::move(message));
        };
    }};
    ScriptedUac uac{bench, GetParam()};
};

TEST_P(Tapped, BothDirectionsWithTheirAddresses) {
    const std::string options = uac.request("OPTIONS");
    uac.send(options);
    const Message ok = uac.receive();
    ASSERT_EQ(ok.status(), 200);
    ASSERT_TRUE(bench.wait([&] { return seen().size() == 2; }));
    const auto all = seen();
    EXPECT_TRUE(all[0].is_inbound);
    EXPECT_EQ(all[0].text, options);
    EXPECT_FALSE(all[1].is_inbound);
    EXPECT_EQ(all[1].text, ok.text);
    const std::string transport = GetParam() == ScriptedUac::Over::Udp ? "udp" : "tcp";
    for (const auto& message : all) {
        EXPECT_EQ(message.transport, transport);
        EXPECT_EQ(message.local, "127.0.0.1:" + std::to_string(bench.port(transport)));
        EXPECT_EQ(message.remote.substr(0, 10), "127.0.0.1:");
        EXPECT_GT(message.realtime_ns, 0);
    }
    EXPECT_EQ(all[0].remote, all[1].remote);
    EXPECT_LE(all[0].realtime_ns, all[1].realtime_ns);
}

TEST_P(Tapped, WhatCannotBeReadIsSeenToo) {
    std::string unreadable = uac.request("OPTIONS");
    const auto cseq = unreadable.find("CSeq: ");
    unreadable.replace(cseq, 8, "CSeq: x ");
    uac.send(unreadable);
    ASSERT_EQ(uac.receive().status(), 400);
    ASSERT_TRUE(bench.wait([&] { return seen().size() == 2; }));
    EXPECT_EQ(seen()[0].text, unreadable);
    EXPECT_EQ(seen()[1].text.substr(0, 11), "SIP/2.0 400");
}

INSTANTIATE_TEST_SUITE_P(Wire,
                         Tapped,
                         testing::Values(ScriptedUac::Over::Udp, ScriptedUac::Over::Tcp));

}  // namespace
}  // namespace offhook::test

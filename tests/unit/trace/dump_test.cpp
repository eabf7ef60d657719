// What boxes keep, and what dumps say. Captures are judged by tshark in tests/integration/trace.
#include "trace/dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/monotonic.h"
#include "trace/black_boxes.h"
#include "trace/wire_text.h"

namespace offhook::trace {
namespace {

using testing::HasSubstr;
using testing::Not;

model::SipWireMessage invite(const std::string& call_id) {
    return {.is_inbound = true,
            .realtime_ns = 1'700'000'000'000'000'000,
            .transport = "tcp",
            .local = "192.0.2.1:5060",
            .remote = "192.0.2.2:40000",
            .text = "INVITE sip:a SIP/2.0\r\nCall-ID: " + call_id + "\r\n\r\nv=0\r\n"};
}

model::CallInfo call(const std::string& id) {
    model::CallInfo info;
    info.id.text = id;
    info.sip_call_id = "sip-" + id;
    return info;
}

class Boxes : public testing::Test {
protected:
    static void fill(BlackBoxes& kept, const std::string& id) {
        kept.on_sip(invite("sip-" + id));
        const auto leg = kept.leg_trace({id});
        leg->local = wire_address("192.0.2.1:4000");
        leg->packets->received({.at_ns = base::monotonic_ns(),
                                .ssrc = 7,
                                .timestamp_rtp = 160,
                                .sequence = 1,
                                .payload_type = 8,
                                .marker = true,
                                .payload_bytes = 160},
                               wire_address("192.0.2.2:5000"));
        log::write(log::Level::Info, log::Mark::None, "test.said", id, "hello", {{"n", 1}});
        kept.begin(call(id));
    }
    BlackBoxes boxes{{.rtp_packets = 16, .ai_frames = 16, .caller_audio_s = 1, .keep_calls = 2}};
};

TEST_F(Boxes, ADumpHasItAll) {
    fill(boxes, "c-1");
    boxes.leg_trace({"c-1"})->ai_frames->write({.at_ns = 1, .is_to_bot = true, .bytes = 5});
    boxes.leg_trace({"c-1"})->ai_frames->turn({.at_ns = 1, .total_ms = 712.5});
    auto dump = boxes.open({"c-1"});
    ASSERT_TRUE(dump);
    dump->call_json = R"({"id":"c-1"})";
    dump->stats = {{.at_ms = 5, .sent = 50}};
    const std::string json = write_json(*dump);
    EXPECT_THAT(json, HasSubstr(R"({"format":"offhook-dump","version":1,"made":")"));
    EXPECT_THAT(json, HasSubstr(R"(,"call":{"id":"c-1"},"sip":{"lost":0,"messages":[{"at":)"));
    EXPECT_THAT(json, HasSubstr(R"("direction":"in","transport":"tcp","local":"192.0.2.1:5060")"));
    EXPECT_THAT(json, HasSubstr(R"("event":"test.said","message":"hello","fields":{"n":"1"})"));
    EXPECT_THAT(json, HasSubstr(R"("local":"192.0.2.1:4000","remotes":["192.0.2.2:5000"])"));
    EXPECT_THAT(json, HasSubstr(R"(,1,160,7,8,true,160,0]])"));
    EXPECT_THAT(json, HasSubstr(R"("total_ms":712.5)"));
    EXPECT_THAT(json, HasSubstr(R"("sent_packets":50)"));
    EXPECT_THAT(json, HasSubstr(R"("encoding":"mu-law","sample_rate_hz":8000)"));
}

TEST_F(Boxes, ACallWithoutLegHasADumpToo) {
    boxes.begin(call("c-2"));
    const auto dump = boxes.open({"c-2"});
    ASSERT_TRUE(dump);
    EXPECT_THAT(write_json(*dump), HasSubstr(R"("call":null,)"));
    EXPECT_THAT(write_json(*dump),
                HasSubstr(R"("rtp":null,"rtcp":null,"ai":null,"caller_audio":null})"));
    EXPECT_FALSE(write_pcapng(*dump).empty());
}

TEST_F(Boxes, TheLastEndedOnesStay) {
    for (const std::string id : {"c-a", "c-b", "c-c"}) {
        fill(boxes, id);
        boxes.end(call(id));
        boxes.end(call(id));
    }
    EXPECT_FALSE(boxes.open({"c-a"}));
    EXPECT_EQ(boxes.open({"c-c"})->sip.size(), 1U);
    EXPECT_EQ(boxes.open({"c-c"})->events.size(), 1U);
    EXPECT_EQ(boxes.sizes().ended, 2U);
    EXPECT_EQ(boxes.sizes().live, 0U);
}

TEST_F(Boxes, MemoryOfEndedOnesIsBounded) {
    BlackBoxes small({.rtp_packets = 65'536, .ai_frames = 0, .keep_calls = 10, .memory_mb = 7});
    for (const std::string id : {"c-a", "c-b", "c-c"}) {
        (void)small.leg_trace({id});
        small.end(call(id));
    }
    EXPECT_EQ(small.sizes().ended, 2U);
    EXPECT_LE(small.sizes().ended_bytes, 7U * 1024 * 1024);
    EXPECT_EQ(small.leg_trace({"c-d"})->ai_frames, nullptr);
}

TEST_F(Boxes, ACaptureIsInOrderAndAligned) {
    fill(boxes, "c-1");
    const std::string file = write_pcapng(*boxes.open({"c-1"}));
    const auto u32 = [&](std::size_t at) {
        std::uint32_t value = 0;
        for (std::size_t i = 4; i > 0; --i)
            value = value << 8 | static_cast<unsigned char>(file[at + i - 1]);
        return value;
    };
    std::vector<std::uint32_t> types;
    for (std::size_t at = 0; at < file.size(); at += u32(at + 4)) {
        ASSERT_GE(u32(at + 4), 12U);
        ASSERT_EQ(u32(at + 4) % 4, 0U);
        ASSERT_EQ(u32(at + u32(at + 4) - 4), u32(at + 4));
        types.push_back(u32(at));
    }
    EXPECT_EQ(types, (std::vector<std::uint32_t>{0x0A0D0D0A, 1, 6, 6}));
    EXPECT_THAT(file, HasSubstr("SIP over tcp, shown as UDP"));
}

TEST_F(Boxes, AnRtcStatsDumpIsLinesOfJson) {
    fill(boxes, "c-1");
    auto dump = *boxes.open({"c-1"});
    dump.stats = {{.at_ms = 1'700'000'001'000, .sent = 50, .received = 49, .jitter_ms = 2},
                  {.at_ms = 1'700'000'002'000, .sent = 50, .received = 50}};
    const std::string text = write_rtcstats(dump);
    EXPECT_THAT(text, HasSubstr("RTCStatsDump\n{\"fileFormat\":3,"));
    EXPECT_THAT(text, HasSubstr("\n[\"create\",\"PC_0\",{},1700000000000]\n"));
    EXPECT_THAT(text,
                HasSubstr("[\"setRemoteDescription\",\"PC_0\",{\"type\":\"offer\",\"sdp\":"
                          "\"v=0\\u000d\\u000a\"},0]"));
    EXPECT_THAT(text, HasSubstr("\"packetsReceived\":49"));
    EXPECT_THAT(text, HasSubstr("\"packetsReceived\":99"));
    EXPECT_THAT(text, HasSubstr("\"jitter\":0.002"));
    EXPECT_THAT(text, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace offhook::trace

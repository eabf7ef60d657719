// baresip, a phone not written by us, in every codec: what it says comes back whole and in order.

#include <gtest/gtest.h>

#include "harness/call_test.h"

namespace offhook::harness {
namespace {

struct CodecCase {
    const char* name;
    int payload_type;  ///< -1: dynamic
    int rate_hz;       ///< of the file baresip speaks
    std::uint32_t step_rtp;
    double similarity;  ///< least cross-correlation after two codings
};

void PrintTo(const CodecCase& one, std::ostream* out) {
    *out << one.name;
}

class BaresipTest : public CallTest, public testing::WithParamInterface<CodecCase> {};

TEST_P(BaresipTest, HearsItsWordsAgain) {
    const CodecCase& codec = GetParam();
    if (!baresip_has(codec.name)) {
        GTEST_SKIP() << "Debian's baresip-core has no module for " << codec.name;
    }
    start();
    start_capture();
    Sound sentence = spoken(folder_, codec.rate_hz);
    // The last word needs time to come back before baresip hangs up.
    sentence.append_silence(0.6);
    Baresip baresip(folder_, daemon_->uri(), codec.name, sentence);
    ASSERT_TRUE(baresip.is_established()) << baresip.process().output();
    // It hangs up at the end of its file.
    ASSERT_TRUE(daemon_->wait_event("call.ended", seconds(60))) << baresip.process().output();
    baresip.quit();

    const RtpStream sent = outbound();
    const RtpVerdict verdict = sent.judge(codec.step_rtp);
    EXPECT_TRUE(keeps_promise(verdict));
    if (codec.payload_type >= 0) {
        EXPECT_EQ(verdict.payload_types,
                  std::vector<std::uint8_t>{static_cast<std::uint8_t>(codec.payload_type)});
    }
    // What was on the wire, not the file: baresip's own clock may leave a frame out.
    const Sound heard_by_us = inbound().sound(codec.name);
    const Sound heard_by_caller = sent.sound(codec.name);
    EXPECT_TRUE(is_intact(
        heard_by_us.part(0, heard_by_us.seconds() - 0.7), heard_by_caller, 1.5, codec.similarity));
    EXPECT_EQ(heard_words(folder_, heard_by_caller), kWords);
}

INSTANTIATE_TEST_SUITE_P(Codecs,
                         BaresipTest,
                         testing::Values(CodecCase{"PCMU", 0, 8000, 160, 0.95},
                                         CodecCase{"PCMA", 8, 8000, 160, 0.95},
                                         CodecCase{"G722", 9, 16000, 160, 0.9},
                                         CodecCase{"opus", -1, 48000, 960, 0.7}),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace offhook::harness

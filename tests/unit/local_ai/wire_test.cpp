#include "wire.h"

#include <gmock/gmock.h>

#include <vector>

#include "ai/protocols/base64.h"
#include "ai/protocols/encoding.h"
#include "kept_link.h"

namespace offhook::local_ai {
namespace {

using testing::ElementsAre;

/// Keeps what is told, a word each.
struct KeptEvents final : WireEvents {
    void on_start(const CallStart& s) override {
        told.push_back("start " + s.id + " " + s.from + " " + s.to + " " +
                       std::to_string(s.sample_rate_hz));
    }
    void on_sound(std::span<const std::int16_t> pcm) override {
        sound.insert(sound.end(), pcm.begin(), pcm.end());
    }
    void on_digit(char digit) override { told.push_back(std::string("digit ") + digit); }
    void on_mark(std::string_view name) override { told.push_back("mark " + std::string(name)); }
    void on_barge_in() override { told.emplace_back("barge-in"); }
    void on_refused_hang_up() override { told.emplace_back("refused"); }
    void on_stop(const std::string& reason) override { told.push_back("stop " + reason); }
    std::vector<std::string> told;
    std::vector<std::int16_t> sound;
};

struct WireTest : testing::Test {
    KeptLink link;
    KeptEvents events;
};

TEST_F(WireTest, ReadsPlain) {
    const auto wire = make_plain_wire(link, events);
    wire->on_text(
        R"({"type":"start","version":1,"call":{"id":"c-1","from":"alice","to":"kitchen"},"audio":{"sample_rate":16000}})");
    wire->on_text(R"({"type":"dtmf","digit":"5","duration_ms":120})");
    wire->on_text(R"({"type":"mark","name":"m1","state":"played"})");
    wire->on_text(R"({"type":"barge-in","played_ms":10})");
    wire->on_text(R"({"type":"verb","verb":"hang-up","id":"other","state":"refused"})");
    wire->on_text(R"({"type":"verb","verb":"hang-up","id":"goodbye","state":"refused"})");
    wire->on_text("garbage");
    wire->on_text(R"({"type":"stop","reason":"caller-hangup"})");
    EXPECT_THAT(events.told,
                ElementsAre("start c-1 alice kitchen 16000",
                            "digit 5",
                            "mark m1",
                            "barge-in",
                            "refused",
                            "stop caller-hangup"));
    const std::vector<std::int16_t> said{1, -2, 300};
    std::vector<std::byte> bytes;
    ai::encode_samples(ai::Encoding::Pcm, said, bytes);
    wire->on_binary(bytes);
    EXPECT_EQ(events.sound, said);
}

TEST_F(WireTest, WritesPlain) {
    const auto wire = make_plain_wire(link, events);
    wire->on_text(R"({"type":"start","call":{"id":"c-1"},"audio":{"sample_rate":8000}})");
    wire->send_sound(std::vector<std::int16_t>(12000));
    EXPECT_THAT(link.binary_bytes, ElementsAre(16000, 8000));
    wire->send_mark("m \"1\"");
    wire->clear();
    wire->accept_barge_in();
    EXPECT_TRUE(wire->hang_up());
    EXPECT_THAT(link.texts,
                ElementsAre(R"({"type":"mark","name":"m \"1\""})",
                            R"({"type":"clear"})",
                            R"({"type":"barge-in","accept":true})",
                            R"({"type":"hangup","after_speech":true,"id":"goodbye"})"));
}

TEST_F(WireTest, ReadsTwilio) {
    const auto wire = make_twilio_wire(link, events);
    wire->on_text(R"({"event":"connected","protocol":"Call","version":"1.0.0"})");
    wire->on_text(
        R"({"event":"start","streamSid":"MZ1","start":{"callSid":"CA1","customParameters":{"from":"bob","to":"kitchen"}}})");
    wire->on_text(R"({"event":"media","media":{"payload":"//8="}})");
    wire->on_text(R"({"event":"media","media":{"payload":"not base64!"}})");
    wire->on_text(R"({"event":"dtmf","dtmf":{"digit":"#"}})");
    wire->on_text(R"({"event":"mark","mark":{"name":"m1"}})");
    wire->on_text(R"({"event":"stop"})");
    EXPECT_THAT(events.told,
                ElementsAre("start CA1 bob kitchen 8000",
                            "digit #",
                            "mark m1",
                            "stop the caller's end stopped the stream"));
    EXPECT_THAT(events.sound, ElementsAre(0, 0));
}

TEST_F(WireTest, WritesTwilio) {
    const auto wire = make_twilio_wire(link, events);
    wire->on_text(R"({"event":"start","streamSid":"MZ1","start":{"callSid":"CA1"}})");
    wire->send_sound(std::vector<std::int16_t>(2));
    wire->send_mark("m1");
    wire->clear();
    EXPECT_FALSE(wire->hang_up());
    EXPECT_THAT(link.texts,
                ElementsAre(R"({"event":"media","streamSid":"MZ1","media":{"payload":"//8="}})",
                            R"({"event":"mark","streamSid":"MZ1","mark":{"name":"m1"}})",
                            R"({"event":"clear","streamSid":"MZ1"})"));
}

TEST_F(WireTest, TheFirstMessageDecides) {
    EXPECT_NE(make_wire_of(R"({"event":"connected"})", link, events), nullptr);
    EXPECT_NE(make_wire_of(R"({"type":"start"})", link, events), nullptr);
    EXPECT_EQ(make_wire_of(R"({"hello":"there"})", link, events), nullptr);
    EXPECT_EQ(make_wire_of("MEDIA_START", link, events), nullptr);
}

}  // namespace
}  // namespace offhook::local_ai

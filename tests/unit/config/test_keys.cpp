#include "config/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace offhook::config {
namespace {

using ::testing::HasSubstr;

const Key<Config>& key(std::string_view section, std::string_view name) {
    for (const Key<Config>& k : section_keys()) {
        if (k.section == section && k.name == name) return k;
    }
    throw std::out_of_range(std::string(name));
}

TEST(Keys, EveryDefaultPassesItsOwnCheck) {
    Config config;
    for (const Key<Config>& k : section_keys())
        EXPECT_EQ(k.set(config, k.get(config)), "") << k.section << '.' << k.name;
    Ai ai{.name = "x"};
    for (const Key<Ai>& k : ai_keys()) EXPECT_EQ(k.set(ai, k.get(ai)), "") << k.name;
    Route route{.name = "x", .ai = "x"};
    for (const Key<Route>& k : route_keys()) EXPECT_EQ(k.set(route, k.get(route)), "") << k.name;
}

TEST(Keys, AreUniqueAndDescribed) {
    std::set<std::string> seen;
    for (const Key<Config>& k : section_keys()) {
        EXPECT_TRUE(seen.insert(std::string(k.section) + "." + std::string(k.name)).second);
        EXPECT_FALSE(k.description.empty());
        EXPECT_EQ(k.type, type_of(k.get(Config{})));
    }
}

TEST(Keys, EveryKeyRefusesAForeignType) {
    Config config;
    const std::vector<Value> all{Value(true),
                                 Value(std::int64_t{1}),
                                 Value(0.5),
                                 Value(std::string("x")),
                                 Value(std::vector<std::string>{"x"})};
    for (const Key<Config>& k : section_keys()) {
        for (const Value& v : all) {
            const bool number_takes_whole =
                k.type == "number" && std::holds_alternative<std::int64_t>(v);
            if (type_of(v) != k.type && !number_takes_whole) {
                EXPECT_NE(k.set(config, v), "") << k.name << ' ' << type_of(v);
            }
        }
    }
}

TEST(Keys, WholeNumbersAreBounded) {
    Config config;
    const auto& delay = key("sip", "answer_delay_ms");
    EXPECT_EQ(delay.set(config, Value(std::int64_t{60000})), "");
    EXPECT_EQ(config.sip.answer_delay_ms, 60000);
    EXPECT_EQ(delay.set(config, Value(std::int64_t{60001})), "must be 0 to 60000 ms");
    EXPECT_EQ(delay.set(config, Value(std::int64_t{-1})), "must be 0 to 60000 ms");
    EXPECT_NE(delay.set(config, Value(std::numeric_limits<std::int64_t>::max())), "");
    EXPECT_EQ(config.sip.answer_delay_ms, 60000);
}

TEST(Keys, NumbersAreBoundedAndNanIsOutside) {
    Config config;
    const auto& share = key("admission", "cpu_share");
    EXPECT_EQ(share.set(config, Value(std::int64_t{1})), "");
    EXPECT_NE(share.set(config, Value(1.01)), "");
    EXPECT_NE(share.set(config, Value(std::numeric_limits<double>::quiet_NaN())), "");
}

TEST(Keys, Ports) {
    Config config;
    const auto& ports = key("rtp", "ports");
    EXPECT_EQ(ports.set(config, Value(std::string("10000-10001"))), "");
    EXPECT_EQ(config.rtp.first_port, 10000);
    EXPECT_EQ(config.rtp.last_port, 10001);
    for (const char* bad : {"",
                            "-",
                            "10000",
                            "10000-",
                            "-10000",
                            "10001-10010",
                            "10000-10000",
                            "10010-10000",
                            "1022-2000",
                            "20000-65536",
                            "20000-29999x",
                            "20000 - 29999",
                            "99999999999-3",
                            "20000--3"}) {
        EXPECT_THAT(ports.set(config, Value(std::string(bad))), HasSubstr("20000-29999")) << bad;
    }
    EXPECT_EQ(config.rtp.first_port, 10000);
}

TEST(Keys, Codecs) {
    Config config;
    const auto& codecs = key("rtp", "codecs");
    EXPECT_EQ(codecs.set(config, Value(std::vector<std::string>{"opus", "PCMA"})), "");
    EXPECT_EQ(config.rtp.codecs, (std::vector{model::Codec::Opus, model::Codec::Pcma}));
    EXPECT_THAT(codecs.set(config, Value(std::vector<std::string>{"G729"})),
                HasSubstr("known are PCMU, PCMA, G722, opus"));
    EXPECT_THAT(codecs.set(config, Value(std::vector<std::string>{"PCMU", "PCMU"})),
                HasSubstr("twice"));
    EXPECT_NE(codecs.set(config, Value(std::vector<std::string>{})), "");
}

TEST(Keys, ListsNameTheBadEntry) {
    Config config;
    EXPECT_THAT(key("sip", "allow")
                    .set(config, Value(std::vector<std::string>{"10.0.0.0/8", "10.0.0.1/8"})),
                HasSubstr("10.0.0.1/8"));
    EXPECT_EQ(key("sip", "listen").set(config, Value(std::vector<std::string>{})), "");
    EXPECT_THAT(
        key("sip", "listen").set(config, Value(std::vector<std::string>(17, "udp:127.0.0.1:0"))),
        HasSubstr("0 to 16"));
}

TEST(Keys, FillGlobAndName) {
    Route route;
    const auto set = [&](std::string_view name, const std::string& value) {
        for (const Key<Route>& k : route_keys()) {
            if (k.name == name) return k.set(route, Value(value));
        }
        return std::string("no such key");
    };
    EXPECT_EQ(set("fill", "tone"), "");
    EXPECT_EQ(set("fill", "file:/etc/passwd"),
              "");  // any readable file; the WAV reader judges the content
    EXPECT_THAT(set("fill", "file:/nowhere/x.wav"), HasSubstr("cannot be read"));
    EXPECT_THAT(set("fill", "file:/etc"), HasSubstr("cannot be read"));
    EXPECT_THAT(set("fill", "music"), HasSubstr("comfort-noise"));
    EXPECT_EQ(set("to", "99*"), "");
    EXPECT_NE(set("to", "*********"), "");
    EXPECT_NE(set("to", ""), "");
    EXPECT_NE(set("to", "a\nb"), "");
    EXPECT_NE(set("pipeline", "../etc/passwd"), "");
    EXPECT_NE(set("name", std::string(65, 'a')), "");
}

}  // namespace
}  // namespace offhook::config

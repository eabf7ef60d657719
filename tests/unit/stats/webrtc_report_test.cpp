#include "stats/webrtc_report.h"

#include <gtest/gtest.h>
#include <json-glib/json-glib.h>

#include <cmath>
#include <memory>
#include <set>

#include "base/monotonic.h"

namespace offhook {
namespace {

constexpr std::int64_t kNowMs = 1'790'683'205'122;

/// A phone leg of G.722 some seconds into a call.
stats::LegFacts phone_leg() {
    stats::LegFacts leg;
    leg.realtime_ns = kNowMs * base::kNsPerMs;
    leg.chosen.codec = model::Codec::G722;
    leg.chosen.payload_type = 9;
    leg.path.local = {{.address = "192.0.2.1", .port = 4000}};
    leg.path.remote = {{.address = "192.0.2.9", .port = 5000},
                       {.address = "198.51.100.7",
                        .port = 61234,
                        .type = model::PathCandidate::Type::PeerReflexive}};
    leg.path.selected_local = 0;
    leg.path.selected_remote = 1;
    leg.path.pair_changes = 1;
    model::LegStats& s = leg.stats;
    s.sample_rate_hz = 16000;
    s.local_ssrc = 0xDEADBEEF;
    s.remote_ssrc = 77;
    s.sent_packets = 500;
    s.sent_bytes = 80'000;
    s.sent_ai_frames = 100;
    s.sent_fill_frames = 400;
    s.since_last_sent_ms = 12.4;
    s.received_packets = 480;
    s.received_bytes = 76'800;
    s.received_header_bytes = 480 * 12;
    s.lost_packets = 25;
    s.late_packets = 4;
    s.duplicate_packets = 1;
    s.jitter_ms = 3.5;
    s.since_last_received_ms = 20;
    s.decoded_samples = 480 * 320;
    s.jitter_delay_s = 9.6;
    s.concealed_samples = 25 * 320;
    s.comfort_noise_samples = 3200;
    s.concealment_events = 20;
    s.received_sound = {.level_now_dbov = -20, .samples = 160'000, .energy_s = 0.1};
    s.rtcp_sent = 2;
    s.rtcp_sent_bytes = 160;
    s.rtcp_received = 3;
    s.rtcp_received_bytes = 240;
    s.since_last_rtcp_ms = 1500;
    s.remote_reports = 3;
    s.remote_lost_packets = -1;
    s.remote_jitter_ms = 2;
    s.remote_fraction_lost = 0.25;
    s.round_trip_ms = 40;
    s.total_round_trip_ms = 90;
    s.round_trips = 2;
    s.sender_reports = 3;
    s.remote_sr_realtime_ns = (kNowMs - 1510) * base::kNsPerMs;
    s.remote_sent_packets = 470;
    s.remote_sent_bytes = 75'200;
    return leg;
}

/// The report as a reader of JSON sees it.
class Report {
public:
    explicit Report(const stats::LegFacts& leg) {
        base::JsonWriter json;
        stats::write_webrtc_stats(json, leg);
        EXPECT_TRUE(json_parser_load_from_data(parser_.get(), json.text().c_str(), -1, nullptr))
            << json.text();
        JsonArray* all = json_node_get_array(json_parser_get_root(parser_.get()));
        for (guint i = 0; i < json_array_get_length(all); ++i)
            objects_.push_back(json_array_get_object_element(all, i));
    }
    /// The one with this id; its type has to be `type`.
    JsonObject* at(const char* id, const char* type) const {
        for (JsonObject* object : objects_) {
            if (std::string_view(json_object_get_string_member(object, "id")) != id) continue;
            EXPECT_STREQ(json_object_get_string_member(object, "type"), type);
            return object;
        }
        ADD_FAILURE() << "no " << id;
        return objects_.front();
    }
    [[nodiscard]] std::multiset<std::string> types() const {
        std::multiset<std::string> types;
        for (JsonObject* object : objects_)
            types.insert(json_object_get_string_member(object, "type"));
        return types;
    }
    [[nodiscard]] const std::vector<JsonObject*>& objects() const { return objects_; }

private:
    struct Free {
        void operator()(gpointer object) const { g_object_unref(object); }
    };
    std::unique_ptr<JsonParser, Free> parser_{json_parser_new()};
    std::vector<JsonObject*> objects_;
};

std::int64_t whole(JsonObject* object, const char* name) {
    EXPECT_TRUE(json_object_has_member(object, name)) << name;
    return json_object_get_int_member(object, name);
}
double real(JsonObject* object, const char* name) {
    EXPECT_TRUE(json_object_has_member(object, name)) << name;
    return json_object_get_double_member(object, name);
}
std::string text(JsonObject* object, const char* name) {
    EXPECT_TRUE(json_object_has_member(object, name)) << name;
    return json_object_get_string_member_with_default(object, name, "");
}

TEST(WebrtcReport, ListsTheTypesOfOneLegOnce) {
    const Report report(phone_leg());
    EXPECT_EQ(report.types(),
              (std::multiset<std::string>{"candidate-pair",
                                          "codec",
                                          "inbound-rtp",
                                          "local-candidate",
                                          "media-playout",
                                          "media-source",
                                          "outbound-rtp",
                                          "remote-candidate",
                                          "remote-candidate",
                                          "remote-inbound-rtp",
                                          "remote-outbound-rtp",
                                          "transport"}));
    std::set<std::string> ids;
    for (JsonObject* object : report.objects()) {
        EXPECT_TRUE(ids.insert(text(object, "id")).second);
        EXPECT_GT(whole(object, "timestamp"), kNowMs - 2000);
        EXPECT_LE(whole(object, "timestamp"), kNowMs);
    }
    // Every member that names another object names one that is there.
    for (JsonObject* object : report.objects()) {
        for (const char* name : {"codecId",
                                 "transportId",
                                 "remoteId",
                                 "localId",
                                 "mediaSourceId",
                                 "localCandidateId",
                                 "remoteCandidateId",
                                 "selectedCandidatePairId"}) {
            if (json_object_has_member(object, name)) {
                EXPECT_TRUE(ids.contains(text(object, name))) << name;
            }
        }
    }
}

TEST(WebrtcReport, StreamsInSecondsAndBytes) {
    const Report report(phone_leg());
    JsonObject* out = report.at("outbound-3735928559", "outbound-rtp");
    EXPECT_EQ(whole(out, "ssrc"), 0xDEADBEEF);
    EXPECT_EQ(whole(out, "packetsSent"), 500);
    EXPECT_EQ(whole(out, "bytesSent"), 80'000);
    EXPECT_EQ(whole(out, "headerBytesSent"), 6000);
    JsonObject* in = report.at("inbound-77", "inbound-rtp");
    EXPECT_EQ(whole(in, "packetsReceived"), 480);
    EXPECT_EQ(whole(in, "packetsLost"), 20);  // two came after all, one twice
    EXPECT_EQ(whole(in, "packetsDiscarded"), 4);
    EXPECT_EQ(whole(in, "bytesReceived"), 76'800);
    EXPECT_EQ(whole(in, "headerBytesReceived"), 5760);
    EXPECT_DOUBLE_EQ(real(in, "jitter"), 0.0035);
    EXPECT_EQ(whole(in, "lastPacketReceivedTimestamp"), kNowMs - 20);
    EXPECT_DOUBLE_EQ(real(in, "jitterBufferDelay"), 9.6);
    EXPECT_EQ(whole(in, "jitterBufferEmittedCount"), 153'600);
    EXPECT_EQ(whole(in, "concealedSamples"), 11'200);
    EXPECT_EQ(whole(in, "silentConcealedSamples"), 3200);
    EXPECT_EQ(whole(in, "concealmentEvents"), 20);
    EXPECT_DOUBLE_EQ(real(in, "audioLevel"), 0.1);
    EXPECT_DOUBLE_EQ(real(in, "totalSamplesDuration"), 10);
}

TEST(WebrtcReport, WhatTheFarEndReportsIsOfItsReport) {
    const Report report(phone_leg());
    JsonObject* about_us = report.at("remote-inbound-3735928559", "remote-inbound-rtp");
    EXPECT_EQ(whole(about_us, "timestamp"), kNowMs - 1500);
    EXPECT_EQ(whole(about_us, "packetsLost"), -1);
    EXPECT_DOUBLE_EQ(real(about_us, "jitter"), 0.002);
    EXPECT_DOUBLE_EQ(real(about_us, "fractionLost"), 0.25);
    EXPECT_DOUBLE_EQ(real(about_us, "roundTripTime"), 0.04);
    EXPECT_DOUBLE_EQ(real(about_us, "totalRoundTripTime"), 0.09);
    EXPECT_EQ(whole(about_us, "roundTripTimeMeasurements"), 2);
    JsonObject* theirs = report.at("remote-outbound-77", "remote-outbound-rtp");
    EXPECT_EQ(whole(theirs, "packetsSent"), 470);
    EXPECT_EQ(whole(theirs, "bytesSent"), 75'200);
    EXPECT_EQ(whole(theirs, "remoteTimestamp"), kNowMs - 1510);
    EXPECT_EQ(whole(theirs, "reportsSent"), 3);
}

TEST(WebrtcReport, TheWayOfAPhoneLeg) {
    const Report report(phone_leg());
    JsonObject* pair = report.at("pair", "candidate-pair");
    EXPECT_EQ(text(pair, "localCandidateId"), "local-candidate-0");
    EXPECT_EQ(text(pair, "remoteCandidateId"), "remote-candidate-1");
    EXPECT_EQ(whole(pair, "packetsSent"), 502);
    EXPECT_EQ(whole(pair, "bytesSent"), 80'000 + 6000 + 160);
    EXPECT_EQ(whole(pair, "bytesReceived"), 76'800 + 5760 + 240);
    EXPECT_EQ(whole(pair, "lastPacketSentTimestamp"), kNowMs - 12);
    JsonObject* remote = report.at("remote-candidate-1", "remote-candidate");
    EXPECT_EQ(text(remote, "candidateType"), "prflx");
    EXPECT_EQ(text(remote, "address"), "198.51.100.7");
    EXPECT_EQ(whole(remote, "port"), 61234);
    EXPECT_EQ(text(report.at("local-candidate-0", "local-candidate"), "candidateType"), "host");
    JsonObject* transport = report.at("transport", "transport");
    EXPECT_FALSE(json_object_has_member(transport, "iceState"));
    EXPECT_FALSE(json_object_has_member(transport, "dtlsState"));
    EXPECT_FALSE(json_object_has_member(transport, "srtpCipher"));
    JsonObject* codec = report.at("codec", "codec");
    EXPECT_EQ(text(codec, "mimeType"), "audio/G722");
    EXPECT_EQ(whole(codec, "clockRate"), 8000);
}

TEST(WebrtcReport, AWebLegHasItsIceAndDtls) {
    stats::LegFacts leg = phone_leg();
    leg.path.ice_state = "connected";
    leg.path.ice_role = "controlled";
    leg.path.dtls_state = "connected";
    leg.path.dtls_role = "client";
    leg.path.srtp_cipher = "SRTP_AES128_CM_HMAC_SHA1_80";
    leg.path.local_fingerprint = "sha-256 AB:CD";
    leg.path.remote_fingerprint = "sha-256 12:34";
    const Report report(leg);
    JsonObject* transport = report.at("transport", "transport");
    EXPECT_EQ(text(transport, "iceRole"), "controlled");
    EXPECT_EQ(text(transport, "dtlsRole"), "client");
    EXPECT_EQ(text(transport, "srtpCipher"), "SRTP_AES128_CM_HMAC_SHA1_80");
    JsonObject* theirs = report.at(text(transport, "remoteCertificateId").c_str(), "certificate");
    EXPECT_EQ(text(theirs, "fingerprint"), "12:34");
    EXPECT_EQ(text(theirs, "fingerprintAlgorithm"), "sha-256");
}

TEST(WebrtcReport, WhatNeverWasIsNotListed) {
    stats::LegFacts leg;
    leg.stats.local_ssrc = 5;
    const Report report(leg);
    EXPECT_EQ(report.types(),
              (std::multiset<std::string>{
                  "codec", "media-playout", "media-source", "outbound-rtp", "transport"}));
    EXPECT_EQ(whole(report.at("outbound-5", "outbound-rtp"), "packetsSent"), 0);
}

TEST(WebrtcReport, TheLineKeeperMakesWhatTheAiDoesNotBring) {
    const Report report(phone_leg());
    JsonObject* playout = report.at("playout", "media-playout");
    EXPECT_DOUBLE_EQ(real(playout, "synthesizedSamplesDuration"), 8);
    EXPECT_DOUBLE_EQ(real(playout, "totalSamplesDuration"), 10);
    EXPECT_EQ(whole(playout, "totalSamplesCount"), 160'000);
}

}  // namespace
}  // namespace offhook

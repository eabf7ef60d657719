// Session descriptions as peers really write them, and as nobody should.
#include "signalling/sip/sip_sdp.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace offhook::signalling::sip {
namespace {

using model::Codec;
using model::Direction;

/// Lines joined with CRLF.
std::string sdp(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\r\n";
    return text;
}

struct Offer {
    std::string name;
    std::string text;
    // expected
    std::string address;
    std::uint16_t rtp_port = 0;
    std::uint16_t rtcp_port = 0;
    Direction direction = Direction::SendRecv;
    std::string
        chosen;  ///< "PCMU/0 101": codec, payload number, telephone-event, with our default order
    std::size_t lines = 1;
};

const std::vector<Codec> kOurs{Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus};

std::vector<Offer> offers() {
    return {
        {"SIPp",
         sdp({"v=0",
              "o=user1 53655765 2353687637 IN IP4 127.0.0.1",
              "s=-",
              "c=IN IP4 127.0.0.1",
              "t=0 0",
              "m=audio 6000 RTP/AVP 0",
              "a=rtpmap:0 PCMU/8000"}),
         "127.0.0.1",
         6000,
         6001,
         Direction::SendRecv,
         "PCMU/0 -"},
        {"baresip",
         sdp({"v=0",
              "o=- 2870415183 4147234231 IN IP4 192.168.1.10",
              "s=-",
              "c=IN IP4 192.168.1.10",
              "t=0 0",
              "a=tool:baresip 1.0.0",
              "m=audio 23408 RTP/AVP 96 97 9 8 0 101",
              "b=AS:125",
              "a=rtpmap:96 opus/48000/2",
              "a=fmtp:96 stereo=1;sprop-stereo=1;maxaveragebitrate=28000",
              "a=rtpmap:97 speex/16000",
              "a=rtpmap:9 G722/8000",
              "a=rtpmap:8 PCMA/8000",
              "a=rtpmap:0 PCMU/8000",
              "a=rtpmap:101 telephone-event/8000",
              "a=fmtp:101 0-15",
              "a=rtcp:23409",
              "a=sendrecv",
              "a=label:1",
              "a=rtcp-rsize",
              "a=ssrc:2190482340 cname:sip:a@b",
              "a=ptime:20",
              "a=minptime:20"}),
         "192.168.1.10",
         23408,
         23409,
         Direction::SendRecv,
         "PCMU/0 101"},
        {"linphone",
         sdp({"v=0",
              "o=alice 1687 3230 IN IP4 10.0.0.5",
              "s=Talk",
              "c=IN IP4 10.0.0.5",
              "t=0 0",
              "a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics",
              "a=record:off",
              "m=audio 7078 RTP/AVPF 96 97 98 0 8 18 101 99 100",
              "a=rtpmap:96 opus/48000/2",
              "a=fmtp:96 useinbandfec=1",
              "a=rtpmap:97 speex/16000",
              "a=fmtp:97 vbr=on",
              "a=rtpmap:98 speex/8000",
              "a=fmtp:98 vbr=on",
              "a=fmtp:18 annexb=yes",
              "a=rtpmap:101 telephone-event/48000",
              "a=rtpmap:99 telephone-event/16000",
              "a=rtpmap:100 telephone-event/8000",
              "a=rtcp-fb:* trr-int 5000",
              "a=rtcp-fb:* ccm tmmbr",
              "m=video 9078 RTP/AVPF 96 97",
              "a=rtpmap:96 VP8/90000",
              "a=rtpmap:97 H264/90000",
              "a=fmtp:97 profile-level-id=42801F"}),
         "10.0.0.5",
         7078,
         7079,
         Direction::SendRecv,
         "PCMU/0 100",
         2},
        {"Asterisk",
         sdp({"v=0",
              "o=root 1821203399 1821203399 IN IP4 203.0.113.7",
              "s=Asterisk PBX 18.10.0",
              "c=IN IP4 203.0.113.7",
              "t=0 0",
              "m=audio 14372 RTP/AVP 8 3 101",
              "a=rtpmap:8 PCMA/8000",
              "a=rtpmap:3 GSM/8000",
              "a=rtpmap:101 telephone-event/8000",
              "a=fmtp:101 0-16",
              "a=ptime:20",
              "a=maxptime:150",
              "a=sendrecv"}),
         "203.0.113.7",
         14372,
         14373,
         Direction::SendRecv,
         "PCMA/8 101"},
        {"FreeSWITCH",
         sdp({"v=0",
              "o=FreeSWITCH 1700000000 1700000001 IN IP4 198.51.100.2",
              "s=FreeSWITCH",
              "c=IN IP4 198.51.100.2",
              "t=0 0",
              "m=audio 31234 RTP/AVP 102 9 0 8 103 101",
              "a=rtpmap:102 opus/48000/2",
              "a=fmtp:102 useinbandfec=1; maxaveragebitrate=30000; maxplaybackrate=48000; "
              "ptime=20; minptime=10; maxptime=40",
              "a=rtpmap:9 G722/8000",
              "a=rtpmap:0 PCMU/8000",
              "a=rtpmap:8 PCMA/8000",
              "a=rtpmap:103 telephone-event/48000",
              "a=fmtp:103 0-16",
              "a=rtpmap:101 telephone-event/8000",
              "a=fmtp:101 0-16",
              "a=ptime:20"}),
         "198.51.100.2",
         31234,
         31235,
         Direction::SendRecv,
         "PCMU/0 101"},
        {"RingCentral-like, opus at 16 kHz and mono beside G.711",
         sdp({"v=0",
              "o=- 7321 7321 IN IP4 203.0.113.80",
              "s=SmcSip",
              "c=IN IP4 203.0.113.80",
              "t=0 0",
              "m=audio 41750 RTP/AVP 109 111 18 0 8 9 96 101",
              "a=rtpmap:109 OPUS/16000",
              "a=fmtp:109 useinbandfec=1; usedtx=0",
              "a=rtcp-fb:109 ccm tmmbr",
              "a=rtpmap:111 OPUS/48000/2",
              "a=rtpmap:18 g729/8000",
              "a=fmtp:18 annexb=no",
              "a=rtpmap:0 pcmu/8000",
              "a=rtpmap:8 pcma/8000",
              "a=rtpmap:9 g722/8000",
              "a=rtpmap:96 ilbc/8000",
              "a=fmtp:96 mode=20",
              "a=rtpmap:101 telephone-event/8000",
              "a=fmtp:101 0-15",
              "a=rtcp:41751",
              "a=sendrecv"}),
         "203.0.113.80",
         41750,
         41751,
         Direction::SendRecv,
         "PCMU/0 101"},
        {"session-level direction and address at the media level",
         sdp({"v=0",
              "o=x 1 2 IN IP4 192.0.2.1",
              "s=-",
              "c=IN IP4 192.0.2.1",
              "t=0 0",
              "a=sendonly",
              "m=audio 4000 RTP/AVP 8",
              "c=IN IP4 192.0.2.9"}),
         "192.0.2.9",
         4000,
         4001,
         Direction::SendOnly,
         "PCMA/8 -"},
        {"media-level direction wins",
         sdp({"v=0",
              "o=x 1 2 IN IP4 192.0.2.1",
              "s=-",
              "c=IN IP4 192.0.2.1",
              "t=0 0",
              "a=sendonly",
              "m=audio 4000 RTP/AVP 0",
              "a=inactive"}),
         "192.0.2.1",
         4000,
         4001,
         Direction::Inactive,
         "PCMU/0 -"},
        {"old-style hold",
         sdp({"v=0",
              "o=x 1 2 IN IP4 192.0.2.1",
              "s=-",
              "c=IN IP4 0.0.0.0",
              "t=0 0",
              "m=audio 4000 RTP/AVP 0"}),
         "0.0.0.0",
         4000,
         4001,
         Direction::SendOnly,
         "PCMU/0 -"},
        {"old-style hold, recvonly",
         sdp({"v=0",
              "o=x 1 2 IN IP4 192.0.2.1",
              "s=-",
              "c=IN IP4 0.0.0.0",
              "t=0 0",
              "m=audio 4000 RTP/AVP 0",
              "a=recvonly"}),
         "0.0.0.0",
         4000,
         4001,
         Direction::Inactive,
         "PCMU/0 -"},
        {"IPv6 with rtcp-mux",
         sdp({"v=0",
              "o=x 1 2 IN IP6 2001:db8::1",
              "s=-",
              "c=IN IP6 2001:db8::1",
              "t=0 0",
              "m=audio 4000 RTP/AVP 9",
              "a=rtcp-mux"}),
         "2001:db8::1",
         4000,
         4000,
         Direction::SendRecv,
         "G722/9 -"},
        {"video first, a rejected and an encrypted audio line before ours",
         sdp({"v=0",
              "o=x 1 2 IN IP4 192.0.2.1",
              "s=-",
              "c=IN IP4 192.0.2.1",
              "t=0 0",
              "m=video 5000 RTP/AVP 99",
              "a=rtpmap:99 VP8/90000",
              "m=audio 0 RTP/AVP 0",
              "m=audio 5002 RTP/SAVP 0",
              "m=audio 5004 RTP/AVP 8",
              "m=application 5006 UDP/BFCP *"}),
         "192.0.2.1",
         5004,
         5005,
         Direction::SendRecv,
         "PCMA/8 -",
         5},
        {"bare LF, multicast ttl, odd spaces",
         "v=0\no=x 1 2 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1/127\nt=0 0\nm=audio  4000/2  "
         "RTP/AVP  8  0 \n",
         "192.0.2.1",
         4000,
         4001,
         Direction::SendRecv,
         "PCMU/0 -"},
        {"dynamic number for PCMU",
         sdp({"v=0",
              "o=x 1 2 IN IP4 192.0.2.1",
              "s=-",
              "c=IN IP4 192.0.2.1",
              "t=0 0",
              "m=audio 4000 RTP/AVP 96 97",
              "a=rtpmap:96 PCMU/8000/1",
              "a=rtpmap:97 telephone-event/8000"}),
         "192.0.2.1",
         4000,
         4001,
         Direction::SendRecv,
         "PCMU/96 97"},
    };
}

TEST(SipSdp, ReadsRealOffers) {
    for (const Offer& offer : offers()) {
        SCOPED_TRACE(offer.name);
        const auto parsed = parse_sdp(offer.text);
        ASSERT_TRUE(parsed) << parsed.error().text();
        EXPECT_EQ(parsed->audio.address, offer.address);
        EXPECT_EQ(parsed->audio.rtp_port, offer.rtp_port);
        EXPECT_EQ(parsed->audio.rtcp_port, offer.rtcp_port);
        EXPECT_EQ(parsed->audio.direction, offer.direction);
        EXPECT_EQ(parsed->lines.size(), offer.lines);
        const auto chosen = model::choose_codec(parsed->audio, kOurs);
        ASSERT_TRUE(chosen);
        const std::string text =
            std::string(model::facts_of(chosen->codec).name) + "/" +
            std::to_string(chosen->payload_type) + " " +
            (chosen->telephone_event_type ? std::to_string(*chosen->telephone_event_type) : "-");
        EXPECT_EQ(text, offer.chosen);
    }
}

TEST(SipSdp, KeepsFmtpPtimeAndOrigin) {
    const auto parsed = parse_sdp(sdp({"v=0",
                                       "o=- 4611732 7 IN IP4 192.0.2.1",
                                       "s=-",
                                       "c=IN IP4 192.0.2.1",
                                       "t=0 0",
                                       "m=audio 4000 RTP/AVP 96",
                                       "a=rtpmap:96 opus/48000/2",
                                       "a=fmtp:96 useinbandfec=1;stereo=0",
                                       "a=ptime:40"}));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->origin_session_id, "4611732");
    EXPECT_EQ(parsed->origin_version, 7U);
    EXPECT_EQ(parsed->audio.ptime_ms, 40);
    EXPECT_EQ(parsed->audio.formats.at(0).fmtp, "useinbandfec=1;stereo=0");
    EXPECT_EQ(parsed->audio.formats.at(0).channels, 2);
}

TEST(SipSdp, FindsNoAudioWhereThereIsNone) {
    const std::string head =
        sdp({"v=0", "o=x 1 2 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0"});
    for (const std::string& media : std::vector<std::string>{
             "m=video 5000 RTP/AVP 99\r\na=rtpmap:99 VP8/90000\r\n",
             "m=audio 0 RTP/AVP 0\r\n",
             "m=audio 5000 RTP/SAVP 0\r\n",
             "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 media.example.com\r\n",
             "m=audio 5000 RTP/AVP 0\r\nc=IN IP6 192.0.2.1\r\n",
             "m=audio 5000 RTP/AVP 96\r\n",
             "m=image 5000 udptl t38\r\n",
             // Chromium's: DTLS-SRTP belongs to web legs.
             "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\na=rtpmap:111 opus/48000/2\r\n"
             "a=ice-ufrag:4ZcD\r\na=setup:actpass\r\na=mid:0\r\na=rtcp-mux\r\n"}) {
        const auto parsed = parse_sdp(head + media);
        ASSERT_TRUE(parsed) << media;
        EXPECT_EQ(parsed->audio.rtp_port, 0) << media;
        EXPECT_EQ(parsed->lines.size(), 1U);
        EXPECT_FALSE(parsed->lines[0].is_chosen);
    }
}

TEST(SipSdp, RefusesWhatBreaksTheGrammarOrABound) {
    const std::string head =
        sdp({"v=0", "o=x 1 2 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0"});
    const std::string audio = "m=audio 4000 RTP/AVP 0\r\n";
    std::string many_media = head;
    for (int i = 0; i < 17; ++i) many_media += audio;
    std::string many_lines = head + audio;
    for (int i = 0; i < 1100; ++i) many_lines += "a=x\r\n";
    for (const std::string& text :
         {std::string(),
          std::string("hello"),
          head,                                    // no m=
          "o=x 1 2 IN IP4 192.0.2.1\r\n" + audio,  // no v=
          "v=0\r\n" + audio,                       // no o=
          "v=1\r\no=x 1 2 IN IP4 192.0.2.1\r\n" + audio,
          head + "m=audio\r\n",
          head + "m=audio x RTP/AVP 0\r\n",
          head + "m=audio 70000 RTP/AVP 0\r\n",
          head + "m=audio 4000 RTP/AVP\r\n",
          head + audio + "no equals sign\r\n",
          head + audio + std::string("a=\0x\r\n", 6),
          many_media,
          many_lines,
          head + audio + "a=" + std::string(kMaxSdpBytes, 'x') + "\r\n"}) {
        const auto parsed = parse_sdp(text);
        ASSERT_FALSE(parsed) << text.substr(0, 120);
        EXPECT_EQ(parsed.error().code, base::ErrorCode::Malformed);
    }
}

TEST(SipSdp, BoundsFormatsAndStrings) {
    std::string media = "m=audio 4000 RTP/AVP";
    for (int i = 0; i < 128; ++i) media += " " + std::to_string(i);
    const std::string longest(5000, 'z');
    const auto parsed = parse_sdp(sdp({"v=0",
                                       "o=x " + longest + " 2 IN IP4 192.0.2.1",
                                       "s=-",
                                       "c=IN IP4 192.0.2.1",
                                       media,
                                       "a=fmtp:0 " + longest,
                                       "a=rtpmap:8 " + longest + "/8000"}));
    ASSERT_TRUE(parsed);
    EXPECT_LE(parsed->audio.formats.size(), 64U);
    EXPECT_LE(parsed->origin_session_id.size(), 256U);
    EXPECT_LE(parsed->lines[0].formats.size(), 256U);
    for (const auto& format : parsed->audio.formats) {
        EXPECT_LE(format.fmtp.size(), 256U);
        EXPECT_LE(format.encoding.size(), 256U);
    }
}

TEST(SipSdp, WritesAnAnswerInPlace) {
    const auto offer = parse_sdp(sdp({"v=0",
                                      "o=x 1 2 IN IP4 192.0.2.1",
                                      "s=-",
                                      "c=IN IP4 192.0.2.1",
                                      "t=0 0",
                                      "m=video 5000 RTP/AVP 99 100",
                                      "m=audio 5002 RTP/AVPF 0 8 101",
                                      "a=rtpmap:101 telephone-event/8000",
                                      "m=image 5004 udptl t38"}));
    ASSERT_TRUE(offer);
    model::LocalSdp local;
    local.session_id = "77";
    local.version = 3;
    local.address = "203.0.113.9";
    local.rtp_port = 20002;
    local.direction = Direction::RecvOnly;
    local.formats = model::answer_formats(*model::choose_codec(offer->audio, {Codec::Pcma}));
    local.lines = offer->lines;
    EXPECT_EQ(
        write_sdp(local),
        "v=0\r\no=offhook 77 3 IN IP4 203.0.113.9\r\ns=offhook\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\n"
        "m=video 0 RTP/AVP 99 100\r\n"
        "m=audio 20002 RTP/AVPF 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 "
        "telephone-event/8000\r\n"
        "a=fmtp:101 0-16\r\na=ptime:20\r\na=recvonly\r\n"
        "m=image 0 udptl t38\r\n");
}

TEST(SipSdp, WritesAnOfferThatItReadsBack) {
    model::LocalSdp local;
    local.session_id = "5";
    local.address = "2001:db8::7";
    local.rtp_port = 20000;
    local.rtcp_mux = true;
    local.formats = model::offer_formats(kOurs);
    const auto parsed = parse_sdp(write_sdp(local));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->audio.address, "2001:db8::7");
    EXPECT_TRUE(parsed->audio.rtcp_mux);
    EXPECT_EQ(parsed->audio.rtcp_port, 20000);
    EXPECT_EQ(parsed->audio.ptime_ms, 20);
    ASSERT_EQ(parsed->audio.formats.size(), local.formats.size());
    for (std::size_t i = 0; i < local.formats.size(); ++i) {
        EXPECT_EQ(parsed->audio.formats[i].encoding, local.formats[i].encoding);
        EXPECT_EQ(parsed->audio.formats[i].fmtp, local.formats[i].fmtp);
    }
}

TEST(SipSdp, SurvivesMutation) {
    std::mt19937 random(20261120);
    const auto originals = offers();
    int parsed_count = 0;
    for (int i = 0; i < 10'000; ++i) {
        std::string text = originals[random() % originals.size()].text;
        const auto changes = 1 + random() % 8;
        for (unsigned c = 0; c < changes && !text.empty(); ++c) {
            const auto at = random() % text.size();
            switch (random() % 5) {
                case 0:
                    text[at] = static_cast<char>(random() % 256);
                    break;
                case 1:
                    text.erase(at, 1 + random() % 20);
                    break;
                case 2:
                    text.insert(at, text.substr(random() % text.size(), random() % 40));
                    break;
                case 3:
                    text.insert(at, std::to_string(random()));
                    break;
                default:
                    text.resize(at);
                    break;
            }
        }
        // An exact-size heap copy lets ASan see a read past the end.
        const std::vector<char> exact(text.begin(), text.end());
        const auto parsed = parse_sdp({exact.data(), exact.size()});
        if (!parsed) continue;
        ++parsed_count;
        EXPECT_LE(parsed->lines.size(), 16U);
        EXPECT_LE(parsed->audio.formats.size(), 64U);
        model::LocalSdp local;
        local.session_id = "1";
        local.address = "192.0.2.1";
        local.rtp_port = 20000;
        local.formats = model::offer_formats({Codec::Pcmu});
        local.lines = parsed->lines;
        const auto echoed = parse_sdp(write_sdp(local));
        ASSERT_TRUE(echoed) << write_sdp(local);
        EXPECT_EQ(echoed->lines.size(), parsed->lines.size());
    }
    EXPECT_GT(parsed_count, 1000);
}

TEST(SipSdp, ReadsCryptoLinesAndBothProfiles) {
    const std::string key = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
    std::string text = sdp({"v=0",
                            "o=x 1 2 IN IP4 192.0.2.1",
                            "s=-",
                            "c=IN IP4 192.0.2.1",
                            "t=0 0",
                            "a=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:" + key,
                            "m=audio 5002 RTP/SAVPF 0",
                            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key + "|2^20|1:4",
                            "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" + key + "|2^20",
                            "a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:" + key,
                            "m=audio 5004 RTP/AVP 8",
                            "m=audio 5006 RTP/SAVP 8",
                            "a=crypto:1 NULL_HMAC_SHA1_80 inline:" + key});
    const auto parsed = parse_sdp(text);
    ASSERT_TRUE(parsed);
    ASSERT_EQ(parsed->audio_lines.size(), 2U) << "the last has no suite of ours";
    EXPECT_EQ(parsed->audio.rtp_port, 5002);
    EXPECT_TRUE(parsed->audio.is_savp);
    ASSERT_EQ(parsed->audio.crypto.size(), 2U);
    EXPECT_EQ(parsed->audio.crypto[0].tag, 2U);
    EXPECT_EQ(parsed->audio.crypto[1].tag, 3U);
    EXPECT_TRUE(parsed->lines[0].is_chosen);
    EXPECT_FALSE(parsed->audio_lines[1].is_savp);
    EXPECT_EQ(parsed->audio_lines[1].line, 1U);

    text += "m=audio 5008 RTP/SAVP 8\r\n";
    for (int i = 1; i <= 100; ++i)
        text += "a=crypto:" + std::to_string(i) + " AES_CM_128_HMAC_SHA1_80 inline:" + key + "\r\n";
    const auto many = parse_sdp(text);
    ASSERT_TRUE(many);
    EXPECT_EQ(many->audio_lines.at(2).crypto.size(), 8U) << "bounded";
}

TEST(SipSdp, WritesTheChosenTagUnderTheOfferedProfile) {
    model::LocalSdp local;
    local.session_id = "1";
    local.address = "192.0.2.1";
    local.rtp_port = 4000;
    local.formats = {{0, "PCMU", 8000, 1, ""}};
    const auto crypto = model::parse_crypto(
        "3 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj");
    ASSERT_TRUE(crypto);
    local.crypto = {*crypto};
    local.lines = {{"audio", "RTP/AVP", "0", false}, {"audio", "RTP/SAVPF", "0 8", true}};
    const std::string text = write_sdp(local);
    EXPECT_NE(text.find("m=audio 0 RTP/AVP 0\r\n"), std::string::npos) << text;
    EXPECT_NE(text.find("m=audio 4000 RTP/SAVPF 0\r\n"), std::string::npos) << text;
    EXPECT_NE(text.find("a=crypto:3 AES_CM_128_HMAC_SHA1_80 "
                        "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n"),
              std::string::npos)
        << text;
    local.lines.clear();
    local.protocol = "RTP/SAVP";
    EXPECT_NE(write_sdp(local).find("m=audio 4000 RTP/SAVP 0\r\n"), std::string::npos);
}

}  // namespace
}  // namespace offhook::signalling::sip

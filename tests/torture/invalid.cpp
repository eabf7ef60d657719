// RFC 4475 §3.1.2: messages that break the grammar. 400 is the answer where there is enough to answer
// to; reading them as they were meant is allowed where the RFC says so.
#include "messages.h"

namespace offhook::test {
namespace {

/// An INVITE of which only `headers` differs from message to message.
std::string invite(std::string_view start_line, std::string_view headers, std::string_view body) {
    return crlf(std::string(start_line) + '\n' + std::string(headers) + '\n') + std::string(body);
}

std::string timed_sdp(std::string_view address) {
    const std::string at(address);
    return crlf("v=0\no=mhandley 29739 7272939 IN IP4 " + at + "\ns=-\nc=IN IP4 " + at +
                "\nt=3149328700 0\nm=audio 49217 RTP/AVP 0 12\nm=video 3227 RTP/AVP 31\n"
                "a=rtpmap:31 LPC\n");
}

constexpr std::string_view kInvite = "INVITE sip:user@example.com SIP/2.0";

std::string badinv01() {
    return invite(kInvite,
                  R"(To: sip:j.user@example.com
From: sip:caller@example.net;tag=134161461246
Max-Forwards: 7
Call-ID: badinv01.0ha0isndaksdjasdf3234nas
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.15;;,;,,
Contact: "Joe" <sip:joe@example.org>;;;;
Content-Length: 152
Content-Type: application/sdp
)",
                  usual_sdp("192.0.2.15"));
}

std::string clerr() {
    return invite(kInvite,
                  R"(Max-Forwards: 80
To: sip:j.user@example.com
From: sip:caller@example.net;tag=93942939o2
Contact: <sip:caller@hungry.example.net>
Call-ID: clerr.0ha0isndaksdjweiafasdk3
CSeq: 8 INVITE
Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bK-39234-23523
Content-Type: application/sdp
Content-Length: 9999
)",
                  usual_sdp("192.0.2.155"));
}

std::string ncl() {
    return invite(kInvite,
                  R"(Max-Forwards: 254
To: sip:j.user@example.com
From: sip:caller@example.net;tag=32394234
Call-ID: ncl.0ha0isndaksdj2193423r542w35
CSeq: 0 INVITE
Via: SIP/2.0/UDP 192.0.2.53;branch=z9hG4bKkdjuw
Contact: <sip:caller@example53.example.net>
Content-Type: application/sdp
Content-Length: -999
)",
                  usual_sdp("192.0.2.53"));
}

std::string scalar02() {
    return crlf(R"(REGISTER sip:example.com SIP/2.0
Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bK342sdfoi3
To: <sip:user@example.com>
From: <sip:user@example.com>;tag=239232jh3
CSeq: 36893488147419103232 REGISTER
Call-ID: scalar02.23o0pd9vanlq3wnrlnewofjas9ui32
Max-Forwards: 300
Expires: 1)" + std::string(100, '0') +
                R"(
Contact: <sip:user@host129.example.com>
  ;expires=280297596632815
Content-Length: 0

)");
}

std::string scalarlg() {
    return crlf(R"(SIP/2.0 503 Service Unavailable
Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bKzzxdiwo34sw;received=192.0.2.129
To: <sip:user@example.com>
From: <sip:other@example.net>;tag=2easdjfejw
CSeq: 9292394834772304023312 OPTIONS
Call-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r
Retry-After: 949302838503028349304023988
Warning: 1812 overture "In Progress"
Content-Length: 0

)");
}

std::string quotbal() {
    return invite(kInvite,
                  R"(To: "Mr. J. User <sip:j.user@example.com>
From: sip:caller@example.net;tag=93334
Max-Forwards: 10
Call-ID: quotbal.aksdj
Contact: <sip:caller@host59.example.net>
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.59:5050;branch=z9hG4bKkdjuw39234
Content-Type: application/sdp
Content-Length: 152
)",
                  usual_sdp("192.0.2.15"));
}

std::string ltgtruri() {
    return invite("INVITE <sip:user@example.com> SIP/2.0",
                  R"(To: sip:user@example.com
From: sip:caller@example.net;tag=39291
Max-Forwards: 23
Call-ID: ltgtruri.1@192.0.2.5
CSeq: 1 INVITE
Via: SIP/2.0/UDP 192.0.2.5
Contact: <sip:caller@host5.example.net>
Content-Type: application/sdp
Content-Length: 159
)",
                  timed_sdp("192.0.2.5"));
}

std::string lwsruri() {
    return invite("INVITE sip:user@example.com; lr SIP/2.0",
                  R"(To: sip:user@example.com;tag=3xfe-9921883-z9f
From: sip:caller@example.net;tag=231413434
Max-Forwards: 5
Call-ID: lwsruri.asdfasdoeoi2323-asdfwrn23-asd834rk423
CSeq: 2130706432 INVITE
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKkdjuw2395
Contact: <sip:caller@host1.example.net>
Content-Type: application/sdp
Content-Length: 159
)",
                  timed_sdp("192.0.2.1"));
}

std::string lwsstart() {
    return invite("INVITE  sip:user@example.com  SIP/2.0",
                  R"(Max-Forwards: 8
To: sip:user@example.com
From: sip:caller@example.net;tag=8814
Call-ID: lwsstart.dfknq234oi243099adsdfnawe3@example.com
CSeq: 1893884 INVITE
Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw3923
Contact: <sip:caller@host1.example.net>
Content-Type: application/sdp
Content-Length: 150
)",
                  usual_sdp("192.0.2.1"));
}

std::string trws() {
    return crlf(
        "OPTIONS sip:remote-target@example.com SIP/2.0  \n"
        R"(Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK299342093
To: <sip:remote-target@example.com>
From: <sip:local-resource@example.com>;tag=329429089
Call-ID: trws.oicu34958239neffasdhr2345r
Accept: application/sdp
CSeq: 238923 OPTIONS
Max-Forwards: 70
Content-Length: 0

)");
}

std::string escruri() {
    return invite("INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0",
                  R"(To: sip:user@example.com
From: sip:caller@example.net;tag=341518
Max-Forwards: 7
Contact: <sip:caller@host39923.example.net>
Call-ID: escruri.23940-asdfhj-aje3br-234q098w-fawerh2q-h4n5
CSeq: 149209342 INVITE
Via: SIP/2.0/UDP host-of-the-hour.example.com;branch=z9hG4bKkdjuw
Content-Type: application/sdp
Content-Length: 150
)",
                  usual_sdp("192.0.2.1"));
}

std::string baddate() {
    return invite(kInvite,
                  R"(To: sip:user@example.com
From: sip:caller@example.net;tag=2234923
Max-Forwards: 70
Call-ID: baddate.239423mnsadf3j23lj42--sedfnm234
CSeq: 1392934 INVITE
Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw
Date: Fri, 01 Jan 2010 16:00:00 EST
Contact: <sip:caller@host5.example.net>
Content-Type: application/sdp
Content-Length: 150
)",
                  usual_sdp("192.0.2.5"));
}

std::string regbadct() {
    return crlf(R"(REGISTER sip:example.com SIP/2.0
To: sip:user@example.com
From: sip:user@example.com;tag=998332
Max-Forwards: 70
Call-ID: regbadct.k345asrl3fdbv@10.0.0.1
CSeq: 1 REGISTER
Via: SIP/2.0/UDP 135.180.130.133:5060;branch=z9hG4bKkdjuw
Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E
l: 0

)");
}

std::string badaspec() {
    return crlf(R"(OPTIONS sip:user@example.org SIP/2.0
Via: SIP/2.0/UDP host4.example.com:5060;branch=z9hG4bKkdju43234
Max-Forwards: 70
From: "Bell, Alexander" <sip:a.g.bell@example.com>;tag=433423
To: "Watson, Thomas" < sip:t.watson@example.org >
Call-ID: badaspec.sdf0234n2nds0a099u23h3hnnw009cdkne3
Accept: application/sdp
CSeq: 3923239 OPTIONS
l: 0

)");
}

std::string baddn() {
    return crlf(R"(OPTIONS sip:t.watson@example.org SIP/2.0
Via:     SIP/2.0/UDP c.example.com:5060;branch=z9hG4bKkdjuw
Max-Forwards:      70
From:    Bell, Alexander <sip:a.g.bell@example.com>;tag=43
To:      Watson, Thomas <sip:t.watson@example.org>
Call-ID: baddn.31415@c.example.com
Accept: application/sdp
CSeq:    3923239 OPTIONS
l: 0

)");
}

std::string badvers() {
    return crlf(R"(OPTIONS sip:t.watson@example.org SIP/7.0
Via:     SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw
Max-Forwards:     70
From:    A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe
To:      T. Watson <sip:t.watson@example.org>
Call-ID: badvers.31417@c.example.com
CSeq:    1 OPTIONS
l: 0

)");
}

std::string mismatch01() {
    return crlf(R"(OPTIONS sip:user@example.com SIP/2.0
To: sip:j.user@example.com
From: sip:caller@example.net;tag=34525
Max-Forwards: 6
Call-ID: mismatch01.dj0234sxdfl3
CSeq: 8 INVITE
Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw
l: 0

)");
}

std::string mismatch02() {
    return invite("NEWMETHOD sip:user@example.com SIP/2.0",
                  R"(To: sip:j.user@example.com
From: sip:caller@example.net;tag=34525
Max-Forwards: 6
Call-ID: mismatch02.dj0234sxdfl3
CSeq: 8 INVITE
Contact: <sip:caller@host.example.net>
Via: SIP/2.0/UDP host.example.net;branch=z9hG4bKkdjuw
Content-Type: application/sdp
l: 138
)",
                  crlf(R"(v=0
o=mhandley 29739 7272939 IN IP4 192.0.2.1
c=IN IP4 192.0.2.1
m=audio 49217 RTP/AVP 0 12
m=video 3227 RTP/AVP 31
a=rtpmap:31 LPC
)"));
}

std::string bigcode() {
    return crlf(R"(SIP/2.0 4294967301 better not break the receiver
Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe
Call-ID: bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i
CSeq: 353494 INVITE
From: <sip:user@example.com>;tag=39ansfi3
To: <sip:user@example.edu>;tag=902jndnke3
Content-Length: 0
Contact: <sip:user@host105.example.com>

)");
}

}  // namespace

std::vector<TortureMessage> invalid_messages() {
    const Reaction refused = answered_or_dropped({400});
    const Reaction refused_or_read = answered({400, 200});
    return {
        {"badinv01", "3.1.2.1", badinv01(), refused, refused},
        // A stream waits for the rest of what was promised.
        {"clerr", "3.1.2.2", clerr(), refused, dropped()},
        {"ncl", "3.1.2.3", ncl(), refused, refused},
        {"scalar02", "3.1.2.4", scalar02(), refused, refused},
        {"scalarlg", "3.1.2.5", scalarlg(), dropped(), dropped()},
        {"quotbal", "3.1.2.6", quotbal(), refused, refused},
        {"ltgtruri", "3.1.2.7", ltgtruri(), refused, refused},
        // Read leniently it belongs to a dialog that nobody has.
        {"lwsruri",
         "3.1.2.8",
         lwsruri(),
         answered_or_dropped({400, 481}),
         answered_or_dropped({400, 481})},
        {"lwsstart",
         "3.1.2.9",
         lwsstart(),
         answered_or_dropped({400, 200}),
         answered_or_dropped({400, 200})},
        {"trws", "3.1.2.10", trws(), refused_or_read, refused_or_read},
        {"escruri", "3.1.2.11", escruri(), refused_or_read, refused_or_read},
        {"baddate", "3.1.2.12", baddate(), refused_or_read, refused_or_read},
        {"regbadct", "3.1.2.13", regbadct(), answered({400, 405}), answered({400, 405})},
        {"badaspec", "3.1.2.14", badaspec(), refused_or_read, refused_or_read},
        {"baddn", "3.1.2.15", baddn(), refused_or_read, refused_or_read},
        {"badvers", "3.1.2.16", badvers(), answered({505}), answered({505})},
        {"mismatch01", "3.1.2.17", mismatch01(), answered({400}), answered({400})},
        {"mismatch02", "3.1.2.18", mismatch02(), answered({400, 501}), answered({400, 501})},
        {"bigcode", "3.1.2.19", bigcode(), dropped(), dropped()},
    };
}

}  // namespace offhook::test

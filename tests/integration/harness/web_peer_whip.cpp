#include "harness/web_peer_whip.h"

#include <sstream>

#include "harness/web_peer_sdp.h"

namespace offhook::harness {

std::string WhipSession::post(const std::string& offer) {
    posted_ns_ =
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
            .count();
    last_ = http("POST",
                 address_,
                 "/whip/" + endpoint_,
                 offer,
                 seconds(15),
                 {"Content-Type: application/sdp", "Accept: application/sdp"});
    if (last_.status != 201) {
        return {};
    }
    session_ = header_of(last_, "Location");
    etag_ = header_of(last_, "ETag");
    // A Location may be a path or a whole URL (RFC 9110 §10.2.2).
    if (const std::size_t scheme = session_.find("://"); scheme != std::string::npos) {
        session_ = session_.substr(session_.find('/', scheme + 3));
    }
    return last_.body;
}

bool WhipSession::connect(WebPeer& peer) {
    const std::string answer = post(peer.offer());
    if (answer.empty()) {
        return false;
    }
    peer.take_answer(answer);
    return true;
}

std::string WhipSession::patch(const std::string& offer, bool is_restart) {
    std::string fragment = "a=ice-ufrag:" + attribute(offer, "ice-ufrag") +
                           "\r\na=ice-pwd:" + attribute(offer, "ice-pwd") +
                           "\r\nm=audio 9 RTP/AVP 0\r\na=mid:" + attribute(offer, "mid") + "\r\n";
    std::istringstream candidates(attributes(offer, "candidate"));
    for (std::string value; std::getline(candidates, value);) {
        fragment += "a=candidate:" + value + "\r\n";
    }
    last_ = http("PATCH",
                 address_,
                 session_,
                 fragment + "a=end-of-candidates\r\n",
                 seconds(15),
                 {"Content-Type: application/trickle-ice-sdpfrag",
                  "If-Match: " + (is_restart ? std::string("\"*\"") : etag_)});
    return last_.body;
}

int WhipSession::end() {
    last_ = http("DELETE", address_, session_);
    return last_.status;
}

}  // namespace offhook::harness

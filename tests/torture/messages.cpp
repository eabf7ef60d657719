#include "messages.h"

#include <algorithm>
#include <iterator>

namespace offhook::test {

std::string crlf(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 16);
    for (const char c : text) {
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
}

std::string usual_sdp(std::string_view address) {
    const std::string at(address);
    return crlf("v=0\no=mhandley 29739 7272939 IN IP4 " + at + "\ns=-\nc=IN IP4 " + at +
                "\nt=0 0\nm=audio 49217 RTP/AVP 0 12\nm=video 3227 RTP/AVP 31\na=rtpmap:31 LPC\n");
}

const std::vector<TortureMessage>& torture_messages() {
    static const std::vector<TortureMessage> all = [] {
        std::vector<TortureMessage> list = valid_messages();
        for (auto part : {invalid_messages(), semantics_messages()}) {
            std::move(part.begin(), part.end(), std::back_inserter(list));
        }
        return list;
    }();
    return all;
}

}  // namespace offhook::test

#include "pbx/web_phone.h"

namespace offhook::harness {

WebPhone::WebPhone(Browser& browser,
                   const Pbx& pbx,
                   const std::string& user,
                   Pbx::Transport transport,
                   bool is_silent)
    : domain_(pbx.options().domain), page_(browser.open("phone.html")) {
    const std::string scheme = transport == Pbx::Transport::Ws ? "ws" : "wss";
    page_.call("start",
               "[{\"server\":\"" + scheme + "://127.0.0.1:" + std::to_string(pbx.port(transport)) +
                   "\",\"uri\":\"sip:" + user + "@" + domain_ + "\",\"password\":\"" +
                   pbx.password(user) + "\",\"isSilent\":" + (is_silent ? "true" : "false") + "}]");
}

void WebPhone::dial(const std::string& user) {
    page_.call("dial", "[\"sip:" + user + "@" + domain_ + "\"]");
}

Json WebPhone::listen(double frequency_hz, milliseconds length) {
    return page_.call(
        "listen",
        "[" + std::to_string(frequency_hz) + "," + std::to_string(length.count()) + "]",
        length + seconds(15));
}

}  // namespace offhook::harness

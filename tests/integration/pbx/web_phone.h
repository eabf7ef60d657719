#pragma once

#include <string>

#include "harness/browser.h"
#include "pbx/pbx.h"

namespace offhook::harness {

/// JsSIP in a page of the browser (tests/browser/pages/phone.js) as a phone of the PBX: registers,
/// answers every call.
class WebPhone {
public:
    /// Registers. @errors throws when the PBX does not take it.
    /// @param is_silent  answers calls and sends no RTP at all
    WebPhone(Browser& browser,
             const Pbx& pbx,
             const std::string& user,
             Pbx::Transport transport = Pbx::Transport::Wss,
             bool is_silent = false);

    [[nodiscard]] const Browser::Page& page() const { return page_; }
    /// Calls a user of the PBX; returns when it answered. @errors throws
    void dial(const std::string& user);
    /// Waits until a call is up, ICE and DTLS included. @errors throws
    Json talking(milliseconds limit = seconds(20)) { return page_.call("talking", "[]", limit); }
    /// What came in the next `length`: `receivedHz`, `concealedShare`, `toneShare` ... of sound.js.
    Json listen(double frequency_hz, milliseconds length);
    void hang_up() { page_.call("hangUp"); }
    /// Waits for the end: `originator`, `cause`, `reason`.
    Json ended(milliseconds limit = seconds(20)) { return page_.call("ended", "[]", limit); }

private:
    std::string domain_;
    Browser::Page page_;
};

}  // namespace offhook::harness

#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/wire_tap.h"

namespace offhook::trace {

/// The last SIP messages of each dialog, by Call-ID. A dialog's begin with an INVITE; what belongs
/// to none (REGISTER, OPTIONS) is not kept.
///
/// The INVITE is here before control knows of its call, so dialogs that nobody has asked for stay
/// for a while, the last kMaxStrays of them.
/// @thread any; its lock is held for a copy at most
class SipShelf {
public:
    static constexpr std::size_t kMaxMessages = 64;      ///< of a dialog
    static constexpr std::size_t kMaxBytes = 64 * 1024;  ///< of a dialog, text alone
    static constexpr std::size_t kMaxStrays = 256;       ///< dialogs without a call

    /// @param message  without secrets
    void keep(model::SipWireMessage message);
    /// The dialog has a call: it stays until `drop`, as often as it was claimed.
    void claim(const std::string& call_id);
    void drop(const std::string& call_id);
    /// Oldest first. @param call_id as `call_id_of` gives it
    [[nodiscard]] std::vector<model::SipWireMessage> of(const std::string& call_id) const;
    /// How many messages of it are gone because newer ones came.
    [[nodiscard]] std::uint64_t lost(const std::string& call_id) const;

private:
    struct Dialog {
        std::deque<model::SipWireMessage> messages;
        std::size_t bytes = 0;
        std::uint64_t lost = 0;
        int claims = 0;
        std::list<std::string>::iterator stray;  ///< when nobody claimed it
    };
    Dialog& make(const std::string& call_id);

    mutable std::mutex mutex_;
    std::unordered_map<std::string, Dialog> dialogs_;
    std::list<std::string> strays_;  ///< oldest first
};

/// The value of the Call-ID header, escaped as in `model::CallInfo::sip_call_id`; empty: none.
[[nodiscard]] std::string call_id_of(std::string_view message);
/// "INVITE" of a request, "INVITE" of the CSeq of a response; empty: neither.
[[nodiscard]] std::string_view method_of(std::string_view message);

}  // namespace offhook::trace

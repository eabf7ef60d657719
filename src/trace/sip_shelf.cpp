#include "trace/sip_shelf.h"

#include <algorithm>
#include <cctype>

#include "base/escape.h"

namespace offhook::trace {
namespace {

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) == y;
    });
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// @param name, compact  in lower case; the compact form of RFC 3261 §7.3.3
std::string_view header_of(std::string_view message,
                           std::string_view name,
                           std::string_view compact) {
    std::size_t at = message.find('\n');
    while (at != std::string_view::npos) {
        const std::string_view rest = message.substr(at + 1);
        const std::size_t end = rest.find('\n');
        const std::string_view line = rest.substr(0, end);
        if (trimmed(line).empty()) return {};
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos) {
            const std::string_view found = trimmed(line.substr(0, colon));
            if (same_name(found, name) || (!compact.empty() && same_name(found, compact)))
                return trimmed(line.substr(colon + 1));
        }
        at = end == std::string_view::npos ? end : at + 1 + end;
    }
    return {};
}

}  // namespace

std::string call_id_of(std::string_view message) {
    return base::escape_untrusted(header_of(message, "call-id", "i"));
}

std::string_view method_of(std::string_view message) {
    const auto start = message.find_first_not_of("\r\n");
    if (start == std::string_view::npos) return {};
    message.remove_prefix(start);
    if (!message.starts_with("SIP/")) return message.substr(0, message.find(' '));
    const std::string_view cseq = header_of(message, "cseq", {});
    const auto space = cseq.find_last_of(" \t");
    return space == std::string_view::npos ? std::string_view() : cseq.substr(space + 1);
}

SipShelf::Dialog& SipShelf::make(const std::string& call_id) {
    const auto [found, is_new] = dialogs_.try_emplace(call_id);
    if (is_new) {
        found->second.stray = strays_.insert(strays_.end(), call_id);
        if (strays_.size() > kMaxStrays) {
            dialogs_.erase(strays_.front());
            strays_.pop_front();
        }
    }
    return found->second;
}

void SipShelf::keep(model::SipWireMessage message) {
    const std::string call_id = call_id_of(message.text);
    if (call_id.empty() || message.text.size() > kMaxBytes) return;
    const bool may_begin = message.text.starts_with("INVITE ");
    const std::scoped_lock lock(mutex_);
    if (!may_begin && !dialogs_.contains(call_id)) return;
    Dialog& dialog = make(call_id);
    dialog.bytes += message.text.size();
    dialog.messages.push_back(std::move(message));
    while (dialog.messages.size() > kMaxMessages || dialog.bytes > kMaxBytes) {
        dialog.bytes -= dialog.messages.front().text.size();
        dialog.messages.pop_front();
        ++dialog.lost;
    }
}

void SipShelf::claim(const std::string& call_id) {
    if (call_id.empty()) return;
    const std::scoped_lock lock(mutex_);
    Dialog& dialog = make(call_id);
    if (dialog.claims++ == 0) strays_.erase(dialog.stray);
}

void SipShelf::drop(const std::string& call_id) {
    const std::scoped_lock lock(mutex_);
    const auto found = dialogs_.find(call_id);
    if (found == dialogs_.end() || found->second.claims == 0) return;
    if (--found->second.claims == 0) dialogs_.erase(found);
}

std::vector<model::SipWireMessage> SipShelf::of(const std::string& call_id) const {
    const std::scoped_lock lock(mutex_);
    const auto found = dialogs_.find(call_id);
    if (found == dialogs_.end()) return {};
    return {found->second.messages.begin(), found->second.messages.end()};
}

std::uint64_t SipShelf::lost(const std::string& call_id) const {
    const std::scoped_lock lock(mutex_);
    const auto found = dialogs_.find(call_id);
    return found == dialogs_.end() ? 0 : found->second.lost;
}

}  // namespace offhook::trace

#include "signalling/sip/call_info.h"

#include <algorithm>
#include <charconv>

namespace offhook::signalling::sip {
namespace {

constexpr std::size_t kMaxBodyBytes = 16 * 1024;
constexpr std::size_t kMaxDigits = 64;
constexpr unsigned kDefaultDurationMs = 160;
constexpr unsigned kLongestMs = 10'000;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

char digit_of(std::string_view text) {
    text = trimmed(text);
    if (text == "10") return '*';
    if (text == "11") return '#';
    if (text.size() != 1) return 0;
    const char c = text.front();
    if ((c >= '0' && c <= '9') || c == '*' || c == '#' || (c >= 'A' && c <= 'D')) return c;
    return c >= 'a' && c <= 'd' ? static_cast<char>(c - 'a' + 'A') : '\0';
}

}  // namespace

InfoDigit parse_info_digit(std::string_view body, bool is_relay) {
    InfoDigit found{0, kDefaultDurationMs};
    if (!is_relay) {
        found.digit = digit_of(body);
        return found;
    }
    while (!body.empty()) {
        const auto end = body.find_first_of("\r\n");
        const std::string_view line = body.substr(0, end);
        body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string_view name = trimmed(line.substr(0, equals));
        const std::string_view value = trimmed(line.substr(equals + 1));
        if (same_text(name, "Signal")) found.digit = digit_of(value);
        if (same_text(name, "Duration")) {
            unsigned ms = 0;
            const auto [stop, error] =
                std::from_chars(value.data(), value.data() + value.size(), ms);
            if (error == std::errc{} && stop == value.data() + value.size())
                found.duration_ms = std::min(ms, kLongestMs);
        }
    }
    return found;
}

void CallInfo::on_info(SipCall& call, const Request& request) {
    const osip_message_t& message = request.message;
    const std::string_view body = body_of(message);
    if (body.size() > kMaxBodyBytes) return core_.respond(request, 413);
    const bool is_relay = has_type(message, "application", "dtmf-relay");
    if (is_relay || has_type(message, "application", "dtmf")) {
        const InfoDigit found = parse_info_digit(body, is_relay);
        core_.respond(request, 200);
        if (found.digit == 0) return;
        return core_.post([id = call.id, found](model::SignallingEvents& events) {
            events.on_info_digit(id, found.digit, found.duration_ms);
        });
    }
    std::string type = content_type_of(message);
    std::string copy(body);
    core_.respond(request, 200);
    if (copy.empty()) return;  // a mere sign of life
    core_.post([id = call.id, type = std::move(type), copy = std::move(copy)](
                   model::SignallingEvents& events) { events.on_info(id, type, copy); });
}

void CallInfo::send_digits(SipCall& call, const std::string& digits) {
    for (const char c : digits) {
        const char digit = digit_of(std::string_view(&c, 1));
        if (digit != 0 && call.digits.size() < kMaxDigits) call.digits += digit;
    }
    if (!call.is_sending_digit) send_next_digit(call);
}

void CallInfo::send_next_digit(SipCall& call) {
    call.is_sending_digit = false;
    if (call.digits.empty() || !call.is_up()) return;
    const char digit = call.digits.front();
    call.digits.erase(0, 1);
    const Dialog::Content content{.content_type = "application/dtmf-relay",
                                  .body = std::string("Signal=") + digit + "\r\nDuration=" +
                                          std::to_string(kDefaultDurationMs) + "\r\n"};
    call.is_sending_digit = true;
    const auto sent = calls_.send(call, "INFO", content, [this, id = call.id](const Reply& reply) {
        SipCall* going = reply.is_final() ? calls_.find(id) : nullptr;
        if (going != nullptr) send_next_digit(*going);
    });
    if (!sent) call.is_sending_digit = false;
}

void CallInfo::send(SipCall& call, const std::string& content_type, const std::string& body) {
    if (!call.is_up() || body.size() > kMaxBodyBytes) return;
    calls_.send(call, "INFO", {.content_type = content_type, .body = body}, {});
}

}  // namespace offhook::signalling::sip

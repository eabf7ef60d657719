#include "caller/sip_message.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "caller/sip_uri.h"

namespace offhook::caller {
namespace {

struct Compact {
    char letter;
    std::string_view name;
};
constexpr std::array<Compact, 10> kCompactForms{{{'v', "via"},
                                                 {'f', "from"},
                                                 {'t', "to"},
                                                 {'i', "call-id"},
                                                 {'m', "contact"},
                                                 {'l', "content-length"},
                                                 {'c', "content-type"},
                                                 {'e', "content-encoding"},
                                                 {'k', "supported"},
                                                 {'s', "subject"}}};

tl::unexpected<base::Error> malformed(std::string_view why) {
    return base::fail(base::ErrorCode::Malformed, "SIP message: " + std::string(why));
}

std::string header_name(std::string_view raw) {
    std::string name(trim(raw));
    for (char& c : name) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    if (name.size() == 1) {
        for (const Compact& form : kCompactForms) {
            if (form.letter == name[0]) return std::string(form.name);
        }
    }
    return name;
}

template <class Number>
bool parse_number(std::string_view text, Number& value) {
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    return status == std::errc{} && end == text.data() + text.size();
}

/// Takes one line off the front; the line end may be CRLF or LF.
std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
}

bool is_token(std::string_view text) {
    return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    });
}

base::Result<void> parse_start_line(std::string_view line, SipMessage& message) {
    constexpr std::string_view kVersion = "SIP/2.0";
    if (line.substr(0, kVersion.size() + 1) == "SIP/2.0 ") {
        message.is_response = true;
        line.remove_prefix(kVersion.size() + 1);
        const std::string_view code = line.substr(0, 3);
        if (code.size() != 3 || !parse_number(code, message.status) || message.status < 100 ||
            message.status > 699) {
            return malformed("the status code is not 100 to 699");
        }
        message.reason = std::string(trim(line.substr(3)));
        return {};
    }
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || last <= first || line.substr(last + 1) != kVersion) {
        return malformed("the first line is neither a request nor a response");
    }
    message.method = std::string(line.substr(0, first));
    message.request_uri = std::string(trim(line.substr(first + 1, last - first - 1)));
    if (!is_token(message.method) || message.request_uri.empty())
        return malformed("bad request line");
    return {};
}

base::Result<void> parse_cseq(SipMessage& message) {
    const std::string_view cseq = message.header("cseq");
    const std::size_t space = cseq.find_first_of(" \t");
    if (space == std::string_view::npos || !parse_number(cseq.substr(0, space), message.cseq)) {
        return malformed("no readable CSeq");
    }
    const std::string_view method = trim(cseq.substr(space));
    if (!is_token(method)) return malformed("no method in CSeq");
    if (message.is_response)
        message.method = std::string(method);
    else if (message.method != method)
        return malformed("CSeq has another method than the request line");
    return {};
}

}  // namespace

std::string_view SipMessage::header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers) {
        if (key == name) return value;
    }
    return {};
}

std::vector<std::string> SipMessage::list(std::string_view name) const {
    std::vector<std::string> all;
    for (const auto& [key, value] : headers) {
        if (key != name) continue;
        for (std::string& part : split_list(value)) all.push_back(std::move(part));
    }
    return all;
}

std::string SipMessage::tag(std::string_view name) const {
    const auto address = parse_name_address(header(name));
    return address ? address->param("tag").value_or("") : "";
}

std::string SipMessage::branch() const {
    const std::vector<std::string> vias = list("via");
    if (vias.empty()) return {};
    const std::size_t params = vias.front().find(';');
    if (params == std::string::npos) return {};
    return NameAddress{{}, vias.front().substr(params)}.param("branch").value_or("");
}

base::Result<SipMessage> parse_sip(std::string_view datagram) {
    if (datagram.size() > kMaxSipBytes) return malformed("larger than 65535 bytes");
    std::string_view rest = datagram;
    // Line ends before the first line are keep-alives (RFC 3261 §7.5).
    while (!rest.empty() && (rest.front() == '\r' || rest.front() == '\n')) rest.remove_prefix(1);
    SipMessage message;
    if (auto ok = parse_start_line(take_line(rest), message); !ok)
        return tl::unexpected(ok.error());
    bool is_complete = false;
    while (!rest.empty()) {
        const std::string_view line = take_line(rest);
        if (line.empty()) {
            is_complete = true;
            break;
        }
        if (line.front() == ' ' || line.front() == '\t') {
            if (message.headers.empty()) return malformed("a folded line without a header");
            message.headers.back().second += " " + std::string(trim(line));
            continue;
        }
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) return malformed("a header without a colon");
        if (message.headers.size() == kMaxSipHeaders) return malformed("more than 128 headers");
        message.headers.emplace_back(header_name(line.substr(0, colon)),
                                     std::string(trim(line.substr(colon + 1))));
    }
    if (!is_complete) return malformed("no empty line after the headers");
    if (const std::string_view length = message.header("content-length"); !length.empty()) {
        std::size_t bytes = 0;
        if (!parse_number(length, bytes)) return malformed("Content-Length is not a number");
        if (bytes > rest.size())
            return malformed("cut short: the body is smaller than Content-Length");
        rest = rest.substr(0, bytes);
    }
    message.body = std::string(rest);
    message.call_id = std::string(message.header("call-id"));
    if (message.call_id.empty() || message.header("from").empty() || message.header("to").empty() ||
        message.header("via").empty()) {
        return malformed("From, To, Call-ID or Via is missing");
    }
    if (auto ok = parse_cseq(message); !ok) return tl::unexpected(ok.error());
    return message;
}

base::Result<void> SipStream::feed(std::string_view bytes) {
    buffer_ += bytes;
    if (buffer_.size() <= 2 * kMaxSipBytes) return {};
    return base::fail(base::ErrorCode::LimitReached,
                      "the peer sends a SIP message larger than 65535 bytes over TCP");
}

std::optional<std::string> SipStream::next() {
    const std::size_t start = buffer_.find_first_not_of("\r\n");
    if (start == std::string::npos) {
        buffer_.clear();
        return std::nullopt;
    }
    buffer_.erase(0, start);
    const std::size_t end = buffer_.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    // Without Content-Length there is no body that one could find the end of.
    std::size_t body = 0;
    std::string_view head = std::string_view(buffer_).substr(0, end + 2);
    (void)take_line(head);
    while (!head.empty()) {
        const std::string_view line = take_line(head);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos ||
            header_name(line.substr(0, colon)) != "content-length")
            continue;
        if (!parse_number(trim(line.substr(colon + 1)), body) || body > kMaxSipBytes) body = 0;
        break;
    }
    const std::size_t whole = end + 4 + body;
    if (buffer_.size() < whole) return std::nullopt;
    std::string message = buffer_.substr(0, whole);
    buffer_.erase(0, whole);
    return message;
}

}  // namespace offhook::caller

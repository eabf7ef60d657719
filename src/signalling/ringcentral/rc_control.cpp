#include "signalling/ringcentral/rc_control.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace offhook::signalling::ringcentral {
namespace {

constexpr std::size_t kMaxAttributes = 32;
constexpr std::size_t kMaxNameBytes = 32;
constexpr std::string_view kBlank = " \t\r\n";

constexpr std::pair<std::string_view, char> kEntities[] = {
    {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};

bool is_control(std::uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

void append_utf8(std::string& text, std::uint32_t c) {
    const auto byte = [&](std::uint32_t value) { text += static_cast<char>(value); };
    const auto tail = [&](std::uint32_t shift) { byte(0x80 | ((c >> shift) & 0x3F)); };
    if (c < 0x80) return byte(c);
    if (c < 0x800) {
        byte(0xC0 | (c >> 6));
    } else if (c < 0x10000) {
        byte(0xE0 | (c >> 12));
        tail(6);
    } else {
        byte(0xF0 | (c >> 18));
        tail(12);
        tail(6);
    }
    tail(0);
}

/// What stands between '&' and ';'. Nothing that it makes is looked at again.
bool append_reference(std::string& text, std::string_view name) {
    for (const auto& [entity, c] : kEntities) {
        if (name == entity) {
            text += c;
            return true;
        }
    }
    if (!name.starts_with('#')) return false;
    name.remove_prefix(1);
    const int base = name.starts_with('x') ? 16 : 10;
    if (base == 16) name.remove_prefix(1);
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, base);
    const bool is_surrogate = code >= 0xD800 && code < 0xE000;
    if (error != std::errc{} || end != name.data() + name.size() || is_control(code) ||
        is_surrogate || code > 0x10FFFF) {
        return false;
    }
    append_utf8(text, code);
    return true;
}

std::optional<std::string> decoded(std::string_view raw) {
    std::string text;
    while (!raw.empty()) {
        const char c = raw.front();
        raw.remove_prefix(1);
        if (c == '<' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return std::nullopt;
        if (c != '&') {
            text += c;
            continue;
        }
        const auto end = raw.substr(0, 12).find(';');
        if (end == std::string_view::npos || !append_reference(text, raw.substr(0, end)))
            return std::nullopt;
        raw.remove_prefix(end + 1);
    }
    return text;
}

std::string encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto found = std::find_if(std::begin(kEntities),
                                        std::end(kEntities),
                                        [c](const auto& each) { return each.second == c; });
        // A quote of the other kind needs nothing.
        if (found == std::end(kEntities) || c == '\'') {
            out += c;
        } else {
            out += '&';
            out += found->first;
            out += ';';
        }
    }
    return out;
}

/// Reads the text from front to back; false as soon as it is something else.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    void skip_blank() {
        const auto first = rest_.find_first_not_of(kBlank);
        rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
    }
    [[nodiscard]] bool take(std::string_view token) {
        if (!rest_.starts_with(token)) return false;
        rest_.remove_prefix(token.size());
        return true;
    }
    [[nodiscard]] bool is_at_end() const { return rest_.empty(); }

    /// `<name a="b" .../>` or `<name a="b" ...></name>`.
    [[nodiscard]] bool take_empty_element(std::string_view name,
                                          ControlMessage::Attributes& attributes) {
        if (!take("<") || !take(name)) return false;
        for (;;) {
            const std::size_t before = rest_.size();
            skip_blank();
            if (take("/>")) return true;
            if (take(">")) {
                skip_blank();
                return take("</") && take(name) && take(">");
            }
            if (rest_.size() == before || attributes.size() == kMaxAttributes ||
                !take_attribute(attributes)) {
                return false;
            }
        }
    }

private:
    [[nodiscard]] bool take_attribute(ControlMessage::Attributes& attributes) {
        const auto is_name = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '_' || c == '-';
        };
        const auto stop = std::find_if_not(rest_.begin(), rest_.end(), is_name);
        const auto size = static_cast<std::size_t>(stop - rest_.begin());
        if (size == 0 || size > kMaxNameBytes) return false;
        std::string name(rest_.substr(0, size));
        rest_.remove_prefix(size);
        if (!take("=") || rest_.empty()) return false;
        const char quote = rest_.front();
        if (quote != '"' && quote != '\'') return false;
        rest_.remove_prefix(1);
        const auto end = rest_.find(quote);
        if (end == std::string_view::npos) return false;
        auto value = decoded(rest_.substr(0, end));
        rest_.remove_prefix(end + 1);
        const bool is_doubled = std::any_of(attributes.begin(),
                                            attributes.end(),
                                            [&](const auto& each) { return each.first == name; });
        if (!value || is_doubled) return false;
        attributes.emplace_back(std::move(name), std::move(*value));
        return true;
    }

    std::string_view rest_;
};

std::string_view value_of(const ControlMessage::Attributes& attributes, std::string_view name) {
    for (const auto& [each, value] : attributes)
        if (each == name) return value;
    return {};
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

void append(std::string& text, const ControlMessage::Attributes& attributes) {
    for (const auto& [name, value] : attributes) text += ' ' + name + "=\"" + encoded(value) + '"';
}

}  // namespace

std::string_view name_of(Command command) noexcept {
    switch (command) {
        case Command::ChangeMessage:
            return "change-message";
        case Command::ServerFreeResources:
            return "server-free-resources";
        case Command::NewMsg:
            return "new-msg";
        case Command::ReLogin:
            return "re-login";
        case Command::ChangePhones:
            return "change-phones";
        case Command::IncomingCall:
            return "incoming-call";
        case Command::AlreadyProcessed:
            return "already-processed";
        case Command::ClientMinimize:
            return "client-minimize";
        case Command::SessionClose:
            return "session-close";
        case Command::ClientForward:
            return "client-forward";
        case Command::ClientVoicemail:
            return "client-voicemail";
        case Command::ClientReject:
            return "client-reject";
        case Command::ClientStartReply:
            return "client-start-reply";
        case Command::ClientReply:
            return "client-reply";
        case Command::ClientNotProcessed:
            return "client-not-processed";
        case Command::ClientClosed:
            return "client-closed";
        case Command::ClientReceiveConfirm:
            return "client-receive-confirm";
    }
    return "unknown";
}

std::string_view ControlMessage::of_body(std::string_view name) const {
    return value_of(body, name);
}

base::Result<ControlMessage> read_control(std::string_view text) {
    const auto wrong = [](const char* what) {
        return base::fail(base::ErrorCode::Malformed,
                          std::string("not a call-control element of RingCentral: ") + what);
    };
    if (text.size() > kMaxControlBytes) return wrong("more than 2 KiB");
    Reader reader(text);
    ControlMessage::Attributes header;
    ControlMessage message;
    reader.skip_blank();
    if (!reader.take("<Msg>")) return wrong("it does not begin with <Msg>");
    reader.skip_blank();
    if (!reader.take_empty_element("Hdr", header)) return wrong("its Hdr cannot be read");
    reader.skip_blank();
    if (!reader.take_empty_element("Bdy", message.body)) return wrong("its Bdy cannot be read");
    reader.skip_blank();
    if (!reader.take("</Msg>")) return wrong("it does not end after Bdy");
    reader.skip_blank();
    if (!reader.is_at_end()) return wrong("something comes behind it");
    const std::string_view number = value_of(header, "Cmd");
    std::uint8_t command = 0;
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), command);
    if (error != std::errc{} || end != number.data() + number.size())
        return wrong("its Cmd is not a number");
    message.command = static_cast<Command>(command);
    message.session = value_of(header, "SID");
    message.request = value_of(header, "Req");
    message.from = value_of(header, "From");
    message.to = value_of(header, "To");
    return message;
}

std::string write_control(const ControlMessage& message) {
    std::string text = "<Msg><Hdr";
    append(text,
           {{"SID", message.session},
            {"Req", message.request},
            {"From", message.from},
            {"To", message.to},
            {"Cmd", std::to_string(static_cast<int>(message.command))}});
    text += "/><Bdy";
    append(text, message.body);
    return text + "/></Msg>";
}

ControlMessage reply_to(const ControlMessage& incoming,
                        Command command,
                        const std::string& client,
                        const ControlMessage::Attributes& more) {
    ControlMessage reply{.session = incoming.session,
                         .request = incoming.request,
                         .from = incoming.to,
                         .to = incoming.from,
                         .command = command,
                         .body = {{"Cln", client}}};
    reply.body.insert(reply.body.end(), more.begin(), more.end());
    return reply;
}

std::string_view value_in(std::string_view header, std::string_view name) {
    while (!header.empty()) {
        const auto end = header.find(';');
        const std::string_view pair = trimmed(header.substr(0, end));
        header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
        const auto equals = pair.find('=');
        if (equals != std::string_view::npos && trimmed(pair.substr(0, equals)) == name)
            return trimmed(pair.substr(equals + 1));
    }
    return {};
}

}  // namespace offhook::signalling::ringcentral

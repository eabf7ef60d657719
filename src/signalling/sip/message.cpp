#include "signalling/sip/message.h"

#include <strings.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "signalling/sip/sip_error.h"

namespace offhook::signalling::sip {
namespace {

constexpr std::size_t kMaxHeaderBytes = 16 * 1024;
constexpr int kMaxHeaderLines = 256;
constexpr int kMaxHeaderCommas = 512;
constexpr std::size_t kMaxValueBytes = 4096;  ///< of a header of ours

osip_generic_param_t* via_param(osip_via_t& via, const char* name) {
    osip_generic_param_t* param = nullptr;
    osip_generic_param_get_byname(&via.via_params, const_cast<char*>(name), &param);
    return param;
}

void set_via_param(osip_via_t& via, const char* name, const std::string& value) {
    if (osip_generic_param_t* param = via_param(via, name)) {
        osip_free(param->gvalue);
        param->gvalue = osip_strdup(value.c_str());
    } else {
        osip_generic_param_add(&via.via_params, osip_strdup(name), osip_strdup(value.c_str()));
    }
}

std::uint16_t port_of(const char* text, std::uint16_t otherwise) {
    if (text == nullptr) return otherwise;
    unsigned port = 0;
    const char* end = text + std::strlen(text);
    const auto [stop, error] = std::from_chars(text, end, port);
    return error != std::errc{} || stop != end || port == 0 || port > 65535
               ? otherwise
               : static_cast<std::uint16_t>(port);
}

base::Result<void> check_bounds(std::string_view bytes) {
    using base::ErrorCode;
    auto end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) end = bytes.find("\n\n");
    // libosip2 also ends the headers at a lone CR; without CRLF CRLF the whole datagram counts as
    // headers.
    const std::string_view headers = bytes.substr(0, end);
    if (headers.size() > kMaxHeaderBytes)
        return base::fail(ErrorCode::Malformed, "headers too long");
    int lines = 0;
    int commas = 0;
    for (const char c : headers) {
        if (c == '\n' || c == '\r') ++lines;
        if (c == ',') ++commas;
        if (c == '\0') return base::fail(ErrorCode::Malformed, "a zero byte in the headers");
    }
    if (lines > 2 * kMaxHeaderLines)
        return base::fail(ErrorCode::Malformed, "too many header lines");
    if (commas > kMaxHeaderCommas)
        return base::fail(ErrorCode::Malformed, "too many header values");
    return {};
}

}  // namespace

std::string bounded(const char* text, std::size_t max) {
    return text == nullptr ? std::string() : std::string(text, strnlen(text, max));
}

bool same_text(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string single_line(std::string_view text, std::size_t max) {
    std::string line(text.substr(0, max));
    for (char& c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    }
    return line;
}

std::string tag_of(const osip_from_t* header) {
    osip_generic_param_t* tag = nullptr;
    auto* params = const_cast<osip_list_t*>(&header->gen_params);
    osip_generic_param_get_byname(params, const_cast<char*>("tag"), &tag);
    return tag == nullptr ? std::string() : bounded(tag->gvalue);
}

std::string text_of(const osip_from_t* header) {
    char* raw = nullptr;
    if (header == nullptr || osip_from_to_str(header, &raw) != 0) return {};
    return OsipString(raw).get();
}

std::string uri_in(const std::string& name_addr) {
    const auto open = name_addr.find('<');
    if (open == std::string::npos) return name_addr.substr(0, name_addr.find(';'));
    const auto close = name_addr.find('>', open);
    return name_addr.substr(open + 1, close == std::string::npos ? close : close - open - 1);
}

UniqueUri parse_uri(const std::string& text) {
    osip_uri_t* raw = nullptr;
    if (osip_uri_init(&raw) != 0) throw std::bad_alloc();
    UniqueUri uri(raw);
    if (osip_uri_parse(raw, text.c_str()) != 0) uri.reset();
    return uri;
}

std::string random_token() {
    // The kernel's, in batches: peers see our tags, and must not learn the next ones (RFC 3261
    // §19.3), nor branches, which are what a forged response would have to name.
    thread_local std::array<std::uint64_t, 32> batch;
    thread_local std::size_t left = 0;
    if (left == 0) {
        while (::getrandom(batch.data(), sizeof(batch), 0) != ssize_t{sizeof(batch)}) {
            if (errno != EINTR) throw std::runtime_error("the kernel gives no random numbers");
        }
        left = batch.size();
    }
    const std::uint64_t number = batch[--left];
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
    return text.data();
}

base::Result<osip_event_t*> parse_message(std::string_view bytes) {
    if (auto checked = check_bounds(bytes); !checked)
        return tl::unexpected(std::move(checked.error()));
    osip_event_t* event = osip_parse(bytes.data(), bytes.size());
    if (event == nullptr || event->sip == nullptr) {
        if (event != nullptr) osip_event_free(event);
        return osip_failure(OSIP_SYNTAXERROR, "not a SIP message");
    }
    return event;
}

base::Result<RequestKeys> keys_of(const osip_message_t& request) {
    const auto missing = [](std::string what) {
        return base::fail(base::ErrorCode::Malformed, std::move(what));
    };
    const auto* via = static_cast<const osip_via_t*>(osip_list_get(&request.vias, 0));
    if (via == nullptr || via->host == nullptr || via->protocol == nullptr)
        return missing("no Via");
    if (request.from == nullptr || request.from->url == nullptr) return missing("no From");
    if (request.to == nullptr || request.to->url == nullptr) return missing("no To");
    if (request.call_id == nullptr || request.call_id->number == nullptr)
        return missing("no Call-ID");
    if (request.cseq == nullptr || request.cseq->number == nullptr ||
        request.cseq->method == nullptr) {
        return missing("no CSeq");
    }
    if (request.sip_method == nullptr || request.req_uri == nullptr)
        return missing("no request line");

    RequestKeys keys;
    keys.method = bounded(request.sip_method, 64);
    const char* digits = request.cseq->number;
    const char* end = digits + std::strlen(digits);
    const auto [stop, error] = std::from_chars(digits, end, keys.cseq);
    if (error != std::errc{} || stop != end || keys.cseq > 0x7FFF'FFFFU)
        return missing("CSeq is not a number below 2^31");
    keys.call_id = bounded(request.call_id->number);
    if (request.call_id->host != nullptr) keys.call_id += "@" + bounded(request.call_id->host);
    keys.from_tag = tag_of(request.from);
    keys.to_tag = tag_of(request.to);

    const std::string number = std::to_string(keys.cseq);
    const std::string method = keys.method == "ACK" ? "INVITE" : keys.method;
    keys.merge = keys.call_id + '\n' + keys.from_tag + '\n' + number + '\n' + method;

    const osip_generic_param_t* branch = via_param(const_cast<osip_via_t&>(*via), "branch");
    const std::string branch_text = branch == nullptr ? std::string() : bounded(branch->gvalue);
    std::string common =
        branch_text + '\n' + bounded(via->host) + ':' + bounded(via->port, 8) + '\n';
    // Without the cookie the branch need not be unique (RFC 3261 §17.2.3): the identity of the
    // request decides.
    if (!branch_text.starts_with("z9hG4bK"))
        common += keys.call_id + '\n' + keys.from_tag + '\n' + number + '\n';
    keys.transaction = common + method;
    keys.invite_transaction = common + "INVITE";
    return keys;
}

Path answer_path(osip_message_t& request, const Received& received) {
    Path path{received.flow, received.from};
    auto* via = static_cast<osip_via_t*>(osip_list_get(&request.vias, 0));
    const bool has_rport = via_param(*via, "rport") != nullptr;
    const std::string source = received.from.host();
    if (has_rport || !same_text(source, via->host)) set_via_param(*via, "received", source);
    if (has_rport) set_via_param(*via, "rport", std::to_string(received.from.port()));
    // Without rport: the source's address and the port of sent-by. On TCP that is where to connect
    // when the connection is gone; the source port is nobody's.
    const bool reliable = is_reliable(received.flow->transport());
    if (reliable || !has_rport) path.to.set_port(port_of(via->port, 5060));
    return path;
}

UniqueMessage make_response(const osip_message_t& request,
                            int status,
                            std::string_view reason,
                            const std::string& to_tag,
                            const std::string& server) {
    osip_message_t* raw = nullptr;
    if (osip_message_init(&raw) != 0) throw std::bad_alloc();
    UniqueMessage response(raw);
    osip_message_set_version(raw, osip_strdup("SIP/2.0"));
    osip_message_set_status_code(raw, status);
    osip_message_set_reason_phrase(
        raw, osip_strdup(std::string(reason.empty() ? phrase_of(status) : reason).c_str()));
    osip_from_clone(request.from, &raw->from);
    osip_to_clone(request.to, &raw->to);
    osip_call_id_clone(request.call_id, &raw->call_id);
    osip_cseq_clone(request.cseq, &raw->cseq);
    osip_list_clone(
        &request.vias, &raw->vias, reinterpret_cast<int (*)(void*, void**)>(&osip_via_clone));
    if (!to_tag.empty() && raw->to != nullptr && tag_of(raw->to).empty()) {
        osip_to_set_tag(raw->to, osip_strdup(to_tag.c_str()));
    }
    if (!server.empty()) add_header(*raw, "Server", server);
    return response;
}

UniqueMessage make_cancel(const osip_message_t& invite, const std::string& reason_header) {
    osip_message_t* raw = nullptr;
    if (osip_message_init(&raw) != 0) throw std::bad_alloc();
    UniqueMessage cancel(raw);
    osip_message_set_version(raw, osip_strdup("SIP/2.0"));
    osip_message_set_method(raw, osip_strdup("CANCEL"));
    osip_uri_clone(invite.req_uri, &raw->req_uri);
    osip_from_clone(invite.from, &raw->from);
    osip_to_clone(invite.to, &raw->to);
    osip_call_id_clone(invite.call_id, &raw->call_id);
    osip_cseq_clone(invite.cseq, &raw->cseq);
    if (raw->cseq != nullptr) {
        osip_free(raw->cseq->method);
        raw->cseq->method = osip_strdup("CANCEL");
    }
    osip_via_t* via = nullptr;
    if (const auto* top = static_cast<const osip_via_t*>(osip_list_get(&invite.vias, 0));
        top != nullptr && osip_via_clone(top, &via) == 0) {
        osip_list_add(&raw->vias, via, 0);
    }
    osip_list_clone(
        &invite.routes, &raw->routes, reinterpret_cast<int (*)(void*, void**)>(&osip_route_clone));
    add_header(*raw, "Max-Forwards", "70");
    if (!reason_header.empty()) add_header(*raw, "Reason", single_line(reason_header));
    return cancel;
}

base::Result<UniqueMessage> make_request(const RequestText& text) {
    std::string wire = text.method + " " + text.request_uri + " SIP/2.0\r\nVia: " + text.via +
                       ";branch=z9hG4bK" + random_token() + ";rport\r\nMax-Forwards: 70\r\n";
    for (const std::string& route : text.routes) wire += "Route: <" + route + ">\r\n";
    wire += "From: " + text.from + "\r\nTo: " + text.to + "\r\nCall-ID: " + text.call_id +
            "\r\nCSeq: " + std::to_string(text.cseq) + " " + text.method + "\r\n";
    if (!text.contact.empty()) wire += "Contact: " + text.contact + "\r\n";
    for (const auto& [name, value] : text.headers)
        wire += name + ": " + single_line(value, kMaxValueBytes) + "\r\n";
    if (!text.content_type.empty())
        wire += "Content-Type: " + single_line(text.content_type) + "\r\n";
    wire += "Content-Length: " + std::to_string(text.body.size()) + "\r\n\r\n" + text.body;
    osip_message_t* raw = nullptr;
    if (osip_message_init(&raw) != 0) throw std::bad_alloc();
    UniqueMessage message(raw);
    if (const int code = osip_message_parse(raw, wire.data(), wire.size()); code != 0) {
        return osip_failure(code, "cannot write " + text.method + " to " + text.request_uri);
    }
    return message;
}

void keep_verbatim(osip_uri_t& uri, const std::string& text) {
    osip_free(uri.string);
    uri.string = osip_strdup(text.substr(text.find(':') + 1).c_str());
}

std::string_view raw_header(std::string_view message, std::string_view name) {
    for (auto end = message.find("\r\n"); end != std::string_view::npos && end != 0;
         end = message.find("\r\n")) {
        const std::string_view line = message.substr(0, end);
        message.remove_prefix(end + 2);
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        std::string_view found = line.substr(0, colon);
        while (!found.empty() && (found.back() == ' ' || found.back() == '\t'))
            found.remove_suffix(1);
        if (!same_text(found, name)) continue;
        std::string_view value = line.substr(colon + 1);
        while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
            value.remove_prefix(1);
        while (!value.empty() && (value.back() == ' ' || value.back() == '\t'))
            value.remove_suffix(1);
        return value;
    }
    return {};
}

UniqueMessage make_repeated(const osip_message_t& request,
                            std::uint32_t cseq,
                            const Headers& credentials) {
    osip_message_t* raw = nullptr;
    if (osip_message_clone(&request, &raw) != 0) throw std::bad_alloc();
    UniqueMessage message(raw);
    osip_free(raw->cseq->number);
    raw->cseq->number = osip_strdup(std::to_string(cseq).c_str());
    set_via_param(*static_cast<osip_via_t*>(osip_list_get(&raw->vias, 0)),
                  "branch",
                  "z9hG4bK" + random_token());
    for (const auto& [name, value] : credentials) add_header(*raw, name.c_str(), value);
    return message;
}

std::string_view phrase_of(int status) {
    switch (status) {
        case 100:
            return "Trying";
        case 180:
            return "Ringing";
        case 183:
            return "Session Progress";
        case 200:
            return "OK";
        case 202:
            return "Accepted";
        case 400:
            return "Bad Request";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 413:
            return "Request Entity Too Large";
        case 415:
            return "Unsupported Media Type";
        case 416:
            return "Unsupported URI Scheme";
        case 420:
            return "Bad Extension";
        case 421:
            return "Extension Required";
        case 422:
            return "Session Interval Too Small";
        case 480:
            return "Temporarily Unavailable";
        case 481:
            return "Call/Transaction Does Not Exist";
        case 482:
            return "Loop Detected";
        case 483:
            return "Too Many Hops";
        case 486:
            return "Busy Here";
        case 487:
            return "Request Terminated";
        case 488:
            return "Not Acceptable Here";
        case 489:
            return "Bad Event";
        case 491:
            return "Request Pending";
        case 500:
            return "Server Internal Error";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
        case 505:
            return "Version Not Supported";
        case 600:
            return "Busy Everywhere";
        case 603:
            return "Decline";
        default:
            return status < 500 ? "Rejected" : "Server Failure";
    }
}

void add_header(osip_message_t& message, const char* name, const std::string& value) {
    osip_message_set_header(&message, name, value.c_str());
}

void set_body(osip_message_t& message, const std::string& content_type, const std::string& body) {
    osip_message_set_content_type(&message, content_type.c_str());
    osip_message_set_body(&message, body.data(), body.size());
}

std::string serialise(osip_message_t& message) {
    osip_message_force_update(&message);
    char* raw = nullptr;
    std::size_t length = 0;
    if (osip_message_to_str(&message, &raw, &length) != 0) return {};
    const OsipString text(raw);
    return std::string(text.get(), length);
}

std::string_view header_of(const osip_message_t& message, const char* name) {
    osip_header_t* header = nullptr;
    if (osip_message_header_get_byname(&message, name, 0, &header) < 0 || header == nullptr ||
        header->hvalue == nullptr) {
        return {};
    }
    return header->hvalue;
}

std::vector<std::string> list_of(const osip_message_t& message, const char* name) {
    std::vector<std::string> values;
    int position = 0;
    for (;;) {
        osip_header_t* header = nullptr;
        position = osip_message_header_get_byname(&message, name, position, &header);
        if (position < 0 || header == nullptr) return values;
        ++position;
        std::string_view rest = header->hvalue == nullptr ? std::string_view() : header->hvalue;
        while (!rest.empty()) {
            const auto comma = rest.find(',');
            std::string_view value = rest.substr(0, comma);
            rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
            while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
            while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
            if (!value.empty()) values.emplace_back(value);
        }
    }
}

bool has_option(const osip_message_t& message, const char* header, std::string_view option) {
    const auto contains = [&](const char* name) {
        const auto options = list_of(message, name);
        return std::any_of(options.begin(), options.end(), [&](const std::string& value) {
            return same_text(value, option);
        });
    };
    return contains(header) || (same_text(header, "supported") && contains("k"));
}

bool allows(const osip_message_t& message, std::string_view method) {
    const int count = osip_list_size(&message.allows);
    for (int i = 0; i < count; ++i) {
        const auto* allow = static_cast<const osip_allow_t*>(osip_list_get(&message.allows, i));
        if (allow != nullptr && allow->value != nullptr && same_text(allow->value, method))
            return true;
    }
    return false;
}

std::string_view body_of(const osip_message_t& message) {
    const auto* body = static_cast<const osip_body_t*>(osip_list_get(&message.bodies, 0));
    return body == nullptr || body->body == nullptr ? std::string_view()
                                                    : std::string_view(body->body, body->length);
}

bool has_type(const osip_message_t& message, std::string_view type, std::string_view subtype) {
    const osip_content_type_t* given = message.content_type;
    return given != nullptr && given->type != nullptr && given->subtype != nullptr &&
           same_text(given->type, type) && same_text(given->subtype, subtype);
}

std::string content_type_of(const osip_message_t& message) {
    const osip_content_type_t* given = message.content_type;
    if (given == nullptr || given->type == nullptr || given->subtype == nullptr) return {};
    return bounded(given->type, 64) + "/" + bounded(given->subtype, 128);
}

bool accepts_sdp(const osip_message_t& message) {
    const int count = osip_list_size(&message.accepts);
    for (int i = 0; i < count; ++i) {
        const auto* accept = static_cast<const osip_accept_t*>(osip_list_get(&message.accepts, i));
        const std::string type = bounded(accept->type);
        const std::string subtype = bounded(accept->subtype);
        const bool is_any = type == "*" || (same_text(type, "application") && subtype == "*");
        if (is_any || (same_text(type, "application") && same_text(subtype, "sdp"))) return true;
    }
    return count == 0;
}

std::string text_of(const osip_uri_t* uri) {
    char* raw = nullptr;
    if (uri == nullptr || osip_uri_to_str(uri, &raw) != 0) return {};
    return OsipString(raw).get();
}

std::optional<SocketAddress> address_of(const osip_uri_t& uri) {
    if (uri.host == nullptr) return std::nullopt;
    return SocketAddress::parse(uri.host, port_of(uri.port, 5060));
}

bool wants_tcp(const osip_uri_t& uri) {
    osip_uri_param_t* param = nullptr;
    osip_uri_param_get_byname(
        const_cast<osip_list_t*>(&uri.url_params), const_cast<char*>("transport"), &param);
    return param != nullptr && param->gvalue != nullptr && same_text(param->gvalue, "tcp");
}

}  // namespace offhook::signalling::sip

#include "signalling/sip/call_facts.h"

#include "signalling/sip/message.h"

namespace offhook::signalling::sip {
namespace {

constexpr std::size_t kMaxValueBytes = 256;
constexpr std::size_t kMaxHops = 8;
constexpr std::size_t kMaxHeaders = 16;

/// Values of a header that may be a list, cut at the commas outside quotes and brackets.
std::vector<std::string> values_of(const osip_message_t& message, const char* name) {
    std::vector<std::string> values;
    int position = 0;
    while (values.size() < kMaxHops) {
        osip_header_t* header = nullptr;
        position = osip_message_header_get_byname(&message, name, position, &header);
        if (position < 0 || header == nullptr) break;
        ++position;
        std::string_view rest = header->hvalue == nullptr ? std::string_view() : header->hvalue;
        bool is_quoted = false;
        int depth = 0;
        std::size_t begin = 0;
        for (std::size_t i = 0; i <= rest.size() && values.size() < kMaxHops; ++i) {
            const char c = i < rest.size() ? rest[i] : ',';
            const bool is_end = i == rest.size();
            if (c == '"' && !is_end) is_quoted = !is_quoted;
            if (!is_quoted && c == '<') ++depth;
            if (!is_quoted && c == '>') --depth;
            if (!is_end && (c != ',' || is_quoted || depth > 0)) continue;
            std::string_view value = rest.substr(begin, i - begin);
            while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
            while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
            if (!value.empty()) values.emplace_back(value.substr(0, kMaxValueBytes));
            begin = i + 1;
        }
    }
    return values;
}

bool is_kept(std::string_view name) {
    // Read as a whole where it means something; the beginning of an XML text is of use to nobody.
    if (same_text(name, "p-asserted-identity") || same_text(name, "p-rc")) return false;
    return (name.size() > 2 &&
            (same_text(name.substr(0, 2), "x-") || same_text(name.substr(0, 2), "p-"))) ||
           same_text(name, "subject");
}

void keep(std::vector<std::pair<std::string, std::string>>& headers,
          const char* name,
          const osip_call_info_t* value) {
    char* raw = nullptr;
    if (headers.size() >= kMaxHeaders || value == nullptr ||
        osip_call_info_to_str(value, &raw) != 0) {
        return;
    }
    const OsipString text(raw);
    headers.emplace_back(name, std::string(text.get()).substr(0, kMaxValueBytes));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> kept_headers(const osip_message_t& message) {
    std::vector<std::pair<std::string, std::string>> headers;
    const int count = osip_list_size(&message.headers);
    for (int i = 0; i < count && headers.size() < kMaxHeaders; ++i) {
        const auto* header = static_cast<const osip_header_t*>(osip_list_get(&message.headers, i));
        if (header == nullptr || header->hname == nullptr || header->hvalue == nullptr) continue;
        const std::string name = bounded(header->hname, 64);
        if (is_kept(name)) headers.emplace_back(name, bounded(header->hvalue, kMaxValueBytes));
    }
    // libosip2 parses these two itself.
    for (int i = 0; i < osip_list_size(&message.call_infos); ++i) {
        keep(headers,
             "Call-Info",
             static_cast<const osip_call_info_t*>(osip_list_get(&message.call_infos, i)));
    }
    for (int i = 0; i < osip_list_size(&message.alert_infos); ++i) {
        keep(headers,
             "Alert-Info",
             static_cast<const osip_call_info_t*>(osip_list_get(&message.alert_infos, i)));
    }
    return headers;
}

model::CallFacts facts_of(const osip_message_t& request) {
    model::CallFacts facts;
    const auto identities = values_of(request, "p-asserted-identity");
    if (!identities.empty()) facts.asserted_identity = identities.front();
    facts.diversion = values_of(request, "diversion");
    facts.history = values_of(request, "history-info");
    facts.headers = kept_headers(request);
    return facts;
}

}  // namespace offhook::signalling::sip

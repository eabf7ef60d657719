#include "signalling/sip/dialog.h"

#include <algorithm>
#include <array>

namespace offhook::signalling::sip {
namespace {

constexpr std::size_t kMaxRoutes = 32;
constexpr std::array<std::string_view, 5> kWithContact{
    "INVITE", "UPDATE", "REFER", "SUBSCRIBE", "NOTIFY"};

bool is_loose(const std::string& route) {
    const UniqueUri uri = parse_uri(route);
    if (!uri) return true;
    osip_uri_param_t* lr = nullptr;
    osip_uri_param_get_byname(&uri->url_params, const_cast<char*>("lr"), &lr);
    return lr != nullptr;
}

std::vector<std::string> record_routes_of(const osip_message_t& message) {
    std::vector<std::string> routes;
    const int count = osip_list_size(&message.record_routes);
    for (int i = 0; i < count && routes.size() < kMaxRoutes; ++i) {
        routes.push_back(
            uri_in(text_of(static_cast<osip_from_t*>(osip_list_get(&message.record_routes, i)))));
    }
    return routes;
}

}  // namespace

std::string contact_of(const osip_message_t& message) {
    const auto* contact = static_cast<const osip_contact_t*>(osip_list_get(&message.contacts, 0));
    return contact == nullptr || contact->url == nullptr ? std::string() : text_of(contact->url);
}

base::Result<Dialog> Dialog::from_request(const osip_message_t& request,
                                          const RequestKeys& keys,
                                          const Path& path,
                                          const std::string& contact) {
    Dialog dialog;
    dialog.remote_target = contact_of(request);
    if (dialog.remote_target.empty())
        return base::fail(base::ErrorCode::Malformed, keys.method + " without Contact");
    dialog.call_id = keys.call_id;
    dialog.local_tag = random_token();
    dialog.remote_tag = keys.from_tag;
    dialog.local_party = text_of(request.to) + ";tag=" + dialog.local_tag;
    dialog.remote_party = text_of(request.from);
    dialog.contact = contact;
    dialog.remote_cseq = keys.cseq;
    dialog.path = path;
    dialog.account = path.flow->account();
    dialog.route_set = record_routes_of(request);
    return dialog;
}

base::Result<Dialog> Dialog::from_response(const Dialog& sent, const osip_message_t& response) {
    Dialog dialog = sent;
    if (response.to == nullptr || (dialog.remote_tag = tag_of(response.to)).empty())
        return base::fail(base::ErrorCode::Malformed, "a response without To tag");
    dialog.remote_party = text_of(response.to);
    dialog.remote_target = contact_of(response);
    if (dialog.remote_target.empty() && response.status_code >= 200)
        return base::fail(base::ErrorCode::Malformed, "a 2xx without Contact");
    dialog.route_set = record_routes_of(response);
    std::reverse(dialog.route_set.begin(), dialog.route_set.end());
    return dialog;
}

base::Result<UniqueMessage> Dialog::make(std::string_view method,
                                         std::uint32_t cseq,
                                         const std::string& via,
                                         const Content& content) const {
    RequestText text;
    text.method = method;
    text.request_uri = remote_target;
    text.via = via;
    text.routes = route_set;
    if (!text.routes.empty() && !is_loose(text.routes.front())) {
        text.request_uri = text.routes.front();
        text.routes.erase(text.routes.begin());
        text.routes.push_back(remote_target);
    }
    text.from = local_party;
    text.to = remote_party;
    text.call_id = call_id;
    text.cseq = cseq;
    if (std::find(kWithContact.begin(), kWithContact.end(), method) != kWithContact.end())
        text.contact = contact;
    text.headers = content.headers;
    text.content_type = content.content_type;
    text.body = content.body;
    return sip::make_request(text);
}

base::Result<UniqueMessage> Dialog::make_request(std::string_view method,
                                                 const std::string& via,
                                                 const Content& content) {
    return make(method, ++*local_cseq, via, content);
}

base::Result<UniqueMessage> Dialog::make_ack(std::uint32_t cseq,
                                             const std::string& via,
                                             const Content& content) const {
    return make("ACK", cseq, via, content);
}

}  // namespace offhook::signalling::sip

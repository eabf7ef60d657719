#include "signalling/sip/request_sender.h"

#include <charconv>

namespace offhook::signalling::sip {
struct RequestSender::Attempt {
    UniqueMessage request;  ///< as it was, without credentials; null: challenges are final
    Path path;
    std::string account;
    std::shared_ptr<std::uint32_t> cseq;
    OnReply on_reply;
    std::shared_ptr<SentRequest> sent = std::make_shared<SentRequest>();
    AuthAttempt auth;
};

std::shared_ptr<SentRequest> RequestSender::send(UniqueMessage message,
                                                 const Path& path,
                                                 const std::string& account,
                                                 std::shared_ptr<std::uint32_t> cseq,
                                                 OnReply on_reply) {
    auto attempt = std::make_shared<Attempt>();
    const char* number = message->cseq->number;
    std::from_chars(number, number + std::char_traits<char>::length(number), attempt->sent->cseq);
    if (accounts_.find(account) != nullptr) {
        osip_message_t* copy = nullptr;
        if (osip_message_clone(message.get(), &copy) == 0) attempt->request.reset(copy);
    }
    attempt->path = path;
    attempt->account = account;
    attempt->cseq = std::move(cseq);
    attempt->on_reply = std::move(on_reply);
    const auto sent = attempt->sent;
    begin(std::move(attempt), std::move(message));
    return sent;
}

void RequestSender::begin(std::shared_ptr<Attempt> attempt, UniqueMessage message) {
    SentRequest& sent = *attempt->sent;
    const Path path = attempt->path;
    sent.transaction = transactions_.request(
        std::move(message), path, [this, attempt = std::move(attempt)](const Reply& reply) {
            if (attempt->sent->is_abandoned) return;
            if (reply.message != nullptr && (reply.status == 401 || reply.status == 407) &&
                repeat(attempt, reply)) {
                return;
            }
            if (attempt->on_reply) attempt->on_reply(reply);
        });
}

bool RequestSender::repeat(const std::shared_ptr<Attempt>& attempt, const Reply& reply) {
    AccountPort* account = accounts_.find(attempt->account);
    if (account == nullptr || !attempt->request) return false;
    auto answer = account->auth().answer(*reply.message,
                                         bounded(attempt->request->sip_method, 64),
                                         text_of(attempt->request->req_uri),
                                         attempt->auth);
    if (!answer) return false;
    SentRequest& sent = *attempt->sent;
    // A proxy and the far end may both ask: the answers to both go along.
    const std::string_view kind = reply.status == 407 ? "Proxy-Authorization" : "Authorization";
    std::erase_if(sent.credentials, [&](const Header& header) { return header.first == kind; });
    for (auto& [name, value] : *answer) sent.credentials.emplace_back(name, std::move(value));
    sent.cseq = attempt->cseq ? ++*attempt->cseq : sent.cseq + 1;
    begin(attempt, make_repeated(*attempt->request, sent.cseq, sent.credentials));
    return true;
}

void RequestSender::abandon(SentRequest& request) {
    request.is_abandoned = true;
    transactions_.abandon(request.transaction);
}

}  // namespace offhook::signalling::sip

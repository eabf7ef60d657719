#pragma once

#include <memory>
#include <string>
#include <vector>

#include "signalling/sip/account_port.h"
#include "signalling/sip/message.h"
#include "signalling/sip/transactions.h"

namespace offhook::signalling::sip {

/// A request of ours on its way. It moves on to a new transaction when it is challenged.
struct SentRequest {
    std::string transaction;    ///< for `Transactions::cancel` and `abandon`
    std::uint32_t cseq = 0;     ///< of the newest try; the ACK to a 2xx repeats it
    Headers credentials;        ///< those of the newest try; the ACK repeats them, too
    bool is_abandoned = false;  ///< set by `RequestSender::abandon`
};

/// Sends requests, inside dialogs and outside, and answers the challenges they meet: the same
/// request again with credentials of the account, the next CSeq and a new branch. How often is for
/// `DigestAuth` to say; the last challenge then is the final reply.
/// @thread sip
class RequestSender {
public:
    using OnReply = Transactions::OnReply;

    RequestSender(Transactions& transactions, AccountPorts& accounts)
        : transactions_(transactions), accounts_(accounts) {}

    /// @param account   whose credentials; empty: a challenge is the final reply
    /// @param cseq      the counter of the dialog, shared with it because a repetition takes the
    ///                  next number; null for a request outside dialogs
    /// @param on_reply  provisional responses, then exactly one final reply; never before this
    ///                  returned
    std::shared_ptr<SentRequest> send(UniqueMessage message,
                                      const Path& path,
                                      const std::string& account,
                                      std::shared_ptr<std::uint32_t> cseq,
                                      OnReply on_reply);
    /// CANCEL for an INVITE (only after a provisional response: RFC 3261 §9.1).
    bool cancel(const SentRequest& request, const std::string& reason_header) {
        return transactions_.cancel(request.transaction, reason_header);
    }
    /// No reply is reported any more.
    void abandon(SentRequest& request);

private:
    struct Attempt;
    void begin(std::shared_ptr<Attempt> attempt, UniqueMessage message);
    [[nodiscard]] bool repeat(const std::shared_ptr<Attempt>& attempt, const Reply& reply);

    Transactions& transactions_;
    AccountPorts& accounts_;
};

}  // namespace offhook::signalling::sip

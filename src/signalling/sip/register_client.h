#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "signalling/sip/digest.h"
#include "signalling/sip/message.h"
#include "signalling/sip/registration.h"
#include "signalling/sip/transactions.h"

namespace offhook::signalling::sip {

/// Who registers, as the REGISTERs of one account say it.
struct RegisterIdentity {
    std::string user, domain;
    std::string instance_id;  ///< "urn:uuid:..."; empty: no +sip.instance, no reg-id
    std::string user_agent;
};

/// How one REGISTER ended, and what else its answer said.
struct RegisterOutcome {
    RegisterAnswer answer;
    /// Where the answer says that we are (`received` and `rport` of our Via); empty: not said.
    std::optional<SocketAddress> seen{};
    bool has_outbound = false;                  ///< the registrar does RFC 5626
    std::vector<std::string> service_routes{};  ///< URIs (RFC 3608), at most 8
};

/// What a response to REGISTER says about us.
/// @param contact  the URI of our Contact, without brackets
[[nodiscard]] RegisterOutcome read_register_answer(const osip_message_t& response,
                                                   const std::string& contact,
                                                   const std::string& instance_id);

/// Sends the REGISTERs of one account and answers their challenges: one Call-ID for the life of the
/// account and a growing CSeq (RFC 3261 §10.2).
/// @thread sip
class RegisterClient {
public:
    using Done = std::function<void(const RegisterOutcome&)>;

    RegisterClient(RegisterIdentity identity, DigestAuth& auth, Transactions& transactions);
    ~RegisterClient() { forget(); }
    RegisterClient(const RegisterClient&) = delete;
    RegisterClient& operator=(const RegisterClient&) = delete;

    /// @param via      "SIP/2.0/UDP 192.0.2.1:5060"
    /// @param contact  URI without brackets
    /// @param expires  0: removes this contact, and no other
    /// @param done     comes once, unless `forget` or another `send` comes before; not when there
    ///                 was no answer
    void send(const Path& path,
              const std::string& via,
              const std::string& contact,
              std::chrono::seconds expires,
              Done done);
    /// Removes contacts of ours that are no more; nobody waits for the answer.
    void remove(const Path& path, const std::string& via, const std::vector<std::string>& contacts);
    /// Gives up the REGISTER under way.
    void forget();

private:
    struct Attempt;
    [[nodiscard]] base::Result<UniqueMessage> make(const Attempt& attempt,
                                                   const std::vector<AuthHeader>& credentials);
    void begin(const std::shared_ptr<Attempt>& attempt, const std::vector<AuthHeader>& credentials);
    void on_reply(const std::shared_ptr<Attempt>& attempt, const Reply& reply);

    RegisterIdentity identity_;
    DigestAuth& auth_;
    Transactions& transactions_;
    std::string call_id_;
    std::string from_tag_;
    std::uint32_t cseq_ = 0;
    bool uses_outbound_ = true;  ///< until a 439 (RFC 5626 §11.6)
    std::shared_ptr<Attempt> current_;
    std::shared_ptr<Attempt> removal_;
};

}  // namespace offhook::signalling::sip

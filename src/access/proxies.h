#pragma once

#include <string>
#include <vector>

#include "config/cidr.h"
#include "http/message.h"

namespace offhook::access {

/// Where a request really comes from.
struct Client {
    std::string address;  ///< numeric, without port: whom its wrong tokens count for
    std::string
        forwarded_for;      ///< the same, when a configured proxy said so; empty: it came itself
    bool is_local = false;  ///< of this machine, and by no proxy
};

/// The proxies in front whose word about the client's address is believed: `X-Forwarded-For`, or
/// `Forwarded` (RFC 7239). What a client writes into them itself stands on the left; so the list is
/// read from the right, and the first address that is no proxy's is the client's.
///
/// Nothing is believed when somebody else sends such a header, when it cannot be read, or when the
/// two disagree, as one of them may be the client's own: then the request counts as the proxy's. It
/// is never one of this machine.
/// @thread any
class Proxies {
public:
    explicit Proxies(std::vector<config::Cidr> blocks) : blocks_(std::move(blocks)) {}
    [[nodiscard]] Client client_of(const http::Request& request) const;

private:
    [[nodiscard]] std::string client_of(const std::vector<std::string>& hops) const;

    std::vector<config::Cidr> blocks_;
};

}  // namespace offhook::access

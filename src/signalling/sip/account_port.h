#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/codec.h"
#include "model/leg_quirks.h"
#include "signalling/sip/digest.h"
#include "signalling/sip/flow.h"

namespace offhook::signalling::sip {

/// One account as calls and messages see it: who we are there, and which way requests go now.
/// @thread sip
class AccountPort {
public:
    virtual ~AccountPort() = default;
    [[nodiscard]] virtual std::string_view name() const = 0;
    /// Name and address of record, for From: `"Reception" <sip:200@pbx.example.com>`.
    [[nodiscard]] virtual std::string identity() const = 0;
    /// Host of the address of record: a user part alone is called there.
    [[nodiscard]] virtual std::string domain() const = 0;
    /// The current flow and the next hop on it; empty while none is open.
    [[nodiscard]] virtual std::optional<Path> path() const = 0;
    /// URIs of the routes that requests outside a dialog begin with (RFC 3608); mostly none.
    [[nodiscard]] virtual std::vector<std::string> routes() const { return {}; }
    /// The Contact on that flow, with angle brackets.
    [[nodiscard]] virtual std::string contact() const = 0;
    /// What answers challenges to our requests.
    [[nodiscard]] virtual DigestAuth& auth() = 0;
    /// Our id in RingCentral's call control; empty: the account has none.
    [[nodiscard]] virtual std::string control_client() const { return {}; }
    [[nodiscard]] virtual model::LegQuirks quirks() const { return {}; }
    /// By preference; empty: `[rtp] codecs`.
    [[nodiscard]] virtual std::vector<model::Codec> codecs() const { return {}; }
};

/// The accounts of the stack, by name. @thread sip
class AccountPorts {
public:
    /// @param port  must be removed before it dies
    void add(AccountPort& port) { ports_.insert_or_assign(std::string(port.name()), &port); }
    void remove(std::string_view name) {
        if (const auto found = ports_.find(name); found != ports_.end()) ports_.erase(found);
    }
    /// The account got another flow or Contact: what is up on it is told to its peers.
    void announce_move(AccountPort& port) {
        if (moved_) moved_(port);
    }
    void when_moved(std::function<void(AccountPort&)> moved) { moved_ = std::move(moved); }
    /// Null when there is none of that name (also for the empty name: a listener).
    [[nodiscard]] AccountPort* find(std::string_view name) const {
        const auto found = ports_.find(name);
        return found == ports_.end() ? nullptr : found->second;
    }

private:
    std::map<std::string, AccountPort*, std::less<>> ports_;
    std::function<void(AccountPort&)> moved_;
};

}  // namespace offhook::signalling::sip

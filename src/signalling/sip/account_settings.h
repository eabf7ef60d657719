#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/secret.h"
#include "model/codec.h"
#include "model/leg_quirks.h"
#include "signalling/sip/flow.h"

namespace offhook::signalling::sip {

/// What a flow over TLS or WSS checks (RFC 5280, RFC 6125): the chain against the system's or an
/// own CA, and the name.
struct TlsSettings {
    std::string ca_file;      ///< PEM; empty: the system's
    std::string server_name;  ///< SNI and the name to check; empty: the host that is dialled
    bool insecure = false;    ///< accept anything; health and log complain
    [[nodiscard]] bool operator==(const TlsSettings&) const = default;
};

/// One identity at one registrar. @see config::Account for the meaning of each to a person.
struct AccountSettings {
    std::string name;  ///< unique
    std::string kind = "sip";
    std::string user;
    std::string domain;     ///< host of the address of record and Request-URI of REGISTER
    std::string auth_user;  ///< empty: `user`
    std::string display_name;
    base::Secret password;
    std::string realm;  ///< the only digest realm that is answered; empty: any
    Transport transport = Transport::Udp;
    /// "host" or "host:port", numeric or a name; without a port SRV records of the host are asked
    /// first (RFC 3263). Empty: `domain`.
    std::string outbound_proxy;
    std::string backup_proxy;               ///< empty: none but what SRV gives
    std::chrono::seconds switch_back{300};  ///< on the backup: when the primary is tried again
    std::string websocket_path = "/";       ///< WS, WSS
    TlsSettings tls;
    std::chrono::seconds expires{300};
    std::string instance_id;  ///< "urn:uuid:..." (RFC 5626 §4.1), kept over restarts
    /// CRLF or WebSocket ping; the flow is lost when nothing is heard for `keepalive_timeout` after
    /// one.
    std::chrono::seconds keepalive{25};
    std::chrono::seconds keepalive_timeout{10};
    /// Whether a contact of ours that another one replaced (a new flow) is removed at the
    /// registrar. Not where +sip.instance does that, and each REGISTER must have it.
    bool removes_old_contacts = true;
    /// RingCentral's WebPhones: what their call control knows this phone by (rc_control.h). Empty:
    /// an account without that.
    std::string control_client;
    model::LegQuirks quirks;
    std::vector<model::Codec> codecs;  ///< by preference; empty: `[rtp] codecs`
    [[nodiscard]] bool operator==(const AccountSettings&) const = default;
};

}  // namespace offhook::signalling::sip

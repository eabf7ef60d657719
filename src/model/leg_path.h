#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace offhook::model {

/// An address that one end of a leg can be reached at (RFC 8445 §4). On a phone leg, where nobody
/// gathers any: the one its description names, and the one its packets come from.
struct PathCandidate {
    enum class Type : std::uint8_t { Host, ServerReflexive, PeerReflexive, Relayed };
    std::string address;  ///< numeric
    std::uint16_t port = 0;
    Type type = Type::Host;
    std::uint32_t priority = 0;  ///< 0: none, as on phone legs
    std::string foundation{};
    std::string related_address{};  ///< empty: none
    std::uint16_t related_port = 0;
};

/// The way that a leg's packets take, as far as its transport knows. Texts are W3C's words.
struct LegPath {
    std::vector<PathCandidate> local, remote;
    /// The pair that carries the sound, by index; empty: none yet.
    std::optional<std::size_t> selected_local, selected_remote;
    std::uint64_t pair_changes = 0;  ///< how often another pair took over
    std::string ice_state;           ///< "connected" ...; empty: no ICE
    std::string ice_role;            ///< "controlling", "controlled"
    std::string local_username_fragment;
    std::string dtls_state, dtls_role;                  ///< empty: no DTLS
    std::string srtp_cipher;                            ///< the profile's name; empty: plain RTP
    std::string local_fingerprint, remote_fingerprint;  ///< "sha-256 AB:CD:..."; empty: no DTLS
};

}  // namespace offhook::model

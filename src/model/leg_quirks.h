#pragma once

namespace offhook::model {

/// What one peer does beside the RFCs, and what it wants us to do. Set by signalling for each call
/// (an account knows what it is connected to); off for everybody else.
struct LegQuirks {
    /// The peer repeats RFC 4733 digits as payloads of four bytes (digit, 0x8A, 0x03, 0xC0) on the
    /// audio payload type; they are dropped before decoding (RingCentral's TLS phones).
    bool drop_duplicate_digits = false;
    /// One datagram that is not RTP goes to the peer's address when media starts, and again when
    /// the address moved: a relay that latches learns our address from it (RingCentral's TLS
    /// phones).
    bool latch_datagram = false;
    [[nodiscard]] bool operator==(const LegQuirks&) const = default;
};

}  // namespace offhook::model

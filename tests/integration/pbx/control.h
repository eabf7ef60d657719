#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "harness/http.h"
#include "pbx/bencode.h"

namespace offhook::harness {

/// Kamailio's JSON-RPC on a Unix datagram socket.
class ProxyControl {
public:
    /// @param folder  where the client's own end of the socket is made
    ProxyControl(std::filesystem::path socket, std::filesystem::path folder);
    /// @param params  JSON of an array, for instance `["answer", "register", 503]`
    /// @return the whole answer, with `result` or `error`; invalid when nobody answered
    Json call(const std::string& method, const std::string& params = "[]");

private:
    std::filesystem::path socket_, folder_;
};

/// rtpengine's control protocol.
class RelayControl {
public:
    explicit RelayControl(std::uint16_t port) : port_(port) {}
    /// @return the answer; an empty one when nobody answered
    Bencode call(std::map<std::string, std::string> request);
    [[nodiscard]] bool answers_ping();
    /// One end of a call, as the relay sees it.
    struct Party {
        std::int64_t packets = 0;   ///< RTP from it; RTCP on the same port counts too
        bool is_both_ways = false;  ///< negotiated: not on hold in either direction
    };
    /// Nothing when the call is not known.
    std::optional<Party> party(const std::string& call_id, const std::string& tag);

private:
    std::uint16_t port_;
};

}  // namespace offhook::harness

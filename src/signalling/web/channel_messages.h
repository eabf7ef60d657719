#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "model/call_directory.h"
#include "model/channel.h"
#include "signalling/web/web_signaller.h"

namespace offhook::signalling::web {

inline constexpr const char* kChannelPath = "/api/v1/channels/ws";
inline constexpr const char* kChannelProtocol = "offhook.v1";
/// Of the messages; a client that knows another has to stop. Fields and types may be added to one
/// version. docs/channel-protocol.schema.json
inline constexpr int kChannelVersion = 1;

/// What a browser measured of itself: small and flat. Not escaped.
using ClientFigures = std::vector<std::pair<std::string, std::variant<bool, double, std::string>>>;

/// What a client says. Strings are bounded, not escaped.
namespace asked {
struct Join {
    std::string channel;  ///< a channel's name
    std::string token, resume;
    std::string user, name;  ///< <= 64 characters, no controls
};
struct Offer {
    std::string sdp;  ///< has an audio line with DTLS-SRTP
    std::optional<std::int64_t> id;
};
struct Candidate {
    std::string text;  ///< empty: there are no more
};
struct Mute {
    bool is_muted = false;
};
struct Leave {};
struct Ping {
    std::optional<double> t;
};
struct Diagnose {
    std::optional<std::int64_t> id;
};
struct Stats {
    ClientFigures report;
};
}  // namespace asked
using ChannelMessage = std::variant<asked::Join,
                                    asked::Offer,
                                    asked::Candidate,
                                    asked::Mute,
                                    asked::Leave,
                                    asked::Ping,
                                    asked::Diagnose,
                                    asked::Stats>;

/// What is wrong, and with which of the client's requests.
struct Complaint {
    Refusal refusal;
    std::optional<std::int64_t> id{};
};

/// Reads one message; the text may be anything.
[[nodiscard]] tl::expected<ChannelMessage, Complaint> read_channel_message(std::string_view text);

/// One thing that is wrong with the sound of a member. @see diagnosis
struct ChannelFinding {
    std::string code, severity, cause, evidence, fix;
};

// What we say: whole messages.

struct ChannelWelcome {
    std::string connection;
    std::chrono::seconds ping{0}, resume{0};
};
[[nodiscard]] std::string message_of(const ChannelWelcome& welcome);

struct ChannelJoined {
    const model::ChannelInfo& channel;
    model::MemberId member;
    std::string resume;
    bool is_resumed = false;
    const std::vector<std::string>& ice_servers;
};
[[nodiscard]] std::string message_of(const ChannelJoined& joined);

[[nodiscard]] std::string answer_message(const std::string& sdp, std::optional<std::int64_t> id);
[[nodiscard]] std::string members_message(const model::ChannelInfo& channel);
[[nodiscard]] std::string speaking_message(const std::vector<model::MemberId>& speaking);
[[nodiscard]] std::string moved_message(const model::ChannelInfo& to);
[[nodiscard]] std::string removed_message(std::string_view why);
[[nodiscard]] std::string pong_message(std::optional<double> t);
[[nodiscard]] std::string stats_message(const model::MemberInfo& member,
                                        const model::CallInfo& call);
[[nodiscard]] std::string diagnosis_message(const std::vector<ChannelFinding>& issues,
                                            std::optional<std::int64_t> id);
/// @param reason  why a leg ended, of model::EndReason; empty: no leg did
[[nodiscard]] std::string error_message(const Complaint& complaint, std::string_view reason = {});

}  // namespace offhook::signalling::web

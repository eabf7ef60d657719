#include "media/detail/web_ice.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <nice/agent.h>
#include <stun/usages/ice.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <memory>
#include <utility>

#include "base/monotonic.h"

namespace offhook::media::detail {
namespace {

constexpr guint kStream = 1;  ///< max-bundle: the only one, and libnice counts from 1
constexpr std::size_t kMostAddresses = 8;
/// Ta (RFC 8445 §14.2 allows down to 5 ms): libnice's 20 ms is most of the time that a call on a
/// local network takes to connect.
constexpr guint kPacingMs = 5;
/// RFC 8445 §5.1.2.1 for a peer-reflexive candidate, which is what our requests would make us.
constexpr std::uint32_t kPriority = 110U << 24 | 65535U << 8 | 255U;

bool is_loopback(std::string_view address) {
    return address.starts_with("127.") || address == "::1";
}

/// Numeric; empty: not of use to a peer elsewhere.
std::string text_of(const sockaddr* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address == nullptr) return {};
    if (address->sa_family == AF_INET) {
        const auto& v4 = *reinterpret_cast<const sockaddr_in*>(address);
        inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    } else if (address->sa_family == AF_INET6) {
        const auto& v6 = *reinterpret_cast<const sockaddr_in6*>(address);
        if (!IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr))
            inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    }
    return text.data();
}

std::vector<std::string> interface_addresses() {
    std::vector<std::string> found;
    ifaddrs* first = nullptr;
    if (getifaddrs(&first) != 0) return found;
    const std::unique_ptr<ifaddrs, glib::Deleter<freeifaddrs>> all(first);
    for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next) {
        constexpr unsigned kUp = IFF_UP | IFF_RUNNING;
        if ((each->ifa_flags & kUp) != kUp || (each->ifa_flags & IFF_LOOPBACK) != 0) continue;
        const std::string text = text_of(each->ifa_addr);
        if (!text.empty() && found.size() < kMostAddresses) found.push_back(text);
    }
    return found;
}

std::string escaped(const std::string& text) {
    const glib::UniqueString done(g_uri_escape_string(text.c_str(), nullptr, FALSE));
    return done.get();
}

/// The last datagram's time of arrival, wall clock; 0: none since this was asked for first.
std::int64_t stamp_of(int fd) {
    timespec stamp{};
    if (ioctl(fd, SIOCGSTAMPNS, &stamp) != 0) return 0;
    return stamp.tv_sec * base::kNsPerS + stamp.tv_nsec;
}

const guint8* bytes_of(const std::string& text) {
    return reinterpret_cast<const guint8*>(text.data());
}

model::PathCandidate::Type type_of(NiceCandidateType type) {
    using Type = model::PathCandidate::Type;
    switch (type) {
        case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
            return Type::ServerReflexive;
        case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE:
            return Type::PeerReflexive;
        case NICE_CANDIDATE_TYPE_RELAYED:
            return Type::Relayed;
        case NICE_CANDIDATE_TYPE_HOST:
            break;
    }
    return Type::Host;
}

std::string text_of(const NiceAddress& address) {
    std::array<gchar, NICE_ADDRESS_STRING_LEN> text{};
    nice_address_to_string(&address, text.data());
    return text.data();
}

model::PathCandidate candidate_of(const NiceCandidate& candidate) {
    model::PathCandidate made{
        .address = text_of(candidate.addr),
        .port = static_cast<std::uint16_t>(nice_address_get_port(&candidate.addr)),
        .type = type_of(candidate.type),
        .priority = candidate.priority,
        .foundation = candidate.foundation};
    const bool has_base = nice_address_is_valid(&candidate.base_addr) != FALSE &&
                          nice_address_equal(&candidate.base_addr, &candidate.addr) == FALSE;
    if (has_base) {
        made.related_address = text_of(candidate.base_addr);
        made.related_port = static_cast<std::uint16_t>(nice_address_get_port(&candidate.base_addr));
    }
    return made;
}

/// @param list  given away
std::vector<model::PathCandidate> candidates_of(GSList* list) {
    std::vector<model::PathCandidate> made;
    for (const GSList* each = list; each != nullptr; each = each->next)
        made.push_back(candidate_of(*static_cast<const NiceCandidate*>(each->data)));
    g_slist_free_full(list, [](gpointer candidate) {
        nice_candidate_free(static_cast<NiceCandidate*>(candidate));
    });
    return made;
}

/// Its place among `all`, where it is put when the list has it not (peer-reflexive ones).
std::size_t place_of(const NiceCandidate& candidate, std::vector<model::PathCandidate>& all) {
    const model::PathCandidate wanted = candidate_of(candidate);
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& known) {
        return known.address == wanted.address && known.port == wanted.port &&
               known.type == wanted.type;
    });
    const auto place = static_cast<std::size_t>(found - all.begin());
    if (found == all.end()) all.push_back(wanted);
    return place;
}

}  // namespace

std::string_view address_of(std::string_view candidate) {
    for (int field = 0; field < 4; ++field) {
        const std::size_t space = candidate.find(' ');
        if (space == std::string_view::npos) return {};
        candidate.remove_prefix(space + 1);
    }
    return candidate.substr(0, candidate.find(' '));
}

std::vector<std::string> addresses_for(const std::vector<std::string>& remote) {
    bool has_loopback = false;
    bool has_other = remote.empty();
    bool is_v6 = false;
    for (const std::string& candidate : remote) {
        const std::string_view address = address_of(candidate);
        if (is_loopback(address)) {
            has_loopback = true;
            is_v6 = address == "::1";
        } else {
            has_other = true;
        }
    }
    std::vector<std::string> found;
    if (has_other) found = interface_addresses();
    if (has_loopback || found.empty()) found.emplace_back(is_v6 ? "::1" : "127.0.0.1");
    return found;
}

base::Result<std::string> uri_of(const IceServer& server) {
    const std::size_t colon = server.url.find(':');
    const std::string scheme = server.url.substr(0, colon);
    const bool is_turn = scheme == "turn" || scheme == "turns";
    if (colon == std::string::npos || (!is_turn && scheme != "stun") ||
        colon + 1 == server.url.size() || server.url.find('@') != std::string::npos) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          "an ICE server is written \"stun:host:port\" or "
                          "\"turn:host:port?transport=udp\", with its user and secret apart");
    }
    std::string user;
    if (is_turn) user = escaped(server.username) + ":" + escaped(server.credential) + "@";
    return scheme + "://" + user + server.url.substr(colon + 1);
}

base::Result<WebIce> WebIce::of(GstElement* webrtcbin) {
    WebIce made;
    GObject* found = nullptr;
    g_object_get(webrtcbin, "ice-agent", &found, nullptr);
    made.ice_ = glib::Ref<GObject>::adopt(found);
    found = nullptr;
    if (made.ice_) g_object_get(made.ice_.get(), "agent", &found, nullptr);
    made.agent_ = glib::Ref<GObject>::adopt(found);
    if (!made.agent_ || !NICE_IS_AGENT(made.agent_.get()))
        return base::fail(base::ErrorCode::Internal, "webrtcbin's ICE agent is not libnice");
    return made;
}

base::Result<void> WebIce::configure(GstElement* webrtcbin,
                                     const WebSettings& settings,
                                     const std::vector<std::string>& remote) {
    g_object_set(agent_.get(),
                 "upnp",
                 FALSE,
                 "keepalive-conncheck",
                 TRUE,
                 "stun-pacing-timer",
                 kPacingMs,
                 nullptr);
    g_object_set(ice_.get(), "ice-tcp", FALSE, nullptr);
    if (settings.last_port != 0) {
        g_object_set(ice_.get(), "max-rtp-port", static_cast<guint>(settings.last_port), nullptr);
        g_object_set(ice_.get(), "min-rtp-port", static_cast<guint>(settings.first_port), nullptr);
    }
    for (const std::string& address :
         settings.addresses.empty() ? addresses_for(remote) : settings.addresses) {
        gboolean is_taken = FALSE;
        g_signal_emit_by_name(ice_.get(), "add-local-ip-address", address.c_str(), &is_taken);
        if (is_taken == FALSE) {
            return base::fail(base::ErrorCode::InvalidArgument,
                              "[web] addresses: " + address + " is not a numeric address");
        }
    }
    for (const IceServer& server : settings.ice_servers) {
        const auto uri = uri_of(server);
        if (!uri) return tl::unexpected(uri.error());
        gboolean is_taken = TRUE;
        if (server.url.starts_with("stun:")) {
            g_object_set(webrtcbin, "stun-server", uri->c_str(), nullptr);
        } else {
            g_signal_emit_by_name(webrtcbin, "add-turn-server", uri->c_str(), &is_taken);
            has_relays_ = true;
        }
        if (is_taken == FALSE)
            return base::fail(base::ErrorCode::InvalidArgument,
                              "the ICE server " + server.url + " cannot be used");
    }
    if (settings.relay_only)
        gst_util_set_object_arg(G_OBJECT(webrtcbin), "ice-transport-policy", "relay");
    return {};
}

std::int64_t WebIce::heard_ns() {
    std::int64_t newest = stamp_ns_;
    using Sockets = std::unique_ptr<GPtrArray, glib::Deleter<g_ptr_array_unref>>;
    const Sockets sockets(
        nice_agent_get_sockets(NICE_AGENT(agent_.get()), kStream, NICE_COMPONENT_TYPE_RTP));
    for (guint i = 0; sockets && i < sockets->len; ++i)
        newest =
            std::max(newest, stamp_of(g_socket_get_fd(G_SOCKET(g_ptr_array_index(sockets, i)))));
    const std::int64_t now_ns = base::monotonic_ns();
    // The wall clock may have been set meanwhile: what is new came since we looked last.
    if (newest != stamp_ns_) {
        heard_ns_ = std::clamp(
            now_ns - (base::realtime_ns() - newest), std::min(polled_ns_, now_ns), now_ns);
    }
    stamp_ns_ = newest;
    polled_ns_ = now_ns;
    return heard_ns_;
}

void WebIce::describe(model::LegPath& path) const {
    NiceAgent* const agent = NICE_AGENT(agent_.get());
    path.local =
        candidates_of(nice_agent_get_local_candidates(agent, kStream, NICE_COMPONENT_TYPE_RTP));
    path.remote =
        candidates_of(nice_agent_get_remote_candidates(agent, kStream, NICE_COMPONENT_TYPE_RTP));
    NiceCandidate* local = nullptr;
    NiceCandidate* remote = nullptr;
    if (nice_agent_get_selected_pair(agent, kStream, NICE_COMPONENT_TYPE_RTP, &local, &remote)) {
        path.selected_local = place_of(*local, path.local);
        path.selected_remote = place_of(*remote, path.remote);
    }
    gboolean is_controlling = FALSE;
    g_object_get(agent, "controlling-mode", &is_controlling, nullptr);
    path.ice_role = is_controlling != FALSE ? "controlling" : "controlled";
}

void WebIce::ask(const std::string& remote_ufrag,
                 const std::string& remote_pwd,
                 const std::string& local_ufrag) {
    gboolean is_controlling = FALSE;
    g_object_get(agent_.get(), "controlling-mode", &is_controlling, nullptr);
    StunAgent stun;
    stun_agent_init(&stun,
                    STUN_ALL_KNOWN_ATTRIBUTES,
                    STUN_COMPATIBILITY_RFC5389,
                    static_cast<StunAgentUsageFlags>(STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS |
                                                     STUN_AGENT_USAGE_USE_FINGERPRINT));
    StunMessage message;
    std::array<guint8, STUN_MAX_MESSAGE_SIZE> request{};
    const std::string user = remote_ufrag + ":" + local_ufrag;
    const std::size_t size = stun_usage_ice_conncheck_create(&stun,
                                                             &message,
                                                             request.data(),
                                                             request.size(),
                                                             bytes_of(user),
                                                             user.size(),
                                                             bytes_of(remote_pwd),
                                                             remote_pwd.size(),
                                                             false,
                                                             is_controlling != FALSE,
                                                             kPriority,
                                                             0,
                                                             nullptr,
                                                             STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    nice_agent_send(NICE_AGENT(agent_.get()),
                    kStream,
                    NICE_COMPONENT_TYPE_RTP,
                    static_cast<guint>(size),
                    reinterpret_cast<const gchar*>(request.data()));
}

void WebIce::give_back(std::chrono::milliseconds limit) {
    if (!has_relays_) return;
    const auto context = glib::Ref<GMainContext>::adopt(g_main_context_new());
    g_main_context_push_thread_default(context.get());
    // Shared: libnice may answer after the limit.
    const auto is_done = std::make_shared<bool>(false);
    nice_agent_close_async(
        NICE_AGENT(agent_.get()),
        [](GObject*, GAsyncResult*, gpointer data) {
            const std::unique_ptr<std::shared_ptr<bool>> mine(
                static_cast<std::shared_ptr<bool>*>(data));
            **mine = true;
        },
        new std::shared_ptr<bool>(is_done));
    GSource* end = g_timeout_source_new(static_cast<guint>(limit.count()));
    g_source_set_callback(
        end,
        [](gpointer data) -> gboolean {
            *static_cast<bool*>(data) = true;
            return G_SOURCE_REMOVE;
        },
        is_done.get(),
        nullptr);
    g_source_attach(end, context.get());
    while (!*is_done) g_main_context_iteration(context.get(), TRUE);
    g_source_destroy(end);
    g_source_unref(end);
    g_main_context_pop_thread_default(context.get());
}

}  // namespace offhook::media::detail

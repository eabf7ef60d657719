#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "socket/address.h"
#include "socket/event_loop.h"
#include "socket/http_head.h"
#include "socket/link.h"
#include "socket/link_commons.h"
#include "socket/transport.h"
#include "socket/url.h"

namespace offhook::socket {

/// From a URL to a connection on which the peer agreed to speak the protocol.
///
///     Name -> Connect, one address after the other -> Proxy -> Tls -> Upgrade -> done
///                ^------------- redirect within the origin -------------'
///
/// One deadline over all of it.
/// @thread the loop's
class Dialer final : private EventLoop::Watcher {
public:
    struct Opened {
        std::unique_ptr<Transport> transport;
        std::vector<std::byte> rest;  ///< came behind the answer, belongs to the protocol
    };
    using Outcome = std::variant<Opened, LinkEnd>;
    /// May destroy the dialer.
    using Done = std::function<void(Outcome)>;

    /// `done` is called from a later turn, once.
    /// @errors InvalidArgument: what is asked cannot work; Io: the file of CAs
    [[nodiscard]] static base::Result<std::unique_ptr<Dialer>> begin(EventLoop& loop,
                                                                     const DialSettings& settings,
                                                                     Done done);
    ~Dialer() override;
    Dialer(const Dialer&) = delete;
    Dialer& operator=(const Dialer&) = delete;

    [[nodiscard]] const Url& url() const noexcept { return url_; }

private:
    enum class Step : std::uint8_t { Name, Connect, Proxy, Tls, Upgrade };

    Dialer(EventLoop& loop, const DialSettings& settings, Done done);
    [[nodiscard]] base::Result<void> check();
    void start();
    void take_addresses(std::vector<Address> addresses);
    void try_next();
    [[nodiscard]] bool try_address(const Address& address);
    void drop_socket() noexcept;

    void on_ready(std::uint32_t events) override;
    void on_connected();
    void after_proxy();
    void go_on_with_tls();
    void after_tls();
    void go_on_with_exchange();
    void begin_exchange(Step step, std::string request);
    void on_head(const HttpHead& head);
    void on_proxy_answer(const StatusLine& status);
    void on_upgrade_answer(const HttpHead& head, const StatusLine& status);
    void on_redirect(const HttpHead& head, const StatusLine& status);
    [[nodiscard]] std::string proxy_request() const;
    [[nodiscard]] std::string upgrade_request();

    void open();
    void fail(LinkEnd::Why why, std::string detail, int code = 0);
    void on_timeout();

    EventLoop& loop_;
    LinkCommons& commons_;
    const DialSettings settings_;
    Done done_;
    Url url_;
    ProxyAddress proxy_;  ///< host empty: none
    std::shared_ptr<SSL_CTX> tls_;
    std::int64_t deadline_ns_ = 0;
    std::unique_ptr<EventLoop::Timer> deadline_, next_;

    Step step_ = Step::Name;
    std::unique_ptr<Resolver::Lookup> lookup_;
    std::vector<Address> addresses_;
    std::size_t next_address_ = 0;
    std::string last_failure_;
    std::unique_ptr<Transport> transport_;
    std::string request_;  ///< what of it has not left
    std::string answer_;
    std::string key_;
    int redirects_ = 0;
};

}  // namespace offhook::socket

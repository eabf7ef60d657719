#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "socket/address.h"
#include "socket/event_loop.h"

namespace offhook::socket {

/// Names to addresses without a wait on the loop's thread. `getaddrinfo` runs on up to four threads
/// (`oh-names`) that exist only while there are names to look up and 10 s longer; one dead name
/// server does not stop the names of another. Who asks for a name that is being looked up shares
/// the answer.
/// @thread the loop's
class Resolver {
public:
    /// Addresses in the system's order, port set; or why there are none (NotFound, LimitReached).
    using Done = std::function<void(base::Result<std::vector<Address>>)>;
    /// A question; withdrawn with the object.
    class Lookup;

    explicit Resolver(EventLoop& loop);
    /// Does not wait for a name server: a thread that still asks one ends by itself.
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    /// `done` is called in a later turn, once.
    [[nodiscard]] std::unique_ptr<Lookup> look_up(const std::string& host,
                                                  std::uint16_t port,
                                                  Done done);

private:
    friend class Lookup;
    class Desk;  ///< what the threads share

    void finish(const std::string& host, const base::Result<std::vector<Address>>& answer);

    std::map<std::string, std::vector<Lookup*>> waiting_;  ///< by name; null: withdrawn
    std::shared_ptr<Desk> desk_;
};

class Resolver::Lookup {
public:
    Lookup(Resolver& resolver, std::string host, std::uint16_t port, Done done)
        : resolver_(resolver), host_(std::move(host)), port_(port), done_(std::move(done)) {}
    ~Lookup();
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;

private:
    friend class Resolver;
    Resolver& resolver_;
    const std::string host_;
    const std::uint16_t port_;
    Done done_;
    std::vector<Lookup*>* answering_ = nullptr;  ///< the list it stands in while that is answered
};

}  // namespace offhook::socket

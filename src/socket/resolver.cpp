#include "socket/resolver.h"

#include <netdb.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/escape.h"

namespace offhook::socket {
namespace {

constexpr std::size_t kMaxNames = 64;  ///< waiting; names come from a configuration
constexpr int kMaxThreads = 4;
constexpr auto kIdle = std::chrono::seconds(10);
constexpr auto kGoodbye = std::chrono::milliseconds(200);

base::Result<std::vector<Address>> ask_system(const std::string& host) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
    if (failed != 0) {
        return base::fail(base::ErrorCode::NotFound,
                          "no address for " + base::escape_untrusted(host),
                          ::gai_strerror(failed));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
    std::vector<Address> addresses;
    for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
        if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
        Address address;
        std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
        address.length = one->ai_addrlen;
        addresses.push_back(address);
    }
    return addresses;
}

}  // namespace

/// Outlives the resolver while a thread is inside getaddrinfo.
class Resolver::Desk : public std::enable_shared_from_this<Desk> {
public:
    using Answer =
        std::function<void(const std::string&, const base::Result<std::vector<Address>>&)>;

    Desk(EventLoop& loop, Answer answer) : loop_(&loop), answer_(std::move(answer)) {}

    /// False: too many names wait, or there is no thread to be had.
    bool ask(const std::string& host) {
        const std::lock_guard lock(mutex_);
        if (names_.size() >= kMaxNames) return false;
        if (idle_ <= names_.size() && threads_ < kMaxThreads) {
            try {
                std::thread([desk = shared_from_this()] { desk->run(); }).detach();
                ++threads_;
            } catch (const std::system_error&) {
                if (threads_ == 0) return false;
            }
        }
        names_.push_back(host);
        wake_.notify_one();
        return true;
    }

    void close() {
        std::unique_lock lock(mutex_);
        loop_ = nullptr;
        names_.clear();
        wake_.notify_all();
        ended_.wait_for(lock, kGoodbye, [this] { return threads_ == 0; });
    }

private:
    void run() {
        ::pthread_setname_np(::pthread_self(), "oh-names");
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
        std::unique_lock lock(mutex_);
        while (loop_ != nullptr) {
            ++idle_;
            const bool has_work =
                wake_.wait_for(lock, kIdle, [this] { return loop_ == nullptr || !names_.empty(); });
            --idle_;
            if (!has_work) break;
            if (loop_ == nullptr) break;
            const std::string host = std::move(names_.front());
            names_.pop_front();
            lock.unlock();
            auto answer = ask_system(host);
            lock.lock();
            // Under the lock, so that the loop is not gone: posting only appends and writes.
            if (loop_ != nullptr) {
                loop_->post(
                    [tell = answer_, host, answer = std::move(answer)] { tell(host, answer); });
            }
        }
        --threads_;
        ended_.notify_all();
    }

    std::mutex mutex_;  // guards what follows
    std::condition_variable wake_, ended_;
    EventLoop* loop_;  ///< null once closed
    const Answer answer_;
    std::deque<std::string> names_;
    int threads_ = 0;
    std::size_t idle_ = 0;
};

Resolver::Resolver(EventLoop& loop)
    : desk_(std::make_shared<Desk>(
          loop, [this](const std::string& host, const base::Result<std::vector<Address>>& answer) {
              finish(host, answer);
          })) {}

Resolver::~Resolver() {
    desk_->close();
}

std::unique_ptr<Resolver::Lookup> Resolver::look_up(const std::string& host,
                                                    std::uint16_t port,
                                                    Done done) {
    auto lookup = std::make_unique<Lookup>(*this, host, port, std::move(done));
    auto [place, is_new] = waiting_.try_emplace(host);
    place->second.push_back(lookup.get());
    if (is_new && !desk_->ask(host)) {
        waiting_.erase(place);
        return nullptr;
    }
    return lookup;
}

void Resolver::finish(const std::string& host, const base::Result<std::vector<Address>>& answer) {
    const auto place = waiting_.find(host);
    if (place == waiting_.end()) return;
    std::vector<Lookup*> lookups = std::move(place->second);
    waiting_.erase(place);
    for (Lookup* lookup : lookups) {
        if (lookup != nullptr) lookup->answering_ = &lookups;
    }
    // Each may withdraw any other, and ask anew.
    for (std::size_t i = 0; i < lookups.size(); ++i) {
        Lookup* const lookup = std::exchange(lookups[i], nullptr);
        if (lookup == nullptr) continue;
        lookup->answering_ = nullptr;
        const Done done = std::move(lookup->done_);
        if (!answer) {
            done(tl::unexpected(answer.error()));
            continue;
        }
        std::vector<Address> addresses = *answer;
        for (Address& address : addresses) address.set_port(lookup->port_);
        done(std::move(addresses));
    }
}

Resolver::Lookup::~Lookup() {
    std::vector<Lookup*>* list = answering_;
    if (list == nullptr) {
        const auto place = resolver_.waiting_.find(host_);
        if (place == resolver_.waiting_.end()) return;
        list = &place->second;
    }
    std::replace(list->begin(), list->end(), this, static_cast<Lookup*>(nullptr));
}

}  // namespace offhook::socket

// What a message costs the thread that has it: N links, each a message each way every 20 ms, on a tick of 1 ms, against an
// echo on another thread. CPU of the links' thread alone, user and kernel. One JSON line for each kind of link.
//   socket_bench [links] [seconds] [bytes] [kind...]      kinds: tcp ws wss
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/monotonic.h"
#include "socket/address.h"
#include "socket/frame_codec.h"
#include "socket/http_head.h"
#include "socket/link.h"

namespace {

using namespace offhook;

struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(std::FILE* file) const { std::fclose(file); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeSsl>;

/// A certificate for 127.0.0.1 that is its own authority, also as a file.
class Identity {
public:
    Identity() : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
        X509* const made = certificate_.get();
        X509_set_version(made, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
        X509_gmtime_adj(X509_getm_notBefore(made), -60);
        X509_gmtime_adj(X509_getm_notAfter(made), 3600);
        X509_set_pubkey(made, key_.get());
        X509_NAME_add_entry_by_txt(X509_get_subject_name(made),
                                   "CN",
                                   MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("bench"),
                                   -1,
                                   -1,
                                   0);
        X509_set_issuer_name(made, X509_get_subject_name(made));
        X509_EXTENSION* const names =
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
        X509_add_ext(made, names, -1);
        X509_EXTENSION_free(names);
        X509_sign(made, key_.get(), EVP_sha256());
        file_ = (std::filesystem::temp_directory_path() /
                 ("socket-bench-" + std::to_string(::getpid()) + ".pem"))
                    .string();
        const Owned<std::FILE> file(std::fopen(file_.c_str(), "w"));
        if (file) PEM_write_X509(file.get(), made);
    }
    ~Identity() { std::filesystem::remove(file_); }
    Identity(const Identity&) = delete;
    Identity& operator=(const Identity&) = delete;

    [[nodiscard]] const std::string& file() const { return file_; }
    void use(SSL_CTX& context) const {
        SSL_CTX_use_certificate(&context, certificate_.get());
        SSL_CTX_use_PrivateKey(&context, key_.get());
    }

private:
    Owned<EVP_PKEY> key_;
    Owned<X509> certificate_;
    std::string file_;
};

/// Sends back what comes: bytes, or messages of WebSocket, in clear or under TLS.
class Echo {
public:
    Echo(std::string kind, const Identity& identity)
        : kind_(std::move(kind)), tls_(SSL_CTX_new(TLS_server_method())) {
        identity.use(*tls_);
        SSL_CTX_set_read_ahead(tls_.get(), 1);
        auto address = *socket::parse_ip("127.0.0.1", 0);
        listen_fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        ::bind(listen_fd_, address.get(), address.length);
        ::listen(listen_fd_, 1024);
        ::getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&address.storage), &address.length);
        port_ = address.port();
        thread_ = std::thread([this] { run(); });
    }
    ~Echo() {
        is_stopping_ = true;
        thread_.join();
        ::close(listen_fd_);
    }
    Echo(const Echo&) = delete;
    Echo& operator=(const Echo&) = delete;
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    struct Peer {
        explicit Peer(std::vector<std::byte>& assembled)
            : reader(socket::Role::Server, 1U << 20U, assembled) {}
        Owned<SSL> ssl;
        std::string head;
        bool is_open = false;
        socket::FrameReader reader;
        std::vector<std::byte> out;
    };

    void run() {
        const int epoll_fd = ::epoll_create1(0);
        watch(epoll_fd, listen_fd_);
        std::map<int, Peer> peers;
        std::array<epoll_event, 256> events;
        std::vector<std::byte> buffer(65536);
        while (!is_stopping_) {
            const int ready = ::epoll_wait(epoll_fd, events.data(), 256, 50);
            for (int i = 0; i < ready; ++i) {
                const int fd = events[static_cast<std::size_t>(i)].data.fd;
                if (fd == listen_fd_) {
                    const int accepted = ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK);
                    Peer& peer = peers.try_emplace(accepted, assembled_).first->second;
                    if (kind_ == "wss") {
                        peer.ssl.reset(SSL_new(tls_.get()));
                        SSL_set_fd(peer.ssl.get(), accepted);
                        SSL_set_accept_state(peer.ssl.get());
                    }
                    peer.is_open = kind_ == "tcp";
                    watch(epoll_fd, accepted);
                } else if (!serve(fd, peers.at(fd), buffer)) {
                    peers.erase(fd);
                    ::close(fd);
                }
            }
        }
        for (const auto& [fd, peer] : peers) ::close(fd);
        ::close(epoll_fd);
    }

    static void watch(int epoll_fd, int fd) {
        epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
        ::epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }

    bool serve(int fd, Peer& peer, std::vector<std::byte>& buffer) {
        const auto size = static_cast<int>(buffer.size());
        const auto got = peer.ssl ? SSL_read(peer.ssl.get(), buffer.data(), size)
                                  : static_cast<int>(::recv(fd, buffer.data(), buffer.size(), 0));
        if (got <= 0) return peer.ssl && SSL_get_error(peer.ssl.get(), got) == SSL_ERROR_WANT_READ;
        std::span<std::byte> bytes(buffer.data(), static_cast<std::size_t>(got));
        peer.out.clear();
        if (kind_ == "tcp") {
            peer.out.assign(bytes.begin(), bytes.end());
        } else if (!peer.is_open) {
            peer.head.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            if (socket::head_length(peer.head) == 0) return true;
            const auto head = socket::parse_head(peer.head);
            const std::string answer =
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                "Upgrade\r\nSec-WebSocket-Accept: " +
                socket::websocket_accept(*head->find("sec-websocket-key")) + "\r\n\r\n";
            const auto as_bytes = std::as_bytes(std::span(answer));
            peer.out.assign(as_bytes.begin(), as_bytes.end());
            peer.is_open = true;
        } else {
            using Kind = socket::FrameReader::Event::Kind;
            for (auto event = peer.reader.next(bytes); event.kind != Kind::None;
                 event = peer.reader.next(bytes)) {
                if (event.kind != Kind::Binary) return false;
                socket::append_frame(peer.out, socket::Opcode::Binary, event.payload, nullptr);
            }
        }
        if (peer.out.empty()) return true;
        if (peer.ssl)
            return SSL_write(peer.ssl.get(), peer.out.data(), static_cast<int>(peer.out.size())) >
                   0;
        return ::send(fd, peer.out.data(), peer.out.size(), MSG_NOSIGNAL) > 0;
    }

    const std::string kind_;
    Owned<SSL_CTX> tls_;
    int listen_fd_ = -1;
    std::uint16_t port_ = 0;
    std::vector<std::byte> assembled_;
    std::atomic<bool> is_stopping_{false};
    std::thread thread_;
};

struct Counter final : socket::LinkEvents {
    void on_open() override { ++*open; }
    void on_text(std::string_view) override {}
    void on_binary(std::span<const std::byte>) override {}
    void on_closed(const socket::LinkEnd& end) override {
        std::fprintf(stderr, "a link ended: %s\n", end.detail.c_str());
        std::exit(1);
    }
    std::size_t* open = nullptr;
};

struct Cost {
    double user_us = 0, kernel_us = 0;
};

Cost own_cost() {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    const auto us = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    return {us(usage.ru_utime), us(usage.ru_stime)};
}

void measure(const std::string& kind, std::size_t count, int seconds, std::size_t size) {
    const Identity identity;
    Echo echo(kind, identity);
    auto loop = std::move(*socket::EventLoop::create());
    std::vector<Counter> events(count);
    std::vector<std::unique_ptr<socket::Link>> links;
    std::size_t open = 0;
    for (Counter& one : events) {
        one.open = &open;
        socket::DialSettings settings;
        settings.url = kind + "://127.0.0.1:" + std::to_string(echo.port());
        settings.ca_file = identity.file();
        settings.limits.ping_every_ns = 0;
        links.push_back(std::move(*socket::dial(*loop, settings, one)));
        // One after the other: the echo takes one connection a turn.
        while (open < links.size()) loop->turn(-1);
    }
    const std::vector<std::byte> message(size);
    Cost begin;
    std::uint64_t sent_before = 0, received_before = 0;
    const auto totals = [&](auto member) {
        std::uint64_t sum = 0;
        for (const auto& link : links) sum += link->counters().*member;
        return sum;
    };
    using Counters = socket::Link::Counters;
    // What a message is: WebSocket has frames, TCP reads.
    constexpr int kWarmUpTicks = 500;
    const int ticks = kWarmUpTicks + seconds * 1000;
    std::int64_t next_ns = base::monotonic_ns();
    for (int tick = 0; tick < ticks; ++tick) {
        if (tick == kWarmUpTicks) {
            begin = own_cost();
            sent_before = totals(&Counters::sent_messages);
            received_before = totals(&Counters::received_bytes);
        }
        for (auto link = static_cast<std::size_t>(tick % 20); link < count; link += 20) {
            links[link]->send_binary(message);
        }
        loop->turn(0);
        next_ns += base::kNsPerMs;
        const timespec until{.tv_sec = next_ns / base::kNsPerS, .tv_nsec = next_ns % base::kNsPerS};
        ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    }
    const Cost end = own_cost();
    const double sent = static_cast<double>(totals(&Counters::sent_messages) - sent_before);
    const double received =
        static_cast<double>(totals(&Counters::received_bytes) - received_before) /
        static_cast<double>(size);
    const double user_us = (end.user_us - begin.user_us) / (sent + received);
    const double kernel_us = (end.kernel_us - begin.kernel_us) / (sent + received);
    std::printf(
        "{\"kind\": \"%s\", \"links\": %zu, \"bytes\": %zu, \"seconds\": %d, \"sent\": %.0f, "
        "\"received\": %.0f, "
        "\"us_per_message\": %.2f, \"user_us\": %.2f, \"kernel_us\": %.2f, "
        "\"cpu_ms_per_link_second\": %.3f}\n",
        kind.c_str(),
        count,
        size,
        seconds,
        sent,
        received,
        user_us + kernel_us,
        user_us,
        kernel_us,
        (user_us + kernel_us) * (sent + received) / 1000 / static_cast<double>(seconds) /
            static_cast<double>(count));
    std::fflush(stdout);
    links.clear();
}

}  // namespace

int main(int argc, char** argv) {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    const auto links = static_cast<std::size_t>(argc > 1 ? std::atoi(argv[1]) : 200);
    const int seconds = argc > 2 ? std::atoi(argv[2]) : 5;
    const auto size = static_cast<std::size_t>(argc > 3 ? std::atoi(argv[3]) : 160);
    std::vector<std::string> kinds(argv + std::min(argc, 4), argv + argc);
    if (kinds.empty()) kinds = {"tcp", "ws", "wss"};
    for (const std::string& kind : kinds) measure(kind, links, seconds, size);
    return 0;
}

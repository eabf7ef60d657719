#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "harness/process.h"

namespace offhook::harness {

/// A redis-server that was unpacked by scripts/peers, on a unix socket and a port of loopback, with
/// nothing on disk. It ends with the object.
class RedisServer {
public:
    struct Options {
        std::vector<std::string> arguments{};  ///< "--requirepass", "..."
        std::string tls_folder{};              ///< with ca.pem, cert.pem, key.pem: a TLS port too
    };

    [[nodiscard]] static bool is_unpacked();

    RedisServer() : RedisServer(Options{}) {}
    /// @errors throws std::runtime_error when it does not become ready
    explicit RedisServer(Options options);

    [[nodiscard]] std::string unix_url() const;
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::uint16_t tls_port() const { return tls_port_; }

    void kill();
    /// Again, at the same places, and empty.
    void restart();
    /// It is there, and does nothing.
    void freeze();
    void thaw();
    /// What redis-cli prints.
    std::string ask(const std::vector<std::string>& words);
    /// The same, and nobody waits for it.
    std::unique_ptr<Process> begin(const std::vector<std::string>& words);

private:
    [[nodiscard]] std::vector<std::string> cli(const std::vector<std::string>& words) const;
    Options options_;
    TempDir folder_;
    std::uint16_t port_ = 0, tls_port_ = 0;
    std::unique_ptr<Process> process_;
};

}  // namespace offhook::harness

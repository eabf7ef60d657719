#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "caller/arrival_clock.h"
#include "caller/endpoint.h"
#include "caller/file_descriptor.h"

namespace offhook::caller {

/// One call's RTP socket: not connected, so that packets from a wrong source are seen and can be
/// named.
/// @thread one
class RtpSocket {
public:
    /// Binds an even port of the kernel's choice on `local`'s address. @errors Io, LimitReached
    /// (descriptors)
    [[nodiscard]] static base::Result<RtpSocket> create(const Endpoint& local);

    [[nodiscard]] const Endpoint& local() const noexcept { return local_; }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    /// Sends without waiting; false when the kernel refused.
    bool send(std::span<const std::uint8_t> packet, const Endpoint& to) noexcept;
    void close() noexcept { fd_.reset(); }

private:
    RtpSocket(FileDescriptor fd, const Endpoint& local) : fd_(std::move(fd)), local_(local) {}

    FileDescriptor fd_;
    Endpoint local_;
};

/// Reads RTP sockets in batches into one set of buffers that all calls share. Because the kernel
/// stamps the arrival, a socket need not be read at once: once per packet time is enough, without
/// an epoll wake-up per packet.
/// @thread one
class RtpReader {
public:
    struct Datagram {
        std::span<std::uint8_t> bytes;  ///< may be written to: decrypted in place
        Endpoint from;
        std::int64_t arrival_ns = 0;
    };

    RtpReader() noexcept;
    /// Up to kBatch datagrams that wait on `fd`, valid until the next call. Ask again while it is
    /// full.
    [[nodiscard]] std::span<const Datagram> read(int fd, const ArrivalClock& clock) noexcept;

    static constexpr std::size_t kBatch = 8;

private:
    struct Slot {
        std::array<std::uint8_t, 1600> bytes;
        sockaddr_storage from;
        alignas(cmsghdr) std::array<std::uint8_t, 64> control;
    };
    std::array<Slot, kBatch> slots_;
    std::array<iovec, kBatch> vectors_;
    std::array<mmsghdr, kBatch> messages_;
    std::array<Datagram, kBatch> datagrams_;
};

}  // namespace offhook::caller

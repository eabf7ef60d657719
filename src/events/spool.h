#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::events {

/// Batches that wait on the disk until they are delivered, oldest first, at most so many bytes. One
/// file each, which is there as a whole or not at all; they outlive the process.
/// @thread one; waits for the disk
class Spool {
public:
    struct Batch {
        std::uint64_t number = 0;
        std::size_t events = 0, bytes = 0;
    };
    /// Takes up what a process before left in `folder`, which is made (mode 0700) when missing.
    /// @errors Io
    [[nodiscard]] static base::Result<Spool> open(const std::string& folder, std::size_t max_bytes);

    /// Events of old batches that had to go for it are added to `dropped`.
    /// @param keeps_first  the oldest is being delivered and stays
    /// @errors Io: the disk is full ...; the batch is not kept
    [[nodiscard]] base::Result<void> add(std::string_view text,
                                         std::size_t events,
                                         bool keeps_first,
                                         std::size_t& dropped);
    [[nodiscard]] bool empty() const { return batches_.empty(); }
    [[nodiscard]] std::size_t size() const { return batches_.size(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    /// @pre not empty
    [[nodiscard]] const Batch& first() const { return batches_.front(); }
    /// @errors Io, NotFound: somebody took it away
    [[nodiscard]] base::Result<std::string> read_first() const;
    void remove_first() { remove(batches_.begin()); }

private:
    Spool(std::string folder, std::size_t max_bytes)
        : folder_(std::move(folder)), max_bytes_(max_bytes) {}
    [[nodiscard]] std::string path_of(const Batch& batch) const;
    void remove(std::deque<Batch>::iterator batch);

    std::string folder_;
    std::size_t max_bytes_;
    std::deque<Batch> batches_;
    std::size_t bytes_ = 0;
    std::uint64_t next_ = 1;
};

}  // namespace offhook::events

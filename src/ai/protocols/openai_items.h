#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace offhook::ai {

/// Which of the service's items the samples of the queue belong to. Positions are the host's.
class OpenAiItems {
public:
    static constexpr std::size_t kMaxPieces = 256;  ///< remembered; the oldest go

    /// `samples` of this item's sound were queued from `position` on.
    void add(std::string_view item_id,
             std::int64_t content_index,
             std::uint64_t position,
             std::uint64_t samples);

    struct Cut {
        std::string item_id;
        std::int64_t content_index = 0;
        std::uint64_t heard_samples = 0;  ///< of the item, from its begin
        std::uint64_t given_samples = 0;
    };
    /// The items that were not heard to their end when playout stood at `position`, in order.
    [[nodiscard]] std::vector<Cut> cut_at(std::uint64_t position) const;
    /// What stands before `position` is heard.
    void forget_before(std::uint64_t position);
    void clear() { pieces_.clear(); }

private:
    struct Piece {
        std::string item_id;
        std::int64_t content_index = 0;
        std::uint64_t begin = 0, end = 0;
        std::uint64_t offset = 0;  ///< of `begin` in the item
    };
    std::deque<Piece> pieces_;
};

}  // namespace offhook::ai

#include "ai/protocols/openai_items.h"

#include <algorithm>

namespace offhook::ai {

void OpenAiItems::add(std::string_view item_id,
                      std::int64_t content_index,
                      std::uint64_t position,
                      std::uint64_t samples) {
    if (samples == 0) return;
    const auto last = std::find_if(pieces_.rbegin(), pieces_.rend(), [&](const Piece& piece) {
        return piece.item_id == item_id && piece.content_index == content_index;
    });
    if (last != pieces_.rend() && last == pieces_.rbegin() && last->end == position) {
        last->end += samples;
        return;
    }
    const std::uint64_t offset =
        last == pieces_.rend() ? 0 : last->offset + (last->end - last->begin);
    if (pieces_.size() >= kMaxPieces) pieces_.pop_front();
    pieces_.push_back({std::string(item_id), content_index, position, position + samples, offset});
}

std::vector<OpenAiItems::Cut> OpenAiItems::cut_at(std::uint64_t position) const {
    std::vector<Cut> cuts;
    for (const Piece& piece : pieces_) {
        if (piece.end <= position) continue;
        const std::uint64_t given = piece.offset + (piece.end - piece.begin);
        const auto known = std::find_if(cuts.begin(), cuts.end(), [&](const Cut& cut) {
            return cut.item_id == piece.item_id && cut.content_index == piece.content_index;
        });
        if (known != cuts.end()) {
            known->given_samples = given;
            continue;
        }
        const std::uint64_t heard = position > piece.begin ? position - piece.begin : 0;
        cuts.push_back({piece.item_id, piece.content_index, piece.offset + heard, given});
    }
    return cuts;
}

void OpenAiItems::forget_before(std::uint64_t position) {
    // The last one stays: more of its item may follow.
    while (pieces_.size() > 1 && pieces_.front().end <= position) pieces_.pop_front();
}

}  // namespace offhook::ai

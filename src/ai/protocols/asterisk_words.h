#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace offhook::ai {

/// The events of chan_websocket as text, in either of its two forms. What only JSON carries
/// (channel_id of events without data, channel variables) is left out of plain text, as there.
class AsteriskWords {
public:
    AsteriskWords(bool is_json, std::string channel_id);

    struct Start {
        std::string connection_id, channel;
        std::string_view format;
        std::size_t optimal_frame_size = 160;  ///< bytes
        int ptime_ms = 20;
        std::vector<std::pair<std::string, std::string>> variables;  ///< JSON only
    };
    struct Status {
        std::size_t queue_length = 0, xon_level = 0, xoff_level = 0;  ///< frames
        bool queue_full = false, bulk_media = false, media_paused = false;
    };

    [[nodiscard]] std::string media_start(const Start& start) const;
    [[nodiscard]] std::string dtmf_end(char digit) const;
    [[nodiscard]] std::string status(const Status& status) const;
    /// MEDIA_XOFF, MEDIA_XON, QUEUE_DRAINED.
    [[nodiscard]] std::string bare(std::string_view event) const;
    /// MEDIA_MARK_PROCESSED, MEDIA_BUFFERING_COMPLETED. In plain text the id is a bare word.
    [[nodiscard]] std::string correlated(std::string_view event, std::string_view id) const;
    [[nodiscard]] std::string error(std::string_view text) const;

private:
    bool is_json_;
    std::string channel_id_;
};

}  // namespace offhook::ai

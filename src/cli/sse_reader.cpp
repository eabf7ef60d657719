#include "cli/sse_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace offhook::cli {
namespace {

constexpr std::size_t kMaxLineBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxSizeLineBytes = 256;
constexpr std::size_t kMaxChunkBytes = std::size_t{64} << 20;
constexpr int kMaxRetryMs = 60'000;

}  // namespace

base::Result<std::string> ChunkDecoder::feed(std::string_view bytes) {
    const auto malformed = [] {
        return base::fail(base::ErrorCode::Malformed, "the stream is not in chunks as it said");
    };
    pending_ += bytes;
    std::string content;
    std::size_t at = 0;
    while (!has_ended_ && at < pending_.size()) {
        if (left_ > 2) {
            const std::size_t take = std::min(left_ - 2, pending_.size() - at);
            content.append(pending_, at, take);
            left_ -= take;
            at += take;
            continue;
        }
        if (left_ > 0) {  // the line end behind a chunk
            if (pending_[at] != (left_ == 2 ? '\r' : '\n')) return malformed();
            --left_;
            ++at;
            continue;
        }
        const std::size_t end = pending_.find("\r\n", at);
        if (end == std::string::npos) {
            if (pending_.size() - at > kMaxSizeLineBytes) return malformed();
            break;
        }
        std::size_t size = 0;
        const char* const last = pending_.data() + end;
        const auto [stop, status] = std::from_chars(pending_.data() + at, last, size, 16);
        if (status != std::errc{} || (stop != last && *stop != ';') || size > kMaxChunkBytes)
            return malformed();
        at = end + 2;
        if (size == 0) has_ended_ = true;
        left_ = size == 0 ? 0 : size + 2;
    }
    pending_.erase(0, at);
    return content;
}

base::Result<void> SseReader::feed(std::string_view bytes) {
    pending_ += bytes;
    std::size_t at = 0;
    for (std::size_t end = pending_.find('\n'); end != std::string::npos;
         end = pending_.find('\n', at)) {
        std::string_view line = std::string_view(pending_).substr(at, end - at);
        if (line.ends_with('\r')) line.remove_suffix(1);
        take_line(line);
        at = end + 1;
    }
    pending_.erase(0, at);
    if (pending_.size() + data_.size() > kMaxLineBytes)
        return base::fail(base::ErrorCode::Malformed, "an event of the stream is too long");
    return {};
}

void SseReader::take_line(std::string_view line) {
    if (line.empty()) {
        if (has_data_)
            events_.push_back({.id = last_id_, .type = std::move(type_), .data = std::move(data_)});
        type_.clear();
        data_.clear();
        has_data_ = false;
        return;
    }
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    std::string_view value =
        colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "id") {
        last_id_ = value;
    } else if (name == "event") {
        type_ = value;
    } else if (name == "data") {
        if (has_data_) data_ += '\n';
        data_ += value;
        has_data_ = true;
    } else if (name == "retry") {
        int ms = 0;
        const auto read = std::from_chars(value.data(), value.data() + value.size(), ms);
        if (read.ec == std::errc{}) retry_ms_ = std::clamp(ms, 0, kMaxRetryMs);
    }
}

std::optional<ServerEvent> SseReader::next() {
    if (events_.empty()) return std::nullopt;
    ServerEvent event = std::move(events_.front());
    events_.pop_front();
    return event;
}

}  // namespace offhook::cli

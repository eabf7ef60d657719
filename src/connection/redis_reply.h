#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct redisReader;

namespace offhook::connection {

/// What Redis said (RESP 2). Bytes as they came.
struct RedisReply {
    enum class Type : std::uint8_t { Nil, Integer, Text, Status, Error, Array };
    Type type = Type::Nil;
    std::int64_t integer = 0;
    std::string text{};
    std::vector<RedisReply> elements{};

    [[nodiscard]] bool is_error() const { return type == Type::Error; }
    /// The text of an element; empty when there is none, or it is something else.
    [[nodiscard]] std::string_view text_at(std::size_t index) const;
    /// A whole number that an element is, or that its text has: 0 to 2^53 - 1, which a Lua number
    /// keeps exactly.
    [[nodiscard]] std::optional<std::uint64_t> number_at(std::size_t index) const;
};

/// Takes the replies out of a stream, by hiredis' parser. The asynchronous connection of hiredis
/// 0.14 asserts on what a server sends unasked; this one refuses it, and has limits.
class RedisReader {
public:
    static constexpr std::size_t kMaxReplyBytes = 16 * 1024;
    static constexpr int kMaxElements = 16;

    RedisReader();
    ~RedisReader();
    RedisReader(const RedisReader&) = delete;
    RedisReader& operator=(const RedisReader&) = delete;

    void feed(std::string_view bytes);
    /// The next whole reply; empty: more bytes are needed. @errors Malformed: what came is no reply,
    /// or too large a one; nothing follows
    [[nodiscard]] base::Result<std::optional<RedisReply>> next();

private:
    struct Free {
        void operator()(redisReader* reader) const;
    };
    std::unique_ptr<redisReader, Free> reader_;
    std::size_t unfinished_bytes_ = 0;
};

/// A command as it goes over the wire.
[[nodiscard]] std::string redis_command(const std::vector<std::string>& words);

}  // namespace offhook::connection

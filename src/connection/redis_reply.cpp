#include "connection/redis_reply.h"

#include <hiredis/hiredis.h>

#include <charconv>

#include "base/escape.h"

namespace offhook::connection {
namespace {

constexpr std::uint64_t kMaxNumber = (std::uint64_t{1} << 53) - 1;

/// hiredis makes objects from the outside in; whoever has a parent is made inside of it.
RedisReply* place_for(const redisReadTask* task) {
    if (task->parent == nullptr) return new RedisReply;
    auto* parent = static_cast<RedisReply*>(task->parent->obj);
    return &parent->elements[static_cast<std::size_t>(task->idx)];
}

void* create_string(const redisReadTask* task, char* bytes, std::size_t length) {
    RedisReply* reply = place_for(task);
    reply->type = task->type == REDIS_REPLY_ERROR    ? RedisReply::Type::Error
                  : task->type == REDIS_REPLY_STATUS ? RedisReply::Type::Status
                                                     : RedisReply::Type::Text;
    reply->text.assign(bytes, length);
    return reply;
}

void* create_array(const redisReadTask* task, int count) {
    // Null is what hiredis takes for "no memory": the reply is refused before any of it is made.
    if (count > RedisReader::kMaxElements) return nullptr;
    RedisReply* reply = place_for(task);
    reply->type = RedisReply::Type::Array;
    reply->elements.resize(static_cast<std::size_t>(count));
    return reply;
}

void* create_integer(const redisReadTask* task, long long value) {
    RedisReply* reply = place_for(task);
    reply->type = RedisReply::Type::Integer;
    reply->integer = value;
    return reply;
}

void* create_nil(const redisReadTask* task) {
    return place_for(task);
}

void free_object(void* object) {
    delete static_cast<RedisReply*>(object);
}

redisReplyObjectFunctions functions{
    create_string, create_array, create_integer, create_nil, free_object};

}  // namespace

std::string_view RedisReply::text_at(std::size_t index) const {
    if (type != Type::Array || index >= elements.size()) return {};
    const RedisReply& element = elements[index];
    return element.type == Type::Text || element.type == Type::Status ? element.text
                                                                      : std::string_view();
}

std::optional<std::uint64_t> RedisReply::number_at(std::size_t index) const {
    if (type != Type::Array || index >= elements.size()) return std::nullopt;
    const RedisReply& element = elements[index];
    std::uint64_t number = 0;
    if (element.type == Type::Integer) {
        if (element.integer < 0) return std::nullopt;
        number = static_cast<std::uint64_t>(element.integer);
    } else {
        const std::string_view digits = text_at(index);
        const char* const end = digits.data() + digits.size();
        const auto [stop, error] = std::from_chars(digits.data(), end, number);
        if (digits.empty() || error != std::errc{} || stop != end) return std::nullopt;
    }
    if (number > kMaxNumber) return std::nullopt;
    return number;
}

void RedisReader::Free::operator()(redisReader* reader) const {
    redisReaderFree(reader);
}

RedisReader::RedisReader() : reader_(redisReaderCreateWithFunctions(&functions)) {
    if (!reader_) throw std::bad_alloc();
}

RedisReader::~RedisReader() = default;

void RedisReader::feed(std::string_view bytes) {
    unfinished_bytes_ += bytes.size();
    redisReaderFeed(reader_.get(), bytes.data(), bytes.size());
}

base::Result<std::optional<RedisReply>> RedisReader::next() {
    void* object = nullptr;
    if (redisReaderGetReply(reader_.get(), &object) != REDIS_OK) {
        return base::fail(
            base::ErrorCode::Malformed,
            "it sent what is no reply of Redis that we ask for, or one of more than " +
                std::to_string(kMaxElements) + " elements",
            base::escape_untrusted(static_cast<const char*>(reader_->errstr)));
    }
    if (object != nullptr) {
        const std::unique_ptr<RedisReply> reply(static_cast<RedisReply*>(object));
        unfinished_bytes_ = reader_->len - reader_->pos;
        return std::optional<RedisReply>(std::move(*reply));
    }
    if (unfinished_bytes_ > kMaxReplyBytes) {
        return base::fail(
            base::ErrorCode::Malformed,
            "it sent a reply of more than " + std::to_string(kMaxReplyBytes / 1024) + " KiB");
    }
    return std::optional<RedisReply>();
}

std::string redis_command(const std::vector<std::string>& words) {
    std::vector<const char*> starts;
    std::vector<std::size_t> lengths;
    for (const std::string& word : words) {
        starts.push_back(word.data());
        lengths.push_back(word.size());
    }
    char* made = nullptr;
    const int length = redisFormatCommandArgv(
        &made, static_cast<int>(words.size()), starts.data(), lengths.data());
    if (length < 0) throw std::bad_alloc();
    std::string command(made, static_cast<std::size_t>(length));
    redisFreeCommand(made);
    return command;
}

}  // namespace offhook::connection

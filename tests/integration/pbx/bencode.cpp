#include "pbx/bencode.h"

#include <charconv>

namespace offhook::harness {
namespace {

constexpr int kMaxDepth = 32;

class Reader {
public:
    explicit Reader(std::string_view rest) : rest_(rest) {}

    [[nodiscard]] bool is_at_end() const { return rest_.empty(); }

    std::optional<Bencode> value(int depth = 0) {
        if (rest_.empty() || depth > kMaxDepth) {
            return std::nullopt;
        }
        Bencode result;
        if (take('i')) {
            const auto number = integer('e');
            if (!number) {
                return std::nullopt;
            }
            result.number = *number;
            return result;
        }
        if (take('l')) {
            while (!take('e')) {
                auto item = value(depth + 1);
                if (!item) {
                    return std::nullopt;
                }
                result.items.push_back(std::move(*item));
            }
            return result;
        }
        if (take('d')) {
            while (!take('e')) {
                const auto key = value(depth + 1);
                auto member = key ? value(depth + 1) : std::nullopt;
                if (!member) {
                    return std::nullopt;
                }
                result.table[key->text] = std::move(*member);
            }
            return result;
        }
        const auto length = integer(':');
        if (!length || *length < 0 || static_cast<std::size_t>(*length) > rest_.size()) {
            return std::nullopt;
        }
        result.text = rest_.substr(0, static_cast<std::size_t>(*length));
        rest_.remove_prefix(static_cast<std::size_t>(*length));
        return result;
    }

private:
    bool take(char wanted) {
        if (rest_.empty() || rest_.front() != wanted) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    std::optional<std::int64_t> integer(char end) {
        std::int64_t number = 0;
        const auto [stop, error] =
            std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
        if (error != std::errc{}) {
            return std::nullopt;
        }
        rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
        return take(end) ? std::optional(number) : std::nullopt;
    }

    std::string_view rest_;
};

}  // namespace

const Bencode& Bencode::operator[](const std::string& key) const {
    static const Bencode kNothing;
    const auto found = table.find(key);
    return found == table.end() ? kNothing : found->second;
}

std::optional<Bencode> Bencode::parse(std::string_view encoded) {
    Reader reader(encoded);
    auto result = reader.value();
    return reader.is_at_end() ? result : std::nullopt;
}

std::string bencoded(const std::map<std::string, std::string>& table) {
    std::string result = "d";
    for (const auto& [key, value] : table) {
        for (const std::string& part : {key, value}) {
            result += std::to_string(part.size()) + ":" + part;
        }
    }
    return result + "e";
}

}  // namespace offhook::harness

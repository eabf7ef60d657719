#include "model/trace_context.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <random>

namespace offhook::model {
namespace {

constexpr std::size_t kCallDigits = 12;

std::uint64_t of_process() {
    static const std::uint64_t number = [] {
        std::random_device device;
        return (std::uint64_t{device()} << 32) | device() | 1;
    }();
    return number;
}

// FNV-1a with 64 bits: spread enough for a few spans of one trace.
std::uint64_t mixed(std::uint64_t hash, std::string_view text) {
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3ULL;
    }
    return hash;
}

std::string hex(std::uint64_t number) {
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
    return text.data();
}

std::uint64_t hash_of(std::string_view call, std::string_view part) {
    std::uint64_t hash = mixed(0xcbf29ce484222325ULL ^ of_process(), call);
    hash = mixed(hash, "/");
    return mixed(hash, part);
}

}  // namespace

std::string trace_id_of(std::string_view call) {
    const std::string_view digits = call.substr(call.find('-') + 1);
    const bool is_ours = digits.size() == kCallDigits &&
                         digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    const std::string end = is_ours ? std::string(digits) : hex(hash_of(call, "trace")).substr(4);
    return hex(of_process()) + hex(mixed(of_process(), "trace")).substr(0, 4) + end;
}

std::string span_id_of(std::string_view call, std::string_view part) {
    const std::uint64_t hash = hash_of(call, part);
    return hex(hash == 0 ? 1 : hash);
}

std::string ai_connection_part(std::string_view name, int number) {
    return "ai/" + std::string(name) + '/' + std::to_string(number);
}

std::string traceparent(std::string_view call, std::string_view part) {
    return "00-" + trace_id_of(call) + '-' + span_id_of(call, part) + "-01";
}

}  // namespace offhook::model

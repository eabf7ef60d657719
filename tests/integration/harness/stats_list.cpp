#include "harness/stats_list.h"

namespace offhook::harness {

std::string StatsList::id_of(const std::string& type) const {
    for (std::size_t i = 0; i < list_.size("stats"); ++i) {
        const std::string path = "stats." + std::to_string(i);
        if (list_.text(path + ".type") == type) return list_.text(path + ".id");
    }
    return {};
}

std::string StatsList::id_where(const std::string& type,
                                const std::string& member,
                                double value) const {
    for (std::size_t i = 0; i < list_.size("stats"); ++i) {
        const std::string path = "stats." + std::to_string(i);
        if (list_.text(path + ".type") == type && list_.number(path + "." + member) == value)
            return list_.text(path + ".id");
    }
    return {};
}

std::string StatsList::path_of(const std::string& id) const {
    for (std::size_t i = 0; i < list_.size("stats"); ++i) {
        const std::string path = "stats." + std::to_string(i);
        if (list_.text(path + ".id") == id) return path + ".";
    }
    return "none.";
}

double StatsList::number(const std::string& id, const std::string& member) const {
    return list_.number(path_of(id) + member);
}

std::string StatsList::text(const std::string& id, const std::string& member) const {
    return list_.text(path_of(id) + member);
}

}  // namespace offhook::harness

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace offhook::trace {

/// The last items of each of many subjects, told by whoever sees them. Items may come before anybody
/// knows that their subject matters: those nobody claimed go when kMaxStrays newer ones came.
/// @thread any; the lock is held for a copy at most
template <class Item>
class Shelf {
public:
    static constexpr std::size_t kMaxStrays = 256;

    /// @param max_items, max_bytes  of a subject
    Shelf(std::size_t max_items, std::size_t max_bytes)
        : max_items_(max_items), max_bytes_(max_bytes) {}

    /// @param bytes  what the item counts for  @param may_begin  false: only for a subject that is
    /// there
    void keep(const std::string& subject, Item item, std::size_t bytes, bool may_begin = true) {
        if (subject.empty() || bytes > max_bytes_) return;
        const std::scoped_lock lock(mutex_);
        if (!may_begin && !subjects_.contains(subject)) return;
        Subject& kept = make(subject);
        kept.bytes += bytes;
        kept.items.emplace_back(std::move(item), bytes);
        while (kept.items.size() > max_items_ || kept.bytes > max_bytes_) {
            kept.bytes -= kept.items.front().second;
            kept.items.pop_front();
            ++kept.lost;
        }
    }
    /// The subject stays until it was dropped as often as it was claimed.
    void claim(const std::string& subject) {
        if (subject.empty()) return;
        const std::scoped_lock lock(mutex_);
        Subject& kept = make(subject);
        if (kept.claims++ == 0) strays_.erase(kept.stray);
    }
    void drop(const std::string& subject) {
        const std::scoped_lock lock(mutex_);
        const auto found = subjects_.find(subject);
        if (found == subjects_.end() || found->second.claims == 0) return;
        if (--found->second.claims == 0) subjects_.erase(found);
    }

    struct Contents {
        std::vector<Item> items;  ///< oldest first
        std::uint64_t lost = 0;   ///< older ones that had to go
    };
    [[nodiscard]] Contents of(const std::string& subject) const {
        const std::scoped_lock lock(mutex_);
        Contents contents;
        const auto found = subjects_.find(subject);
        if (found == subjects_.end()) return contents;
        contents.lost = found->second.lost;
        for (const auto& [item, bytes] : found->second.items) contents.items.push_back(item);
        return contents;
    }
    [[nodiscard]] std::size_t bytes(const std::string& subject) const {
        const std::scoped_lock lock(mutex_);
        const auto found = subjects_.find(subject);
        return found == subjects_.end() ? 0 : found->second.bytes;
    }

private:
    struct Subject {
        std::deque<std::pair<Item, std::size_t>> items;
        std::size_t bytes = 0;
        std::uint64_t lost = 0;
        int claims = 0;
        std::list<std::string>::iterator stray;  ///< while nobody claimed it
    };
    Subject& make(const std::string& name) {
        const auto [found, is_new] = subjects_.try_emplace(name);
        if (is_new) {
            found->second.stray = strays_.insert(strays_.end(), name);
            if (strays_.size() > kMaxStrays) {
                subjects_.erase(strays_.front());
                strays_.pop_front();
            }
        }
        return found->second;
    }

    const std::size_t max_items_, max_bytes_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Subject> subjects_;
    std::list<std::string> strays_;  ///< oldest first
};

}  // namespace offhook::trace

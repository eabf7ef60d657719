#include "store/pending_records.h"

#include <utility>

namespace offhook::store {

std::size_t PendingRecords::put(CallRecord record, std::int64_t now_ns) {
    const auto known = items_.find(record.id);
    if (known != items_.end()) {
        known->second.record = std::move(record);
        return 0;
    }
    order_.push_back(record.id);
    std::string id = record.id;
    items_.emplace(std::move(id), Item{std::move(record), now_ns});
    return shrink();
}

std::vector<PendingRecords::Item> PendingRecords::take(std::size_t most) {
    std::vector<Item> taken;
    while (!order_.empty() && taken.size() < most) {
        auto node = items_.extract(order_.front());
        order_.pop_front();
        taken.push_back(std::move(node.mapped()));
    }
    return taken;
}

std::size_t PendingRecords::put_back(std::vector<Item> items) {
    for (auto item = items.rbegin(); item != items.rend(); ++item) {
        const auto known = items_.find(item->record.id);
        if (known != items_.end()) {
            known->second.queued_ns = item->queued_ns;
            continue;
        }
        order_.push_front(item->record.id);
        std::string id = item->record.id;
        items_.emplace(std::move(id), std::move(*item));
    }
    return shrink();
}

std::size_t PendingRecords::shrink() {
    std::size_t dropped = 0;
    while (items_.size() > limit_) {
        items_.erase(order_.front());
        order_.pop_front();
        ++dropped;
    }
    return dropped;
}

}  // namespace offhook::store

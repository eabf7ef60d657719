#include "call/message_log.h"

#include <algorithm>
#include <utility>

#include "base/monotonic.h"

namespace offhook::call {

std::uint64_t MessageLog::add(model::MessageRecord record) {
    record.number = ++last_;
    record.at_ns = base::realtime_ns();
    record.body.resize(std::min(record.body.size(), kBodyBytes));
    records_.push_back(std::move(record));
    if (records_.size() > kMost) records_.pop_front();
    return last_;
}

void MessageLog::settle(std::uint64_t number, int status) {
    for (model::MessageRecord& record : records_) {
        if (record.number == number) record.status = status;
    }
}

std::vector<model::MessageRecord> MessageLog::of(const model::CallId& call) const {
    std::vector<model::MessageRecord> found;
    std::copy_if(records_.begin(), records_.end(), std::back_inserter(found), [&](const auto& r) {
        return call.empty() || r.call == call;
    });
    return found;
}

const model::MessageRecord* MessageLog::find(std::uint64_t number) const {
    const auto it = std::find_if(
        records_.begin(), records_.end(), [&](const auto& r) { return r.number == number; });
    return it == records_.end() ? nullptr : &*it;
}

}  // namespace offhook::call

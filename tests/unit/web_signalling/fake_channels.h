#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/executor.h"
#include "model/channel.h"

namespace offhook::testing {

/// Channels without sound: who is in, and what was asked for, in words ("join anna lobby",
/// "leave anna").
/// @thread control, but for the notes
class FakeChannels final : public model::ChannelControl {
public:
    explicit FakeChannels(base::Executor& control) : control_(control) {}
    std::function<void()> before_join;
    std::size_t max_members = 100;

    [[nodiscard]] std::vector<model::ChannelInfo> channels() const override {
        std::vector<model::ChannelInfo> all;
        for (const auto& [name, channel] : channels_) all.push_back(channel.info);
        return all;
    }
    [[nodiscard]] std::optional<model::ChannelInfo> find(std::string_view name) const override {
        const auto found = channels_.find(std::string(name));
        if (found == channels_.end()) return std::nullopt;
        return found->second.info;
    }
    base::Result<void> create(const model::ChannelOrder& order) override {
        channels_[order.name].info.name = order.name;
        return {};
    }
    base::Result<void> close(std::string_view name) override {
        while (!channels_[std::string(name)].info.members.empty())
            take_out(name, channels_[std::string(name)].info.members.front().id, "channel-closed");
        channels_.erase(std::string(name));
        return {};
    }
    base::Result<model::MemberId> join(const model::ChannelJoin& join,
                                       model::ChannelListener& listener) override {
        if (before_join) before_join();
        if (join.channel == "nowhere")
            return base::fail(base::ErrorCode::NotFound, "there is no such channel");
        Channel& channel = channels_[join.channel];
        if (channel.info.members.size() >= max_members)
            return base::fail(base::ErrorCode::Conflict, "the channel is full");
        channel.info.name = join.channel;
        model::MemberInfo member;
        member.id = "m-" + std::to_string(++last_);
        member.role = join.role;
        member.user = join.user;
        member.name = join.name;
        channel.info.members.push_back(member);
        channel.listeners[member.id] = &listener;
        note("join " + join.user + " " + join.channel);
        changed(join.channel);
        return member.id;
    }
    void leave(const model::MemberId& id) override {
        for (auto& [name, channel] : channels_) {
            if (channel.listeners.erase(id) == 0) continue;
            note("leave " + get(channel, id)->user);
            std::erase_if(channel.info.members, [&](const auto& each) { return each.id == id; });
            return changed(name);
        }
    }
    base::Result<void> set_away(const model::MemberId& id, bool is_away) override {
        return change(id, [&](model::MemberInfo& member) {
            const bool was_away = member.state == model::MemberState::Away;
            member.state = is_away ? model::MemberState::Away : model::MemberState::Connected;
            if (was_away != is_away) note((is_away ? "away " : "back ") + member.user);
        });
    }
    base::Result<void> mute_self(const model::MemberId& id, bool is_muted) override {
        return change(id, [&](model::MemberInfo& member) {
            member.is_muted = is_muted;
            note((is_muted ? "mute " : "unmute ") + member.user);
        });
    }
    base::Result<void> mute(std::string_view, const model::MemberId&, bool) override { return {}; }
    base::Result<void> set_gain(std::string_view, const model::MemberId&, double) override {
        return {};
    }
    base::Result<void> remove(std::string_view name, const model::MemberId& id) override {
        take_out(name, id, "removed");
        return {};
    }
    base::Result<void> move(std::string_view name,
                            const model::MemberId& id,
                            std::string_view to) override {
        Channel& from = channels_[std::string(name)];
        Channel& next = channels_[std::string(to)];
        next.info.name = to;
        next.info.members.push_back(*get(from, id));
        next.listeners[id] = from.listeners[id];
        from.listeners.erase(id);
        std::erase_if(from.info.members, [&](const auto& each) { return each.id == id; });
        control_.post([this, id, to = std::string(to)] {
            Channel& channel = channels_[to];
            if (channel.listeners.contains(id)) channel.listeners[id]->on_moved(channel.info);
        });
        return {};
    }
    base::Result<void> set_role(std::string_view,
                                const model::MemberId&,
                                model::MemberRole) override {
        return {};
    }

    void speak(const std::string& name, const std::vector<model::MemberId>& speaking) {
        for (const auto& [id, listener] : std::map(channels_[name].listeners))
            listener->on_speaking(speaking);
    }
    [[nodiscard]] std::size_t members() const {
        std::size_t count = 0;
        for (const auto& [name, channel] : channels_) count += channel.info.members.size();
        return count;
    }

    /// Waits for a note; false after 10 s.
    bool wait_for(const std::string& what) {
        std::unique_lock lock(mutex_);
        return told_.wait_for(lock, std::chrono::seconds(10), [&] {
            return std::find(notes_.begin(), notes_.end(), what) != notes_.end();
        });
    }
    std::vector<std::string> notes() {
        const std::lock_guard lock(mutex_);
        return notes_;
    }

private:
    struct Channel {
        model::ChannelInfo info;
        std::map<model::MemberId, model::ChannelListener*> listeners;
    };
    static model::MemberInfo* get(Channel& channel, const model::MemberId& id) {
        for (model::MemberInfo& member : channel.info.members)
            if (member.id == id) return &member;
        return nullptr;
    }
    base::Result<void> change(const model::MemberId& id,
                              const std::function<void(model::MemberInfo&)>& action) {
        for (auto& [name, channel] : channels_) {
            if (model::MemberInfo* member = get(channel, id)) {
                action(*member);
                changed(name);
                return {};
            }
        }
        return base::fail(base::ErrorCode::NotFound, "there is no such member");
    }
    void take_out(std::string_view name, const model::MemberId& id, const std::string& why) {
        Channel& channel = channels_[std::string(name)];
        model::ChannelListener* listener = channel.listeners[id];
        channel.listeners.erase(id);
        std::erase_if(channel.info.members, [&](const auto& each) { return each.id == id; });
        control_.post([listener, why] { listener->on_removed(why); });
        changed(std::string(name));
    }
    void changed(const std::string& name) {
        control_.post([this, name] {
            for (const auto& [id, listener] : std::map(channels_[name].listeners))
                if (channels_[name].listeners.contains(id))
                    listener->on_members(channels_[name].info);
        });
    }
    void note(std::string what) {
        const std::lock_guard lock(mutex_);
        notes_.push_back(std::move(what));
        told_.notify_all();
    }

    base::Executor& control_;
    std::map<std::string, Channel> channels_;
    int last_ = 0;
    std::mutex mutex_;
    std::condition_variable told_;
    std::vector<std::string> notes_;
};

}  // namespace offhook::testing

#include "glib/fd_watch.h"

#include <glib-unix.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "base/log.h"
#include "glib/shared_source.h"

namespace offhook::glib {
namespace detail {
namespace {

// The values are those of poll(2) in both.
constexpr bool same(GIOCondition glib, std::uint32_t epoll) {
    return static_cast<std::uint32_t>(glib) == epoll;
}
static_assert(same(G_IO_IN, EPOLLIN) && same(G_IO_OUT, EPOLLOUT) && same(G_IO_ERR, EPOLLERR) &&
              same(G_IO_HUP, EPOLLHUP) && same(G_IO_PRI, EPOLLPRI));

}  // namespace

/// The watched descriptors of one context behind one epoll descriptor.
class ReadySet : public std::enable_shared_from_this<ReadySet> {
public:
    using Ready = std::function<void(GIOCondition)>;

    explicit ReadySet(GMainContext* context) : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
        if (epoll_ < 0) throw std::runtime_error(std::strerror(errno));
        source_ = g_unix_fd_source_new(epoll_, G_IO_IN);
        // G_SOURCE_FUNC only silences the cast: the source calls it as a GUnixFDSourceFunc.
        g_source_set_callback(source_, G_SOURCE_FUNC(&dispatch), this, nullptr);
        g_source_attach(source_, context);
    }
    ~ReadySet() {
        g_source_destroy(source_);
        g_source_unref(source_);
        close(epoll_);
    }
    ReadySet(const ReadySet&) = delete;
    ReadySet& operator=(const ReadySet&) = delete;

    [[nodiscard]] bool is_usable() const { return !g_source_is_destroyed(source_); }

    std::uint64_t add(int fd, GIOCondition condition, Ready ready) {
        const std::uint64_t id = ++last_id_;
        epoll_event event{};
        event.events = static_cast<std::uint32_t>(condition);
        event.data.u64 = id;
        if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0)
            throw std::runtime_error(std::string("cannot watch a descriptor: ") +
                                     std::strerror(errno));
        watched_.emplace(id, std::make_shared<Ready>(std::move(ready)));
        return id;
    }

    void remove(std::uint64_t id, int fd) {
        if (watched_.erase(id) > 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    }

private:
    static gboolean dispatch(gint /*fd*/, GIOCondition /*condition*/, gpointer data) {
        // The last watch may stop in its own callback, and the set with it.
        const auto self = static_cast<ReadySet*>(data)->shared_from_this();
        std::array<epoll_event, 64> events{};
        const int count = epoll_wait(self->epoll_, events.data(), events.size(), 0);
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            const auto found = self->watched_.find(event.data.u64);
            if (found == self->watched_.end()) continue;  // stopped by one before it
            const auto ready = found->second;
            try {
                (*ready)(static_cast<GIOCondition>(event.events));
            } catch (const std::exception& e) {
                log::write(log::Level::Error, log::Mark::Error, "system.exception", {}, e.what());
            }
        }
        return G_SOURCE_CONTINUE;
    }

    int epoll_;
    GSource* source_ = nullptr;
    std::unordered_map<std::uint64_t, std::shared_ptr<Ready>> watched_;
    std::uint64_t last_id_ = 0;
};

}  // namespace detail

void FdWatch::start(GMainContext* context,
                    int fd,
                    GIOCondition condition,
                    std::function<void(GIOCondition)> ready) {
    stop();
    set_ = detail::shared_by_users_of<detail::ReadySet>(context);
    id_ = set_->add(fd, condition, std::move(ready));
    fd_ = fd;
}

void FdWatch::stop() {
    if (const std::uint64_t id = std::exchange(id_, 0); id != 0) set_->remove(id, fd_);
}

}  // namespace offhook::glib

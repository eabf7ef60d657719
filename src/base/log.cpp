#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "base/log_line.h"
#include "base/monotonic.h"

namespace offhook::log {
namespace {

constexpr std::size_t kQueueLines = 4096;

std::atomic<Level> g_level{Level::Info};

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;  // a closed pipe or a full disk must not take the daemon with it
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

base::Result<int> open_log(const std::string& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0) return base::fail_errno("cannot open the log file " + path, errno);
    return fd;
}

// Where the lines of the spdlog thread end: one write(2) a line, so that lines of several processes
// in one file do not mix. spdlog's own file sink cannot be reopened.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    explicit LineSink(int fd) : fd_(fd) {}
    ~LineSink() override { close_own(); }
    LineSink(const LineSink&) = delete;
    LineSink& operator=(const LineSink&) = delete;

    void replace(int fd) {
        const std::lock_guard lock(mutex_);
        close_own();
        fd_ = fd;
    }

protected:
    void sink_it_(const spdlog::details::log_msg& msg) override {
        line_.assign(msg.payload.data(), msg.payload.size());
        line_ += '\n';
        write_all(fd_, line_);
    }
    void flush_() override {}

private:
    void close_own() {
        if (fd_ != STDERR_FILENO) ::close(fd_);
    }
    int fd_;
    std::string line_;
};

spdlog::level::level_enum spdlog_level(Level level) {
    switch (level) {
        case Level::Debug:
            return spdlog::level::debug;
        case Level::Info:
            return spdlog::level::info;
        case Level::Warning:
            return spdlog::level::warn;
        case Level::Error:
            break;
    }
    return spdlog::level::err;
}

bool colour_wanted() {
    const char* no_color = std::getenv("NO_COLOR");  // no-color.org: set and not empty
    return no_color == nullptr || *no_color == '\0';
}

struct Output {
    bool json = false;
    bool marks = true;
    bool colour = false;
    std::string file;
    std::shared_ptr<LineSink> sink;
    std::shared_ptr<spdlog::details::thread_pool> pool;
    std::shared_ptr<spdlog::async_logger> logger;
    std::atomic<std::size_t> overruns_told{0};
    std::atomic<std::int64_t> next_telling_ns{0};

    std::string render(const Line& line) const {
        return json ? json_line(line, marks) : text_line(line, marks, colour);
    }
    void put(const Line& line) { logger->log(spdlog_level(line.level), render(line)); }

    // At most once a second: telling takes a place in the full queue as well.
    void tell_overrun_if_due() {
        const std::int64_t now_ns = base::monotonic_ns();
        std::int64_t due_ns = next_telling_ns.load(std::memory_order_relaxed);
        if (now_ns < due_ns ||
            !next_telling_ns.compare_exchange_strong(due_ns, now_ns + base::kNsPerS))
            return;
        tell_overrun();
    }

    void tell_overrun() {
        const std::size_t now = pool->overrun_counter();
        const std::size_t told = overruns_told.exchange(now);
        if (now <= told) return;
        put({base::realtime_ns(),
             Level::Warning,
             Mark::Warning,
             "log.overrun",
             {},
             "the log could not be written as fast as it came",
             {{"dropped_lines", now - told}}});
    }
};

std::atomic<Output*> g_output{nullptr};

using Told = std::function<void(const Record&)>;

// Whoever tells counts itself in before it looks at `told`, and whoever takes `told` away looks at
// the count after it: both are sequentially consistent, so one of the two sees the other.
struct ListenerSlot {
    std::atomic<Told*> told{nullptr};
    std::atomic<int> telling{0};
    std::atomic<bool> is_taken{false};
};

std::array<ListenerSlot, kMaxListeners> g_listeners;
std::atomic<int> g_listening{0};
thread_local bool t_is_telling = false;

void tell_listeners(const Record& record) {
    if (g_listening.load(std::memory_order_relaxed) == 0 || t_is_telling) return;
    t_is_telling = true;
    for (ListenerSlot& slot : g_listeners) {
        if (slot.told.load(std::memory_order_relaxed) == nullptr) continue;
        slot.telling.fetch_add(1);
        if (Told* told = slot.told.load()) (*told)(record);
        if (slot.telling.fetch_sub(1) == 1) slot.telling.notify_all();
    }
    t_is_telling = false;
}

}  // namespace

Listening set_listener(std::function<void(const Record&)> told) {
    for (std::size_t i = 0; i < g_listeners.size(); ++i) {
        ListenerSlot& slot = g_listeners.at(i);
        if (slot.is_taken.exchange(true, std::memory_order_acquire)) continue;
        slot.told.store(new Told(std::move(told)));
        g_listening.fetch_add(1);
        return Listening(i);
    }
    return {};
}

void Listening::stop() noexcept {
    const std::size_t at = std::exchange(slot_, kNone);
    if (at == kNone) return;
    ListenerSlot& slot = g_listeners.at(at);
    const std::unique_ptr<Told> told(slot.told.exchange(nullptr));
    g_listening.fetch_sub(1);
    for (int telling = slot.telling.load(); telling != 0; telling = slot.telling.load()) {
        slot.telling.wait(telling);
    }
    slot.is_taken.store(false, std::memory_order_release);
}

base::Result<void> setup(const Options& options) {
    int fd = STDERR_FILENO;
    if (!options.file.empty()) {
        auto opened = open_log(options.file);
        if (!opened) return tl::unexpected(opened.error());
        fd = *opened;
    }
    shutdown();
    const bool terminal = ::isatty(fd) == 1;
    auto output = std::make_unique<Output>();
    output->json = options.format == Format::Json || (options.format == Format::Auto && !terminal);
    output->marks = options.marks;
    output->colour = terminal && colour_wanted();
    output->file = options.file;
    output->sink = std::make_shared<LineSink>(fd);
    output->pool = std::make_shared<spdlog::details::thread_pool>(
        kQueueLines, 1, [] { pthread_setname_np(pthread_self(), "oh-log"); });
    output->logger = std::make_shared<spdlog::async_logger>(
        "offhook", output->sink, output->pool, spdlog::async_overflow_policy::overrun_oldest);
    output->logger->set_level(spdlog::level::trace);  // the level is decided in `write`
    g_level = options.level;
    g_output = output.release();
    return {};
}

base::Result<void> reopen() {
    Output* output = g_output;
    if (output == nullptr || output->file.empty()) return {};
    auto opened = open_log(output->file);
    if (!opened) return tl::unexpected(opened.error());
    output->sink->replace(*opened);
    return {};
}

void set_level(Level level) noexcept {
    g_level = level;
}

bool enabled(Level level) noexcept {
    return level >= g_level.load(std::memory_order_relaxed);
}

void write(Level level,
           Mark mark,
           std::string_view event,
           std::string_view call,
           std::string_view message,
           std::initializer_list<Field> fields) {
    const bool is_event = !event.empty() && level >= Level::Info;
    if (!is_event && !enabled(level)) return;
    const std::int64_t now_ns = base::realtime_ns();
    if (is_event) {
        tell_listeners({now_ns, level, event, call, message, {fields.begin(), fields.size()}});
    }
    if (!enabled(level)) return;
    const Line line{now_ns, level, mark, event, call, message, fields};
    Output* output = g_output;
    if (output == nullptr) {
        write_all(STDERR_FILENO, text_line(line, true, false) + '\n');
        return;
    }
    output->tell_overrun_if_due();
    output->put(line);
}

void shutdown() {
    const std::unique_ptr<Output> output(g_output.exchange(nullptr));
    if (!output) return;
    output->tell_overrun();
    // The pool's destructor lets its thread finish the queue and joins it; the logger holds no
    // other reference to it.
    output->logger.reset();
    output->pool.reset();
}

}  // namespace offhook::log

#include "app/process_setup.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace offhook::app {

using log::Level;

log::Options log_options(const config::Log& log) {
    log::Options options;
    options.level = log.level == "debug"     ? Level::Debug
                    : log.level == "warning" ? Level::Warning
                    : log.level == "error"   ? Level::Error
                                             : Level::Info;
    options.format = log.format == "text"   ? log::Format::Text
                     : log.format == "json" ? log::Format::Json
                                            : log::Format::Auto;
    options.marks = log.marks;
    options.file = log.file;
    return options;
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void keep_memory_resident() {
    // Not MCL_FUTURE: under a limit it would make later allocations fail.
    mlockall(MCL_CURRENT | MCL_ONFAULT);
}

void tell_ready(int fd, const std::string& listeners) {
    if (fd < 0) return;
    const std::string line = "ready " + listeners + "\n";
    [[maybe_unused]] const auto n = write(fd, line.data(), line.size());
    close(fd);
}

}  // namespace offhook::app

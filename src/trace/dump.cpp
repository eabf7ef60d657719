#include "trace/dump.h"

namespace offhook::trace {

std::optional<DumpFormat> dump_format_by_name(std::string_view name) noexcept {
    if (name == "json") return DumpFormat::Json;
    if (name == "pcapng") return DumpFormat::Pcapng;
    if (name == "rtcstats") return DumpFormat::RtcStats;
    return std::nullopt;
}

std::string_view content_type_of(DumpFormat format) noexcept {
    switch (format) {
        case DumpFormat::Pcapng:
            return "application/x-pcapng";
        case DumpFormat::RtcStats:
            return "text/plain; charset=utf-8";
        case DumpFormat::Json:
            break;
    }
    return "application/json";
}

std::string file_name_of(const Dump& dump, DumpFormat format) {
    switch (format) {
        case DumpFormat::Pcapng:
            return dump.call_id + ".pcapng";
        case DumpFormat::RtcStats:
            return dump.call_id + ".rtcstats";
        case DumpFormat::Json:
            break;
    }
    return dump.call_id + ".json";
}

std::string write_dump(const Dump& dump, DumpFormat format) {
    switch (format) {
        case DumpFormat::Pcapng:
            return write_pcapng(dump);
        case DumpFormat::RtcStats:
            return write_rtcstats(dump);
        case DumpFormat::Json:
            break;
    }
    return write_json(dump);
}

}  // namespace offhook::trace

#include "media/launch_text.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <optional>

#include "config/nearest.h"

namespace offhook::media {
namespace {

constexpr std::array<std::string_view, 9> kPlaceholders{"depayloader",
                                                        "decoder",
                                                        "encoder",
                                                        "payloader",
                                                        "payload_type",
                                                        "sample_rate",
                                                        "clock_rate",
                                                        "opus_bitrate",
                                                        "opus_complexity"};
constexpr std::size_t kCodecElements = 4;  // the first four name elements

/// Calls `replace(name)` for each `${name}` and puts its answer there; nullopt leaves it as it is.
template <class Replace>
std::string substitute(std::string_view text, Replace replace) {
    std::string out;
    out.reserve(text.size() + 128);
    while (true) {
        const std::size_t start = text.find("${");
        const std::size_t end = start == std::string_view::npos ? start : text.find('}', start);
        if (end == std::string_view::npos) break;
        out += text.substr(0, start);
        const std::optional<std::string> value = replace(text.substr(start + 2, end - start - 2));
        if (value) {
            out += *value;
        } else {
            out += text.substr(start, end + 1 - start);
        }
        text.remove_prefix(end + 1);
    }
    out += text;
    return out;
}

struct StockElements {
    std::string_view depayloader;
    std::string_view decoder;
    std::string_view encoder;
    std::string_view payloader;
};

/// Empty for G.722 (Debian 12 has its payloaders but no codec outside libav) and for Opus with a
/// 16 kHz clock (rtpopuspay knows 48 kHz only).
std::optional<StockElements> stock_elements(model::Codec codec) {
    // min-ptime = max-ptime makes the payloader cut 20 ms packets whatever buffers an inserted
    // element hands it.
    switch (codec) {
        case model::Codec::Pcmu:
            return StockElements{
                "rtppcmudepay",
                "mulawdec",
                "mulawenc",
                "rtppcmupay pt=${payload_type} min-ptime=20000000 max-ptime=20000000"};
        case model::Codec::Pcma:
            return StockElements{
                "rtppcmadepay",
                "alawdec",
                "alawenc",
                "rtppcmapay pt=${payload_type} min-ptime=20000000 max-ptime=20000000"};
        case model::Codec::Opus:
            return StockElements{
                "rtpopusdepay",
                "opusdec",
                "opusenc audio-type=voice frame-size=20 dtx=false bitrate=${opus_bitrate} "
                "complexity=${opus_complexity}",
                "rtpopuspay pt=${payload_type}"};
        case model::Codec::G722:
        case model::Codec::Opus16:
            break;
    }
    return std::nullopt;
}

/// Blanks a comment: `#` at the start of a word, outside quotes, to the end of the line.
std::string without_comment(std::string_view line) {
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '"') quoted = !quoted;
        if (!quoted && c == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) {
            return std::string(line.substr(0, i));
        }
    }
    return std::string(line);
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// What is wrong with the bytes of one line, before anything is read into them.
std::optional<LaunchComplaint> complain_about_bytes(std::string_view line) {
    for (const char c : line) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte == '\r') {
            return LaunchComplaint{"carriage return", "save the file with Unix line ends"};
        }
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            std::array<char, 40> text{};
            std::snprintf(
                text.data(), text.size(), "control character 0x%02x", static_cast<unsigned>(byte));
            return LaunchComplaint{text.data(), "only text, spaces, tabs and newlines belong here"};
        }
    }
    if (!g_utf8_validate(line.data(), static_cast<gssize>(line.size()), nullptr)) {
        return LaunchComplaint{"not valid UTF-8", "save the file as UTF-8"};
    }
    return std::nullopt;
}

std::optional<LaunchComplaint> complain_about_placeholders(std::string_view line) {
    for (std::size_t start = line.find("${"); start != std::string_view::npos;
         start = line.find("${", start + 2)) {
        const std::size_t end = line.find('}', start);
        if (end == std::string_view::npos) {
            return LaunchComplaint{"placeholder without its closing brace",
                                   "write ${name} on one line"};
        }
        const std::string_view name = line.substr(start + 2, end - start - 2);
        if (std::find(kPlaceholders.begin(), kPlaceholders.end(), name) != kPlaceholders.end())
            continue;
        const std::string_view near = config::nearest(name, kPlaceholders);
        std::string hint;
        if (near.empty()) {
            hint = "known:";
            for (std::string_view known : kPlaceholders) hint += " " + std::string(known);
        } else {
            hint = "did you mean ${" + std::string(near) + "}?";
        }
        return LaunchComplaint{"unknown placeholder ${" + std::string(name) + "}", std::move(hint)};
    }
    return std::nullopt;
}

/// Reads sections line by line. One pass, first error wins.
class Splitter {
public:
    explicit Splitter(std::string path) { source_.path = std::move(path); }

    base::Result<void> line(int number, std::string_view raw) {
        if (auto complaint = complain_about_bytes(raw))
            return refuse(source_, number, std::move(*complaint));
        const std::string text = without_comment(raw);
        const std::string_view content = trimmed(text);
        if (content.starts_with('[')) return header(number, content);
        if (!content.empty() && current_ == nullptr) {
            return refuse(source_,
                          number,
                          {"text outside a section", "begin with a line [inbound] or [outbound]"});
        }
        if (auto complaint = complain_about_placeholders(text)) {
            return refuse(source_, number, std::move(*complaint));
        }
        if (current_ != nullptr) current_->body += text + '\n';
        return {};
    }

    base::Result<LaunchSource> finish() {
        for (const LaunchSide side : {LaunchSide::Inbound, LaunchSide::Outbound}) {
            if (source_.section(side).header_line != 0) continue;
            return refuse(source_,
                          1,
                          {"section [" + std::string(name_of(side)) + "] is missing",
                           "a file needs [inbound] and [outbound]"});
        }
        return std::move(source_);
    }

private:
    base::Result<void> header(int number, std::string_view content) {
        if (content == "[inbound]") {
            current_ = &source_.inbound;
        } else if (content == "[outbound]") {
            current_ = &source_.outbound;
        } else {
            const std::size_t end = content.find(']');
            if (end != std::string_view::npos && end + 1 < content.size()) {
                return refuse(
                    source_,
                    number,
                    {"text after the section name " + std::string(content.substr(0, end + 1)),
                     "a section name stands alone on its line"});
            }
            return refuse(
                source_,
                number,
                {"unknown section " + std::string(content), "there are [inbound] and [outbound]"});
        }
        if (current_->header_line != 0) {
            return refuse(source_,
                          number,
                          {"section " + std::string(content) + " stands here a second time",
                           "the first is on line " + std::to_string(current_->header_line)});
        }
        current_->header_line = number;
        return {};
    }

    LaunchSource source_;
    LaunchSection* current_ = nullptr;
};

}  // namespace

tl::unexpected<base::Error> refuse(const LaunchSource& source,
                                   int line,
                                   LaunchComplaint complaint) {
    std::string message = source.path + ":" + std::to_string(line) + ": " + complaint.reason;
    if (!complaint.hint.empty()) message += " (" + complaint.hint + ")";
    return base::fail(base::ErrorCode::Malformed, std::move(message));
}

base::Result<LaunchSource> read_launch_source(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        const int why = errno;
        if (why == ENOENT)
            return base::fail(base::ErrorCode::NotFound, path + ": there is no such file");
        return base::fail_errno(path + ": cannot be opened", why);
    }
    std::string text(kMaxLaunchBytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad() || (file.fail() && !file.eof())) {
        return base::fail(base::ErrorCode::Io, path + ": cannot be read", "is it a folder?");
    }
    text.resize(static_cast<std::size_t>(file.gcount()));
    return split_launch_text(path, text);
}

base::Result<LaunchSource> split_launch_text(std::string path, std::string_view text) {
    if (text.size() > kMaxLaunchBytes) {
        LaunchSource source;
        source.path = std::move(path);
        return refuse(source, 1, {"larger than 64 KiB", "this cannot be a pipeline"});
    }
    Splitter splitter(std::move(path));
    for (int number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (auto done = splitter.line(number, text.substr(0, end)); !done) {
            return tl::make_unexpected(std::move(done.error()));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return splitter.finish();
}

bool uses_codec_elements(std::string_view body) {
    return std::any_of(
        kPlaceholders.begin(), kPlaceholders.begin() + kCodecElements, [&](std::string_view name) {
            return body.find("${" + std::string(name) + "}") != std::string_view::npos;
        });
}

base::Result<std::string> expand_codec(std::string_view body, model::Codec codec) {
    const model::CodecFacts& facts = model::facts_of(codec);
    const std::optional<StockElements> stock = stock_elements(codec);
    if (!stock && uses_codec_elements(body)) {
        return base::fail(base::ErrorCode::Unsupported,
                          std::string(facts.name) +
                              " has no stock GStreamer codec on Debian 12, so ${encoder} and its "
                              "companions cannot be "
                              "filled in");
    }
    return substitute(body, [&](std::string_view name) -> std::optional<std::string> {
        if (name == "sample_rate") return std::to_string(facts.sample_rate_hz);
        if (name == "clock_rate") return std::to_string(facts.rtp_clock_hz);
        if (!stock) return std::nullopt;
        if (name == "depayloader") return std::string(stock->depayloader);
        if (name == "decoder") return std::string(stock->decoder);
        if (name == "encoder") return std::string(stock->encoder);
        if (name == "payloader") return std::string(stock->payloader);
        return std::nullopt;
    });
}

std::string expand_values(std::string_view text, const LaunchValues& values) {
    return substitute(text, [&](std::string_view name) -> std::optional<std::string> {
        if (name == "payload_type") return std::to_string(values.payload_type);
        if (name == "opus_bitrate") return std::to_string(values.opus_bitrate_bps);
        if (name == "opus_complexity") return std::to_string(values.opus_complexity);
        return std::nullopt;
    });
}

}  // namespace offhook::media

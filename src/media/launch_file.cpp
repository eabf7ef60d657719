#include "media/launch_file.h"

#include <algorithm>
#include <utility>

#include "media/launch_check.h"
#include "media/launch_instance.h"
#include "media/launch_syntax.h"

namespace offhook::media {
namespace {

base::Result<void> check_values(const LaunchValues& values) {
    const auto within = [](const char* what, int value, int low, int high) -> base::Result<void> {
        if (value >= low && value <= high) return {};
        return base::fail(base::ErrorCode::InvalidArgument,
                          std::string(what) + " " + std::to_string(value) + " is not from " +
                              std::to_string(low) + " to " + std::to_string(high));
    };
    return within("payload type", values.payload_type, 0, 127)
        .and_then([&] { return within("Opus complexity", values.opus_complexity, 0, 10); })
        .and_then([&] { return within("Opus bit rate", values.opus_bitrate_bps, 6000, 64000); });
}

/// Our reading of the text and GStreamer's must be the same one: as many elements of the same
/// kinds.
base::Result<void> check_same_reading(const LaunchSource& source,
                                      LaunchSide side,
                                      const LaunchGraph& graph,
                                      const std::string& text) {
    std::vector<std::string> ours;
    for (const LaunchChain& chain : graph) {
        for (const LaunchNode& node : chain) {
            if (node.kind == LaunchNode::Kind::Element) ours.push_back(node.word);
            if (node.kind == LaunchNode::Kind::Caps) ours.emplace_back("capsfilter");
        }
    }
    auto bin = parse_bin(text);
    const int line = source.section(side).header_line;
    if (!bin)
        return refuse(source, line, {"GStreamer cannot parse the section", bin.error().cause});
    std::vector<std::string> theirs;
    for (GList* item = GST_BIN_CHILDREN(bin->get()); item; item = item->next) {
        theirs.emplace_back(GST_OBJECT_NAME(gst_element_get_factory(GST_ELEMENT(item->data))));
    }
    std::sort(ours.begin(), ours.end());
    std::sort(theirs.begin(), theirs.end());
    if (ours == theirs) return {};
    return refuse(
        source,
        line,
        {"GStreamer reads this section in another way", "please report it with the file"});
}

LaunchValues sample_values(model::Codec codec) {
    return {.codec = codec, .payload_type = model::facts_of(codec).default_payload_type};
}

}  // namespace

base::Result<std::shared_ptr<const LaunchFile>> LaunchFile::load(const std::string& path,
                                                                 const LaunchRules& rules) {
    return read_launch_source(path).and_then(
        [&](LaunchSource&& source) { return check(std::move(source), rules); });
}

base::Result<std::shared_ptr<const LaunchFile>> LaunchFile::from_text(std::string path,
                                                                      std::string_view text,
                                                                      const LaunchRules& rules) {
    return split_launch_text(std::move(path), text).and_then([&](LaunchSource&& source) {
        return check(std::move(source), rules);
    });
}

base::Result<std::shared_ptr<const LaunchFile>> LaunchFile::check(LaunchSource source,
                                                                  const LaunchRules& rules) {
    std::shared_ptr<LaunchFile> file(new LaunchFile);
    file->path_ = source.path;
    for (const model::CodecFacts& facts : model::kCodecs) {
        if (auto done = file->check_codec(source, facts.codec, rules); !done) {
            return tl::make_unexpected(std::move(done.error()));
        }
    }
    const bool any = std::any_of(file->variants_.begin(),
                                 file->variants_.end(),
                                 [](const auto& variant) { return variant.has_value(); });
    if (!any) {
        return refuse(source,
                      source.outbound.header_line,
                      {"the file fits no codec", "its stock elements are of more than one codec"});
    }
    return file;
}

base::Result<void> LaunchFile::check_codec(const LaunchSource& source,
                                           model::Codec codec,
                                           const LaunchRules& rules) {
    Variant variant;
    std::vector<std::string> elements;
    LaunchNames names;
    std::array<LaunchGraph, 2> graphs;
    for (const LaunchSide side : {LaunchSide::Inbound, LaunchSide::Outbound}) {
        auto text = expand_codec(source.section(side).body, codec);
        if (!text) return {};  // not a fault of the file: supports() says no
        LaunchGraph& graph = graphs[static_cast<std::size_t>(side)];
        auto parsed = parse_launch(source,
                                   expand_values(*text, sample_values(codec)),
                                   source.section(side).header_line + 1);
        if (!parsed) return tl::make_unexpected(std::move(parsed.error()));
        graph = std::move(*parsed);
        (side == LaunchSide::Inbound ? variant.inbound : variant.outbound) = std::move(*text);
    }
    // Elements of one codec written out: the file is for that codec, and the others need no check.
    if (std::any_of(graphs.begin(), graphs.end(), [&](const auto& graph) {
            return !fits_codec(graph, codec);
        })) {
        return {};
    }
    for (const LaunchSide side : {LaunchSide::Inbound, LaunchSide::Outbound}) {
        const LaunchGraph& graph = graphs[static_cast<std::size_t>(side)];
        auto findings = check_section(source, side, graph, rules, names);
        if (!findings) return tl::make_unexpected(std::move(findings.error()));
        const std::string& text = side == LaunchSide::Inbound ? variant.inbound : variant.outbound;
        auto same =
            check_same_reading(source, side, graph, expand_values(text, sample_values(codec)));
        if (!same) return same;
        if (side == LaunchSide::Inbound) variant.inbound_open = findings->open_end;
        elements.insert(elements.end(), findings->elements.begin(), findings->elements.end());
    }
    if (elements_.empty()) elements_ = std::move(elements);
    variants_[static_cast<std::size_t>(codec)] = std::move(variant);
    return {};
}

bool LaunchFile::supports(model::Codec codec) const noexcept {
    return variants_[static_cast<std::size_t>(codec)].has_value();
}

base::Result<LaunchBins> LaunchFile::instantiate(const LaunchValues& values) const {
    const std::optional<Variant>& variant = variants_[static_cast<std::size_t>(values.codec)];
    if (!variant) {
        return base::fail(
            base::ErrorCode::Unsupported,
            path_ + " does not support " + std::string(model::facts_of(values.codec).name));
    }
    if (auto done = check_values(values); !done)
        return tl::make_unexpected(std::move(done.error()));
    LaunchBins bins;
    for (auto [text, bin] :
         {std::pair{&variant->inbound, &bins.inbound}, {&variant->outbound, &bins.outbound}}) {
        auto parsed = parse_bin(expand_values(*text, values));
        if (!parsed) return tl::make_unexpected(std::move(parsed.error()));
        *bin = std::move(*parsed);
    }
    if (variant->inbound_open) {
        if (auto done = close_open_end(bins.inbound.get()); !done) {
            return tl::make_unexpected(std::move(done.error()));
        }
    }
    bins.in = child_named(bins.inbound.get(), "in");
    bins.tap = child_named(bins.inbound.get(), "tap");
    bins.voice = child_named(bins.outbound.get(), "voice");
    bins.out = child_named(bins.outbound.get(), "out");
    if (!bins.in || !bins.tap || !bins.voice || !bins.out) {
        return base::fail(base::ErrorCode::Internal, path_ + ": a checked pipeline lost an anchor");
    }
    return bins;
}

}  // namespace offhook::media

#include "media/launch_instance.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "glib/error_out.h"

namespace offhook::media {
namespace {

using Kind = LaunchNode::Kind;
using glib::Ref;

/// Names of the dry instance's unnamed elements, so that what GStreamer says leads back to a line.
constexpr std::string_view kCheckName = "offhook-check-";

std::string instance_name(const LaunchNode& node, std::size_t index) {
    return node.name().empty() ? std::string(kCheckName) + std::to_string(index)
                               : std::string(node.name());
}

/// Launch text of the first `count` nodes of the graph, counted through its chains. The text is
/// made anew rather than cut out of the file: each value in quotes, each element named.
std::string text_of(const LaunchGraph& graph, std::size_t count) {
    std::string text;
    std::size_t index = 0;
    for (const LaunchChain& chain : graph) {
        for (std::size_t i = 0; i < chain.size() && index < count; ++i, ++index) {
            const LaunchNode& node = chain[i];
            // Caps that would come last have nothing to filter yet.
            if (node.kind == Kind::Caps && index + 1 == count) return text;
            text += i == 0 ? "  " : " ! ";
            text += node.word;
            if (node.kind == Kind::Branch) text += '.';
            if (node.kind != Kind::Element) continue;
            text += " name=" + instance_name(node, index);
            for (const LaunchProperty& property : node.properties) {
                if (property.name == "name") continue;
                text += ' ' + property.name + "=\"" + property.value + '"';
            }
        }
    }
    return text;
}

std::size_t count_nodes(const LaunchGraph& graph) {
    std::size_t count = 0;
    for (const LaunchChain& chain : graph) count += chain.size();
    return count;
}

const LaunchNode& node_at(const LaunchGraph& graph, std::size_t index) {
    for (const LaunchChain& chain : graph) {
        if (index < chain.size()) return chain[index];
        index -= chain.size();
    }
    return graph.back().back();
}

std::vector<Ref<GstPad>> pads_of(GstElement* element) {
    std::vector<Ref<GstPad>> pads;
    gst_element_foreach_pad(
        element,
        [](GstElement*, GstPad* pad, gpointer list) -> gboolean {
            static_cast<std::vector<Ref<GstPad>>*>(list)->push_back(Ref<GstPad>::share(pad));
            return TRUE;
        },
        &pads);
    return pads;
}

/// Whether the pad may stay unlinked: aitap's way out and linekeeper's way in are optional.
bool may_dangle(GstElement* element, GstPad* pad) {
    GstElementFactory* factory = gst_element_get_factory(element);
    const std::string_view name = factory ? GST_OBJECT_NAME(factory) : "";
    return (name == "aitap" && GST_PAD_IS_SRC(pad)) ||
           (name == "linekeeper" && GST_PAD_IS_SINK(pad));
}

/// The words of the last error that somebody in the bin posted.
std::string last_error(GstBus* bus) {
    std::string words;
    while (GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR)) {
        glib::GErrorOut error;
        gst_message_parse_error(message, error, nullptr);
        words = error.text();
        gst_message_unref(message);
    }
    return words;
}

/// A dry instance of one section; NULL again when it goes.
class DryInstance {
public:
    DryInstance(const LaunchSource& source, const LaunchGraph& graph)
        : source_(source), graph_(graph) {}
    DryInstance(const DryInstance&) = delete;
    DryInstance& operator=(const DryInstance&) = delete;
    ~DryInstance() {
        if (bin_) {
            gst_element_set_state(bin_.get(), GST_STATE_NULL);
            gst_element_set_bus(bin_.get(), nullptr);
        }
    }

    base::Result<void> build() {
        auto parsed = parse_bin(text_of(graph_, count_nodes(graph_)));
        if (!parsed) return blame_link(parsed.error());
        bin_ = std::move(*parsed);
        std::size_t index = 0;
        for (const LaunchChain& chain : graph_) {
            for (const LaunchNode& node : chain) {
                if (node.kind == Kind::Element) {
                    elements_.emplace_back(&node,
                                           child_named(bin_.get(), instance_name(node, index)));
                }
                ++index;
            }
        }
        return {};
    }

    /// The last element of a section may be open (the caller judged that from the text); nothing
    /// else may.
    base::Result<void> check_pads() {
        for (const auto& [node, element] : elements_) {
            for (const auto& pad : pads_of(element)) {
                if (gst_pad_is_linked(pad.get()) || may_dangle(element, pad.get())) continue;
                if (GST_PAD_IS_SRC(pad.get()) && node == &graph_.front().back()) continue;
                return bad(*node,
                           {"pad \"" + std::string(GST_OBJECT_NAME(pad.get())) + "\" of \"" +
                                node->word + "\" is linked to nothing",
                            "every pad of a chain must lead somewhere"});
            }
        }
        return {};
    }

    base::Result<void> to_ready() {
        const auto bus = Ref<GstBus>::adopt(gst_bus_new());
        gst_element_set_bus(bin_.get(), bus.get());
        for (const auto& [node, element] : elements_) {
            if (gst_element_set_state(element, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE)
                continue;
            const std::string words = last_error(bus.get());
            return bad(*node,
                       {"element \"" + node->word + "\" cannot be made ready",
                        words.empty() ? "GST_DEBUG=3 says more" : words});
        }
        return {};
    }

    /// Formats that templates allow but the elements as configured do not.
    base::Result<void> check_formats() {
        for (const auto& [node, element] : elements_) {
            for (const auto& pad : pads_of(element)) {
                const auto peer = Ref<GstPad>::adopt(gst_pad_get_peer(pad.get()));
                if (!GST_PAD_IS_SINK(pad.get()) || !peer) continue;
                const auto takes = Ref<GstCaps>::adopt(gst_pad_query_caps(pad.get(), nullptr));
                const auto gives = Ref<GstCaps>::adopt(gst_pad_query_caps(peer.get(), nullptr));
                if (gst_caps_can_intersect(takes.get(), gives.get())) continue;
                return bad(
                    *node,
                    {"what comes before \"" + node->word + "\" gives no format that it takes",
                     "put audioconvert before it, and after it to come back"});
            }
        }
        return {};
    }

private:
    [[nodiscard]] tl::unexpected<base::Error> bad(const LaunchNode& node,
                                                  LaunchComplaint complaint) const {
        return refuse(source_, node.line, std::move(complaint));
    }

    /// The parser names elements, not lines: grow the text node by node until it fails for the
    /// first time.
    base::Result<void> blame_link(const base::Error& whole) const {
        const LaunchNode* culprit = nullptr;
        if (whole.code == base::ErrorCode::Unsupported) {
            for (std::size_t length = count_nodes(graph_); length > 0; --length) {
                const LaunchNode& node = node_at(graph_, length - 1);
                if (node.kind != Kind::Element) continue;
                if (parse_bin(text_of(graph_, length))) break;
                culprit = &node;
            }
        }
        if (culprit == nullptr) {
            return refuse(source_,
                          node_at(graph_, 0).line,
                          {"GStreamer cannot parse the section", whole.cause});
        }
        return bad(*culprit,
                   {"\"" + culprit->word +
                        "\" cannot follow what is before it: they have no format in common",
                    "put audioconvert before it, and after it to come back"});
    }

    const LaunchSource& source_;
    const LaunchGraph& graph_;
    Ref<GstElement> bin_;
    std::vector<std::pair<const LaunchNode*, GstElement*>> elements_;
};

}  // namespace

base::Result<Ref<GstElement>> parse_bin(const std::string& text) {
    glib::GErrorOut error;
    // The bin form, because gst_parse_launch returns a lone element where there is only one; no
    // ghost pads, because a section has no open ends that anybody links.
    auto bin = Ref<GstElement>::sink(gst_parse_bin_from_description_full(
        text.c_str(), FALSE, nullptr, GST_PARSE_FLAG_FATAL_ERRORS, error));
    if (error.get() != nullptr || !bin) {
        const bool link = g_error_matches(error.get(), GST_PARSE_ERROR, GST_PARSE_ERROR_LINK);
        return error.fail(link ? base::ErrorCode::Unsupported : base::ErrorCode::Internal,
                          "a checked pipeline does not parse");
    }
    return bin;
}

GstElement* child_named(GstElement* bin, std::string_view name) {
    for (GList* item = GST_BIN_CHILDREN(bin); item; item = item->next) {
        if (name == GST_OBJECT_NAME(item->data)) return GST_ELEMENT(item->data);
    }
    return nullptr;
}

base::Result<void> close_open_end(GstElement* bin) {
    Ref<GstPad> open;
    for (GList* item = GST_BIN_CHILDREN(bin); item; item = item->next) {
        for (const auto& pad : pads_of(GST_ELEMENT(item->data))) {
            if (GST_PAD_IS_SINK(pad.get()) || gst_pad_is_linked(pad.get())) continue;
            if (!may_dangle(GST_ELEMENT(item->data), pad.get())) open = pad;
        }
    }
    if (!open)
        return base::fail(base::ErrorCode::Internal,
                          "a pipeline that should be open has no free pad");
    GstElement* sink = gst_element_factory_make("fakesink", nullptr);
    if (sink == nullptr)
        return base::fail(base::ErrorCode::Unavailable, "GStreamer's fakesink is missing");
    g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
    gst_bin_add(GST_BIN(bin), sink);
    const auto pad = Ref<GstPad>::adopt(gst_element_get_static_pad(sink, "sink"));
    if (gst_pad_link(open.get(), pad.get()) != GST_PAD_LINK_OK) {
        return base::fail(base::ErrorCode::Internal, "the open end of a pipeline cannot be closed");
    }
    return {};
}

base::Result<void> check_instance(const LaunchSource& source, const LaunchGraph& graph) {
    DryInstance instance(source, graph);
    return instance.build()
        .and_then([&] { return instance.check_pads(); })
        .and_then([&] { return instance.to_ready(); })
        .and_then([&] { return instance.check_formats(); });
}

}  // namespace offhook::media

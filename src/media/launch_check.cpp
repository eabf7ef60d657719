#include "media/launch_check.h"

#include <gst/gst.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "config/nearest.h"
#include "glib/ref.h"
#include "media/launch_instance.h"
#include "media/launch_property.h"

namespace offhook::media {
namespace {

using Kind = LaunchNode::Kind;

/// Which pads a factory's templates promise.
struct Pads {
    bool in = false;             ///< a sink pad, always there or on request
    bool out = false;            ///< a src pad, always there or on request
    bool out_sometimes = false;  ///< a src pad that appears while running
};

Pads pads_of(GstElementFactory* factory) {
    Pads pads;
    for (const GList* item = gst_element_factory_get_static_pad_templates(factory); item;
         item = item->next) {
        const auto* pad = static_cast<const GstStaticPadTemplate*>(item->data);
        const bool sometimes = pad->presence == GST_PAD_SOMETIMES;
        if (pad->direction == GST_PAD_SINK) {
            pads.in = pads.in || !sometimes;
        } else {
            (sometimes ? pads.out_sometimes : pads.out) = true;
        }
    }
    return pads;
}

std::string quoted(std::string_view text) {
    return '"' + std::string(text) + '"';
}

/// Checks one section from its text towards the registry, cheapest and most helpful reason first.
class SectionChecker {
public:
    SectionChecker(const LaunchSource& source,
                   LaunchSide side,
                   const LaunchGraph& graph,
                   const LaunchRules& rules,
                   LaunchNames& names)
        : source_(source), side_(side), graph_(graph), rules_(rules), names_(names) {}

    base::Result<LaunchFindings> run() {
        using Step = base::Result<void> (SectionChecker::*)();
        for (const Step step : {&SectionChecker::check_names,
                                &SectionChecker::check_threads,
                                &SectionChecker::check_installed,
                                &SectionChecker::check_allowed,
                                &SectionChecker::make_samples,
                                &SectionChecker::check_properties,
                                &SectionChecker::check_anchors,
                                &SectionChecker::check_chains,
                                &SectionChecker::check_links}) {
            if (auto done = (this->*step)(); !done)
                return tl::make_unexpected(std::move(done.error()));
        }
        for_each_element([&](const LaunchNode& node) { findings_.elements.push_back(node.word); });
        if (auto done = check_instance(source_, graph_); !done)
            return tl::make_unexpected(std::move(done.error()));
        return std::move(findings_);
    }

private:
    template <class Visit>
    void for_each_element(Visit visit) const {
        for (const LaunchChain& chain : graph_) {
            for (const LaunchNode& node : chain) {
                if (node.kind == Kind::Element) visit(node);
            }
        }
    }
    /// Refuses at the first element that `complain` has something to say about.
    template <class Complain>
    base::Result<void> for_each_element_ok(Complain complain) const {
        for (const LaunchChain& chain : graph_) {
            for (const LaunchNode& node : chain) {
                if (node.kind != Kind::Element) continue;
                if (auto complaint = complain(node)) return bad(node.line, std::move(*complaint));
            }
        }
        return {};
    }
    [[nodiscard]] tl::unexpected<base::Error> bad(int line, LaunchComplaint complaint) const {
        return refuse(source_, line, std::move(complaint));
    }
    [[nodiscard]] const LaunchNode* element_named(std::string_view name) const {
        const LaunchNode* found = nullptr;
        for_each_element([&](const LaunchNode& node) {
            if (node.name() == name) found = &node;
        });
        return found;
    }
    GstElement* sample(const LaunchNode& node) { return samples_[node.word].get(); }

    base::Result<void> check_names() {
        for (const LaunchChain& chain : graph_) {
            for (const LaunchNode& node : chain) {
                for (const LaunchProperty& property : node.properties) {
                    if (property.name != "name") continue;
                    if (auto complaint = complain_about_name(property.value))
                        return bad(property.line, *complaint);
                    names_.insert(property.value);
                }
            }
        }
        return {};
    }

    std::optional<LaunchComplaint> complain_about_name(const std::string& name) const {
        const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
            return g_ascii_isalnum(c) || c == '-' || c == '_';
        });
        if (!plain)
            return LaunchComplaint{"name=" + quoted(name) + " is not a name",
                                   "letters, digits, - and _"};
        if (names_.contains(name)) {
            return LaunchComplaint{"the name " + quoted(name) + " is used twice",
                                   "names are unique in a file"};
        }
        return std::nullopt;
    }

    base::Result<void> check_threads() {
        return for_each_element_ok(
            [&](const LaunchNode& node) { return complain_about_thread(node.word, rules_); });
    }

    /// All missing elements in one refusal, each with its package: nobody wants to install them one
    /// error at a time.
    base::Result<void> check_installed() {
        std::string missing;
        std::string hints;
        int line = 0;
        std::set<std::string> seen;
        for_each_element([&](const LaunchNode& node) {
            const auto factory =
                glib::Ref<GstElementFactory>::adopt(gst_element_factory_find(node.word.c_str()));
            if (factory || !seen.insert(node.word).second) return;
            if (line == 0) line = node.line;
            missing += (missing.empty() ? "" : ", ") + quoted(node.word);
            const std::string_view package = debian_package_of(node.word);
            const std::string_view near = config::nearest(node.word, allowed_factories(rules_));
            std::string hint;
            if (!package.empty()) {
                hint = quoted(node.word) + " is in the Debian package " + std::string(package);
            } else if (!near.empty()) {
                hint = "did you mean " + quoted(near) + "?";
            } else {
                hint = "gst-inspect-1.0 lists what is installed";
            }
            if (hints.find(hint) == std::string::npos) hints += (hints.empty() ? "" : "; ") + hint;
        });
        if (line == 0) return {};
        return bad(
            line,
            {(seen.size() > 1 ? "no such elements: " : "no such element: ") + missing, hints});
    }

    base::Result<void> check_allowed() {
        return for_each_element_ok([&](const LaunchNode& node) {
            return complain_about_factory(node.word, side_, rules_);
        });
    }

    /// One scratch instance per factory, for its class, its pads and the name GStreamer would give
    /// it.
    base::Result<void> make_samples() {
        return for_each_element_ok([&](const LaunchNode& node) -> std::optional<LaunchComplaint> {
            glib::Ref<GstElement>& made = samples_[node.word];
            if (!made)
                made = glib::Ref<GstElement>::sink(
                    gst_element_factory_make(node.word.c_str(), nullptr));
            if (!made) {
                return LaunchComplaint{"element " + quoted(node.word) + " cannot be created",
                                       "GST_DEBUG=3 gst-inspect-1.0 " + node.word + " may say why"};
            }
            if (!rules_.allow_threads) {
                if (auto complaint = complain_about_type(node.word, made.get())) return complaint;
            }
            return complain_about_automatic_name(made.get());
        });
    }

    /// What complain_about_thread's table cannot know: elements of other plugins, by what they are
    /// made from.
    static std::optional<LaunchComplaint> complain_about_type(const std::string& word,
                                                              GstElement* element) {
        for (const char* base : {"GstBaseSrc", "GstAggregator"}) {
            const GType type = g_type_from_name(base);
            if (type != 0 && g_type_is_a(G_OBJECT_TYPE(element), type)) {
                return LaunchComplaint{
                    "element " + quoted(word) + " is refused: it starts a thread of its own",
                    "it is a " + std::string(base) + "; the media worker drives the whole chain"};
            }
        }
        if (GST_IS_BIN(element)) {
            return LaunchComplaint{
                "element " + quoted(word) + " is refused: it is a bin that hides its parts",
                "write the parts into the chain"};
        }
        return std::nullopt;
    }

    /// GStreamer numbers unnamed elements through the whole process ("level17"): a chosen name of
    /// that shape would collide one day, in the middle of a busy afternoon.
    std::optional<LaunchComplaint> complain_about_automatic_name(GstElement* made) const {
        const auto stem = [](std::string_view name) {
            while (!name.empty() && g_ascii_isdigit(name.back())) name.remove_suffix(1);
            return name;
        };
        const glib::UniqueString automatic(gst_object_get_name(GST_OBJECT(made)));
        for (const std::string& name : names_) {
            if (stem(name).size() == name.size() || stem(name) != stem(automatic.get())) continue;
            return LaunchComplaint{
                "the name " + quoted(name) + " may collide with one that GStreamer gives",
                "take a name that does not end with a digit"};
        }
        return std::nullopt;
    }

    base::Result<void> check_properties() {
        for (const LaunchChain& chain : graph_) {
            for (const LaunchNode& node : chain) {
                if (node.kind == Kind::Caps) {
                    if (auto done = check_caps(node); !done) return done;
                }
                for (const LaunchProperty& property : node.properties) {
                    if (property.name == "name") continue;
                    auto complaint = complain_about_value(
                        G_OBJECT(sample(node)), node.word, property.name, property.value);
                    if (!complaint)
                        complaint =
                            complain_about_property(node.word, property.name, property.value);
                    if (complaint) return bad(property.line, std::move(*complaint));
                }
                if (auto done = check_sink(node); !done) return done;
            }
        }
        return {};
    }

    base::Result<void> check_caps(const LaunchNode& node) const {
        const auto caps = glib::Ref<GstCaps>::adopt(gst_caps_from_string(node.word.c_str()));
        if (caps && !gst_caps_is_empty(caps.get())) return {};
        return bad(node.line,
                   {"caps " + quoted(node.word) + " cannot be read",
                    "like audio/x-raw,rate=8000,channels=1"});
    }

    /// A sink must neither wait for the clock nor hold up the pipeline's start.
    base::Result<void> check_sink(const LaunchNode& node) {
        if (node.kind != Kind::Element ||
            !GST_OBJECT_FLAG_IS_SET(sample(node), GST_ELEMENT_FLAG_SINK))
            return {};
        for (const char* name : {"sync", "async"}) {
            GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(sample(node)), name);
            if (spec == nullptr || spec->value_type != G_TYPE_BOOLEAN) continue;
            gboolean value = FALSE;
            g_object_get(sample(node), name, &value, nullptr);
            int line = node.line;
            for (const LaunchProperty& property : node.properties) {
                if (property.name != name) continue;
                value = property.value == "true";
                line = property.line;
            }
            if (value) {
                return bad(line,
                           {"sink " + quoted(node.word) + " has " + std::string(name) + "=true",
                            "write sync=false async=false: only the worker's tick paces a call"});
            }
        }
        return {};
    }

    base::Result<void> check_anchors() {
        for (const LaunchAnchor& anchor : kLaunchAnchors) {
            const LaunchNode* named = element_named(anchor.name);
            if (anchor.side != side_) {
                if (named == nullptr) continue;
                return bad(named->line,
                           {"name=" + std::string(anchor.name) + " belongs in [" +
                                std::string(name_of(anchor.side)) + "]",
                            "take another name here"});
            }
            if (named != nullptr && named->word != anchor.factory) {
                return bad(named->line,
                           {"name=" + std::string(anchor.name) + " must be " +
                                std::string(anchor.factory) + ", not " + named->word,
                            "the leg finds its parts by these names"});
            }
            const std::string wanted =
                std::string(anchor.factory) + " name=" + std::string(anchor.name);
            auto done =
                for_each_element_ok([&](const LaunchNode& node) -> std::optional<LaunchComplaint> {
                    if (node.word != anchor.factory || &node == named) return std::nullopt;
                    if (named == nullptr) {
                        return LaunchComplaint{
                            node.word + " must be called name=" + std::string(anchor.name),
                            "the leg finds its parts by these names"};
                    }
                    return LaunchComplaint{"a second " + node.word,
                                           "a section has exactly one, " + wanted};
                });
            if (!done) return done;
            if (named == nullptr) {
                return bad(source_.section(side_).header_line,
                           {"[" + std::string(name_of(side_)) + "] has no " + quoted(wanted),
                            "every file needs it exactly once"});
            }
        }
        return {};
    }

    /// One chain from the source anchor; every other chain branches from a tee.
    base::Result<void> check_chains() {
        const std::string_view source_anchor = side_ == LaunchSide::Inbound ? "in" : "voice";
        std::size_t main_chains = 0;
        for (const LaunchChain& chain : graph_) {
            const LaunchNode& head = chain.front();
            if (head.kind == Kind::Branch) {
                if (auto done = check_branch(head); !done) return done;
            } else if (head.name() == source_anchor) {
                ++main_chains;
            } else {
                const LaunchNode* anchor = element_named(source_anchor);
                const bool before = std::any_of(
                    chain.begin(), chain.end(), [&](auto& node) { return &node == anchor; });
                if (before) {
                    return bad(head.line,
                               {quoted(head.word) + " stands before " + quoted(anchor->word),
                                "the section begins with its anchor"});
                }
                return bad(head.line,
                           {"element " + quoted(head.word) + " is linked to nothing before it",
                            "is a '!' missing?"});
            }
            for (std::size_t i = 1; i < chain.size(); ++i) {
                if (chain[i].kind != Kind::Branch) continue;
                return bad(chain[i].line,
                           {"link into " + quoted(chain[i].word + "."),
                            "chains may part at a tee but not meet again"});
            }
            if (chain.back().kind == Kind::Caps) {
                return bad(chain.back().line,
                           {"caps at the end of a chain", "caps stand between two elements"});
            }
            if (auto done = check_end(chain); !done) return done;
        }
        return {};
    }

    base::Result<void> check_branch(const LaunchNode& head) const {
        const LaunchNode* origin = element_named(head.word);
        if (origin == nullptr) {
            return bad(head.line,
                       {"no element is called " + quoted(head.word),
                        "name the tee: tee name=" + head.word});
        }
        if (origin->word == "tee") return {};
        const auto factory =
            glib::Ref<GstElementFactory>::adopt(gst_element_factory_find(origin->word.c_str()));
        if (factory && pads_of(factory.get()).out_sometimes) {
            return bad(
                head.line,
                {quoted(head.word + ".") + " waits for a pad that appears while running",
                 "such a link fails without a word; use elements whose pads are always there"});
        }
        return bad(head.line,
                   {"only a tee can be branched from, not " + quoted(origin->word),
                    "write tee name=t ... t."});
    }

    base::Result<void> check_end(const LaunchChain& chain) {
        const LaunchNode& end = chain.back();
        if (end.kind != Kind::Element) {
            return bad(
                end.line,
                {quoted(end.word + ".") + " leads nowhere", "write " + end.word + ". ! element"});
        }
        const auto factory =
            glib::Ref<GstElementFactory>::adopt(gst_element_factory_find(end.word.c_str()));
        const Pads pads = pads_of(factory.get());
        const bool is_open = (pads.out || pads.out_sometimes) && end.word != "aitap";
        if (!is_open) return {};
        const bool is_main = chain.front().kind == Kind::Element;
        if (is_main && side_ == LaunchSide::Inbound && end.word != "tee") {
            findings_.open_end = true;
            return {};
        }
        return bad(end.line,
                   {"the chain ends at " + quoted(end.word) + " and its sound goes nowhere",
                    side_ == LaunchSide::Outbound && is_main
                        ? "end it with rtpcallsink name=out"
                        : "end it with fakesink sync=false async=false"});
    }

    /// Pads that exist before the first packet, on both ends of each '!'.
    base::Result<void> check_links() {
        for (const LaunchChain& chain : graph_) {
            for (std::size_t i = 1; i < chain.size(); ++i) {
                const LaunchNode& node = chain[i];
                const LaunchNode& before =
                    chain[i - 1].kind == Kind::Caps ? chain[i - 2] : chain[i - 1];
                if (before.kind == Kind::Element) {
                    const auto factory = glib::Ref<GstElementFactory>::adopt(
                        gst_element_factory_find(before.word.c_str()));
                    const Pads pads = pads_of(factory.get());
                    if (!pads.out && pads.out_sometimes) {
                        return bad(node.line,
                                   {quoted(before.word) + " has its source pads only while running",
                                    "such a link fails without a word; use elements whose pads are "
                                    "always there"});
                    }
                    if (!pads.out) {
                        return bad(node.line,
                                   {quoted(before.word) + " is an end: nothing can follow it",
                                    "remove the '!'"});
                    }
                }
                if (node.kind != Kind::Element) continue;
                const auto factory = glib::Ref<GstElementFactory>::adopt(
                    gst_element_factory_find(node.word.c_str()));
                if (!pads_of(factory.get()).in) {
                    return bad(node.line,
                               {quoted(node.word) + " is a beginning: nothing can lead to it",
                                "remove the '!'"});
                }
            }
        }
        return {};
    }

    const LaunchSource& source_;
    LaunchSide side_;
    const LaunchGraph& graph_;
    const LaunchRules& rules_;
    LaunchNames& names_;
    std::map<std::string, glib::Ref<GstElement>> samples_;
    LaunchFindings findings_;
};

struct CodecElement {
    std::string_view factory;
    model::Codec codec;
};

constexpr std::array kCodecElements{
    CodecElement{"mulawenc", model::Codec::Pcmu},
    CodecElement{"mulawdec", model::Codec::Pcmu},
    CodecElement{"rtppcmupay", model::Codec::Pcmu},
    CodecElement{"rtppcmudepay", model::Codec::Pcmu},
    CodecElement{"alawenc", model::Codec::Pcma},
    CodecElement{"alawdec", model::Codec::Pcma},
    CodecElement{"rtppcmapay", model::Codec::Pcma},
    CodecElement{"rtppcmadepay", model::Codec::Pcma},
    CodecElement{"opusenc", model::Codec::Opus},
    CodecElement{"opusdec", model::Codec::Opus},
    CodecElement{"rtpopuspay", model::Codec::Opus},
    CodecElement{"rtpopusdepay", model::Codec::Opus},
};

}  // namespace

base::Result<LaunchFindings> check_section(const LaunchSource& source,
                                           LaunchSide side,
                                           const LaunchGraph& graph,
                                           const LaunchRules& rules,
                                           LaunchNames& names) {
    return SectionChecker(source, side, graph, rules, names).run();
}

bool fits_codec(const LaunchGraph& graph, model::Codec codec) {
    for (const LaunchChain& chain : graph) {
        for (const LaunchNode& node : chain) {
            for (const CodecElement& element : kCodecElements) {
                if (node.word == element.factory && element.codec != codec) return false;
            }
        }
    }
    return true;
}

}  // namespace offhook::media

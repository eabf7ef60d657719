#include "media/launch_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "launch_texts.h"

namespace offhook::media {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the texts of this test
using base::ErrorCode;
using model::Codec;
using Names = std::vector<std::string>;

std::shared_ptr<const LaunchFile> load(const std::string& text, const LaunchRules& rules = {}) {
    auto file = LaunchFile::from_text("f.launch", text, rules);
    EXPECT_TRUE(file) << file.error().text();
    return file ? *file : nullptr;
}

std::vector<std::string> factories_in(GstElement* bin) {
    std::vector<std::string> names;
    for (GList* item = GST_BIN_CHILDREN(bin); item; item = item->next) {
        names.emplace_back(GST_OBJECT_NAME(gst_element_get_factory(GST_ELEMENT(item->data))));
    }
    return names;
}

/// Factories met from `first` on by following src pads; caps appear as "capsfilter".
std::vector<std::string> chain_from(GstElement* first) {
    std::vector<std::string> names;
    auto at = glib::Ref<GstElement>::share(first);
    while (at) {
        names.emplace_back(GST_OBJECT_NAME(gst_element_get_factory(at.get())));
        const auto src = glib::Ref<GstPad>::adopt(gst_element_get_static_pad(at.get(), "src"));
        const auto peer =
            src ? glib::Ref<GstPad>::adopt(gst_pad_get_peer(src.get())) : glib::Ref<GstPad>();
        at = peer ? glib::Ref<GstElement>::adopt(gst_pad_get_parent_element(peer.get()))
                  : glib::Ref<GstElement>();
    }
    return names;
}

TEST(LaunchFile, FusedFileSupportsEveryCodec) {
    const auto file = load(kPhone);
    ASSERT_TRUE(file);
    for (const model::CodecFacts& facts : model::kCodecs) {
        EXPECT_TRUE(file->supports(facts.codec)) << facts.name;
        const auto bins =
            file->instantiate({.codec = facts.codec, .payload_type = facts.default_payload_type});
        ASSERT_TRUE(bins) << bins.error().text();
        EXPECT_EQ(chain_from(bins->in), (Names{"rtpcallsrc", "aitap"}));
        EXPECT_EQ(chain_from(bins->voice), (Names{"linekeeper", "rtpcallsink"}));
    }
    EXPECT_EQ(file->elements(), (Names{"rtpcallsrc", "aitap", "linekeeper", "rtpcallsink"}));
}

TEST(LaunchFile, StockFileSupportsAllButG722) {
    const auto file = load(kStock);
    ASSERT_TRUE(file);
    EXPECT_FALSE(file->supports(Codec::G722));
    const auto refused = file->instantiate({.codec = Codec::G722, .payload_type = 9});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);

    const auto pcma = file->instantiate({.codec = Codec::Pcma, .payload_type = 8});
    ASSERT_TRUE(pcma) << pcma.error().text();
    EXPECT_EQ(chain_from(pcma->in), (Names{"rtpcallsrc", "rtppcmadepay", "alawdec", "aitap"}));
    EXPECT_EQ(chain_from(pcma->voice),
              (Names{"linekeeper", "alawenc", "rtppcmapay", "rtpcallsink"}));
}

TEST(LaunchFile, StockOpusTakesTheNegotiatedNumbers) {
    const auto file = load(kStock);
    ASSERT_TRUE(file);
    const auto bins = file->instantiate({.codec = Codec::Opus,
                                         .payload_type = 107,
                                         .opus_complexity = 4,
                                         .opus_bitrate_bps = 32000});
    ASSERT_TRUE(bins) << bins.error().text();
    EXPECT_EQ(chain_from(bins->voice),
              (Names{"linekeeper", "opusenc", "rtpopuspay", "rtpcallsink"}));
    for (GList* item = GST_BIN_CHILDREN(bins->outbound.get()); item; item = item->next) {
        const std::string factory =
            GST_OBJECT_NAME(gst_element_get_factory(GST_ELEMENT(item->data)));
        if (factory == "opusenc") {
            int complexity = 0;
            int bitrate = 0;
            g_object_get(item->data, "complexity", &complexity, "bitrate", &bitrate, nullptr);
            EXPECT_EQ(complexity, 4);
            EXPECT_EQ(bitrate, 32000);
        }
        if (factory == "rtpopuspay") {
            guint payload_type = 0;
            g_object_get(item->data, "pt", &payload_type, nullptr);
            EXPECT_EQ(payload_type, 107U);
        }
    }
}

TEST(LaunchFile, RefusesNumbersOutOfRange) {
    const auto file = load(kPhone);
    ASSERT_TRUE(file);
    for (const LaunchValues& values : {LaunchValues{.payload_type = 128},
                                       LaunchValues{.payload_type = -1},
                                       LaunchValues{.opus_complexity = 11},
                                       LaunchValues{.opus_bitrate_bps = 5999}}) {
        const auto bins = file->instantiate(values);
        ASSERT_FALSE(bins);
        EXPECT_EQ(bins.error().code, ErrorCode::InvalidArgument);
    }
}

TEST(LaunchFile, ElementsOfOneCodecLimitTheFileToIt) {
    const auto file =
        load(outbound("linekeeper name=voice ! mulawenc ! rtppcmupay ! rtpcallsink name=out"));
    ASSERT_TRUE(file);
    EXPECT_TRUE(file->supports(Codec::Pcmu));
    EXPECT_FALSE(file->supports(Codec::Pcma));
    EXPECT_FALSE(file->supports(Codec::G722));
    EXPECT_FALSE(file->supports(Codec::Opus));
}

/// What an operator may write between and after the anchors, with what must come out.
struct GoodFile {
    const char* name;
    std::string text;
    Names inbound;
    Names outbound = {"linekeeper", "rtpcallsink"};
    LaunchRules rules = {};
};
void PrintTo(const GoodFile& good, std::ostream* out) {
    *out << good.name;
}

class LaunchFileAccepts : public ::testing::TestWithParam<GoodFile> {};

TEST_P(LaunchFileAccepts, AndLinksInTheOrderOfTheText) {
    const GoodFile& good = GetParam();
    const auto file = load(good.text, good.rules);
    ASSERT_TRUE(file);
    const auto bins = file->instantiate({});
    ASSERT_TRUE(bins) << bins.error().text();
    EXPECT_EQ(chain_from(bins->in), good.inbound);
    EXPECT_EQ(chain_from(bins->voice), good.outbound);
    for (const auto& bin : {bins->inbound, bins->outbound}) {
        EXPECT_EQ(gst_element_set_state(bin.get(), GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
        EXPECT_EQ(gst_element_set_state(bin.get(), GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
    }
}

const std::vector<GoodFile> kGoodFiles{
    {"Level",
     inbound("rtpcallsrc name=in ! level interval=1000000000 ! aitap name=tap"),
     {"rtpcallsrc", "level", "aitap"}},
    {"LevelAfterTap",
     inbound("rtpcallsrc name=in ! aitap name=tap ! level"),
     {"rtpcallsrc", "aitap", "level", "fakesink"}},
    {"LowPass",
     inbound("rtpcallsrc name=in\n! audioconvert ! audiocheblimit mode=low-pass cutoff=3000 ! "
             "audioconvert\n! aitap name=tap"),
     {"rtpcallsrc", "audioconvert", "audiocheblimit", "audioconvert", "aitap"}},
    {"LowPassAfterTap",
     inbound("rtpcallsrc name=in ! aitap name=tap ! audioconvert ! audiocheblimit mode=low-pass "
             "cutoff=3000 ! audioconvert"),
     {"rtpcallsrc", "aitap", "audioconvert", "audiocheblimit", "audioconvert", "fakesink"}},
    {"VolumeAfterVoice",
     outbound(
         "linekeeper name=voice fill=comfort-noise ! volume volume=0.5 ! rtpcallsink name=out"),
     {"rtpcallsrc", "aitap"},
     {"linekeeper", "volume", "rtpcallsink"}},
    {"CommentsEverywhere",
     "# top\n[inbound] # caller\nrtpcallsrc name=in # socket\n  # between ! volme\n! aitap "
     "name=tap\n"
     "[outbound]\nlinekeeper name=voice # ${unknown}\n! rtpcallsink name=out # end\n",
     {"rtpcallsrc", "aitap"}},
    {"OutboundFirst", kOutbound + kInbound, {"rtpcallsrc", "aitap"}},
    {"Caps",
     inbound("rtpcallsrc name=in !\n  audio/x-raw, rate=8000 ! audioresample ! "
             "audio/x-raw,rate=16000 ! aitap name=tap"),
     {"rtpcallsrc", "capsfilter", "audioresample", "capsfilter", "aitap"}},
    {"CapsAsProperty",
     inbound("rtpcallsrc name=in ! capsfilter caps=\"audio/x-raw, format=S16LE\" ! aitap "
             "name=tap"),
     {"rtpcallsrc", "capsfilter", "aitap"}},
    {"SpacesAroundEquals",
     inbound("rtpcallsrc name = in ! volume volume= 0.5 mute =false ! aitap name=tap"),
     {"rtpcallsrc", "volume", "aitap"}},
    {"Placeholders",
     outbound("linekeeper name=voice ! audio/x-raw,rate=${sample_rate} ! rtpcallsink name=out"),
     {"rtpcallsrc", "aitap"},
     {"linekeeper", "capsfilter", "rtpcallsink"}},
    {"ExtraElement",
     inbound("rtpcallsrc name=in ! scaletempo ! aitap name=tap"),
     {"rtpcallsrc", "scaletempo", "aitap"},
     {"linekeeper", "rtpcallsink"},
     {.extra_elements = {"scaletempo"}}},
    {"QueueWhenTheProfileSaysSo",
     inbound("rtpcallsrc name=in ! queue ! aitap name=tap"),
     {"rtpcallsrc", "queue", "aitap"},
     {"linekeeper", "rtpcallsink"},
     {.extra_elements = {"queue"}, .allow_threads = true}},
};

INSTANTIATE_TEST_SUITE_P(Table,
                         LaunchFileAccepts,
                         ::testing::ValuesIn(kGoodFiles),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(LaunchFile, BranchesFromATee) {
    const auto file =
        load(inbound("rtpcallsrc name=in ! tee name=t ! aitap name=tap\nt. ! level ! fakesink "
                     "sync=false async=false"));
    ASSERT_TRUE(file);
    const auto bins = file->instantiate({});
    ASSERT_TRUE(bins) << bins.error().text();
    const Names made = factories_in(bins->inbound.get());
    EXPECT_EQ(made.size(), 5U);
    EXPECT_EQ(std::count(made.begin(), made.end(), "fakesink"), 1);
}

TEST(LaunchFile, InstancesShareNothingAndLeaveNothing) {
    const auto file = load(kStock);
    ASSERT_TRUE(file);
    GstElement* gone = nullptr;
    {
        auto first = file->instantiate({});
        auto second = file->instantiate({});
        ASSERT_TRUE(first && second);
        EXPECT_NE(first->in, second->in);
        EXPECT_EQ(GST_OBJECT_REFCOUNT_VALUE(first->inbound.get()), 1);
        gone = first->in;
        g_object_add_weak_pointer(G_OBJECT(gone), reinterpret_cast<gpointer*>(&gone));
    }
    EXPECT_EQ(gone, nullptr);
}

TEST(LaunchFile, ManyThreadsMayInstantiateAtOnce) {
    const auto file = load(kStock);
    ASSERT_TRUE(file);
    std::vector<std::thread> threads;
    std::atomic<int> made = 0;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int k = 0; k < 25; ++k) made += file->instantiate({}).has_value() ? 1 : 0;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(made, 100);
}

/// The point of pipelines in text: an element that nobody compiled in hears the line.
TEST(LaunchFile, InsertedLevelMeasuresWhatTheLineSends) {
    const auto file = load(
        outbound("linekeeper name=voice fill=tone ! volume volume=0.5 ! level interval=100000000\n"
                 "! rtpcallsink name=out"));
    ASSERT_TRUE(file);
    const auto bins = file->instantiate({});
    ASSERT_TRUE(bins) << bins.error().text();
    const auto bus = glib::Ref<GstBus>::adopt(gst_bus_new());
    gst_element_set_bus(bins->outbound.get(), bus.get());
    ASSERT_EQ(gst_element_set_state(bins->outbound.get(), GST_STATE_PLAYING),
              GST_STATE_CHANGE_SUCCESS);
    GstMessage* message =
        gst_bus_timed_pop_filtered(bus.get(), 10 * GST_SECOND, GST_MESSAGE_ELEMENT);
    ASSERT_NE(message, nullptr) << "level said nothing in 10 s";
    const GstStructure* measured = gst_message_get_structure(message);
    EXPECT_STREQ(gst_structure_get_name(measured), "level");
    const auto* channels = static_cast<const GValueArray*>(
        g_value_get_boxed(gst_structure_get_value(measured, "rms")));
    ASSERT_EQ(channels->n_values, 1U);
    const double rms_db = g_value_get_double(&channels->values[0]);
    gst_message_unref(message);
    EXPECT_GT(rms_db, -60) << "silence";
    EXPECT_LT(rms_db, -10);
    gst_element_set_state(bins->outbound.get(), GST_STATE_NULL);
    gst_element_set_bus(bins->outbound.get(), nullptr);
}

}  // namespace
}  // namespace offhook::media

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opusfile.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <thread>

#include "mailbox.h"
#include "store/recordings.h"

namespace offhook::store {
namespace {

using namespace std::chrono_literals;
using model::CallId;
using model::CallRecorder;
using model::RecordingState;
using ::testing::HasSubstr;
using Status = model::HealthCheck::Status;
using testing::Mailbox;
using testing::wait_until;

constexpr std::size_t kFrame = CallRecorder::kFrameSamples;
constexpr double kRate = CallRecorder::kRateHz;

const CallId kCall{"c-0123456789ab"};

/// Left and right of what a file has, at any rate.
struct Stereo {
    double rate_hz = 0;
    std::vector<std::int16_t> left, right;
    [[nodiscard]] double seconds() const { return static_cast<double>(left.size()) / rate_hz; }
};

/// Amplitude of a sine in [from_s, to_s).
double amplitude(
    const std::vector<std::int16_t>& pcm, double rate_hz, double hz, double from_s, double to_s) {
    const auto first = static_cast<std::size_t>(from_s * rate_hz);
    const auto last = std::min(pcm.size(), static_cast<std::size_t>(to_s * rate_hz));
    double real = 0, imaginary = 0;
    for (std::size_t i = first; i < last; ++i) {
        const double phase = 2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz;
        real += pcm[i] * std::cos(phase);
        imaginary += pcm[i] * std::sin(phase);
    }
    return first >= last ? 0 : 2 * std::hypot(real, imaginary) / static_cast<double>(last - first);
}

Stereo read_wav(const std::string& bytes) {
    const auto number = [&](std::size_t at) {
        std::uint32_t value = 0;
        std::memcpy(&value, bytes.data() + at, sizeof value);
        return value;
    };
    Stereo sound;
    EXPECT_EQ(bytes.substr(0, 4), "RIFF");
    EXPECT_EQ(bytes.substr(8, 8), "WAVEfmt ");
    EXPECT_EQ(number(4) + 8, number(40) + 44);
    EXPECT_LE(number(40) + 44, bytes.size());
    sound.rate_hz = number(24);
    for (std::size_t at = 44; at + 4 <= number(40) + 44; at += 4) {
        std::int16_t pair[2];
        std::memcpy(pair, bytes.data() + at, sizeof pair);
        sound.left.push_back(pair[0]);
        sound.right.push_back(pair[1]);
    }
    return sound;
}

Stereo read_opus(const std::string& bytes) {
    Stereo sound;
    int error = 0;
    OggOpusFile* file =
        op_open_memory(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), &error);
    EXPECT_EQ(error, 0);
    if (file == nullptr) return sound;
    EXPECT_EQ(op_channel_count(file, -1), 2);
    sound.rate_hz = 48'000;
    std::vector<opus_int16> pcm(2 * 5'760);
    for (;;) {
        const int n = op_read(file, pcm.data(), static_cast<int>(pcm.size()), nullptr);
        if (n <= 0) break;
        for (int i = 0; i < n; ++i) {
            sound.left.push_back(pcm[static_cast<std::size_t>(2 * i)]);
            sound.right.push_back(pcm[static_cast<std::size_t>(2 * i + 1)]);
        }
    }
    op_free(file);
    return sound;
}

class RecordingsTest : public ::testing::TestWithParam<SoundFormat> {
protected:
    RecordingsTest() {
        std::signal(SIGXFSZ, SIG_IGN);
        std::string pattern =
            (std::filesystem::temp_directory_path() / "recordings-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~RecordingsTest() override {
        recordings_.reset();
        std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
        std::filesystem::remove_all(folder_);
    }
    void start(int max_minutes = 240) {
        recordings_ = std::make_unique<Recordings>(
            Recordings::Settings{.directory = directory(),
                                 .format = format_,
                                 .retention_days = 30,
                                 .max_minutes = max_minutes,
                                 .probe = 50ms},
            control_,
            [this](const CallId& call, RecordingState state, const std::string& why) {
                told_.emplace_back(call, state, why);
            });
    }
    [[nodiscard]] std::string directory() const { return (folder_ / "deep" / "sound").string(); }
    [[nodiscard]] std::string path() const {
        return directory() + "/" + kCall.text + "." + std::string(extension_of(format_));
    }
    [[nodiscard]] std::string bytes() const {
        std::ifstream stream(path(), std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    [[nodiscard]] Stereo sound() const {
        return format_ == SoundFormat::Wav ? read_wav(bytes()) : read_opus(bytes());
    }
    /// The worker's part: `length_s` of 400 Hz from the caller and 1,000 Hz to him, as fast as the
    /// reader takes it.
    void play(CallRecorder& recorder, double length_s) {
        const auto frames = static_cast<std::size_t>(length_s * kRate / kFrame);
        for (std::size_t i = 0; i < frames; ++i) {
            std::array<std::int16_t, kFrame> heard, said;
            for (std::size_t k = 0; k < kFrame; ++k) {
                const double at = static_cast<double>(position_++) / kRate;
                heard[k] = sine(400, at);
                said[k] = sine(1000, at);
            }
            recorder.hear(heard);
            recorder.say(said);
            if (i % 64 == 63) settle();
        }
        settle();
    }
    /// What was played has been taken out of the ring.
    void settle() {
        bool is_done = false;
        recordings_->list({}, 1, [&](const auto&) { is_done = true; });
        control_.run_one();
        EXPECT_TRUE(is_done);
        std::this_thread::yield();
        recordings_->list({}, 1, [](const auto&) {});
        control_.run_one();
    }
    static std::int16_t sine(double hz, double at_s) {
        return static_cast<std::int16_t>(8000 * std::sin(2 * std::numbers::pi * hz * at_s));
    }
    void finish() {
        recordings_->end(kCall);
        ASSERT_TRUE(wait_until([&] { return recordings_->counters().active == 0; }));
        settle();
    }

    SoundFormat format_ = SoundFormat::Wav;
    std::filesystem::path folder_;
    Mailbox control_;
    std::vector<std::tuple<CallId, RecordingState, std::string>> told_;
    std::unique_ptr<Recordings> recordings_;
    std::uint64_t position_ = 0;
};

class Formats : public RecordingsTest {
protected:
    Formats() { format_ = GetParam(); }
};

TEST_P(Formats, LeftIsTheCallerAndRightWhatWasSaidToHim) {
    start();
    const auto recorder = *recordings_->begin(kCall);
    play(*recorder, 3);
    finish();
    const Stereo got = sound();
    EXPECT_NEAR(got.seconds(), 3, 0.03);
    EXPECT_GT(amplitude(got.left, got.rate_hz, 400, 0.5, 2.5), 5000);
    EXPECT_LT(amplitude(got.left, got.rate_hz, 1000, 0.5, 2.5), 80);
    EXPECT_GT(amplitude(got.right, got.rate_hz, 1000, 0.5, 2.5), 5000);
    EXPECT_LT(amplitude(got.right, got.rate_hz, 400, 0.5, 2.5), 80);
}

TEST_P(Formats, WhilePausedSilenceOfTheSameLengthIsWritten) {
    start();
    const auto recorder = *recordings_->begin(kCall);
    play(*recorder, 1);
    recorder->set_paused(true);
    play(*recorder, 1);
    recorder->set_paused(false);
    play(*recorder, 1);
    finish();
    const Stereo got = sound();
    EXPECT_NEAR(got.seconds(), 3, 0.03);
    for (const auto* side : {&got.left, &got.right}) {
        const double hz = side == &got.left ? 400 : 1000;
        EXPECT_GT(amplitude(*side, got.rate_hz, hz, 0.3, 0.9), 5000);
        EXPECT_LT(amplitude(*side, got.rate_hz, hz, 1.1, 1.9), 20);
        EXPECT_GT(amplitude(*side, got.rate_hz, hz, 2.2, 2.9), 5000);
    }
}

TEST_P(Formats, AFileThatIsNotFinishedIsGoodUpToItsLastSecond) {
    start();
    const auto recorder = *recordings_->begin(kCall);
    play(*recorder, 2);
    const auto first = bytes().size();
    ASSERT_TRUE(wait_until([&] { return bytes().size() > first && bytes().size() > 5000; }));
    const Stereo got = sound();
    EXPECT_GT(got.seconds(), 1.9);
    EXPECT_GT(amplitude(got.left, got.rate_hz, 400, 0.5, 1.5), 5000);
}

TEST_P(Formats, LengthIsKnownWithoutReadingItAll) {
    start();
    const auto recorder = *recordings_->begin(kCall);
    play(*recorder, 2);
    finish();
    Recordings::Page page;
    recordings_->list({}, 10, [&](const auto& got) { page = *got; });
    control_.run_one();
    ASSERT_EQ(page.entries.size(), 1U);
    EXPECT_EQ(page.entries[0].call, kCall.text);
    EXPECT_EQ(page.entries[0].format, name_of(format_));
    EXPECT_NEAR(page.entries[0].duration_ms, 2000, 30);
    EXPECT_FALSE(page.entries[0].is_running);
}

TEST_P(Formats, AFullDiskEndsTheRecordingAndTellsWhy) {
    start();
    const auto recorder = *recordings_->begin(kCall);
    play(*recorder, 1);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    rlimit small = before;
    small.rlim_cur = 2'000;
    ::setrlimit(RLIMIT_FSIZE, &small);
    play(*recorder, 2);
    EXPECT_TRUE(wait_until([&] { return recordings_->counters().failed == 1; }));
    EXPECT_EQ(recordings_->health().status, Status::Degraded);
    EXPECT_THAT(recordings_->health().detail, HasSubstr("not recorded"));
    ::setrlimit(RLIMIT_FSIZE, &before);
    while (told_.empty()) control_.run_one();
    EXPECT_EQ(std::get<1>(told_[0]), RecordingState::Failed);
    EXPECT_TRUE(wait_until([&] { return recordings_->health().status == Status::Ok; }));
    EXPECT_TRUE(recordings_->begin(CallId{"c-00000000000b"}));
}

INSTANTIATE_TEST_SUITE_P(Both,
                         Formats,
                         ::testing::Values(SoundFormat::Opus, SoundFormat::Wav),
                         [](const auto& each) { return std::string(name_of(each.param)); });

using OneFormat = RecordingsTest;

TEST_F(OneFormat, AFolderThatCannotBeMadeIsToldAndEndsNothingElse) {
    std::ofstream(folder_ / "deep") << "a file";
    start();
    ASSERT_TRUE(recordings_->begin(kCall));
    while (told_.empty()) control_.run_one();
    EXPECT_EQ(std::get<1>(told_[0]), RecordingState::Failed);
    EXPECT_EQ(recordings_->health().status, Status::Degraded);
}

TEST_F(OneFormat, WithoutAFolderNothingIsRecorded) {
    Recordings none({}, control_, {});
    EXPECT_FALSE(none.begin(kCall));
    EXPECT_TRUE(none.is_off());
    EXPECT_EQ(none.health().status, Status::Off);
}

TEST_F(OneFormat, WithoutACallNothingIsWritten) {
    start();
    settle();
    EXPECT_FALSE(std::filesystem::exists(directory()));
}

TEST_F(OneFormat, FilesAreOfThisUserAlone) {
    start();
    const auto recorder = *recordings_->begin(kCall);
    play(*recorder, 0.5);
    finish();
    struct stat info {};
    ASSERT_EQ(::stat(path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(OneFormat, PartsAreReadAndErased) {
    start();
    const auto recorder = *recordings_->begin(kCall);
    play(*recorder, 1);
    finish();
    const std::string all = bytes();
    base::Result<Recordings::Piece> piece;
    const auto read = [&](std::uint64_t first, std::uint64_t most, bool is_suffix) {
        recordings_->read(
            kCall.text, first, most, is_suffix, [&](const auto& got) { piece = got; });
        control_.run_one();
    };
    read(100, 50, false);
    ASSERT_TRUE(piece);
    EXPECT_EQ(piece->bytes, all.substr(100, 50));
    EXPECT_EQ(piece->total, all.size());
    read(10, 1000, true);
    EXPECT_EQ(piece->bytes, all.substr(all.size() - 10));
    read(all.size(), 1, false);
    EXPECT_EQ(piece.error().code, base::ErrorCode::InvalidArgument);
    recordings_->read("../../etc/passwd", 0, 10, false, [&](const auto& got) { piece = got; });
    control_.run_one();
    EXPECT_EQ(piece.error().code, base::ErrorCode::NotFound);
    std::size_t gone = 0;
    recordings_->erase({kCall.text, "c-ffffffffffff"}, [&](const auto& got) { gone = *got; });
    control_.run_one();
    EXPECT_EQ(gone, 1U);
    EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(OneFormat, ALateReaderLeavesSilenceOfTheSameLength) {
    start();
    CallRecorder recorder;
    std::array<std::int16_t, kFrame> loud;
    loud.fill(5000);
    for (std::size_t i = 0; i < CallRecorder::kFrames + 10; ++i) recorder.say(loud);
    EXPECT_EQ(recorder.dropped_frames(), 10U);
    CallRecorder::Frame frame;
    while (recorder.read(frame)) {
    }
    recorder.say(loud);
    ASSERT_TRUE(recorder.read(frame));
    EXPECT_EQ(frame.number, CallRecorder::kFrames + 10);
}

TEST_F(OneFormat, OldOnesAreForgotten) {
    std::filesystem::create_directories(directory());
    std::ofstream(path()) << "old";
    std::ofstream(directory() + "/notes.txt") << "not ours";
    std::filesystem::last_write_time(
        path(), std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 31));
    std::filesystem::last_write_time(
        directory() + "/notes.txt",
        std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 31));
    start();
    EXPECT_TRUE(wait_until([&] { return !std::filesystem::exists(path()); }));
    EXPECT_TRUE(std::filesystem::exists(directory() + "/notes.txt"));
}

}  // namespace
}  // namespace offhook::store

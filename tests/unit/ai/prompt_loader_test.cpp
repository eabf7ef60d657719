#include "ai/prompt_loader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <vector>

#include "model/wav.h"

namespace offhook::ai {
namespace {

class PromptLoader : public testing::Test {
protected:
    std::string path(const char* name) {
        return (std::filesystem::temp_directory_path() /
                ("prompt-" + std::to_string(getpid()) + name))
            .string();
    }
    std::string write(std::uint32_t rate_hz, const std::vector<std::int16_t>& pcm) {
        files_.push_back(path(".wav"));
        EXPECT_TRUE(model::write_wav(files_.back(), pcm, rate_hz));
        return files_.back();
    }
    void TearDown() override {
        for (const auto& file : files_) std::filesystem::remove(file);
    }
    std::vector<std::string> files_;
};

TEST_F(PromptLoader, EveryRateBecomesBothRatesOfALine) {
    for (const std::uint32_t rate_hz : {8000U, 16000U, 24000U, 48000U}) {
        std::vector<std::int16_t> pcm(rate_hz / 2);
        const auto value = [](double seconds) {
            return 12000 * std::sin(2 * std::numbers::pi * 440 * seconds);
        };
        for (std::size_t i = 0; i < pcm.size(); ++i)
            pcm[i] = static_cast<std::int16_t>(value(static_cast<double>(i) / rate_hz));
        const auto prompt = load_prompt("hello", write(rate_hz, pcm));
        ASSERT_TRUE(prompt) << prompt.error().text();
        EXPECT_EQ((*prompt)->name, "hello");
        for (const std::uint32_t line_hz : {8000U, 16000U}) {
            const auto sound = (*prompt)->at(line_hz);
            EXPECT_EQ(sound.size(), line_hz / 2);
            // In place: the filter's delay is taken out.
            for (std::size_t i = line_hz / 10; i < line_hz / 10 + 1000; ++i) {
                const double seconds = static_cast<double>(i) / line_hz;
                const double most =
                    rate_hz == line_hz ? 1.0 : 40 * 48000.0 / std::min(rate_hz, line_hz);
                ASSERT_NEAR(sound[i], value(seconds), most)
                    << rate_hz << ' ' << line_hz << ' ' << i;
            }
        }
        if (rate_hz == 8000) {
            EXPECT_EQ((*prompt)->pcm_8k, pcm);
        }
    }
}

TEST_F(PromptLoader, RefusalsSayWhatToDo) {
    const auto missing = load_prompt("x", "/nowhere/x.wav");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, base::ErrorCode::Io);
    const auto rate = load_prompt("x", write(11025, std::vector<std::int16_t>(100)));
    ASSERT_FALSE(rate);
    EXPECT_EQ(rate.error().code, base::ErrorCode::Unsupported);
    EXPECT_NE(rate.error().text().find("11025 Hz"), std::string::npos);
    EXPECT_NE(rate.error().text().find("sox"), std::string::npos);
    const auto length = load_prompt("x", write(8000, std::vector<std::int16_t>(600 * 8000)));
    ASSERT_FALSE(length);
    EXPECT_NE(length.error().text().find("10 minutes"), std::string::npos);
    std::ofstream(files_.back()) << "not a recording at all";
    const auto malformed = load_prompt("x", files_.back());
    ASSERT_FALSE(malformed);
    EXPECT_EQ(malformed.error().code, base::ErrorCode::Malformed);
}

}  // namespace
}  // namespace offhook::ai

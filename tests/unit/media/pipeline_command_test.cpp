#include "cli/pipeline_command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "launch_texts.h"

namespace offhook::cli {
namespace {

namespace fs = std::filesystem;
using media::testing::inbound;
using media::testing::kStock;

/// What one run of the program would have left behind.
struct Outcome {
    int code = -1;
    std::string out;
    std::string err;
};

Outcome run(std::vector<std::string> arguments) {
    CLI::App app;
    Outcome result;
    add_pipeline_command(app, result.code);
    std::reverse(arguments.begin(), arguments.end());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    try {
        app.parse(arguments);
    } catch (const CLI::ParseError&) {
        result.code = 2;
    }
    result.out = ::testing::internal::GetCapturedStdout();
    result.err = ::testing::internal::GetCapturedStderr();
    return result;
}

class PipelineCommand : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "pipeline-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { fs::remove_all(folder_); }
    std::string write(const std::string& name, const std::string& text) {
        std::ofstream(folder_ / name) << text;
        return (folder_ / name).string();
    }

    fs::path folder_;
};

TEST_F(PipelineCommand, ChecksEachFileAndSaysWhatItFound) {
    const std::string good = write("good.launch", kStock);
    const std::string bad =
        write("bad.launch", inbound("rtpcallsrc name=in ! volme ! aitap name=tap"));
    const Outcome result = run({"pipeline", "check", bad, good});
    EXPECT_EQ(result.code, 1);
    EXPECT_EQ(
        result.out,
        good +
            ": ok (codecs: PCMU, PCMA, opus; elements: rtpcallsrc, rtppcmudepay, mulawdec, aitap, "
            "linekeeper, mulawenc, rtppcmupay, rtpcallsink)\n");
    EXPECT_EQ(result.err, bad + ":2: no such element: \"volme\" (did you mean \"volume\"?)\n");
    EXPECT_EQ(run({"pipeline", "check", good}).code, 0);
}

TEST_F(PipelineCommand, AllowsElementsFromTheConfigurationAndTheCommandLine) {
    const std::string file =
        write("f.launch", inbound("rtpcallsrc name=in ! scaletempo ! aitap name=tap"));
    EXPECT_EQ(run({"pipeline", "check", file}).code, 1);
    EXPECT_EQ(run({"pipeline", "check", "--allow", "scaletempo", file}).code, 0);
    const std::string config =
        write("offhook.toml", "[media]\nallow_elements = [\"scaletempo\"]\n");
    EXPECT_EQ(run({"pipeline", "check", "--config", config, file}).code, 0);
    const std::string broken = write("broken.toml", "[media]\nallow_element = []\n");
    EXPECT_EQ(run({"pipeline", "check", "--config", broken, file}).code, 78);
}

TEST_F(PipelineCommand, ListsAFolder) {
    write("phone-stock.launch", kStock);
    const Outcome good = run({"pipeline", "list", "--folder", folder_.string()});
    EXPECT_EQ(good.code, 0) << good.err;
    EXPECT_TRUE(good.out.starts_with("phone-stock: ok (codecs: PCMU, PCMA, opus;")) << good.out;
    write("bad.launch", "[inbound]\n");
    const Outcome bad = run({"pipeline", "list", "--folder", folder_.string()});
    EXPECT_EQ(bad.code, 1);
    EXPECT_NE(bad.err.find("bad.launch:1: "), std::string::npos) << bad.err;
    EXPECT_EQ(run({"pipeline", "list", "--folder", (folder_ / "none").string()}).code, 1);
}

TEST_F(PipelineCommand, WantsASubcommandAndAFile) {
    EXPECT_EQ(run({"pipeline"}).code, 2);
    EXPECT_EQ(run({"pipeline", "check"}).code, 2);
}

}  // namespace
}  // namespace offhook::cli

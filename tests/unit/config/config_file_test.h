#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "config/load.h"

namespace offhook::config {

/// A configuration file of a test's own, in a folder that goes with it.
class ConfigFileTest : public ::testing::Test {
protected:
    ConfigFileTest() {
        std::string name = ::testing::TempDir() + "offhook-config-XXXXXX";
        if (mkdtemp(name.data()) != nullptr) file_ = name + "/offhook.toml";
    }
    ~ConfigFileTest() override {
        ::unlink(file_.c_str());
        ::rmdir(file_.substr(0, file_.rfind('/')).c_str());
    }
    base::Result<Loaded> load_text(const std::string& text) {
        std::ofstream(file_) << text;
        LoadRequest request;
        request.file = file_;
        request.port_range_file = "/nonexistent";
        return load(request);
    }
    std::string problem_of(const std::string& text) {
        const auto loaded = load_text(text);
        return loaded ? "no problem" : loaded.error().text();
    }

    std::string file_;
};

}  // namespace offhook::config

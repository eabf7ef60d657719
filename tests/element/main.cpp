#include <gst/gst.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "offhook_plugin.h"

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    gst_init(&argc, &argv);
    if (!offhook::register_elements()) {
        std::fprintf(stderr, "the elements cannot be registered\n");
        return 1;
    }
    const int failed = RUN_ALL_TESTS();
    // With GST_TRACERS=leaks this reports what is still alive.
    gst_deinit();
    return failed;
}

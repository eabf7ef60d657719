#include <gst/gst.h>
#include <gtest/gtest.h>

#include "offhook_plugin.h"

int main(int argc, char** argv) {
    gst_init(&argc, &argv);
    if (!offhook::register_elements()) return 1;
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}

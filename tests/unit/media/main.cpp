#include <gst/gst.h>
#include <gtest/gtest.h>

#include "stand_in_elements.h"

int main(int argc, char** argv) {
    gst_init(&argc, &argv);
    offhook::media::testing::register_stand_in_elements();
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}

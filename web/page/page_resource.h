#pragma once

#include <gio/gio.h>

/// The files of the page under /offhook/page, each compressible one also as NAME.gz; without Node an index.html that says so.
/// Made by make.mjs, owned by the program. @thread any
extern "C" GResource* offhook_page_get_resource(void);

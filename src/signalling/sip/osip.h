#pragma once

// libosip2's headers use timeval and time_t without including what declares them.
#include <sys/time.h>
#include <time.h>

#include <osip2/osip.h>
#include <osipparser2/osip_message.h>
#include <osipparser2/osip_parser.h>

#include <memory>

#include "glib/ref.h"

namespace offhook::signalling::sip {

using UniqueMessage = glib::Unique<osip_message_t, osip_message_free>;

/// A string that libosip2 allocated.
struct OsipStringDeleter {
    void operator()(char* text) const { osip_free(text); }
};
using OsipString = std::unique_ptr<char, OsipStringDeleter>;

}  // namespace offhook::signalling::sip

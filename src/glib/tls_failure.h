#pragma once

#include <gio/gio.h>

#include <string>

#include "base/error.h"

namespace offhook::glib {

/// The sentence for a certificate that failed: which check, what the certificate says, and what to
/// change. With several failures the one that an attacker could not have made by accident comes
/// first: authority, then name, then dates.
/// @param name   the name that was asked for  @param where  "192.0.2.1:5061"
[[nodiscard]] base::Error certificate_failure(GTlsCertificate* certificate,
                                              GTlsCertificateFlags errors,
                                              const std::string& name,
                                              const std::string& where);

/// The sentence for a handshake that failed for another reason than the certificate of the peer.
[[nodiscard]] base::Error handshake_failure(const GError* error, const std::string& where);

}  // namespace offhook::glib

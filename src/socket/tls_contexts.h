#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/error.h"

namespace offhook::socket {

/// What connections under the same CAs share: TLS 1.2 or newer, chain and name checked. A file of
/// CAs is read again when it has changed.
/// @thread the loop's
class TlsContexts {
public:
    /// @param ca_file  PEM; empty: the system's. @errors Io: it cannot be read, or has no certificate
    [[nodiscard]] base::Result<std::shared_ptr<SSL_CTX>> get(const std::string& ca_file);

private:
    struct Entry {
        std::shared_ptr<SSL_CTX> context;
        std::int64_t changed_ns = 0;  ///< the file's own time
    };
    std::map<std::string, Entry> entries_;
};

}  // namespace offhook::socket

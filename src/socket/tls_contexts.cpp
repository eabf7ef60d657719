#include "socket/tls_contexts.h"

#include <openssl/err.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/monotonic.h"

namespace offhook::socket {

base::Result<std::shared_ptr<SSL_CTX>> TlsContexts::get(const std::string& ca_file) {
    struct stat facts {};
    if (!ca_file.empty() && ::stat(ca_file.c_str(), &facts) != 0) {
        return base::fail_errno("cannot read the CAs in " + ca_file, errno);
    }
    const std::int64_t changed_ns = facts.st_mtim.tv_sec * base::kNsPerS + facts.st_mtim.tv_nsec;
    const auto known = entries_.find(ca_file);
    if (known != entries_.end() && known->second.changed_ns == changed_ns) {
        return known->second.context;
    }
    const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    if (!context) return base::fail(base::ErrorCode::LimitReached, "no memory for TLS");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context.get(), 1);  // one recv for a record's header and body
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    // Servers that prefer HTTP/2 have to know that this is not it (RFC 7301).
    const std::string protocols = "\x08http/1.1";
    SSL_CTX_set_alpn_protos(context.get(),
                            reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned>(protocols.size()));
    ERR_clear_error();
    const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context.get())
                                       : SSL_CTX_load_verify_file(context.get(), ca_file.c_str());
    if (loaded != 1) {
        const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
        return base::fail(base::ErrorCode::Io,
                          "no CA certificate in " +
                              (ca_file.empty() ? std::string("the system's folder") : ca_file) +
                              "; it has to be PEM",
                          reason != nullptr ? reason : "");
    }
    entries_[ca_file] = {context, changed_ns};
    return context;
}

}  // namespace offhook::socket

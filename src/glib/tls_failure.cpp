#include "glib/tls_failure.h"

#include "base/escape.h"
#include "glib/ref.h"

namespace offhook::glib {
namespace {

/// A certificate is a stranger's text: bounded and escaped.
std::string shown(const char* text) {
    constexpr std::size_t kMax = 200;
    return base::escape_untrusted(std::string_view(text == nullptr ? "?" : text).substr(0, kMax));
}

std::string date_of(GDateTime* raw) {
    if (raw == nullptr) return "an unknown date";
    const Unique<GDateTime, g_date_time_unref> date(raw);
    const UniqueString text(g_date_time_format(raw, "%Y-%m-%d %H:%M UTC"));
    return text == nullptr ? "an unknown date" : text.get();
}

/// The names that a certificate is for, at most a few.
std::string names_of(GTlsCertificate* certificate) {
    constexpr guint kMax = 4;
    std::string all;
    if (GPtrArray* names = g_tls_certificate_get_dns_names(certificate)) {
        const Unique<GPtrArray, g_ptr_array_unref> owned(names);
        for (guint i = 0; i < names->len && i < kMax; ++i) {
            gsize size = 0;
            const auto* bytes = static_cast<const char*>(
                g_bytes_get_data(static_cast<GBytes*>(g_ptr_array_index(names, i)), &size));
            all += (all.empty() ? "" : ", ") + shown(std::string(bytes, size).c_str());
        }
    }
    if (GPtrArray* addresses = g_tls_certificate_get_ip_addresses(certificate)) {
        const Unique<GPtrArray, g_ptr_array_unref> owned(addresses);
        for (guint i = 0; i < addresses->len && i < kMax; ++i) {
            const UniqueString text(
                g_inet_address_to_string(G_INET_ADDRESS(g_ptr_array_index(addresses, i))));
            all += (all.empty() ? "" : ", ") + std::string(text.get());
        }
    }
    return all.empty() ? "no name at all" : all;
}

}  // namespace

base::Error certificate_failure(GTlsCertificate* certificate,
                                GTlsCertificateFlags errors,
                                const std::string& name,
                                const std::string& where) {
    const auto refused = [&](const std::string& why) {
        return base::Error{base::ErrorCode::Unavailable,
                           "the certificate of " + where + " was refused: " + why,
                           {}};
    };
    if ((errors & G_TLS_CERTIFICATE_UNKNOWN_CA) != 0) {
        const UniqueString issuer(g_tls_certificate_get_issuer_name(certificate));
        const UniqueString subject(g_tls_certificate_get_subject_name(certificate));
        if (issuer && subject && std::string_view(issuer.get()) == subject.get()) {
            return refused("it is self-signed (" + shown(subject.get()) +
                           "); give that certificate, or the authority's, as the CA file");
        }
        return refused("it is signed by an authority that is not trusted here (" +
                       shown(issuer.get()) + "); give that authority's PEM as the CA file");
    }
    if ((errors & G_TLS_CERTIFICATE_BAD_IDENTITY) != 0) {
        return refused("it is for " + names_of(certificate) + " and not for \"" +
                       base::escape_untrusted(name) +
                       "\"; check the server's name, or set the TLS name to check");
    }
    if ((errors & G_TLS_CERTIFICATE_EXPIRED) != 0) {
        return refused("it expired on " +
                       date_of(g_tls_certificate_get_not_valid_after(certificate)) +
                       "; renew it on the server, and check the clock of this machine");
    }
    if ((errors & G_TLS_CERTIFICATE_NOT_ACTIVATED) != 0) {
        return refused("it is valid only from " +
                       date_of(g_tls_certificate_get_not_valid_before(certificate)) +
                       "; check the clock of this machine");
    }
    if ((errors & G_TLS_CERTIFICATE_REVOKED) != 0) {
        return refused("it is revoked; the server needs a new one");
    }
    if ((errors & G_TLS_CERTIFICATE_INSECURE) != 0) {
        return refused("its key or signature is too weak; the server needs a new one");
    }
    return refused("it cannot be checked");
}

base::Error handshake_failure(const GError* error, const std::string& where) {
    const std::string cause = error == nullptr ? "" : error->message;
    const auto failed = [&](const std::string& why) {
        return base::Error{base::ErrorCode::Unavailable, why, cause};
    };
    if (g_error_matches(error, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED)) {
        return failed(where + " asks for a client certificate, which is not supported");
    }
    if (g_error_matches(error, G_TLS_ERROR, G_TLS_ERROR_NOT_TLS)) {
        return failed(where + " does not speak TLS: check port and transport");
    }
    if (g_error_matches(error, G_TLS_ERROR, G_TLS_ERROR_EOF) ||
        g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED) ||
        g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT)) {
        return failed(where +
                      " closed the connection during the TLS handshake: check that this port "
                      "speaks TLS, and the server's log");
    }
    return failed("no TLS connection with " + where +
                  ": check that this port speaks TLS 1.2 or later");
}

}  // namespace offhook::glib

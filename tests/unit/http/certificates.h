#pragma once

#include <string>

namespace offhook::testing {

/// A certificate authority and server certificates, made by openssl in a temporary folder that goes
/// with the object.
class Certificates {
public:
    Certificates();
    ~Certificates();
    Certificates(const Certificates&) = delete;
    Certificates& operator=(const Certificates&) = delete;

    [[nodiscard]] std::string ca_file() const { return folder_ + "/ca.pem"; }
    /// The path of a PEM file with a key and a certificate for `names`, such as
    /// "DNS:localhost,IP:127.0.0.1", good for a day; `days` of -1: expired already.
    [[nodiscard]] std::string issue(const std::string& file,
                                    const std::string& names,
                                    int days = 1) const;
    /// The same, signed by itself.
    [[nodiscard]] std::string self_signed(const std::string& file, const std::string& names) const;
    [[nodiscard]] const std::string& folder() const { return folder_; }

private:
    std::string folder_;
};

}  // namespace offhook::testing

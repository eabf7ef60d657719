#include "http/certificates.h"

#include <glib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace offhook::testing {
namespace {

void run_openssl(const std::string& folder, std::vector<std::string> arguments) {
    std::string program = "openssl";
    std::vector<char*> argv{program.data()};
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    char* errors = nullptr;
    int status = -1;
    GError* error = nullptr;
    const bool ran = g_spawn_sync(folder.c_str(),
                                  argv.data(),
                                  nullptr,
                                  G_SPAWN_SEARCH_PATH,
                                  nullptr,
                                  nullptr,
                                  nullptr,
                                  &errors,
                                  &status,
                                  &error) != FALSE;
    const std::string said = ran ? errors : error->message;
    g_free(errors);
    g_clear_error(&error);
    if (!ran || status != 0) throw std::runtime_error("openssl " + arguments[0] + ": " + said);
}

std::string read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

}  // namespace

Certificates::Certificates() {
    std::string pattern = (std::filesystem::temp_directory_path() / "offhook-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
    run_openssl(folder_,
                {"req",
                 "-x509",
                 "-newkey",
                 "ec",
                 "-pkeyopt",
                 "ec_paramgen_curve:P-256",
                 "-nodes",
                 "-keyout",
                 "ca.key",
                 "-out",
                 "ca.pem",
                 "-days",
                 "2",
                 "-subj",
                 "/CN=test authority",
                 "-addext",
                 "basicConstraints=critical,CA:TRUE",
                 "-addext",
                 "keyUsage=critical,keyCertSign"});
}

Certificates::~Certificates() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::string Certificates::issue(const std::string& file, const std::string& names, int days) const {
    const std::string key = file + ".key";
    const std::string request = file + ".csr";
    const std::string certificate = file + ".crt";
    run_openssl(folder_,
                {"req",
                 "-newkey",
                 "ec",
                 "-pkeyopt",
                 "ec_paramgen_curve:P-256",
                 "-nodes",
                 "-keyout",
                 key,
                 "-out",
                 request,
                 "-subj",
                 "/CN=test server"});
    std::ofstream(folder_ + "/" + file + ".ext") << "subjectAltName=" << names << "\n";
    run_openssl(folder_,
                {"x509",
                 "-req",
                 "-in",
                 request,
                 "-CA",
                 "ca.pem",
                 "-CAkey",
                 "ca.key",
                 "-CAcreateserial",
                 "-days",
                 std::to_string(days),
                 "-extfile",
                 file + ".ext",
                 "-out",
                 certificate});
    const std::string both = folder_ + "/" + file + ".pem";
    std::ofstream(both) << read(folder_ + "/" + key) << read(folder_ + "/" + certificate);
    return both;
}

std::string Certificates::self_signed(const std::string& file, const std::string& names) const {
    const std::string key = file + ".key";
    const std::string certificate = file + ".crt";
    run_openssl(folder_,
                {"req",
                 "-x509",
                 "-newkey",
                 "ec",
                 "-pkeyopt",
                 "ec_paramgen_curve:P-256",
                 "-nodes",
                 "-keyout",
                 key,
                 "-out",
                 certificate,
                 "-days",
                 "1",
                 "-subj",
                 "/CN=test server",
                 "-addext",
                 "subjectAltName=" + names});
    const std::string both = folder_ + "/" + file + ".pem";
    std::ofstream(both) << read(folder_ + "/" + key) << read(folder_ + "/" + certificate);
    return both;
}

}  // namespace offhook::testing

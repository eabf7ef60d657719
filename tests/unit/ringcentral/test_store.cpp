#include "signalling/ringcentral/rc_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "state/folder.h"

namespace offhook::signalling::ringcentral {
namespace {

SipCredentials some() {
    SipCredentials sip;
    sip.kind = Kind::Wss;
    sip.user = "17205550100*115";
    sip.domain = "sip.example.com";
    sip.authorization_id = "802000000001";
    sip.password = base::Secret("p\"w");
    sip.proxy = "sip1.example.com:8083";
    sip.backup_proxy = "sip2.example.com:8083";
    sip.switch_back = std::chrono::seconds(3600);
    sip.stun_servers = {"stun1.example.com:19302"};
    sip.device_id = "600700";
    sip.may_call_out = false;
    return sip;
}

AppCredentials app() {
    AppCredentials made;
    made.client_id = "id";
    made.jwt = base::Secret("jwt-of-anna");
    return made;
}

TEST(RcStore, KeepsEverythingForThisUserOnly) {
    const state::Folder folder;
    const auto directory = state::StateDirectory::open(folder.path("s"));
    ASSERT_TRUE(directory);
    const std::string owner = CredentialStore::owner_of(app(), Kind::Wss, "", "");
    CredentialStore(*directory, "office", owner).save(some());
    const auto kept = CredentialStore(*directory, "office", owner).load();
    ASSERT_TRUE(kept);
    EXPECT_EQ(*kept, some());
    struct stat info {};
    ASSERT_EQ(stat(folder.path("s/ringcentral-office").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    EXPECT_EQ(directory->read("ringcentral-office")->find("jwt-of-anna"), std::string::npos);
    CredentialStore(*directory, "office", owner).forget();
    EXPECT_FALSE(CredentialStore(*directory, "office", owner).load());
}

TEST(RcStore, CredentialsOfAnotherConfigurationAreNotUsed) {
    const state::Folder folder;
    const auto directory = state::StateDirectory::open(folder.path("s"));
    ASSERT_TRUE(directory);
    const std::string owner = CredentialStore::owner_of(app(), Kind::Tls, "1", "NA");
    CredentialStore(*directory, "office", owner).save(some());
    AppCredentials other = app();
    other.jwt = base::Secret("jwt-of-bert");
    for (const std::string& foreign : {CredentialStore::owner_of(other, Kind::Tls, "1", "NA"),
                                       CredentialStore::owner_of(app(), Kind::Wss, "1", "NA"),
                                       CredentialStore::owner_of(app(), Kind::Tls, "2", "NA"),
                                       CredentialStore::owner_of(app(), Kind::Tls, "1", "EMEA")}) {
        EXPECT_FALSE(CredentialStore(*directory, "office", foreign).load()) << foreign;
    }
    EXPECT_FALSE(CredentialStore(*directory, "home", owner).load());
    EXPECT_TRUE(CredentialStore(*directory, "office", owner).load());
}

TEST(RcStore, ABrokenFileIsLeftAside) {
    const state::Folder folder;
    const auto directory = state::StateDirectory::open(folder.path("s"));
    ASSERT_TRUE(directory);
    const CredentialStore store(*directory, "office", "owner");
    store.save(some());
    const std::string good = *directory->read("ringcentral-office");
    for (const std::string& broken : {std::string(),
                                      good.substr(0, good.size() / 2),
                                      std::string("{}"),
                                      std::string(R"({"version":2})"),
                                      std::string(60'000, '['),
                                      std::string("\xFF\xFE")}) {
        ASSERT_TRUE(directory->write("ringcentral-office", broken));
        EXPECT_FALSE(store.load()) << broken.substr(0, 40);
    }
    ASSERT_TRUE(directory->write("ringcentral-office", good));
    EXPECT_TRUE(store.load());
}

}  // namespace
}  // namespace offhook::signalling::ringcentral

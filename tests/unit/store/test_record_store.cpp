#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "base/monotonic.h"
#include "faulty_vfs.h"
#include "mailbox.h"
#include "store/record_store.h"

namespace offhook::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::FaultyVfs;
using ::testing::HasSubstr;
using testing::Mailbox;
using ::testing::SizeIs;
using testing::wait_until;
using Status = model::HealthCheck::Status;

std::string id_of(int number) {
    char text[16];
    std::snprintf(text, sizeof text, "c-%012x", number);
    return text;
}

CallRecord begun(int number, const std::string& from = "sip:+4930123@pbx.example.com") {
    CallRecord record;
    record.id = id_of(number);
    record.direction = "inbound";
    record.from = from;
    record.to = "sip:sales@127.0.0.1";
    record.far_user = user_of(from);
    record.created_ns = base::realtime_ns() + number;
    return record;
}

CallRecord closed(CallRecord record, const std::string& reason = "caller-hangup") {
    record.answered_ns = record.created_ns + base::kNsPerMs;
    record.ended_ns = record.created_ns + 5 * base::kNsPerS;
    record.duration_ms = 4999;
    record.end_class = "success";
    record.end_reason = reason;
    record.quality.mos = 4.1;
    return record;
}

class RecordStoreTest : public ::testing::Test {
protected:
    RecordStoreTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "records-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~RecordStoreTest() override {
        disk().set_fault(FaultyVfs::Fault::None);
        disk().hold_syncs(false);
        store_.reset();
        std::filesystem::remove_all(folder_);
    }

    static FaultyVfs& disk() { return FaultyVfs::instance(); }
    [[nodiscard]] std::string directory() const { return (folder_ / "deep" / "records").string(); }
    [[nodiscard]] std::string file() const { return directory() + "/records.db"; }

    RecordStore::Settings settings() const {
        RecordStore::Settings settings;
        settings.directory = directory();
        settings.retry = 20ms;
        settings.vfs = disk().name();
        return settings;
    }
    void start() { start(settings()); }
    void start(RecordStore::Settings given) {
        store_.reset();
        store_ = std::make_unique<RecordStore>(std::move(given), control_);
    }
    bool wait_written(std::uint64_t count) {
        return wait_until([&] { return store_->counters().written >= count; });
    }
    RecordPage find(const RecordQuery& query = {}) {
        base::Result<RecordPage> got;
        store_->find(query, [&](auto page) { got = std::move(page); });
        control_.run_one();
        EXPECT_TRUE(got) << got.error().text();
        return got ? *got : RecordPage{};
    }
    std::optional<CallRecord> get(int number) {
        base::Result<std::optional<CallRecord>> got;
        store_->get(id_of(number), [&](auto record) { got = std::move(record); });
        control_.run_one();
        EXPECT_TRUE(got) << got.error().text();
        return got ? *got : std::nullopt;
    }
    static std::vector<std::string> ids(const RecordPage& page) {
        std::vector<std::string> ids;
        for (const CallRecord& record : page.records) ids.push_back(record.id);
        return ids;
    }

    std::filesystem::path folder_;
    Mailbox control_;
    std::unique_ptr<RecordStore> store_;
};

TEST_F(RecordStoreTest, KeepsACallFromItsInviteOn) {
    start();
    const std::int64_t began_ns = base::monotonic_ns();
    store_->put(begun(1));
    ASSERT_TRUE(wait_written(1));
    const auto took_ms = static_cast<double>(base::monotonic_ns() - began_ns) / 1e6;
    RecordProperty("committed_after_ms", std::to_string(took_ms));
    auto record = get(1);
    ASSERT_TRUE(record);
    EXPECT_FALSE(record->is_closed());
    EXPECT_EQ(record->far_user, "+4930123");
    EXPECT_EQ(record->quality.mos, -1);

    store_->put(closed(begun(1)));
    ASSERT_TRUE(wait_written(2));
    record = get(1);
    ASSERT_TRUE(record);
    EXPECT_TRUE(record->is_closed());
    EXPECT_EQ(record->end_reason, "caller-hangup");
    EXPECT_EQ(record->quality.mos, 4.1);
    EXPECT_EQ(record->quality.inbound_level_dbov, -127);
    EXPECT_EQ(store_->health().status, Status::Ok);
}

TEST_F(RecordStoreTest, ClosesACallOnce) {
    start();
    store_->put(closed(begun(1)));
    ASSERT_TRUE(wait_written(1));
    store_->put(closed(begun(1), "api-hangup"));
    ASSERT_TRUE(wait_written(2));
    EXPECT_EQ(get(1)->end_reason, "caller-hangup");
}

TEST_F(RecordStoreTest, ClosesWhatACrashLeftAsAborted) {
    start();
    store_->put(begun(1));
    store_->put(closed(begun(2)));
    ASSERT_TRUE(wait_written(2));
    // Its last state is never told: as after SIGKILL.
    start();
    EXPECT_TRUE(wait_until([&] { return store_->health().status == Status::Ok; }));
    ASSERT_TRUE(wait_until([&] { return store_->counters().aborted == 1; }));
    EXPECT_EQ(get(1)->end_reason, "aborted");
    EXPECT_EQ(get(1)->end_class, "internal");
    EXPECT_EQ(get(2)->end_reason, "caller-hangup");
}

TEST_F(RecordStoreTest, WritesWhatWaitsWhenItStops) {
    auto slow = settings();
    slow.gather = 1h;
    start(slow);
    for (int i = 0; i < 100; ++i) store_->put(closed(begun(i)));
    start();
    EXPECT_THAT(find().records, SizeIs(100));
}

TEST_F(RecordStoreTest, FilesAreOfThisUserAlone) {
    start();
    store_->put(begun(1));
    ASSERT_TRUE(wait_written(1));
    for (const char* suffix : {"", "-wal", "-shm"}) {
        struct stat info {};
        ASSERT_EQ(::stat((file() + suffix).c_str(), &info), 0) << suffix;
        EXPECT_EQ(info.st_mode & 0777, 0600U) << suffix;
    }
    struct stat info {};
    ASSERT_EQ(::stat(directory().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST_F(RecordStoreTest, ABurstOfAThousandInvitesIsAFewTransactions) {
    start();
    ASSERT_TRUE(wait_until([&] { return store_->health().status == Status::Ok; }));
    for (int i = 0; i < 1000; ++i) store_->put(begun(i));
    for (int i = 0; i < 1000; ++i) store_->put(closed(begun(i)));
    ASSERT_TRUE(wait_until([&] { return store_->counters().waiting == 0; }));
    EXPECT_EQ(store_->counters().dropped, 0U);
    EXPECT_LE(store_->counters().commits, 10U);
    RecordQuery query;
    query.limit = 2000;
    query.end_reason = "caller-hangup";
    EXPECT_THAT(find(query).records, SizeIs(1000));
}

// ---- a disk that refuses ----

class RefusingDisk : public RecordStoreTest,
                     public ::testing::WithParamInterface<FaultyVfs::Fault> {};

TEST_P(RefusingDisk, RecordsWaitAndAreWrittenOnceItWorksAgain) {
    start();
    store_->put(begun(1));
    ASSERT_TRUE(wait_written(1));
    disk().set_fault(GetParam());
    store_->put(closed(begun(1)));
    store_->put(begun(2));
    ASSERT_TRUE(wait_until([&] { return store_->health().status == Status::Degraded; }));
    EXPECT_THAT(store_->health().detail, HasSubstr("are not written"));
    EXPECT_THAT(store_->health().detail, HasSubstr(directory()));
    EXPECT_GE(store_->counters().failed_commits, 1U);
    disk().set_fault(FaultyVfs::Fault::None);
    ASSERT_TRUE(wait_until([&] { return store_->health().status == Status::Ok; }));
    ASSERT_TRUE(wait_until([&] { return store_->counters().waiting == 0; }));
    EXPECT_TRUE(get(1)->is_closed());
    EXPECT_FALSE(get(2)->is_closed());
    EXPECT_EQ(store_->counters().dropped, 0U);
}

TEST_P(RefusingDisk, TheQueueIsBoundedAndTheOldestGo) {
    auto small = settings();
    small.queue = 10;
    start(small);
    ASSERT_TRUE(wait_until([&] { return store_->health().status == Status::Ok; }));
    disk().set_fault(GetParam());
    for (int i = 0; i < 25; ++i) store_->put(closed(begun(i)));
    ASSERT_TRUE(wait_until([&] { return store_->counters().failed_commits > 0; }));
    EXPECT_LE(store_->counters().waiting, 20U);
    disk().set_fault(FaultyVfs::Fault::None);
    ASSERT_TRUE(wait_until([&] { return store_->counters().waiting == 0; }));
    const auto kept = find().records;
    EXPECT_EQ(kept.size() + store_->counters().dropped, 25U);
    EXPECT_EQ(kept.front().id, id_of(24));
    EXPECT_GE(store_->counters().dropped, 5U);
}

INSTANTIATE_TEST_SUITE_P(Faults,
                         RefusingDisk,
                         ::testing::Values(FaultyVfs::Fault::Full,
                                           FaultyVfs::Fault::ReadOnly,
                                           FaultyVfs::Fault::Io));

TEST_F(RecordStoreTest, ASlowDiskHoldsUpNobody) {
    start();
    store_->put(begun(0));
    ASSERT_TRUE(wait_written(1));
    disk().hold_syncs(true);
    store_->put(begun(1));
    ASSERT_TRUE(wait_until([&] { return disk().waiting_syncs() > 0; }));
    const std::int64_t began_ns = base::monotonic_ns();
    for (int i = 2; i < 1002; ++i) store_->put(begun(i));
    EXPECT_LT(base::monotonic_ns() - began_ns, base::kNsPerS);
    EXPECT_TRUE(get(0));  // who reads does not wait either
    ASSERT_TRUE(wait_until([&] { return store_->health().status == Status::Degraded; }));
    EXPECT_THAT(store_->health().detail, HasSubstr("slow disk"));
    disk().hold_syncs(false);
    ASSERT_TRUE(wait_until([&] { return store_->counters().waiting == 0; }));
    EXPECT_EQ(store_->counters().dropped, 0U);
    EXPECT_EQ(store_->health().status, Status::Ok);
}

TEST_F(RecordStoreTest, AFolderThatCannotBeMadeIsAMatterOfHealth) {
    std::ofstream(folder_ / "deep") << "a file";
    start();
    store_->put(begun(1));
    ASSERT_TRUE(wait_until([&] { return store_->health().status == Status::Degraded; }));
    std::filesystem::remove(folder_ / "deep");
    ASSERT_TRUE(wait_written(1));
    EXPECT_EQ(store_->health().status, Status::Ok);
}

TEST_F(RecordStoreTest, ABrokenFileIsToldAndReplacedOnceItIsMovedAway) {
    std::filesystem::create_directories(directory());
    std::ofstream(file()) << std::string(8192, 'x');
    start();
    store_->put(begun(1));
    ASSERT_TRUE(wait_until([&] { return store_->health().status == Status::Degraded; }));
    EXPECT_THAT(store_->health().detail, HasSubstr("broken"));
    std::filesystem::remove(file());
    ASSERT_TRUE(wait_written(1));
}

TEST_F(RecordStoreTest, TwoDaemonsDoNotShareADirectory) {
    start();
    store_->put(begun(1));
    ASSERT_TRUE(wait_written(1));
    RecordStore other(settings(), control_);
    ASSERT_TRUE(wait_until([&] { return other.health().status == Status::Degraded; }));
    EXPECT_THAT(other.health().detail, HasSubstr("another offhook"));
    EXPECT_FALSE(get(1)->is_closed());
}

TEST_F(RecordStoreTest, AFileOfANewerProgramIsLeftAlone) {
    std::filesystem::create_directories(directory());
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &raw), SQLITE_OK);
    sqlite3_exec(
        raw, "CREATE TABLE calls (what TEXT); PRAGMA user_version = 99", nullptr, nullptr, nullptr);
    sqlite3_close(raw);
    start();
    ASSERT_TRUE(wait_until([&] { return store_->health().status == Status::Degraded; }));
    EXPECT_THAT(store_->health().detail, HasSubstr("newer offhook"));
}

TEST_F(RecordStoreTest, WithoutADirectoryTheyAreOff) {
    auto none = settings();
    none.directory.clear();
    start(none);
    store_->put(begun(1));
    EXPECT_EQ(store_->health().status, Status::Off);
    base::Result<RecordPage> got;
    store_->find({}, [&](auto page) { got = std::move(page); });
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, base::ErrorCode::Unavailable);
}

// ---- questions ----

class Questions : public RecordStoreTest {
protected:
    void SetUp() override {
        auto for_ever = settings();
        for_ever.retention_days = 0;
        start(for_ever);
        for (int i = 0; i < 10; ++i) {
            CallRecord record =
                closed(begun(i, i % 2 == 0 ? "sip:Anna@a.example" : "sip:bob@b.example"));
            record.created_ns = 1'000'000'000LL * (i + 1);
            record.account = i < 5 ? "office" : "home";
            record.duration_ms = 1000.0 * i;
            record.quality.mos = 1 + 0.3 * i;
            if (i == 3) record.end_reason = "rtp-timeout";
            if (i == 4) {
                record.direction = "outbound";
                record.to = "sip:+49301@pbx.example.com";
                record.far_user = user_of(record.to);
            }
            store_->put(record);
        }
        ASSERT_TRUE(wait_written(10));
    }
    std::vector<std::string> found(void (*change)(RecordQuery&)) {
        RecordQuery query;
        change(query);
        return ids(find(query));
    }
};

TEST_F(Questions, Filters) {
    EXPECT_THAT(found([](auto& q) { q.from = "aNNa"; }), SizeIs(5));
    EXPECT_THAT(found([](auto& q) { q.caller = "bob"; }), SizeIs(5));
    EXPECT_THAT(found([](auto& q) { q.caller = "ob"; }), SizeIs(0));
    EXPECT_THAT(found([](auto& q) { q.caller = "+49301"; }), ElementsAre(id_of(4)));
    EXPECT_THAT(found([](auto& q) { q.caller = "sip:+49301@pbx.example.com"; }),
                ElementsAre(id_of(4)));
    EXPECT_THAT(found([](auto& q) { q.end_reason = "rtp-timeout"; }), ElementsAre(id_of(3)));
    EXPECT_THAT(found([](auto& q) { q.min_duration_ms = 8000; }), ElementsAre(id_of(9), id_of(8)));
    EXPECT_THAT(found([](auto& q) { q.max_mos = 1.4; }), ElementsAre(id_of(1), id_of(0)));
    EXPECT_THAT(found([](auto& q) {
                    q.since_ns = 9'000'000'000;
                    q.until_ns = 10'000'000'000;
                }),
                ElementsAre(id_of(8)));
    EXPECT_THAT(found([](auto& q) {
                    q.account = "home";
                    q.from = "anna";
                }),
                ElementsAre(id_of(8), id_of(6)));
    EXPECT_THAT(found([](auto& q) { q.from = "' OR 1=1 --"; }), SizeIs(0));
}

TEST_F(Questions, GoOnWhereTheyStopped) {
    RecordQuery query;
    query.limit = 4;
    std::vector<std::string> all;
    for (;;) {
        const RecordPage page = find(query);
        for (const auto& id : ids(page)) all.push_back(id);
        if (!page.has_more) break;
        ASSERT_LE(all.size(), 10U);
        query.after_ns = page.records.back().created_ns;
        query.after_id = page.records.back().id;
    }
    ASSERT_THAT(all, SizeIs(10));
    EXPECT_EQ(all.front(), id_of(9));
    EXPECT_EQ(all.back(), id_of(0));
}

TEST_F(Questions, ACallerIsErasedFromTheFilesAsWell) {
    base::Result<std::vector<std::string>> gone;
    store_->erase_caller("bob", [&](auto ids) { gone = std::move(ids); });
    control_.run_one();
    ASSERT_TRUE(gone) << gone.error().text();
    EXPECT_THAT(*gone, SizeIs(5));
    EXPECT_THAT(find().records, SizeIs(5));
    store_.reset();
    for (const auto& entry : std::filesystem::directory_iterator(directory())) {
        std::ifstream stream(entry.path(), std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
        EXPECT_EQ(bytes.find("bob@b.example"), std::string::npos) << entry.path();
    }
}

TEST_F(RecordStoreTest, OldRecordsAreForgotten) {
    auto short_lived = settings();
    short_lived.retention_days = 2;
    start(short_lived);
    for (int i = 0; i < 1200; ++i) {
        CallRecord record = closed(begun(i));
        if (i > 0) record.created_ns -= 3 * 86'400 * base::kNsPerS;
        store_->put(record);
    }
    ASSERT_TRUE(wait_written(1200));
    start(short_lived);
    EXPECT_TRUE(wait_until([&] { return find().records.size() == 1; }));
}

}  // namespace
}  // namespace offhook::store

#include "controlplane/store/schema.h"

#include <gmock/gmock.h>

#include "common/base/text.h"
#include "tests/controlplane/store/store_fixture.h"

namespace gocomet::controlplane {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SchemaTest : public StoreFixture {
 protected:
  // A file in today's format, and migrations that go on from it.
  void SetUp() override {
    OpenedStore opened = MustOpen();
    opened.store->Write({{}, {}, {}, {EventOf(1)}, nullptr});
  }
  std::vector<Migration> MigrationsAnd(const char* next) const {
    std::vector<Migration> migrations(Migrations().begin(), Migrations().end());
    migrations.push_back({kToday + 1, next});
    return migrations;
  }
  const int64_t kToday = NewestVersion(Migrations());
  std::vector<std::string> notices_;
};

TEST_F(SchemaTest, MigrationsCountUpFromOne) {
  int64_t version = 0;
  for (const Migration& migration : Migrations()) EXPECT_EQ(migration.version, ++version);
}

TEST_F(SchemaTest, AnEarlierFormatIsBroughtUpToDateAfterACopy) {
  const auto migrations = MigrationsAnd("ALTER TABLE event ADD COLUMN colour TEXT");
  Database database = MustConnect();
  ASSERT_TRUE(MigrateFile(database, path_, kToday, migrations, notices_).ok());
  EXPECT_EQ(*database.QueryInteger("PRAGMA user_version"), kToday + 1);
  EXPECT_EQ(*database.QueryInteger("SELECT count(*) FROM event WHERE colour IS NULL"), 1);
  EXPECT_THAT(notices_, ElementsAre(HasSubstr(Cat("from format ", kToday, " to ", kToday + 1))));

  const auto copies = FilesBeside(Cat(".format-", kToday, "-"));
  ASSERT_THAT(copies, SizeIs(1));
  path_ = directory_ + "/" + copies[0];
  EXPECT_EQ(std::filesystem::status(path_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_THAT(Query("PRAGMA user_version", 1), ElementsAre(Cat(kToday)));
  EXPECT_THAT(Query("SELECT count(*) FROM event", 1), ElementsAre("1"));
}

TEST_F(SchemaTest, AFileOfTheFirstFormatIsTakenOver) {
  std::filesystem::remove(path_);
  {
    Database database = MustConnect();
    const std::vector<Migration> first = {Migrations()[0]};
    ASSERT_TRUE(MigrateFile(database, path_, 0, first, notices_).ok());
    ASSERT_TRUE(database.Execute("INSERT INTO event VALUES (7, 1, 1, 'cluster', 'K', 'm')").ok());
  }
  const OpenedStore opened = MustOpen();
  EXPECT_THAT(opened.notices, ElementsAre(HasSubstr("from format 1 to ")));
  EXPECT_EQ(opened.state.last_event_sequence, 7);
  EXPECT_THAT(opened.state.access_tokens, IsEmpty());
}

TEST_F(SchemaTest, AFailedMigrationLeavesTheFileAsItWas) {
  const auto migrations = MigrationsAnd("DROP TABLE event; THIS IS NO SQL");
  Database database = MustConnect();
  const absl::Status status = MigrateFile(database, path_, kToday, migrations, notices_);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(Cat("cannot bring the database to format ", kToday + 1)));
  EXPECT_EQ(*database.QueryInteger("PRAGMA user_version"), kToday);
  EXPECT_EQ(*database.QueryInteger("SELECT count(*) FROM event"), 1);
  EXPECT_THAT(notices_, IsEmpty());
}

}  // namespace
}  // namespace gocomet::controlplane

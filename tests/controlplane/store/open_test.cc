#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include <gmock/gmock.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "tests/controlplane/store/store_fixture.h"

namespace gocomet::controlplane {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class OpenTest : public StoreFixture {
 protected:
  // Opening fails with `code`, and leaves the directory byte for byte as it was.
  std::string RefusedWith(absl::StatusCode code) {
    const auto before = ReadFile(path_);
    const auto files = FilesBeside("");
    const auto opened = OpenStore(path_);
    EXPECT_EQ(opened.status().code(), code) << opened.status();
    EXPECT_EQ(FilesBeside(""), files);
    if (before.ok()) {
      EXPECT_EQ(*ReadFile(path_), *before) << "the file was changed";
    }
    return std::string(MessageOf(opened.status()));
  }

  void WriteBytes(std::string_view bytes, std::streamoff offset = 0) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    if (!file.is_open()) file.open(path_, std::ios::out | std::ios::binary);
    file.seekp(offset);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  void MakeStoreWithRows() {
    OpenedStore opened = MustOpen();
    StoreWrite write;
    for (uint64_t i = 1; i <= 2000; ++i) write.events.push_back(EventOf(i));
    write.revisions.push_back(RevisionOf(1));
    opened.store->Write(std::move(write));
  }
};

TEST_F(OpenTest, MakesAFileForItsOwnerAloneAndLeavesTheModeOfOneThatIsThere) {
  const auto mode = [](const std::string& path) {
    struct stat file {};
    EXPECT_EQ(::stat(path.c_str(), &file), 0) << path;
    return file.st_mode & 0777U;
  };
  {
    const OpenedStore opened = MustOpen();
    for (const char* suffix : {"", "-wal", "-shm"}) EXPECT_EQ(mode(path_ + suffix), 0600U);
  }
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  const OpenedStore again = MustOpen();
  EXPECT_EQ(mode(path_), 0640U);
}

TEST_F(OpenTest, SaysWhichDirectoryIsMissing) {
  path_ = directory_ + "/missing/stats.db";
  EXPECT_THAT(RefusedWith(absl::StatusCode::kNotFound),
              AllOf(HasSubstr(Cat("there is no directory ", directory_, "/missing")),
                    HasSubstr("`stats-dir`")));
}

TEST_F(OpenTest, RefusesADirectory) {
  ASSERT_EQ(::mkdir(path_.c_str(), 0755), 0);
  EXPECT_THAT(RefusedWith(absl::StatusCode::kFailedPrecondition), HasSubstr("is not a file"));
}

TEST_F(OpenTest, RefusesAnEmptyPath) {
  EXPECT_EQ(OpenStore("").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(OpenTest, RefusesAFileItMayNotWrite) {
  MakeStoreWithRows();
  ASSERT_EQ(::chmod(path_.c_str(), 0444), 0);
  ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
  // The superuser may write everything.
  constexpr uid_t kNobody = 65534;
  const uid_t user = ::geteuid();
  if (user == 0) {
    ASSERT_EQ(::seteuid(kNobody), 0);
  }
  EXPECT_THAT(RefusedWith(absl::StatusCode::kPermissionDenied), HasSubstr("permissions"));
  ASSERT_EQ(::seteuid(user), 0);
}

TEST_F(OpenTest, TakesAnEmptyFileForANewOne) {
  WriteBytes("");
  EXPECT_THAT(MustOpen().notices, IsEmpty());
}

TEST_F(OpenTest, TakesPathsWithEveryCharacter) {
  path_ = directory_ + "/a b?c#d%e:é'\".db";
  MakeStoreWithRows();
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_EQ(MustOpen().state.last_event_sequence, 2000);
}

TEST_F(OpenTest, LeavesAFileAloneThatIsNoDatabase) {
  WriteBytes("these are my notes, not a database\n");
  EXPECT_THAT(RefusedWith(absl::StatusCode::kFailedPrecondition),
              AllOf(HasSubstr("is not an SQLite database"),
                    HasSubstr("point `stats-dir` at another file")));
}

TEST_F(OpenTest, LeavesALargeFileAloneThatIsNoDatabase) {
  WriteBytes(std::string(100'000, 'x'));
  EXPECT_THAT(RefusedWith(absl::StatusCode::kFailedPrecondition), HasSubstr("is not an SQLite"));
}

TEST_F(OpenTest, LeavesADatabaseOfSomethingElseAlone) {
  Execute("CREATE TABLE users (id INTEGER); CREATE TABLE orders (id INTEGER)");
  EXPECT_THAT(RefusedWith(absl::StatusCode::kFailedPrecondition),
              HasSubstr("a database with the tables `users`, `orders`, not GoComet's"));
}

TEST_F(OpenTest, LeavesADatabaseOfSomethingElseInWalModeAlone) {
  Execute("PRAGMA journal_mode = WAL; CREATE TABLE users (id INTEGER)");
  ASSERT_THAT(FilesBeside("-wal"), IsEmpty());
  EXPECT_THAT(RefusedWith(absl::StatusCode::kFailedPrecondition), HasSubstr("`users`"));
}

TEST_F(OpenTest, LeavesADatabaseWithAnotherApplicationIdAlone) {
  Execute("PRAGMA application_id = 1234; CREATE TABLE worker_stats (worker_id TEXT)");
  EXPECT_THAT(RefusedWith(absl::StatusCode::kFailedPrecondition), HasSubstr("not GoComet's"));
}

TEST_F(OpenTest, LeavesATableOfTheSameNameWithOtherColumnsAlone) {
  Execute("CREATE TABLE worker_stats (worker_id TEXT, salary INTEGER)");
  EXPECT_THAT(RefusedWith(absl::StatusCode::kFailedPrecondition), HasSubstr("not GoComet's"));
}

TEST_F(OpenTest, LeavesADatabaseOfANewerGoCometAlone) {
  MakeStoreWithRows();
  Execute("PRAGMA user_version = 99");
  EXPECT_THAT(RefusedWith(absl::StatusCode::kFailedPrecondition),
              AllOf(HasSubstr("newer GoComet (format 99"), HasSubstr("`stats-dir`")));
}

TEST_F(OpenTest, RefusesASecondControlPlane) {
  {
    const OpenedStore first = MustOpen();
    const auto second = OpenStore(path_);
    EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(MessageOf(second.status())),
                HasSubstr("another control plane uses it"));
  }
  MustOpen();
}

TEST_F(OpenTest, SetsADamagedFileAsideAndBeginsANewOne) {
  MakeStoreWithRows();
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path_));
  for (std::streamoff page = 4096; page < size; page += 4096)
    WriteBytes(std::string(2000, '!'), page);
  const std::string damaged = *ReadFile(path_);
  {
    const OpenedStore opened = MustOpen();
    EXPECT_THAT(opened.notices,
                ElementsAre(AllOf(HasSubstr("is damaged"), HasSubstr(".damaged-"))));
    EXPECT_THAT(opened.state.revisions, IsEmpty());
  }
  const auto aside = FilesBeside(".damaged-");
  ASSERT_THAT(aside, SizeIs(1));
  EXPECT_EQ(*ReadFile(directory_ + "/" + aside[0]), damaged)
      << "the damaged file must be kept as it is";
  EXPECT_THAT(MustOpen().notices, IsEmpty()) << "the new file is fine";
}

TEST_F(OpenTest, SetsATruncatedFileAside) {
  MakeStoreWithRows();
  std::filesystem::resize_file(path_, 3 * 4096);
  EXPECT_THAT(MustOpen().notices, ElementsAre(HasSubstr("is damaged")));
}

TEST_F(OpenTest, LeavesADamagedDatabaseOfAnotherProgramAlone) {
  Execute("PRAGMA application_id = 1234; CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  std::filesystem::resize_file(path_, 4096);
  EXPECT_THAT(RefusedWith(absl::StatusCode::kFailedPrecondition), HasSubstr("another program"));
}

}  // namespace
}  // namespace gocomet::controlplane

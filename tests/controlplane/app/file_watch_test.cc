#include "controlplane/app/file_watch.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace gocomet::controlplane {
namespace {

FileStamp Stamp(int64_t size) { return {.inode = 1, .size = size}; }

TEST(FileWatch, ReadsNothingWhileNothingChanges) {
  FileWatch watch(Stamp(1));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(watch.Look(Stamp(1)));
}

TEST(FileWatch, ReadsAChangedFileOnceItStandsStill) {
  FileWatch watch(Stamp(1));
  EXPECT_FALSE(watch.Look(Stamp(2))) << "somebody may still be writing";
  EXPECT_FALSE(watch.Look(Stamp(3)));
  EXPECT_TRUE(watch.Look(Stamp(3)));
  EXPECT_FALSE(watch.Look(Stamp(3))) << "once is enough";
}

TEST(FileWatch, WaitsForAFileThatIsBeingReplaced) {
  FileWatch watch(Stamp(1));
  EXPECT_FALSE(watch.Look(std::nullopt));
  EXPECT_FALSE(watch.Look(std::nullopt)) << "what runs is kept";
  EXPECT_FALSE(watch.Look(Stamp(2)));
  EXPECT_TRUE(watch.Look(Stamp(2)));
}

TEST(FileWatch, ReadsNothingWhereTheSameFileComesBack) {
  FileWatch watch(Stamp(1));
  EXPECT_FALSE(watch.Look(std::nullopt));
  EXPECT_FALSE(watch.Look(Stamp(1)));
  EXPECT_FALSE(watch.Look(Stamp(1)));
}

TEST(FileWatch, ReadsAFileThatWasNotThereBefore) {
  FileWatch watch(std::nullopt);
  EXPECT_FALSE(watch.Look(Stamp(1)));
  EXPECT_TRUE(watch.Look(Stamp(1)));
}

TEST(FileStamp, TellsAReplacedFileOfTheSameSizeApart) {
  const std::string path = testing::TempDir() + "/file-stamp-" + std::to_string(::getpid());
  EXPECT_FALSE(StampOf(path));
  std::ofstream(path) << "one";
  const auto before = StampOf(path);
  ASSERT_TRUE(before);
  EXPECT_EQ(StampOf(path), before);
  std::ofstream(path + ".new") << "two";
  std::filesystem::rename(path + ".new", path);
  EXPECT_NE(StampOf(path), before);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace gocomet::controlplane

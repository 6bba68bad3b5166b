#include "common/base/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"

namespace gocomet {
namespace {

using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/gocomet-file-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string directory_;
};

TEST_F(FileTest, AWrittenFileIsReadBackWithItsMode) {
  const std::string path = directory_ + "/secret";
  ASSERT_TRUE(WriteFileAtomically(path, "old", 0644).ok());
  ASSERT_TRUE(WriteFileAtomically(path, "new", 0600).ok());
  EXPECT_EQ(*ReadFile(path), "new");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(FileTest, AMissingFileIsNotFoundAndNamed) {
  const auto content = ReadFile(directory_ + "/none");
  EXPECT_EQ(content.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(content.status()), HasSubstr("/none"));
}

TEST_F(FileTest, DirectoriesAreMadeWithTheirParents) {
  EXPECT_TRUE(MakeDirectories(directory_ + "/a/b", 0700).ok());
  EXPECT_TRUE(MakeDirectories(directory_ + "/a/b", 0700).ok());
  ASSERT_TRUE(WriteFileAtomically(directory_ + "/file", "", 0600).ok());
  EXPECT_FALSE(MakeDirectories(directory_ + "/file", 0700).ok());
}

}  // namespace
}  // namespace gocomet

#include "common/counters/counter_file.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"

namespace gocomet {
namespace {

struct Tally {
  static constexpr uint32_t kKind = 7;
  std::atomic<uint64_t> apples;
  std::atomic<uint64_t> pears;
};

struct WiderTally {
  static constexpr uint32_t kKind = 7;
  std::atomic<uint64_t> numbers[100];
};

class CounterFileTest : public testing::Test {
 protected:
  CounterFileTest() : directory_(testing::TempDir() + "/counters-" + std::to_string(::getpid())) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~CounterFileTest() override { std::filesystem::remove_all(directory_); }

  std::string path() const { return directory_ + "/counters"; }
  std::shared_ptr<CounterFile> Open() {
    auto opened = CounterFile::Open(path());
    EXPECT_TRUE(opened.ok()) << opened.status();
    if (!opened.ok()) return nullptr;
    notice_ = opened->notice;
    return opened->file;
  }
  void Write(const std::string& bytes) const { std::ofstream(path()) << bytes; }
  // What was written at `offset`, over what was there.
  void Overwrite(size_t offset, const std::string& bytes) const {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes;
  }

  const std::string directory_;
  std::string notice_;
};

TEST_F(CounterFileTest, ANewRecordBeginsWithZeros) {
  const auto file = Open();
  const auto tally = file->Take<Tally>("orchard");
  ASSERT_TRUE(tally.ok()) << tally.status();
  EXPECT_EQ((*tally)->apples, 0u);
  EXPECT_EQ((*tally)->pears, 0u);
}

TEST_F(CounterFileTest, WhatWasCountedIsThereForTheNext) {
  uint64_t incarnation = 0;
  {
    const auto file = Open();
    incarnation = file->incarnation();
    (*file->Take<Tally>("orchard"))->apples = 3;
  }
  const auto file = Open();
  EXPECT_EQ(file->incarnation(), incarnation) << "numbers that go on must keep their identity";
  EXPECT_THAT(file->Names<Tally>(), testing::ElementsAre("orchard"));
  EXPECT_EQ((*file->Take<Tally>("orchard"))->apples, 3u);
  EXPECT_EQ(notice_, "");
}

TEST_F(CounterFileTest, AKilledProcessLosesNothing) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto opened = CounterFile::Open(path());
    const auto tally = *opened->file->Take<Tally>("orchard");
    for (int i = 0; i < 1000; ++i) tally->apples.fetch_add(1);
    [[maybe_unused]] const ssize_t written = ::write(ready[1], "x", 1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ((*Open()->Take<Tally>("orchard"))->apples, 1000u);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(CounterFileTest, TheSameNameIsTheSameRecord) {
  const auto file = Open();
  const auto once = *file->Take<Tally>("orchard");
  const auto again = *file->Take<Tally>("orchard");
  EXPECT_EQ(once, again);
  EXPECT_EQ(once.use_count(), 2) << "it shows who still holds it";
}

TEST_F(CounterFileTest, RecordsOutliveTheirFilesOwner) {
  auto file = Open();
  const auto tally = *file->Take<Tally>("orchard");
  file.reset();
  tally->apples = 1;
  EXPECT_EQ(tally->apples, 1u);
}

TEST_F(CounterFileTest, AFreedRecordBeginsAnew) {
  const auto file = Open();
  auto tally = *file->Take<Tally>("orchard");
  tally->apples = 3;
  file->Free(tally);
  EXPECT_THAT(file->Names<Tally>(), testing::IsEmpty());
  tally = *file->Take<Tally>("orchard");
  EXPECT_EQ(tally->apples, 0u);
}

TEST_F(CounterFileTest, FreedRoomIsUsedAgain) {
  {
    const auto file = Open();
    for (int i = 0; i < 100'000; ++i) file->Free(*file->Take<Tally>(Cat("worker-", i % 10)));
  }
  EXPECT_EQ(std::filesystem::file_size(path()), 256u * 1024);
  const auto file = Open();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(file->Take<Tally>(Cat("worker-", i)).ok());
  EXPECT_EQ(std::filesystem::file_size(path()), 256u * 1024);
}

TEST_F(CounterFileTest, ManyRecordsGrowTheFile) {
  constexpr uint64_t kMany = 5000;
  {
    const auto file = Open();
    std::vector<std::shared_ptr<Tally>> held;
    for (uint64_t i = 0; i < kMany; ++i) {
      held.push_back(*file->Take<Tally>(Cat("worker-", i)));
      held.back()->pears = i;
    }
    for (uint64_t i = 0; i < kMany; ++i) ASSERT_EQ(held[i]->pears, i) << "records do not move";
  }
  const auto file = Open();
  EXPECT_EQ(file->Names<Tally>().size(), kMany);
  for (uint64_t i = 0; i < kMany; ++i) {
    ASSERT_EQ((*file->Take<Tally>(Cat("worker-", i)))->pears, i);
  }
}

TEST_F(CounterFileTest, ARecordOfAnotherLayoutBeginsAnew) {
  { (*Open()->Take<Tally>("orchard"))->apples = 3; }
  const auto file = Open();
  const auto wider = file->Take<WiderTally>("orchard");
  ASSERT_TRUE(wider.ok()) << wider.status();
  for (const auto& number : (*wider)->numbers) EXPECT_EQ(number, 0u);
  EXPECT_THAT(file->Names<Tally>(), testing::IsEmpty());
}

TEST_F(CounterFileTest, OneProcessAtATimeCountsInAFile) {
  const auto file = Open();
  const auto second = CounterFile::Open(path());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable) << second.status();
}

TEST_F(CounterFileTest, AForeignFileIsSetAside) {
  Write("these are not counters");
  const auto file = Open();
  ASSERT_TRUE(file);
  EXPECT_THAT(notice_, testing::HasSubstr("is set aside as " + path() + ".damaged"));
  EXPECT_TRUE(std::filesystem::exists(path() + ".damaged"));
  EXPECT_TRUE(file->Take<Tally>("orchard").ok());
}

TEST_F(CounterFileTest, ADamagedRecordSetsTheFileAside) {
  { (*Open()->Take<Tally>("orchard"))->apples = 3; }
  Overwrite(64, std::string(4, '\xff'));
  const auto file = Open();
  ASSERT_TRUE(file);
  EXPECT_THAT(notice_, testing::HasSubstr("a record is longer than it can be"));
  EXPECT_THAT(file->Names<Tally>(), testing::IsEmpty());
}

TEST_F(CounterFileTest, AHalfMadeRecordIsFree) {
  { (*Open()->Take<Tally>("orchard"))->apples = 3; }
  // As a process left it that was killed before it marked the record as used.
  Overwrite(64 + 14, std::string(2, '\0'));
  const auto file = Open();
  EXPECT_EQ(notice_, "");
  EXPECT_THAT(file->Names<Tally>(), testing::IsEmpty());
  EXPECT_EQ((*file->Take<Tally>("orchard"))->apples, 0u);
}

TEST_F(CounterFileTest, AFileThatWasNotYetBegunIsBegun) {
  Write(std::string(256 * 1024, '\0'));
  const auto file = Open();
  ASSERT_TRUE(file);
  EXPECT_EQ(notice_, "");
  EXPECT_NE(file->incarnation(), 0u);
}

TEST_F(CounterFileTest, AFileThatWasJustGrowingGoesOn) {
  { (*Open()->Take<Tally>("orchard"))->apples = 3; }
  std::filesystem::resize_file(path(), 256 * 1024 + 4096);
  EXPECT_EQ((*Open()->Take<Tally>("orchard"))->apples, 3u);
}

TEST_F(CounterFileTest, OthersReadWhileOneCounts) {
  const auto file = Open();
  const auto tally = *file->Take<Tally>("orchard");
  const auto reader = CounterFile::OpenForReading(path());
  ASSERT_TRUE(reader.ok()) << reader.status();
  tally->apples = 3;
  EXPECT_EQ((*reader)->incarnation(), file->incarnation());
  EXPECT_THAT((*reader)->Names<Tally>(), testing::ElementsAre("orchard"));
  const auto seen = (*reader)->Find<Tally>("orchard");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->apples, 3u);
  EXPECT_FALSE((*reader)->Find<Tally>("garden"));
  EXPECT_FALSE((*reader)->Find<WiderTally>("orchard"));
}

TEST_F(CounterFileTest, ReadersTakeNoForeignFile) {
  Write(std::string(256 * 1024, '\0'));
  EXPECT_EQ(CounterFile::OpenForReading(path()).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(std::filesystem::exists(path() + ".damaged"));
}

TEST_F(CounterFileTest, ADirectoryThatIsMissingIsAnError) {
  const auto opened = CounterFile::Open(directory_ + "/missing/counters");
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kNotFound) << opened.status();
}

}  // namespace
}  // namespace gocomet

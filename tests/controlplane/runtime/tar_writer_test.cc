#include "controlplane/runtime/tar_writer.h"

#include <gtest/gtest.h>

namespace gocomet::controlplane {
namespace {

constexpr size_t kBlock = 512;

std::string ArchiveOf(std::string_view name, std::string_view content, unsigned mode) {
  TarWriter tar;
  EXPECT_TRUE(tar.Add(name, content, mode).ok());
  return std::move(tar).Finish();
}

TEST(TarWriter, AFileIsAHeaderItsContentInBlocksAndTwoBlocksOfZero) {
  const std::string archive = ArchiveOf("hello", "world", 0755);
  ASSERT_EQ(archive.size(), 4 * kBlock);
  EXPECT_EQ(archive.substr(0, 6), std::string("hello\0", 6));
  EXPECT_EQ(archive.substr(100, 8), std::string("0000755\0", 8));
  EXPECT_EQ(archive.substr(124, 12), std::string("00000000005\0", 12));
  EXPECT_EQ(archive[156], '0');
  EXPECT_EQ(archive.substr(257, 8), std::string("ustar\0"
                                                "00",
                                                8));
  EXPECT_EQ(archive.substr(kBlock, 6), std::string("world\0", 6));
  EXPECT_EQ(archive.substr(2 * kBlock), std::string(2 * kBlock, '\0'));
}

TEST(TarWriter, TheChecksumIsTheSumOfTheHeaderWithBlanksInItsPlace) {
  std::string header = ArchiveOf("hello", "world", 0644).substr(0, kBlock);
  const unsigned long written = std::stoul(header.substr(148, 6), nullptr, 8);
  EXPECT_EQ(header.substr(154, 2), std::string("\0 ", 2));
  header.replace(148, 8, "        ");
  unsigned long sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  EXPECT_EQ(written, sum);
}

TEST(TarWriter, ContentThatFillsItsBlocksIsNotPadded) {
  EXPECT_EQ(ArchiveOf("a", std::string(kBlock, 'x'), 0644).size(), 4 * kBlock);
  EXPECT_EQ(ArchiveOf("a", std::string(kBlock + 1, 'x'), 0644).size(), 5 * kBlock);
  EXPECT_EQ(ArchiveOf("a", "", 0644).size(), 3 * kBlock);
}

TEST(TarWriter, TheSameFilesGiveTheSameBytes) {
  EXPECT_EQ(ArchiveOf("a", "b", 0644), ArchiveOf("a", "b", 0644));
}

TEST(TarWriter, RefusesNamesThatDoNotFit) {
  TarWriter tar;
  EXPECT_TRUE(tar.Add(std::string(100, 'n'), "", 0644).ok());
  EXPECT_EQ(tar.Add(std::string(101, 'n'), "", 0644).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(tar.Add("", "", 0644).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace gocomet::controlplane

#include "common/http/scan.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "tests/common/http/guarded_bytes.h"

namespace gocomet::http {
namespace {

using Scan = const char* (*)(const char*, const char*);

const struct {
  const char* name;
  Scan vector;
  Scan scalar;
} kScans[] = {
    {"PastToken", vector::PastToken, scalar::PastToken},
    {"PastTarget", vector::PastTarget, scalar::PastTarget},
    {"PastValue", vector::PastValue, scalar::PastValue},
};

size_t Past(Scan scan, std::string_view bytes) {
  return static_cast<size_t>(scan(bytes.data(), bytes.data() + bytes.size()) - bytes.data());
}

TEST(Scan, StopsAtTheSameOneOf256BytesAtEveryPlaceAsItsScalarTwin) {
  GuardedBytes guarded;
  for (const auto& scan : kScans) {
    for (int c = 0; c < 256; ++c) {
      for (size_t at = 0; at < 40; ++at) {
        std::string bytes(40, 'a');
        bytes[at] = static_cast<char>(c);
        const std::string_view view = guarded.AtBack(bytes);
        ASSERT_EQ(Past(scan.vector, view), Past(scan.scalar, view))
            << scan.name << " with byte " << c << " at " << at;
      }
    }
  }
}

// Each length ends at a page that may not be read, and so begins at each alignment.
TEST(Scan, AgreesWithItsScalarTwinOnRandomBytesOfEveryLengthAndReadsNothingOutside) {
  constexpr unsigned kSeed = 20240901;
  std::mt19937 random(kSeed);
  GuardedBytes guarded;
  const std::string usual =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-----_!#$%&'*+.^`|~";
  for (const auto& scan : kScans) {
    for (size_t length = 0; length <= 200; ++length) {
      for (int round = 0; round < 50; ++round) {
        std::string bytes(length, 'a');
        for (char& c : bytes) {
          c = random() % 64 == 0 ? static_cast<char>(random()) : usual[random() % usual.size()];
        }
        const std::string_view back = guarded.AtBack(bytes);
        ASSERT_EQ(Past(scan.vector, back), Past(scan.scalar, back)) << scan.name << " " << bytes;
        const std::string_view front = guarded.AtFront(bytes);
        ASSERT_EQ(Past(scan.vector, front), Past(scan.scalar, front)) << scan.name << " " << bytes;
      }
    }
  }
}

}  // namespace
}  // namespace gocomet::http

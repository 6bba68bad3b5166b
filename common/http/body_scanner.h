#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/http/framing.h"

namespace gocomet::http {

// Finds the end of a body in a stream of bytes, and checks a chunked one on the way (RFC
// 9112, 7.1). The bytes themselves are passed on as they came. Pure; a few words of state.
//
// Strict where the RFC lets a recipient be lenient, since others may read it in another way: no
// white space around a chunk's size, at most 15 digits of it, no bare CR or LF in an extension, and
// trailers are fields, none of which frames or routes a message.
class BodyScanner {
 public:
  // Chunk extensions and trailers are bounded: a body that is mostly framing is refused.
  static constexpr uint64_t kFramingBytesMax = 64 * 1024;
  static constexpr uint64_t kExtensionBytesMax = 4 * 1024;  // Of one chunk.

  BodyScanner() = default;
  explicit BodyScanner(const Framing& framing);

  // How many bytes at the front of `bytes` belong to the body. Fewer than all of them only where
  // the body ends, or is bad.
  // The data alone, without its framing, is appended to `data` where there is one.
  size_t Scan(std::string_view bytes, std::string* data = nullptr);

  // How many bytes must still come whatever they are: those of a body of a known length.
  uint64_t left_of_length() const { return state_ == State::kLength ? left_ : 0; }
  // The next `bytes` of them, at most, went another way.
  void Skip(uint64_t bytes) {
    left_ -= bytes;
    if (left_ == 0) state_ = State::kDone;
  }

  bool done() const { return state_ == State::kDone; }
  bool bad() const { return state_ == State::kBad; }
  // A body that ends with its connection has no end of its own.
  bool until_close() const { return state_ == State::kUntilClose; }

 private:
  enum class State : unsigned char {
    kDone,
    kBad,
    kUntilClose,
    kLength,
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailerName,
    kTrailer,
    kTrailerLf,
    kEndLf,
  };

  bool OnFramingByte(char c);
  bool OnTrailerName(char c);

  State state_ = State::kDone;
  uint64_t left_ = 0;           // Of the body, or of the chunk.
  uint32_t size_digits_ = 0;    // Of the chunk size read so far.
  uint64_t framing_bytes_ = 0;  // Not data, since the last data.
  uint32_t extension_bytes_ = 0;
  uint32_t name_bytes_ = 0;                      // Of the trailer's name.
  std::array<char, kFieldNameBytesMax> name_{};  // Its first bytes.
};

}  // namespace gocomet::http

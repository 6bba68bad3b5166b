#pragma once

#include <cstdint>
#include <string_view>

namespace gocomet::dataplane {

// Spreads each bit over all 64: the finalizer of MurmurHash3 (A. Appleby, public domain). A
// bijection.
constexpr uint64_t Mix(uint64_t bits) {
  bits ^= bits >> 33;
  bits *= 0xff51afd7ed558ccdULL;
  bits ^= bits >> 33;
  bits *= 0xc4ceb9fe1a85ec53ULL;
  bits ^= bits >> 33;
  return bits;
}

// The same number for the same text in every process, on every machine and in every version: FNV-1a
// (Fowler, Noll, Vo), mixed. Not secret: whoever chooses the text can choose the number.
constexpr uint64_t StableHash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char character : text) {
    hash ^= static_cast<unsigned char>(character);
    hash *= 0x100000001b3ULL;
  }
  return Mix(hash);
}

}  // namespace gocomet::dataplane

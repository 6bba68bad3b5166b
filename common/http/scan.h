#pragma once

#include <cstdint>

#include "common/http/characters.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// Finding where a class of characters ends, sixteen bytes at a time where the machine has SSE2, as
// every x86-64 has. Each scan gives the first byte of [at, end) that is not of its class, or `end`,
// and reads nothing outside [at, end). `scalar` and `vector` always agree. Thirty-two bytes at a
// time (AVX2) gained at most four parts in a hundred on real heads, too little for choosing at run
// time.
namespace gocomet::http {

namespace scalar {

inline const char* PastClass(const char* at, const char* end, unsigned char wanted) {
  while (at != end &&
         (characters_internal::kClasses[static_cast<unsigned char>(*at)] & wanted) != 0) {
    ++at;
  }
  return at;
}
inline const char* PastToken(const char* at, const char* end) {
  return PastClass(at, end, characters_internal::kToken);
}
inline const char* PastTarget(const char* at, const char* end) {
  return PastClass(at, end, characters_internal::kTarget);
}
inline const char* PastValue(const char* at, const char* end) {
  return PastClass(at, end, characters_internal::kValue);
}

}  // namespace scalar

#if defined(__SSE2__)
namespace vector {

inline __m128i Load(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
inline __m128i All(int c) { return _mm_set1_epi8(static_cast<char>(c)); }
// Where a byte is at most `most`, all unsigned.
inline __m128i AtMost(__m128i bytes, int most) {
  return _mm_cmpeq_epi8(_mm_min_epu8(bytes, All(most)), bytes);
}
inline unsigned Mask(__m128i bytes) { return static_cast<unsigned>(_mm_movemask_epi8(bytes)); }
inline const char* FirstIn(unsigned mask, const char* at) { return at + __builtin_ctz(mask); }

// Letters, digits and `-`, of which nearly every name is made; the table knows the others.
inline const char* PastToken(const char* at, const char* end) {
  while (end - at >= 16) {
    const __m128i bytes = Load(at);
    const __m128i letters = AtMost(_mm_sub_epi8(_mm_or_si128(bytes, All(0x20)), All('a')), 25);
    const __m128i digits = AtMost(_mm_sub_epi8(bytes, All('0')), 9);
    const __m128i dashes = _mm_cmpeq_epi8(bytes, All('-'));
    const unsigned others = Mask(_mm_or_si128(letters, _mm_or_si128(digits, dashes))) ^ 0xffffu;
    if (others == 0) {
      at += 16;
      continue;
    }
    at = FirstIn(others, at);
    if ((characters_internal::kClasses[static_cast<unsigned char>(*at)] &
         characters_internal::kToken) == 0) {
      return at;
    }
    ++at;
  }
  return scalar::PastToken(at, end);
}

inline const char* PastTarget(const char* at, const char* end) {
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = Load(at);
    const __m128i visible = AtMost(_mm_sub_epi8(bytes, All(0x21)), 0x7e - 0x21);
    const __m128i hashes = _mm_cmpeq_epi8(bytes, All('#'));
    const unsigned others = Mask(_mm_andnot_si128(hashes, visible)) ^ 0xffffu;
    if (others != 0) return FirstIn(others, at);
  }
  return scalar::PastTarget(at, end);
}

inline const char* PastValue(const char* at, const char* end) {
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = Load(at);
    const __m128i tabs = _mm_cmpeq_epi8(bytes, All('\t'));
    const __m128i controls =
        _mm_or_si128(_mm_andnot_si128(tabs, AtMost(bytes, 0x1f)), _mm_cmpeq_epi8(bytes, All(0x7f)));
    const unsigned others = Mask(controls);
    if (others != 0) return FirstIn(others, at);
  }
  return scalar::PastValue(at, end);
}

}  // namespace vector
#else
namespace vector = scalar;
#endif

}  // namespace gocomet::http

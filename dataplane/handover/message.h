#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace gocomet::dataplane {

// What a balancer and its successor say to each other:
//
//     successor                       predecessor
//     kTakeOver(address)      ──▶
//                             ◀──     kListeners(address, count), with descriptors
//     kServing                ──▶     stops accepting
//                             ◀──     kDraining
//
// The predecessor may answer kRefused with the reason at any time, and goes on as it was.
struct HandoverMessage {
  enum class Kind : uint8_t { kTakeOver = 1, kListeners, kServing, kDraining, kRefused };

  Kind kind = Kind::kServing;
  uint8_t listeners = 0;  // Of kListeners: 1 to kHandoverListenersMax.
  std::string text;       // The address that is listened on, or the reason; at most
                          // kHandoverTextBytesMax.

  friend bool operator==(const HandoverMessage&, const HandoverMessage&) = default;
};

inline constexpr uint8_t kHandoverVersion = 1;
// As many as threads, for each of the addresses that one balancer may have come to listen on; the
// kernel passes on 253 descriptors at once (SCM_MAX_FD).
inline constexpr size_t kHandoverListenersMax = 250;
inline constexpr size_t kHandoverTextBytesMax = 400;
inline constexpr size_t kHandoverMessageBytesMax = 12 + kHandoverTextBytesMax;

// One message: `GoComet`, then a byte each for version, kind and listeners, the text's length in
// two bytes, the higher first, and the text. Texts that are too long are cut.
std::string EncodeHandover(const HandoverMessage& message);
// INVALID_ARGUMENT says what is wrong; a message of another version is told apart.
absl::StatusOr<HandoverMessage> DecodeHandover(std::string_view bytes);

}  // namespace gocomet::dataplane

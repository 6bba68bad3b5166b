#include "dataplane/handover/message.h"

#include "common/base/text.h"

namespace gocomet::dataplane {
namespace {

constexpr std::string_view kMagic = "GoComet";
constexpr size_t kHeadBytes = kMagic.size() + 5;
static_assert(kHeadBytes + kHandoverTextBytesMax == kHandoverMessageBytesMax);

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(Cat("not a message of a hand-over: ", what));
}

// What each kind carries beside its name.
bool FitsItsKind(const HandoverMessage& message) {
  using Kind = HandoverMessage::Kind;
  const bool has_listeners = message.listeners >= 1 && message.listeners <= kHandoverListenersMax;
  switch (message.kind) {
    case Kind::kListeners:
      return has_listeners && !message.text.empty();
    case Kind::kTakeOver:
    case Kind::kRefused:
      return message.listeners == 0 && !message.text.empty();
    case Kind::kServing:
    case Kind::kDraining:
      return message.listeners == 0 && message.text.empty();
  }
  return false;
}

}  // namespace

std::string EncodeHandover(const HandoverMessage& message) {
  const std::string_view text = std::string_view(message.text).substr(0, kHandoverTextBytesMax);
  std::string bytes(kMagic);
  bytes.push_back(static_cast<char>(kHandoverVersion));
  bytes.push_back(static_cast<char>(message.kind));
  bytes.push_back(static_cast<char>(message.listeners));
  bytes.push_back(static_cast<char>(text.size() >> 8));
  bytes.push_back(static_cast<char>(text.size() & 0xff));
  bytes.append(text);
  return bytes;
}

absl::StatusOr<HandoverMessage> DecodeHandover(std::string_view bytes) {
  if (!bytes.starts_with(kMagic) || bytes.size() == kMagic.size()) {
    return Malformed("it does not begin as one");
  }
  const auto byte = [bytes](size_t at) { return static_cast<uint8_t>(bytes[at]); };
  const uint8_t version = byte(kMagic.size());
  if (version != kHandoverVersion) {
    return absl::InvalidArgumentError(Cat("it speaks version ", int{version},
                                          " of the hand-over, this balancer speaks version ",
                                          int{kHandoverVersion}));
  }
  if (bytes.size() < kHeadBytes) return Malformed("it ends within its head");
  HandoverMessage message;
  message.kind = static_cast<HandoverMessage::Kind>(byte(kMagic.size() + 1));
  message.listeners = byte(kMagic.size() + 2);
  const size_t length = size_t{byte(kMagic.size() + 3)} << 8 | byte(kMagic.size() + 4);
  message.text = bytes.substr(kHeadBytes);
  if (length > kHandoverTextBytesMax || length != message.text.size()) {
    return Malformed("its text is not as long as it says");
  }
  if (!FitsItsKind(message)) return Malformed("its kind, count and text do not fit together");
  return message;
}

}  // namespace gocomet::dataplane

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/text.h"
#include "dataplane/handover/message.h"

namespace gocomet::dataplane {
namespace {

using Kind = HandoverMessage::Kind;

const std::vector<HandoverMessage> kEach = {
    {.kind = Kind::kTakeOver, .text = "127.0.0.1:5050"},
    {.kind = Kind::kListeners, .listeners = 1, .text = "[::1]:5050"},
    {.kind = Kind::kListeners, .listeners = kHandoverListenersMax, .text = "127.0.0.1:5050"},
    {.kind = Kind::kServing},
    {.kind = Kind::kDraining},
    {.kind = Kind::kRefused, .text = std::string(kHandoverTextBytesMax, 'x')},
};

TEST(HandoverMessage, ComesBackAsItWas) {
  for (const HandoverMessage& message : kEach) {
    const std::string bytes = EncodeHandover(message);
    EXPECT_LE(bytes.size(), kHandoverMessageBytesMax);
    const auto decoded = DecodeHandover(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, message);
  }
}

TEST(HandoverMessage, LooksLikeThisOnTheWire) {
  EXPECT_EQ(EncodeHandover({.kind = Kind::kListeners, .listeners = 3, .text = "1.2.3.4:5"}),
            std::string("GoComet\x01\x02\x03\x00\x09"
                        "1.2.3.4:5",
                        21));
}

TEST(HandoverMessage, IsRefusedWhereverItIsCut) {
  for (const HandoverMessage& message : kEach) {
    const std::string bytes = EncodeHandover(message);
    for (size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_FALSE(DecodeHandover(bytes.substr(0, length)).ok())
          << "kind " << int(message.kind) << ", " << length << " of " << bytes.size() << " bytes";
    }
    EXPECT_FALSE(DecodeHandover(bytes + "x").ok()) << "with a byte more";
  }
}

TEST(HandoverMessage, OfAnotherVersionIsToldApart) {
  std::string bytes = EncodeHandover({.kind = Kind::kServing});
  bytes[7] = 2;
  EXPECT_EQ(MessageOf(DecodeHandover(bytes).status()),
            "it speaks version 2 of the hand-over, this balancer speaks version 1");
}

TEST(HandoverMessage, IsRefusedWhereItsPartsDoNotFitTogether) {
  const std::vector<HandoverMessage> wrong = {
      {.kind = Kind{0}},
      {.kind = Kind{6}},
      {.kind = Kind{255}},
      {.kind = Kind::kTakeOver},
      {.kind = Kind::kTakeOver, .listeners = 1, .text = "127.0.0.1:5050"},
      {.kind = Kind::kListeners, .listeners = 0, .text = "127.0.0.1:5050"},
      {.kind = Kind::kListeners, .listeners = kHandoverListenersMax + 1, .text = "127.0.0.1:5050"},
      {.kind = Kind::kListeners, .listeners = 1},
      {.kind = Kind::kServing, .text = "x"},
      {.kind = Kind::kDraining, .listeners = 1},
      {.kind = Kind::kRefused},
  };
  for (const HandoverMessage& message : wrong) {
    EXPECT_FALSE(DecodeHandover(EncodeHandover(message)).ok())
        << "kind " << int(message.kind) << ", " << int(message.listeners) << " listeners, `"
        << message.text << "`";
  }
}

TEST(HandoverMessage, CutsAReasonThatIsTooLong) {
  const auto decoded =
      DecodeHandover(EncodeHandover({.kind = Kind::kRefused, .text = std::string(100'000, 'x')}));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->text.size(), kHandoverTextBytesMax);
}

}  // namespace
}  // namespace gocomet::dataplane

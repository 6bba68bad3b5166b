#include "dataplane/handover/successor.h"

#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "dataplane/handover/listening_address.h"

namespace gocomet::dataplane {
namespace {

using Kind = HandoverMessage::Kind;

absl::Status RefusedFor(const HandoverMessage& message) {
  return absl::FailedPreconditionError(Cat("it refuses: ", message.text));
}

absl::Status NotWhatWasAskedFor(const Address& address) {
  return absl::DataLossError(
      Cat("it handed over a descriptor that does not listen on ", address.ToString()));
}

absl::Status Sort(UniqueFd fd, const Address& listen, Inheritance& inheritance) {
  const auto bound = ListeningAddressOf(fd);
  if (!bound.ok() || !SharePort(*bound, listen)) return NotWhatWasAskedFor(listen);
  std::vector<UniqueFd>& kind = *bound == listen         ? inheritance.own
                                : Covers(listen, *bound) ? inheritance.covered
                                                         : inheritance.unwanted;
  kind.push_back(std::move(fd));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<Inheritance>> Inherit(const Address& path, const Address& listen,
                                                   std::chrono::milliseconds patience) {
  GOCOMET_ASSIGN_OR_RETURN(std::optional<HandoverChannel> channel, KnockAtHandoverDoor(path));
  if (!channel) return std::nullopt;
  Inheritance inheritance;
  inheritance.channel = *std::move(channel);
  GOCOMET_ASSIGN_OR_RETURN(inheritance.predecessor, inheritance.channel.CheckPeer());
  // Where it refused us already, this fails and the reason can be read.
  (void)inheritance.channel.Send({.kind = Kind::kTakeOver, .text = listen.ToString()});
  GOCOMET_ASSIGN_OR_RETURN(HandoverChannel::Received received,
                           inheritance.channel.ReceiveWithin(patience));
  if (received.message.kind == Kind::kRefused) return RefusedFor(received.message);
  if (received.message.kind != Kind::kListeners ||
      received.descriptors.size() != size_t{received.message.listeners} + 1) {
    return absl::DataLossError("it answered with something else than its sockets");
  }
  const auto door = ListeningAddressOf(received.descriptors.front());
  if (!door.ok() || !(*door == path)) return NotWhatWasAskedFor(path);
  inheritance.door = std::move(received.descriptors.front());
  for (size_t i = 1; i < received.descriptors.size(); ++i) {
    GOCOMET_RETURN_IF_ERROR(Sort(std::move(received.descriptors[i]), listen, inheritance));
  }
  return inheritance;
}

Succession::Succession(EventLoop& loop, HandoverChannel channel,
                       std::function<void(absl::Status)> settled,
                       std::chrono::milliseconds patience)
    : channel_(std::move(channel)),
      settled_(std::move(settled)),
      patience_(patience),
      readable_(event_new(loop.base(), channel_.fd(), EV_READ | EV_PERSIST, &Succession::OnEvent,
                          this)) {}

Succession::~Succession() { event_free(readable_); }

absl::Status Succession::Announce() {
  const auto early = channel_.Receive();
  if (early.ok() && *early) return RefusedFor((*early)->message);
  // Where this fails the predecessor is gone, and nobody else accepts.
  (void)channel_.Send({.kind = Kind::kServing});
  const timeval wait{static_cast<time_t>(patience_.count() / 1000),
                     static_cast<suseconds_t>(patience_.count() % 1000 * 1000)};
  event_add(readable_, &wait);
  return absl::OkStatus();
}

void Succession::OnEvent(evutil_socket_t, short what, void* self) {
  auto* succession = static_cast<Succession*>(self);
  if ((what & EV_TIMEOUT) != 0) return succession->Settle(absl::OkStatus());
  const auto received = succession->channel_.Receive();
  if (received.ok() && !*received) return;
  const bool refused = received.ok() && (*received)->message.kind == Kind::kRefused;
  succession->Settle(refused ? RefusedFor((*received)->message) : absl::OkStatus());
}

void Succession::Settle(absl::Status status) {
  event_del(readable_);
  settled_(std::move(status));
}

}  // namespace gocomet::dataplane

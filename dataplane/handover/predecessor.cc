#include "dataplane/handover/predecessor.h"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "common/base/text.h"
#include "dataplane/handover/listening_address.h"

namespace gocomet::dataplane {

using Kind = HandoverMessage::Kind;

Predecessor::Predecessor(EventLoop& loop, UniqueFd door, Address path, Address listen, Hooks hooks,
                         PredecessorPatience patience)
    : loop_(loop),
      door_(std::move(door)),
      path_(path),
      listen_(listen),
      hooks_(std::move(hooks)),
      patience_(patience),
      knock_(
          event_new(loop.base(), door_.get(), EV_READ | EV_PERSIST, &Predecessor::OnKnock, this)),
      timer_(event_new(loop.base(), -1, 0, &Predecessor::OnTime, this)) {
  OwnHandoverDoor(door_);
  event_add(knock_, nullptr);
}

Predecessor::~Predecessor() {
  const bool path_is_given_away = handed_over_ || (visit_ && visit_->has_descriptors);
  if (!path_is_given_away) ::unlink(path_.host().c_str());
  EndVisit();
  event_free(knock_);
  event_free(timer_);
}

void Predecessor::OnKnock(evutil_socket_t fd, short, void* self) {
  UniqueFd visitor(::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (visitor.valid()) static_cast<Predecessor*>(self)->Admit(HandoverChannel(std::move(visitor)));
}

void Predecessor::Admit(HandoverChannel channel) {
  // One that ended makes room at once, whichever of both is told first.
  if (visit_) ReadVisitor();
  if (handed_over_) return;
  const auto pid = channel.CheckPeer();
  const std::string reason = !pid.ok() ? std::string(MessageOf(pid.status()))
                             : visit_  ? Cat("process ", visit_->pid, " is taking over already")
                                       : "";
  if (!reason.empty()) {
    (void)channel.Send({.kind = Kind::kRefused, .text = reason});
    return hooks_.say(Cat("hand-over refused: ", reason));
  }
  event* readable =
      event_new(loop_.base(), channel.fd(), EV_READ | EV_PERSIST, &Predecessor::OnMessage, this);
  event_add(readable, nullptr);
  visit_ = Visit{std::move(channel), *pid, readable};
  SetDeadline(patience_.for_request);
}

void Predecessor::OnMessage(evutil_socket_t, short, void* self) {
  static_cast<Predecessor*>(self)->ReadVisitor();
}

void Predecessor::ReadVisitor() {
  const auto received = visit_->channel.Receive();
  if (received.ok()) {
    if (*received) Answer(**received);
  } else if (absl::IsUnavailable(received.status())) {
    hooks_.say(
        Cat("process ", visit_->pid, " began to take over and ended before it served; serves on"));
    EndVisit();
  } else {
    Refuse(std::string(MessageOf(received.status())));
  }
}

void Predecessor::OnTime(evutil_socket_t, short, void* self) {
  auto* predecessor = static_cast<Predecessor*>(self);
  predecessor->Refuse(predecessor->visit_->has_descriptors ? "it did not serve in time"
                                                           : "it said nothing in time");
}

void Predecessor::Answer(const HandoverChannel::Received& received) {
  const HandoverMessage& message = received.message;
  const bool has_descriptors = visit_->has_descriptors;
  if (!received.descriptors.empty()) return Refuse("it sent descriptors, which nobody asked for");
  if (message.kind == Kind::kTakeOver && !has_descriptors) return GiveListeners(message.text);
  if (message.kind == Kind::kServing && has_descriptors) return HandOver();
  Refuse("it sent a message out of turn");
}

void Predecessor::GiveListeners(const std::string& wanted_address) {
  const std::string address = listen_.ToString();
  const auto wanted = Address::Parse(wanted_address);
  if (!wanted.ok() || !SharePort(*wanted, listen_)) {
    return Refuse(Cat("this balancer listens on ", address, ", not on ", wanted_address,
                      "; give a --listen with the same port, or another --handover"));
  }
  std::vector<int> descriptors = hooks_.listening();
  if (descriptors.empty()) return Refuse("this balancer does not accept connections");
  if (descriptors.size() > kHandoverListenersMax) {
    return Refuse(Cat("this balancer has ", descriptors.size(), " sockets, of which ",
                      kHandoverListenersMax, " can be handed over; end it before the next"));
  }
  const auto count = static_cast<uint8_t>(descriptors.size());
  descriptors.insert(descriptors.begin(), door_.get());
  const absl::Status sent = visit_->channel.Send(
      {.kind = Kind::kListeners, .listeners = count, .text = address}, descriptors);
  if (!sent.ok()) return Refuse(std::string(MessageOf(sent)));
  visit_->has_descriptors = true;
  SetDeadline(patience_.for_serving);
}

void Predecessor::HandOver() {
  const pid_t successor = visit_->pid;
  handed_over_ = true;
  event_del(knock_);
  door_.Reset();
  // Where this is lost the successor notices that the channel ends, which means the same.
  (void)visit_->channel.Send({.kind = Kind::kDraining});
  EndVisit();
  hooks_.succeeded(successor);
}

void Predecessor::Refuse(const std::string& reason) {
  (void)visit_->channel.Send({.kind = Kind::kRefused, .text = reason});
  hooks_.say(Cat("hand-over to process ", visit_->pid, " refused: ", reason));
  EndVisit();
}

void Predecessor::EndVisit() {
  event_del(timer_);
  if (visit_) event_free(visit_->readable);
  visit_.reset();
}

void Predecessor::SetDeadline(std::chrono::milliseconds from_now) {
  const timeval wait{static_cast<time_t>(from_now.count() / 1000),
                     static_cast<suseconds_t>(from_now.count() % 1000 * 1000)};
  event_add(timer_, &wait);
}

}  // namespace gocomet::dataplane

#include "dataplane/shard/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace gocomet::dataplane {

void TimerWheel::Timer::Link(Timer*& head) {
  next_ = head;
  link_ = &head;
  if (next_ != nullptr) next_->link_ = &next_;
  head = this;
}

void TimerWheel::Timer::Unlink() {
  if (link_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  next_ = nullptr;
  link_ = nullptr;
}

void TimerWheel::Set(Timer& timer, Time time) {
  timer.Unlink();
  timer.tick_ = std::max(TickOf(time), done_) + 1;
  const size_t slot = timer.tick_ % kSlots;
  timer.Link(slots_[slot]);
  used_[slot / 64] |= uint64_t{1} << slot % 64;
}

void TimerWheel::SetNoLater(Timer& timer, Time time) {
  if (!timer.is_set() || TickOf(time) + 1 < timer.tick_) Set(timer, time);
}

void TimerWheel::Advance(Time now) {
  const uint64_t current = TickOf(now);
  if (current <= done_) return;
  // After a whole turn and more, each slot is looked at once.
  const uint64_t first = std::max(done_ + 1, current >= kSlots ? current - kSlots + 1 : 0);
  done_ = current;
  for (uint64_t tick = first; tick <= current; ++tick) {
    const size_t slot = tick % kSlots;
    if ((used_[slot / 64] >> slot % 64 & 1) != 0) RunSlot(slot, now);
  }
}

void TimerWheel::RunSlot(size_t slot, Time now) {
  used_[slot / 64] &= ~(uint64_t{1} << slot % 64);
  Timer* waiting = std::exchange(slots_[slot], nullptr);
  if (waiting != nullptr) waiting->link_ = &waiting;
  while (waiting != nullptr) {
    Timer& timer = *waiting;
    timer.Unlink();
    if (timer.tick_ <= done_) {
      timer.OnTime(now);
    } else {
      timer.Link(slots_[slot]);
      used_[slot / 64] |= uint64_t{1} << slot % 64;
    }
  }
}

std::optional<TimerWheel::Time> TimerWheel::NextTime() {
  for (uint64_t tick = done_ + 1; tick <= done_ + kSlots;) {
    const size_t slot = tick % kSlots;
    const uint64_t bits = used_[slot / 64] >> slot % 64;
    if (bits == 0) {
      tick += 64 - slot % 64;
      continue;
    }
    tick += static_cast<uint64_t>(std::countr_zero(bits));
    const size_t at = tick % kSlots;
    if (slots_[at] != nullptr)
      return Time(std::chrono::duration_cast<Time::duration>(tick * kTick));
    used_[at / 64] &= ~(uint64_t{1} << at % 64);  // All that it held was cancelled.
  }
  return std::nullopt;
}

}  // namespace gocomet::dataplane

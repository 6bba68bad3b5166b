#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace gocomet::dataplane {

// Deadlines of many connections: setting, moving and cancelling one costs the same however many
// there are (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", scheme 6). A slot holds
// what is due in it in this turn of the wheel or in a later one. Knows no clock; one thread.
class TimerWheel {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::nanoseconds kTick = std::chrono::milliseconds(10);

  // A deadline and its place in the wheel; lets go of the wheel when it ends.
  class Timer {
   public:
    Timer() = default;
    virtual ~Timer() { Unlink(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    bool is_set() const { return link_ != nullptr; }

   protected:
    // The time has come; the timer is no longer set.
    virtual void OnTime(Time now) = 0;

   private:
    friend class TimerWheel;
    void Link(Timer*& head);
    void Unlink();

    Timer* next_ = nullptr;
    Timer** link_ = nullptr;  // What points to it.
    uint64_t tick_ = 0;
  };

  explicit TimerWheel(Time now) : done_(TickOf(now)) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Calls the timer once, at `time` or up to a tick later, whatever it was set to before.
  void Set(Timer& timer, Time time);
  // The same, but leaves alone a timer that is due earlier; whoever is called too early sets it
  // again. So a deadline that moves on with each request is touched once in its own length.
  void SetNoLater(Timer& timer, Time time);
  static void Cancel(Timer& timer) { timer.Unlink(); }
  // Calls whatever is due. Timers may be set and cancelled meanwhile.
  void Advance(Time now);
  // No timer is due before this. Empty where none is set.
  std::optional<Time> NextTime();

 private:
  static constexpr size_t kSlots = 1024;
  static_assert(kSlots % 64 == 0, "a word of bits for each 64 slots");

  static uint64_t TickOf(Time time) {
    return static_cast<uint64_t>(time.time_since_epoch() / kTick);
  }
  void RunSlot(size_t slot, Time now);

  std::array<Timer*, kSlots> slots_{};
  std::array<uint64_t, kSlots / 64> used_{};  // A bit for each slot that may hold something.
  uint64_t done_;                             // Every tick up to this one was run.
};

}  // namespace gocomet::dataplane

#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "common/base/clock.h"

namespace gocomet::controlplane {

// The clock of a history and what is to happen in it. Time moves only when it is told to.
class SimulatedTime final : public Clock {
 public:
  SteadyTime Steady() const override { return now_; }
  WallTime Wall() const override {
    return WallTime(std::chrono::duration_cast<WallTime::duration>(now_.time_since_epoch()));
  }

  // Tasks of the same time run in the order in which they came.
  void In(std::chrono::milliseconds delay, std::function<void()> task) {
    tasks_.emplace(now_ + delay, std::move(task));
  }
  std::optional<SteadyTime> next() const {
    if (tasks_.empty()) return std::nullopt;
    return tasks_.begin()->first;
  }
  void MoveTo(SteadyTime time) {
    now_ = time;
    while (!tasks_.empty() && tasks_.begin()->first <= now_) {
      tasks_.extract(tasks_.begin()).mapped()();
    }
  }

 private:
  SteadyTime now_{std::chrono::hours(1)};
  std::multimap<SteadyTime, std::function<void()>> tasks_;
};

// The same choices for the same seed, on every machine.
class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}
  uint32_t Pick(uint32_t low, uint32_t high) {
    return low + static_cast<uint32_t>(random_() % (high - low + 1));
  }
  bool Chance(uint32_t percent) { return Pick(1, 100) <= percent; }
  std::chrono::milliseconds Delay(uint32_t low, uint32_t high) {
    return std::chrono::milliseconds(Pick(low, high));
  }
  std::string Hex12() {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text(12, '0');
    uint64_t bits = random_();
    for (char& digit : text) {
      digit = kDigits[bits % 16];
      bits /= 16;
    }
    return text;
  }

 private:
  std::mt19937_64 random_;
};

// What has happened, for whoever reads about a failure. Lines are made only where they are kept.
class Story {
 public:
  Story(const SimulatedTime& time, bool kept) : time_(time), kept_(kept) {}
  bool kept() const { return kept_; }
  template <typename Make>
  void Tell(Make make) {
    if (!kept_) return;
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(
        time_.Steady().time_since_epoch() - std::chrono::hours(1));
    char stamp[32];
    std::snprintf(stamp, sizeof(stamp), "%9.3f  ", static_cast<double>(since.count()) / 1000);
    lines_.push_back(stamp + make());
  }
  const std::deque<std::string>& lines() const { return lines_; }

 private:
  const SimulatedTime& time_;
  const bool kept_;
  std::deque<std::string> lines_;
};

// What all parts of one history share.
struct Setting {
  SimulatedTime& time;
  Dice& dice;
  Story& story;
  bool trouble = true;  // Things go wrong.
};

}  // namespace gocomet::controlplane

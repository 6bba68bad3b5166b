#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "controlplane/cluster/subscribers.h"
#include "controlplane/model/records.h"
#include "controlplane/store/store.h"

namespace gocomet::controlplane {

// What happened, numbered without gaps: the newest in memory, all of them in the store, and each
// one to those who watch. Confined to the owner's thread.
class EventLog {
 public:
  EventLog(Store& store, const Clock& clock, std::vector<Event> stored, uint64_t last_sequence);

  void Info(std::string subject, std::string kind, std::string message);
  void Warning(std::string subject, std::string kind, std::string message);
  void Error(std::string subject, std::string kind, std::string message);

  // Newest first: those below `before` (0: all) whose subject starts with `prefix`, at most
  // `limit`.
  std::vector<Event> List(uint64_t before, size_t limit, const std::string& prefix) const;
  // Those kept in memory with a sequence above `after`, oldest first.
  std::vector<Event> After(uint64_t after) const;

  uint64_t last_sequence() const { return last_sequence_; }
  Subscribers<Event>& subscribers() { return subscribers_; }

  static constexpr size_t kKeptInMemory = 1000;

 private:
  void Add(Severity severity, std::string subject, std::string kind, std::string message);

  Store& store_;
  const Clock& clock_;
  std::deque<Event> events_;  // Ascending.
  uint64_t last_sequence_;
  Subscribers<Event> subscribers_;
};

}  // namespace gocomet::controlplane

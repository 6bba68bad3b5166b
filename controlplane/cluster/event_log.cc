#include "controlplane/cluster/event_log.h"

#include <utility>

namespace gocomet::controlplane {

EventLog::EventLog(Store& store, const Clock& clock, std::vector<Event> stored,
                   uint64_t last_sequence)
    : store_(store),
      clock_(clock),
      events_(std::make_move_iterator(stored.begin()), std::make_move_iterator(stored.end())),
      last_sequence_(last_sequence) {}

void EventLog::Info(std::string subject, std::string kind, std::string message) {
  Add(Severity::kInfo, std::move(subject), std::move(kind), std::move(message));
}

void EventLog::Warning(std::string subject, std::string kind, std::string message) {
  Add(Severity::kWarning, std::move(subject), std::move(kind), std::move(message));
}

void EventLog::Error(std::string subject, std::string kind, std::string message) {
  Add(Severity::kError, std::move(subject), std::move(kind), std::move(message));
}

void EventLog::Add(Severity severity, std::string subject, std::string kind, std::string message) {
  Event event{++last_sequence_,   clock_.Wall(),   severity,
              std::move(subject), std::move(kind), std::move(message)};
  StoreWrite write;
  write.events.push_back(event);
  store_.Write(std::move(write));
  events_.push_back(event);
  if (events_.size() > kKeptInMemory) events_.pop_front();
  subscribers_.Publish(event);
}

std::vector<Event> EventLog::List(uint64_t before, size_t limit, const std::string& prefix) const {
  std::vector<Event> found;
  for (auto event = events_.rbegin(); event != events_.rend() && found.size() < limit; ++event) {
    if (before != 0 && event->sequence >= before) continue;
    if (event->subject.starts_with(prefix)) found.push_back(*event);
  }
  return found;
}

std::vector<Event> EventLog::After(uint64_t after) const {
  std::vector<Event> found;
  for (const Event& event : events_) {
    if (event.sequence > after) found.push_back(event);
  }
  return found;
}

}  // namespace gocomet::controlplane

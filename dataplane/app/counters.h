#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/counters/counter_file.h"

namespace gocomet::dataplane {

// Where a balancer counts: in a file where it has one, so that its next life goes on from there,
// else in memory. Belongs to one thread; any may count in the records.
class Counters {
 public:
  Counters() = default;
  // `say` is told where the file has no room for a record, which is kept in memory then.
  Counters(std::shared_ptr<CounterFile> file, std::function<void(const std::string&)> say)
      : file_(std::move(file)), say_(std::move(say)) {}

  template <typename Record>
  std::shared_ptr<Record> Take(std::string_view name) {
    if (!file_) return std::make_shared<Record>();
    auto record = file_->Take<Record>(name);
    if (record.ok()) return *std::move(record);
    if (!std::exchange(said_, true)) {
      say_(Cat("warning: the file of its counters: ", MessageOf(record.status()),
               "; what does not fit is lost if the balancer is killed"));
    }
    return std::make_shared<Record>();
  }

  template <typename Record>
  void Free(const std::shared_ptr<Record>& record) {
    if (file_) file_->Free(record);
  }

  // Of the records of that kind that an earlier life left, and of those that were taken.
  template <typename Record>
  std::vector<std::string> Names() const {
    return file_ ? file_->Names<Record>() : std::vector<std::string>();
  }

 private:
  std::shared_ptr<CounterFile> file_;
  std::function<void(const std::string&)> say_;
  bool said_ = false;
};

}  // namespace gocomet::dataplane

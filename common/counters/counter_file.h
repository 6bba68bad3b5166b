#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "common/base/unique_fd.h"

namespace gocomet {

// Numbers that outlive the process which counts them: records of counters in a file that is mapped
// into memory. What was counted is there at once for whoever maps the file next; a killed process
// loses nothing, since the kernel holds the pages (a power cut may lose the last seconds). One
// process at a time counts in a file.
//
// Any thread may count in a record that it holds; everything else belongs to one thread.
class CounterFile : public std::enable_shared_from_this<CounterFile> {
 public:
  struct Opened {
    std::shared_ptr<CounterFile> file;
    std::string notice;  // Where what was there could not be gone on with; else empty.
  };
  // Goes on with the file at `path`, or begins it. One that cannot be read is set aside as
  // PATH.damaged. UNAVAILABLE where another process counts in it.
  static absl::StatusOr<Opened> Open(const std::string& path);

  // As another process left it, or counts in it now. Nothing can be taken or freed. NOT_FOUND,
  // DATA_LOSS.
  static absl::StatusOr<std::shared_ptr<const CounterFile>> OpenForReading(const std::string& path);

  ~CounterFile();
  CounterFile(const CounterFile&) = delete;
  CounterFile& operator=(const CounterFile&) = delete;

  // Drawn when the file began: as long as it stays the same, the records only grow.
  uint64_t incarnation() const;

  // The record of this name, as it was left or else all zeros. It stays in the file until it is
  // freed. RESOURCE_EXHAUSTED where the disk has no room for it.
  //
  // `Record` is a struct of atomics whose zero bytes are its beginning, and names its kind and
  // layout for the file: `static constexpr uint32_t kKind`.
  template <typename Record>
  absl::StatusOr<std::shared_ptr<Record>> Take(std::string_view name) {
    CheckLayout<Record>();
    auto values = TakeValues(Record::kKind, name, sizeof(Record));
    if (!values.ok()) return values.status();
    return std::static_pointer_cast<Record>(*std::move(values));
  }
  // Null where there is none of this name.
  template <typename Record>
  std::shared_ptr<const Record> Find(std::string_view name) const {
    CheckLayout<Record>();
    const void* values = FindValues(Record::kKind, name, sizeof(Record));
    return {shared_from_this(), static_cast<const Record*>(values)};
  }
  // Forgets a record, which nobody counts in any more: one of the same name begins with zeros.
  template <typename Record>
  void Free(const std::shared_ptr<Record>& record) {
    FreeValues(record.get());
  }
  // The names of the records of this kind.
  template <typename Record>
  std::vector<std::string> Names() const {
    CheckLayout<Record>();
    return NamesOf(Record::kKind, sizeof(Record));
  }

 private:
  struct RecordHeader;
  using Key = std::pair<uint32_t, std::string>;

  template <typename Record>
  static constexpr void CheckLayout() {
    static_assert(std::is_standard_layout_v<Record> && std::is_trivially_destructible_v<Record>);
    static_assert(alignof(Record) <= kAlignment);
  }

  enum class Access : uint8_t { kRead, kCount };

  CounterFile(UniqueFd fd, Access access) : fd_(std::move(fd)), access_(access) {}
  absl::Status Begin();
  // DATA_LOSS where it is not such a file.
  absl::Status Continue(size_t bytes);
  absl::Status Grow();
  absl::Status MapChunk(size_t offset);
  absl::Status ReadChunk(std::byte* begin, std::byte* end);
  absl::StatusOr<std::shared_ptr<void>> TakeValues(uint32_t kind, std::string_view name,
                                                   size_t size);
  absl::StatusOr<RecordHeader*> NewRecord(size_t size);
  const void* FindValues(uint32_t kind, std::string_view name, size_t size) const;
  void FreeValues(const void* values);
  void FreeRecord(RecordHeader& record);
  std::vector<std::string> NamesOf(uint32_t kind, size_t size) const;

  static constexpr size_t kAlignment = 64;

  const UniqueFd fd_;
  const Access access_;
  std::vector<std::byte*> chunks_;
  std::byte* unused_ = nullptr;  // Of the last chunk: what follows has no record yet.
  std::map<Key, RecordHeader*> used_;
  std::multimap<size_t, RecordHeader*> free_;  // By size.
  // Records that were taken, by their values.
  struct Held {
    RecordHeader* record = nullptr;
    std::weak_ptr<void> values;
  };
  std::unordered_map<const void*, Held> held_;
};

}  // namespace gocomet

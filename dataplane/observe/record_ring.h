#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gocomet::dataplane {

// Records of any length on their way from one thread to another, in a fixed number of bytes.
// Neither side ever waits for the other (L. Lamport, "Specifying Concurrent Program Modules",
// 1983).
class RecordRing {
 public:
  // `bytes` is a power of two.
  explicit RecordRing(size_t bytes) : bytes_(new char[bytes]), size_(bytes) {}
  RecordRing(const RecordRing&) = delete;
  RecordRing& operator=(const RecordRing&) = delete;

  size_t capacity() const { return size_; }

  // The writer's. False, with nothing written, where the parts together do not fit.
  bool TryPush(std::span<const std::string_view> parts) {
    uint64_t length = 0;
    for (const std::string_view part : parts) length += part.size();
    const uint64_t end = end_.load(std::memory_order_relaxed);
    if (length + sizeof(length) > size_ - (end - begin_seen_)) {
      begin_seen_ = begin_.load(std::memory_order_acquire);
      if (length + sizeof(length) > size_ - (end - begin_seen_)) return false;
    }
    uint64_t at = Copy(end, {reinterpret_cast<const char*>(&length), sizeof(length)});
    for (const std::string_view part : parts) at = Copy(at, part);
    end_.store(at, std::memory_order_release);
    return true;
  }

  // The reader's: replaces `record` by the oldest one. False where there is none.
  bool Pop(std::string& record) {
    const uint64_t begin = begin_.load(std::memory_order_relaxed);
    if (begin == end_.load(std::memory_order_acquire)) return false;
    uint64_t length = 0;
    CopyOut(begin, reinterpret_cast<char*>(&length), sizeof(length));
    record.resize(length);
    CopyOut(begin + sizeof(length), record.data(), length);
    begin_.store(begin + sizeof(length) + length, std::memory_order_release);
    return true;
  }

  // Bytes that wait; as the writer knows it, at least those.
  size_t waiting() const {
    return end_.load(std::memory_order_relaxed) - begin_.load(std::memory_order_relaxed);
  }

 private:
  uint64_t Copy(uint64_t to, std::string_view from) {
    if (from.empty()) return to;  // Such a view may point nowhere, which memcpy is not to be given.
    const size_t place = to & (size_ - 1);
    const size_t before_end = std::min(from.size(), size_ - place);
    std::memcpy(bytes_.get() + place, from.data(), before_end);
    std::memcpy(bytes_.get(), from.data() + before_end, from.size() - before_end);
    return to + from.size();
  }
  void CopyOut(uint64_t from, char* to, size_t length) const {
    const size_t place = from & (size_ - 1);
    const size_t before_end = std::min(length, size_ - place);
    std::memcpy(to, bytes_.get() + place, before_end);
    std::memcpy(to + before_end, bytes_.get(), length - before_end);
  }

  const std::unique_ptr<char[]> bytes_;
  const size_t size_;
  // Counted on without end; the place is the rest by size_. Apart, so that the two threads do not
  // take each other's cache line with each record.
  alignas(64) std::atomic<uint64_t> end_{0};    // Written by the writer.
  uint64_t begin_seen_ = 0;                     // The writer's.
  alignas(64) std::atomic<uint64_t> begin_{0};  // Written by the reader.
};

}  // namespace gocomet::dataplane

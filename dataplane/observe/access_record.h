#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// One exchange, as the access log tells of it. Pure.
namespace gocomet::dataplane {

struct AccessRecord {
  std::chrono::nanoseconds began{0};  // Since 1970-01-01 00:00 UTC.
  std::chrono::nanoseconds duration{0};
  std::chrono::nanoseconds own{0};
  std::optional<std::chrono::nanoseconds> worker_time;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint32_t retries = 0;
  int status = 0;       // 0: no answer began.
  bool reused = false;  // The connection to the worker.

  // Empty where there is none.
  std::string_view client;
  std::string_view request_id;
  std::string_view method;
  std::string_view target;
  std::string_view protocol;
  std::string_view host;
  std::string_view route;
  std::string_view service;
  std::string_view worker_id;
  std::string_view error;
};

// What a request's head, good or not, says of it; each is empty where that cannot be told.
struct RequestOutline {
  std::string_view method;
  std::string_view target;
  std::string_view protocol;
  std::string_view host;
  std::string_view request_id;
};
RequestOutline OutlineOf(std::string_view head);

// Appends the record as one line of JSON, with its end. What is empty is left out. Without
// `with_query`, a target loses what follows `?`, and in any case what names a user before `@`.
void AppendAccessLine(const AccessRecord& record, bool with_query, std::string& out);

// Appends the line that says that as many are missing before it.
void AppendDroppedLine(std::chrono::nanoseconds now, uint64_t dropped, std::string& out);

// A record as bytes that another thread may read later.
class PackedRecord {
 public:
  // Views of `record`, and of this.
  explicit PackedRecord(const AccessRecord& record);
  static constexpr size_t kParts = 11;
  const std::array<std::string_view, kParts>& parts() const { return parts_; }
  // Views of `bytes`, which are the parts one after the other.
  static AccessRecord Unpack(std::string_view bytes);

 private:
  struct Numbers {
    int64_t began, duration, own, worker_time;
    uint64_t bytes_in, bytes_out;
    uint32_t retries;
    int32_t status;
    std::array<uint32_t, kParts - 1> lengths;
    bool has_worker_time, reused;
  };

  Numbers numbers_{};
  std::array<std::string_view, kParts> parts_;
};

}  // namespace gocomet::dataplane

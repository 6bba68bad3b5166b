#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

// HTTP/1.1 messages as values whose texts are views into the bytes that were parsed (RFC 9112).
// Pure.
namespace gocomet::http {

// Limits of one message head. A head that does not keep them is refused, never cut.
struct HeadLimits {
  size_t head_bytes_max = 16 * 1024;  // From the first byte to the empty line.
  size_t target_bytes_max = 8 * 1024;
};
inline constexpr size_t kFieldsMax = 100;

struct Field {
  std::string_view name;   // A token (RFC 9110, 5.6.2), as it was written.
  std::string_view value;  // Without white space at its ends.
};

// The header fields of one message, in the order in which they came.
class Fields {
 public:
  // Without filling the array: a head is parsed for every request.
  Fields() {}  // NOLINT(modernize-use-equals-default)
  bool Add(std::string_view name, std::string_view value) {
    if (count_ == kFieldsMax) return false;
    new (&fields_[count_++]) Field{name, value};
    return true;
  }
  void Clear() { count_ = 0; }
  const Field* begin() const { return fields_; }
  const Field* end() const { return fields_ + count_; }
  size_t size() const { return count_; }

  // The first one of this name, or null. Names are compared without regard to case.
  const Field* Find(std::string_view name) const;
  size_t Count(std::string_view name) const;
  // Whether a comma-separated list field (Connection, Upgrade …) holds this token, in any of its
  // lines. Without regard to case.
  bool ListHas(std::string_view name, std::string_view token) const;

 private:
  union {
    Field fields_[kFieldsMax];  // The first count_ are alive.
  };
  size_t count_ = 0;
};

struct RequestHead {
  std::string_view method;
  std::string_view target;
  int minor_version = 1;  // HTTP/1.0 or HTTP/1.1.
  Fields fields;
};

struct ResponseHead {
  int status = 0;
  std::string_view reason;
  int minor_version = 1;
  Fields fields;
};

// ASCII only, as HTTP's names are.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

}  // namespace gocomet::http

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include "common/http/characters.h"
#include "common/http/field_id.h"

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
  FieldId id = FieldId::kOther;
};

// The header fields of one message, in the order in which they came. Those that a FieldId names are
// found without looking at the others.
class Fields {
 public:
  // Without filling the array: a head is parsed for every request.
  Fields() {}  // NOLINT(modernize-use-equals-default)
  // False where there are kFieldsMax already. The name is a token.
  bool Add(std::string_view name, std::string_view value) {
    if (count_ == kFieldsMax) return false;
    const FieldId id = Identify(name);
    const auto of_id = static_cast<size_t>(id);
    if (counts_[of_id]++ == 0) firsts_[of_id] = static_cast<uint8_t>(count_);
    new (&fields_[count_++]) Field{name, value, id};
    return true;
  }
  void Clear() {
    count_ = 0;
    counts_ = {};
  }
  const Field* begin() const { return fields_; }
  const Field* end() const { return fields_ + count_; }
  size_t size() const { return count_; }

  // The first one of this name, or null.
  const Field* Find(FieldId known) const {
    const auto id = static_cast<size_t>(known);
    return counts_[id] == 0 ? nullptr : &fields_[firsts_[id]];
  }
  size_t Count(FieldId known) const { return counts_[static_cast<size_t>(known)]; }
  // Whether a comma-separated list field (Connection, Upgrade …) holds this token, in any of its
  // lines. Without regard to case.
  bool ListHas(FieldId known, std::string_view token) const;

  // The same by name, without regard to case.
  const Field* Find(std::string_view name) const;
  size_t Count(std::string_view name) const;

 private:
  static_assert(kFieldsMax <= UINT8_MAX, "a place among the fields is a uint8_t");

  union {
    Field fields_[kFieldsMax];  // The first count_ are alive.
  };
  size_t count_ = 0;
  std::array<uint8_t, kFieldIds> counts_{};
  std::array<uint8_t, kFieldIds> firsts_;  // Where counts_ is not 0.
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

// Calls visit(token) for each member of a comma-separated list that is not empty, without the white
// space around it (RFC 9110, 5.6.1). Quoted strings are not known: no list that is read so has any.
template <typename Visit>
void ForEachInList(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view token = TrimWhiteSpace(list.substr(0, comma));
    if (!token.empty()) visit(token);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
}

// ASCII only, as HTTP's names are.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

}  // namespace gocomet::http

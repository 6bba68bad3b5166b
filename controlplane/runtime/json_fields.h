#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include <absl/status/statusor.h>
#include <nlohmann/json.hpp>

#include "common/base/text.h"

// Typed reading of JSON objects whose content is not to be trusted, without exceptions. An
// INVALID_ARGUMENT names the field and what was expected.
namespace gocomet::controlplane {

using Json = nlohmann::json;

// Text that is not JSON gives an error that shows its beginning.
inline absl::StatusOr<Json> ParseJson(std::string_view text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_discarded()) return json;
  constexpr size_t kShownBytes = 200;
  return absl::InvalidArgumentError(Cat("not JSON: '", text.substr(0, kShownBytes), "'"));
}

// The member, or null where there is none or `object` is not an object.
inline const Json& Member(const Json& object, const char* name) {
  static const Json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(name);
  return found == object.end() ? kNone : *found;
}

// "" where there is no such member; null counts as none.
inline absl::StatusOr<std::string> TextOf(const Json& object, const char* name) {
  const Json& member = Member(object, name);
  if (member.is_null()) return "";
  if (const auto* text = member.get_ptr<const std::string*>()) return *text;
  return absl::InvalidArgumentError(Cat("field ", name, " is not a text"));
}

inline absl::StatusOr<bool> FlagOf(const Json& object, const char* name) {
  const Json& member = Member(object, name);
  if (member.is_null()) return false;
  if (member.is_boolean()) return *member.get_ptr<const bool*>();
  return absl::InvalidArgumentError(Cat("field ", name, " is not true or false"));
}

// 0 where there is no such member; an error where the number does not fit.
template <typename Number>
absl::StatusOr<Number> NumberOf(const Json& object, const char* name) {
  const Json& member = Member(object, name);
  if (member.is_null()) return Number{0};
  if (const auto* positive = member.get_ptr<const Json::number_unsigned_t*>()) {
    if (std::in_range<Number>(*positive)) return static_cast<Number>(*positive);
  } else if (const auto* number = member.get_ptr<const Json::number_integer_t*>()) {
    if (std::in_range<Number>(*number)) return static_cast<Number>(*number);
  }
  return absl::InvalidArgumentError(Cat("field ", name, " is not a whole number that fits"));
}

// Text that is not UTF-8 is written with replacement characters.
inline std::string ToText(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gocomet::controlplane

#include "controlplane/rpc/request_checks.h"

#include <algorithm>

#include "common/base/text.h"
#include "controlplane/model/field_error.h"

namespace gocomet::controlplane {
namespace {

constexpr std::string_view kLabelCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-";
constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr size_t kWorkerIdLength = 12;

bool ConsistsOf(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

}  // namespace

absl::Status CheckLabel(std::string_view field, std::string_view of, std::string_view name) {
  const bool valid = !name.empty() && name.size() <= kServiceNameMax &&
                     ConsistsOf(name, kLabelCharacters) && name.front() != '-' &&
                     name.back() != '-';
  if (valid) return absl::OkStatus();
  return InvalidField(field, Cat("must be the name of a ", of, ": 1 to ", kServiceNameMax,
                                 " lower-case letters, digits and '-', with no '-' at its ends"));
}

absl::Status CheckServiceName(std::string_view field, std::string_view name) {
  return CheckLabel(field, "service", name);
}

absl::Status CheckName(std::string_view field, std::string_view name) {
  if (!name.empty() && name.size() <= kNameMax && ConsistsOf(name, kLabelCharacters)) {
    return absl::OkStatus();
  }
  return InvalidField(
      field, Cat("must be a name or id: 1 to ", kNameMax, " lower-case letters, digits and '-'"));
}

absl::Status CheckWorkerId(std::string_view field, std::string_view id) {
  if (id.size() == kWorkerIdLength && ConsistsOf(id, kHexDigits)) return absl::OkStatus();
  return InvalidField(field, Cat("must be the id of a worker: ", kWorkerIdLength, " hex digits"));
}

absl::Status CheckLine(std::string_view field, std::string_view text, size_t most) {
  if (text.size() > most) {
    return InvalidField(field, Cat("is ", text.size(), " bytes long; at most ", most, " fit"));
  }
  const bool one_line = std::none_of(text.begin(), text.end(), [](unsigned char character) {
    return character < 0x20 || character == 0x7F;
  });
  if (one_line) return absl::OkStatus();
  return InvalidField(field, "must be one line without control characters");
}

}  // namespace gocomet::controlplane

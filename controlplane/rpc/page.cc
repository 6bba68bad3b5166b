#include "controlplane/rpc/page.h"

#include <charconv>

#include "common/base/text.h"
#include "controlplane/model/field_error.h"

namespace gocomet::controlplane {
namespace {

constexpr size_t kTokenBytesMax = 200;
constexpr char kSeparator = '.';

// FNV-1a, 64 bits: against mistakes, not against malice; a forged token only begins a list
// elsewhere.
uint64_t Hash(std::string_view text, uint64_t hash) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
  return (hash ^ 0xFF) * 1'099'511'628'211U;
}

std::string Hex(uint64_t value) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, 16);
  return {digits, end.ptr};
}

}  // namespace

std::string Page::Checksum(std::string_view position) const {
  return Hex(Hash(position, Hash(filter_, Hash(list_, 14'695'981'039'346'656'037U))));
}

// NAME.NUMBER.CHECKSUM
std::string Page::TokenAfter(const ListPlace& place) const {
  const std::string position = Cat(place.name, kSeparator, place.number);
  return Cat(position, kSeparator, Checksum(position));
}

absl::StatusOr<Page> Page::Parse(std::string_view list, std::string_view filter, int32_t size,
                                 std::string_view token) {
  Page page;
  page.list_ = list;
  page.filter_ = filter;
  if (size < 0 || static_cast<size_t>(size) > kItemsMax) {
    return InvalidField("page_size", Cat("must be 0 to ", kItemsMax, ", is ", size));
  }
  if (size > 0) page.limit_ = static_cast<size_t>(size);
  if (token.empty()) return page;

  const absl::Status foreign =
      InvalidField("page_token", "is not one that this list answered with for the same request");
  const size_t check = token.rfind(kSeparator);
  if (token.size() > kTokenBytesMax || check == std::string_view::npos) return foreign;
  const std::string_view position = token.substr(0, check);
  if (token.substr(check + 1) != page.Checksum(position)) return foreign;
  const size_t number = position.rfind(kSeparator);
  if (number == std::string_view::npos) return foreign;
  ListPlace& after = page.after_.emplace();
  after.name = position.substr(0, number);
  const char* end = position.data() + position.size();
  const auto parsed = std::from_chars(position.data() + number + 1, end, after.number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return foreign;
  return page;
}

}  // namespace gocomet::controlplane

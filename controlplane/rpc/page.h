#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>

namespace gocomet::controlplane {

// Where in a list something stands: items are listed by ascending name, then number. A page begins
// after the place of the last item of the one before, so that what comes and goes in between makes
// no other item appear twice or never.
struct ListPlace {
  std::string name;
  uint64_t number = 0;
  auto operator<=>(const ListPlace&) const = default;
};

// The part of a list that a request asks for. Tokens are opaque to clients; each is good only for
// the list and the filter that it came from.
class Page {
 public:
  static constexpr size_t kDefaultItems = 100;
  static constexpr size_t kItemsMax = 1000;
  // A page of large items ends early, well within what clients accept by default (4 MiB).
  static constexpr size_t kBytesMax = 2 << 20;

  // `list` names the list, `filter` whatever else of the request chooses its items.
  // INVALID_ARGUMENT names page_size or page_token.
  static absl::StatusOr<Page> Parse(std::string_view list, std::string_view filter, int32_t size,
                                    std::string_view token);

  size_t limit() const { return limit_; }
  // The last item of the page before; unset on the first page.
  const std::optional<ListPlace>& after() const { return after_; }

  // Calls `add(item)` for each item of the page, which answers with the item's size in bytes, and
  // returns the next page's token, empty on the last one. `items` is in the order of `place_of`.
  template <typename Items, typename PlaceOf, typename Add>
  std::string Fill(const Items& items, PlaceOf place_of, Add add) const {
    auto item = items.begin();
    while (item != items.end() && after_ && place_of(*item) <= *after_) ++item;
    std::optional<ListPlace> last;
    size_t bytes = 0;
    for (size_t count = 0; item != items.end(); ++item) {
      if (count == limit_ || bytes >= kBytesMax) return TokenAfter(*last);
      last = place_of(*item);
      bytes += add(*item);
      ++count;
    }
    return "";
  }

 private:
  std::string TokenAfter(const ListPlace& place) const;
  std::string Checksum(std::string_view position) const;

  std::string list_;
  std::string filter_;
  size_t limit_ = kDefaultItems;
  std::optional<ListPlace> after_;
};

}  // namespace gocomet::controlplane

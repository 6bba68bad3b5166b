#include "dataplane/observe/rfc3339.h"

#include <cstddef>
#include <cstdint>
#include <ctime>

namespace gocomet::dataplane {

void AppendRfc3339(std::chrono::nanoseconds since_1970, std::string& out) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(since_1970);
  const auto seconds = static_cast<time_t>(whole.count());
  tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[48];
  const size_t length = std::strftime(text, sizeof(text), "%FT%T.", &utc);
  char digits[] = "000000";
  int64_t left = std::chrono::floor<std::chrono::microseconds>(since_1970 - whole).count();
  for (size_t at = 6; at-- > 0; left /= 10) digits[at] = static_cast<char>('0' + left % 10);
  out.append(text, length).append(digits, 6).push_back('Z');
}

}  // namespace gocomet::dataplane

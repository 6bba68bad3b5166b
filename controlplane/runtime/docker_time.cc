#include "controlplane/runtime/docker_time.h"

#include <charconv>

namespace gocomet::controlplane {
namespace {

// Reads fixed places of a text; once something is wrong it stays so.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  int Digits(size_t count) {
    int number = 0;
    if (rest_.size() < count) return Fail();
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return Fail();
      number = number * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return number;
  }
  void Expect(char c) {
    if (!Take(c)) Fail();
  }
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // `.123456789`, if there is one.
  std::chrono::nanoseconds Fraction() {
    if (!Take('.')) return {};
    int64_t nanoseconds = 0;
    int64_t unit = 100'000'000;
    size_t digits = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
      nanoseconds += unit * (rest_[digits] - '0');
      unit /= 10;
    }
    if (digits == 0) Fail();
    rest_.remove_prefix(digits);
    return std::chrono::nanoseconds(nanoseconds);
  }
  std::chrono::minutes Offset() {
    if (Take('Z')) return {};
    const int sign = Take('-') ? -1 : 1;
    if (sign == 1) Expect('+');
    const int hours = Digits(2);
    Expect(':');
    return std::chrono::minutes(sign * (hours * 60 + Digits(2)));
  }
  bool good() const { return good_ && rest_.empty(); }

 private:
  int Fail() {
    good_ = false;
    return 0;
  }
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::optional<WallTime> ParseDockerTime(std::string_view text) {
  Reader reader(text);
  const int year = reader.Digits(4);
  reader.Expect('-');
  const int month = reader.Digits(2);
  reader.Expect('-');
  const int day = reader.Digits(2);
  reader.Expect('T');
  const int hour = reader.Digits(2);
  reader.Expect(':');
  const int minute = reader.Digits(2);
  reader.Expect(':');
  const int second = reader.Digits(2);
  const std::chrono::nanoseconds fraction = reader.Fraction();
  const std::chrono::minutes offset = reader.Offset();
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  const bool in_range = date.ok() && year >= 1970 && hour < 24 && minute < 60 && second <= 60;
  if (!reader.good() || !in_range) return std::nullopt;
  return std::chrono::time_point_cast<WallTime::duration>(
      std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
      std::chrono::seconds(second) + fraction - offset);
}

}  // namespace gocomet::controlplane

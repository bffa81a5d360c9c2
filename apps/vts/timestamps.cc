#include "apps/vts/timestamps.h"

#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <iterator>

namespace muir::vts {
namespace {

// A cursor over fixed-width decimal fields.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  int digits(size_t n) {
    if (rest_.size() < n) return fail();
    int value = 0;
    for (size_t i = 0; i < n; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(n);
    return value;
  }
  bool take(std::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_[0]) == std::string_view::npos) return false;
    taken_ = rest_[0];
    rest_.remove_prefix(1);
    return true;
  }
  void expect(std::string_view any_of) {
    if (!take(any_of)) fail();
  }
  int fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }
  [[nodiscard]] char taken() const { return taken_; }
  [[nodiscard]] bool at_digit() const { return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; }

 private:
  std::string_view rest_;
  bool ok_ = true;
  char taken_ = 0;
};

// A fraction of a unit of so many milliseconds, after the decimal point; what is less than a millisecond is cut off.
int64_t fraction(Scanner& in, int64_t unit_ms) {
  int64_t value = 0;
  int64_t scale = 1;
  int digits = 0;
  for (; in.at_digit(); ++digits) {
    const int digit = in.digits(1);
    if (digits >= 9) continue;  // nanoseconds are more than enough
    value = value * 10 + digit;
    scale *= 10;
  }
  if (digits == 0) return in.fail();
  return value * unit_ms / scale;
}

constexpr int64_t kDayMs = 86'400'000;

struct TimeOfDay {
  int64_t ms = 0;
  bool leap_second = false;  // its second is 60
};

// Hours, and in either form minutes and seconds; the last of them may have a fraction. 24:00 is the end of the day.
TimeOfDay time_of_day(Scanner& in, bool extended) {
  constexpr int64_t kUnits[] = {3'600'000, 60'000, 1000};
  constexpr int kMax[] = {24, 59, 60};
  TimeOfDay time;
  for (size_t i = 0; i < std::size(kUnits); ++i) {
    if (i > 0 && !(extended ? in.take(":") : in.at_digit())) break;
    const int value = in.digits(2);
    if (value > kMax[i]) in.fail();
    time.ms += value * kUnits[i];
    time.leap_second = i == 2 && value == 60;
    if (in.take(".,")) {
      time.ms += fraction(in, kUnits[i]);
      break;
    }
  }
  if (time.ms > kDayMs && !time.leap_second) in.fail();
  return time;
}

// Z, or hours and minutes east of Greenwich.
int64_t zone_ms(Scanner& in) {
  if (in.take("Zz")) return 0;
  in.expect("+-");
  const int64_t sign = in.taken() == '-' ? -1 : 1;
  const int hours = in.digits(2);
  const bool colon = in.take(":");
  const int minutes = colon || in.at_digit() ? in.digits(2) : 0;
  if (hours > 18 || minutes > 59) in.fail();
  return sign * (hours * 60 + minutes) * 60'000;
}

// Days since 1970-01-01; fails for dates that do not exist.
int64_t date_days(Scanner& in, bool extended) {
  const int year = in.digits(4);
  if (extended) in.expect("-");
  const int month = in.digits(2);
  if (extended) in.expect("-");
  const int day = in.digits(2);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return in.fail();
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::optional<int64_t> parse_number(std::string_view text) {
  if (text.find('.') != std::string_view::npos) {
    double value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc() && end == text.data() + text.size() ? epoch_ms(value) : std::nullopt;
  }
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size() ? epoch_ms(value) : std::nullopt;
}

bool is_number(std::string_view text) {
  return text.find_first_not_of("0123456789.") == std::string_view::npos &&
         text.substr(0, text.find('.')).size() > 8;  // fewer digits are a date, or nothing
}

}  // namespace

std::optional<int64_t> epoch_ms(int64_t number) {
  if (number < 0) return std::nullopt;
  if (number < 100'000'000'000) return number * 1000;
  if (number < 100'000'000'000'000) return number;
  if (number < 100'000'000'000'000'000) return number / 1000;
  return number / 1'000'000;
}

std::optional<int64_t> epoch_ms(double number) {
  if (!(number >= 0 && number < 9e18)) return std::nullopt;
  if (number < 1e11) return std::llround(number * 1000);  // 1767268800.123 has no exact double
  return epoch_ms(static_cast<int64_t>(number));
}

std::optional<int64_t> parse_timestamp(std::string_view text) {
  if (is_number(text)) return parse_number(text);
  const bool extended = text.size() > 4 && text[4] == '-';
  Scanner in(text);
  const int64_t days = date_days(in, extended);
  in.expect("Tt ");
  const TimeOfDay time = time_of_day(in, extended);
  const int64_t since_midnight = time.ms - zone_ms(in);  // of that day in Greenwich
  if (!in.done()) return std::nullopt;
  // Leap seconds end days of Greenwich, and are counted as the first of the next.
  const bool ends_day = (since_midnight % kDayMs + kDayMs) % kDayMs < 1000;
  if (time.leap_second && !ends_day) return std::nullopt;
  return days * kDayMs + since_midnight;
}

std::string why_no_time(std::string_view text) {
  if (text.empty()) return "timestamp is missing";
  constexpr std::string_view kWanted =
      "an ISO 8601 calendar date and time with a zone, as 2026-01-01T12:00:00Z, or seconds, milliseconds, microseconds "
      "or nanoseconds since 1970";
  if (parse_timestamp(std::string(text) + "Z")) return fmt::format("'{}' has no zone: add Z or +hh:mm", text);
  return fmt::format("'{}' is no time; wanted is {}", text, kWanted);
}

std::string format_timestamp(int64_t epoch_ms) {
  constexpr int64_t kYear0 = -62'167'219'200'000;
  constexpr int64_t kYear10000 = 253'402'300'800'000;
  if (epoch_ms < kYear0 || epoch_ms >= kYear10000) return fmt::format("{} ms since 1970", epoch_ms);
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(epoch_ms)};
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const int64_t ms = (time - days).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), ms / 3'600'000,
                     ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

}  // namespace muir::vts

#include "apps/vts/timestamps.h"

#include <fmt/core.h>

#include <charconv>
#include <chrono>

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

// Milliseconds after the decimal point; further digits are cut off.
int fraction_ms(Scanner& in) {
  int ms = 0;
  int digits = 0;
  for (; in.at_digit(); ++digits) {
    const int digit = in.digits(1);
    if (digits < 3) ms = ms * 10 + digit;
  }
  if (digits == 0 || digits > 9) return in.fail();
  for (; digits < 3; ++digits) ms *= 10;
  return ms;
}

std::optional<int64_t> parse_epoch(std::string_view text) {
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::optional<int64_t> parse_timestamp(std::string_view text) {
  if (!text.empty() && text.size() <= 15 && text.find_first_not_of("0123456789") == std::string_view::npos &&
      text.size() > 8) {
    return parse_epoch(text);
  }
  Scanner in(text);
  const int year = in.digits(4);
  in.expect("-");
  const int month = in.digits(2);
  in.expect("-");
  const int day = in.digits(2);
  in.expect("Tt ");
  const int hour = in.digits(2);
  in.expect(":");
  const int minute = in.digits(2);
  in.expect(":");
  const int second = in.digits(2);
  const int ms = in.ok() && in.take(".,") ? fraction_ms(in) : 0;
  int offset_minutes = 0;
  in.expect("Zz+-");
  if (in.ok() && (in.taken() == '+' || in.taken() == '-')) {
    const bool west = in.taken() == '-';
    const int hours = in.digits(2);
    in.take(":");
    const int minutes = in.digits(2);
    if (hours > 18 || minutes > 59) return std::nullopt;
    offset_minutes = (hours * 60 + minutes) * (west ? -1 : 1);
  }
  if (!in.done() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int64_t seconds = ((days * 24 + hour) * 60 + minute - offset_minutes) * 60 + second;
  return seconds * 1000 + ms;
}

std::string format_timestamp(int64_t epoch_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(epoch_ms)};
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const int64_t ms = (time - days).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), ms / 3'600'000,
                     ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

}  // namespace muir::vts

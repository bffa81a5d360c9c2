#include "schema/decimal.h"

#include <algorithm>

namespace muir::schema {
namespace {

bool is_negative(BytesView bytes) { return !bytes.empty() && static_cast<signed char>(bytes[0]) < 0; }

// Two's complement in place.
void negate(Bytes& bytes) {
  unsigned carry = 1;
  for (size_t i = bytes.size(); i-- > 0;) {
    const unsigned sum = (static_cast<unsigned char>(bytes[i]) ^ 0xFFU) + carry;
    bytes[i] = static_cast<char>(sum);
    carry = sum >> 8;
  }
}

// bytes = bytes * 10 + digit, as an unsigned number that grows when it must.
void push_digit(Bytes& bytes, unsigned digit) {
  unsigned carry = digit;
  for (size_t i = bytes.size(); i-- > 0;) {
    const unsigned value = static_cast<unsigned char>(bytes[i]) * 10U + carry;
    bytes[i] = static_cast<char>(value);
    carry = value >> 8;
  }
  if (carry > 0) bytes.insert(bytes.begin(), static_cast<char>(carry));
}

// bytes = bytes / 10; returns the rest.
unsigned pop_digit(Bytes& bytes) {
  unsigned rest = 0;
  for (char& c : bytes) {
    const unsigned value = (rest << 8) | static_cast<unsigned char>(c);
    c = static_cast<char>(value / 10);
    rest = value % 10;
  }
  return rest;
}

}  // namespace

BytesView shortest_decimal(BytesView unscaled) {
  while (unscaled.size() > 1) {
    const bool next_negative = static_cast<signed char>(unscaled[1]) < 0;
    if (unscaled[0] == '\0' ? next_negative : unscaled[0] != '\xFF' || !next_negative) break;
    unscaled.remove_prefix(1);
  }
  return unscaled;
}

std::string decimal_text(BytesView unscaled, int32_t scale) {
  const bool negative = is_negative(unscaled);
  Bytes magnitude(1, '\0');
  magnitude += shortest_decimal(unscaled);
  if (negative) {
    magnitude[0] = '\xFF';
    negate(magnitude);
  }
  std::string digits;  // the last one first
  while (std::any_of(magnitude.begin(), magnitude.end(), [](char c) { return c != '\0'; }))
    digits.push_back(static_cast<char>('0' + pop_digit(magnitude)));
  while (digits.size() <= static_cast<size_t>(std::max(scale, 0))) digits.push_back('0');
  std::reverse(digits.begin(), digits.end());
  if (scale > 0) digits.insert(digits.size() - static_cast<size_t>(scale), 1, '.');
  return negative ? "-" + digits : digits;
}

std::optional<Bytes> decimal_from_text(std::string_view text, int32_t precision, int32_t scale) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string_view fraction = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || (point != std::string_view::npos && fraction.empty())) return std::nullopt;
  while (fraction.size() > static_cast<size_t>(scale) && fraction.ends_with('0')) fraction.remove_suffix(1);
  if (fraction.size() > static_cast<size_t>(scale)) return std::nullopt;
  std::string digits(whole);
  digits += fraction;
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  digits.append(static_cast<size_t>(scale) - fraction.size(), '0');
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > static_cast<size_t>(precision)) return std::nullopt;
  Bytes bytes(1, '\0');
  for (const char c : digits) push_digit(bytes, static_cast<unsigned>(c - '0'));
  bytes.insert(bytes.begin(), '\0');  // room for the sign
  if (negative) negate(bytes);
  return Bytes(shortest_decimal(bytes));
}

std::optional<int64_t> decimal_as_int64(BytesView unscaled) {
  unscaled = shortest_decimal(unscaled);
  if (unscaled.size() > sizeof(int64_t)) return std::nullopt;
  uint64_t bits = is_negative(unscaled) ? ~uint64_t{0} : 0;
  for (const char c : unscaled) bits = (bits << 8) | static_cast<unsigned char>(c);
  return static_cast<int64_t>(bits);
}

Bytes decimal_from_int64(int64_t unscaled) {
  Bytes bytes;
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(static_cast<uint64_t>(unscaled) >> shift));
  return Bytes(shortest_decimal(bytes));
}

int compare_decimals(BytesView a, BytesView b) {
  const bool negative = is_negative(a);
  if (negative != is_negative(b)) return negative ? -1 : 1;
  if (a.size() != b.size()) return (a.size() < b.size()) == negative ? 1 : -1;
  return a.compare(b);  // of one sign and length, two's complement orders as it stands
}

}  // namespace muir::schema

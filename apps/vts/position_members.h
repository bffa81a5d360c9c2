// The members of one position, whichever JSON parser has read them, and what they mean.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "apps/vts/position_json.h"

namespace muir::vts {

struct MemberValue {
  enum class Kind : unsigned char { absent, null, text, whole, fraction, other };
  Kind kind = Kind::absent;
  std::string_view text{};  // of a string; borrowed
  std::string written{};    // of a whole number its digits; of a timestamp that is no string, how it was written
  double number = 0;        // of both kinds of numbers; infinite when a double cannot hold it
  std::optional<int64_t> int64{};
  bool beyond_64_bits = false;  // of a whole number

  [[nodiscard]] bool none() const { return kind == Kind::absent || kind == Kind::null; }
  [[nodiscard]] bool is_number() const { return kind == Kind::whole || kind == Kind::fraction; }
};

// Collects the members that a position has; all others are ignored.
class PositionMembers {
 public:
  static constexpr std::string_view kTimestamp = "timestamp";

  // Where the value of the member goes; null: it is ignored. That one is given twice is kept in mind.
  MemberValue* place_of(std::string_view name);
  [[nodiscard]] ParsedItem read(int64_t received_at, const PositionLimits& limits) const;

 private:
  enum Member : unsigned char { vehicle_id, lat, lon, speed, heading, timestamp };
  static constexpr std::array<std::string_view, 6> kNames{"vehicleId", "lat", "lon", "speed", "heading", kTimestamp};

  void read_vehicle_id(ParsedItem& item, const PositionLimits& limits) const;
  void read_number(Member member, bool required, std::optional<double>& out, std::string& error) const;
  void read_timestamp(RawPosition& position) const;

  std::array<MemberValue, kNames.size()> values_{};
  std::string_view twice_{};
};

}  // namespace muir::vts

// Described types for this module's tests and benchmarks.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "serde/fields.h"

namespace fleet {

enum class Kind : unsigned char { enter = 10, exit = 20 };
inline void describe(muir::Symbols<Kind>& s) { s("ENTER", Kind::enter)("EXIT", Kind::exit); }

struct Position {
  std::string vehicle;
  double lat = 0;
  double lon = 0;
  float speed = 0;
  int64_t timestamp_ms = 0;
  bool operator==(const Position&) const = default;
};
inline void describe(muir::Fields& f, Position& p) {
  f("vehicle", p.vehicle)("lat", p.lat)("lon", p.lon)("speed", p.speed, {.doc = "km/h", .default_json = "0.0"});
  f("timestamp", p.timestamp_ms, {.logical = "timestamp-millis"});
}

using Millis = std::chrono::time_point<std::chrono::system_clock, std::chrono::duration<int64_t, std::milli>>;

struct Everything {
  bool flag = false;
  int32_t small = 0;
  int64_t big = 0;
  float single = 0;
  double wide = 0;
  std::string text;
  std::string blob;
  Kind kind = Kind::enter;
  Millis at{};
  std::optional<int32_t> maybe;
  std::optional<Position> last;
  std::vector<Position> track;
  std::vector<std::string> tags;
  std::map<std::string, double> limits;
  std::vector<Everything> children;
  bool operator==(const Everything&) const = default;
};
inline void describe(muir::Fields& f, Everything& e) {
  f.name("fleet.All").doc("one of each");
  f("flag", e.flag)("small", e.small)("big", e.big)("single", e.single)("wide", e.wide)("text", e.text)(
      "blob", e.blob, {.bytes = true});
  f("kind", e.kind)("at", e.at)("maybe", e.maybe)("last", e.last)("track", e.track)("tags", e.tags)("limits", e.limits)(
      "children", e.children);
}

}  // namespace fleet

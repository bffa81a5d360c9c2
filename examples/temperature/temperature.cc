// The hottest reading of each sensor and minute, told once, when the minute is over, and only when it is above 30
// degrees: a windowed maximum behind suppress(). Readings are plain text; those that are no number become dead letters.
//
//   muir broker & temperature localhost:9092 &
//   echo 'kitchen:31' | kcat -b localhost:9092 -P -t temperatures -K:
//   kcat -b localhost:9092 -C -t temperature-alarms -K:
//
// What closes a minute is a later reading, 10 s of grace behind its end: without records no time passes.
#include "temperature/temperature.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "serde/json_serde.h"
#include "streams/dsl.h"

namespace temperature {

struct Alarm {  // key: the sensor
  int64_t from_ms = 0;
  int64_t to_ms = 0;
  int32_t degrees = 0;
};
inline void describe(muir::Fields& f, Alarm& a) { f("from_ms", a.from_ms)("to_ms", a.to_ms)("degrees", a.degrees); }

}  // namespace temperature

template <>
struct muir::serde<temperature::Alarm> : muir::JsonSerde<temperature::Alarm> {};

namespace temperature {

using namespace std::chrono_literals;
using muir::streams::Suppressed;
using muir::streams::Windowed;

namespace {

// What is thrown here goes to the failure handler, with the record.
int32_t degrees_of(const std::string& text) {
  int32_t degrees = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), degrees);
  if (failed != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument("no temperature: '" + text + "'");
  }
  return degrees;
}

}  // namespace

muir::Result<muir::streams::Topology> topology() {
  muir::streams::StreamsBuilder builder;
  builder.stream<std::string, std::string>("temperatures")
      .map_values(degrees_of)
      .group_by_key()
      .windowed_by({.size = 1min, .grace = 10s})
      .reduce([](int32_t hottest, int32_t next) { return std::max(hottest, next); }, {.store = "hottest"})
      .suppress(Suppressed::until_window_closes())
      .to_stream()
      .filter([](const Windowed<std::string>&, int32_t degrees) { return degrees > 30; })
      .map([](const Windowed<std::string>& sensor, int32_t degrees) {
        return std::pair(sensor.key, Alarm{sensor.window.start_ms, sensor.window.end_ms, degrees});
      })
      .to("temperature-alarms");
  return builder.build();
}

}  // namespace temperature

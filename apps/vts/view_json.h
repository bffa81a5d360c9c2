// The view's content as the JSON of the REST interface and the feed. Appends to a caller's text.
#pragma once

#include <string>
#include <vector>

#include "apps/vts/stats.h"
#include "apps/vts/view.h"

namespace muir::vts {

void append_json(std::string& out, const VehicleState& state);
void append_json(std::string& out, const Alert& alert);
void append_json(std::string& out, const DeadLetter& letter);
void append_json(std::string& out, const SpeedAverage& average);
void append_json(std::string& out, const TrailFix& fix);
void append_json(std::string& out, const ZoneOccupancy& occupancy);
void append_json(std::string& out, const Stats& stats);
// With its polygons and how many vehicles are in it.
void append_json(std::string& out, const ZoneMaster& zone, int64_t vehicles);

// "[...]".
template <class T>
void append_json(std::string& out, const std::vector<T>& values) {
  out += '[';
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    append_json(out, values[i]);
  }
  out += ']';
}
void append_json(std::string& out, const std::vector<std::string>& texts);
void append_json(std::string& out, const std::vector<ShownVehiclePtr>& vehicles);

}  // namespace muir::vts

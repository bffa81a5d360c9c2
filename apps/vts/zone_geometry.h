// What a ring of a zone must be, so that containing a fix means what its author meant.
#pragma once

#include <vector>

#include "base/status.h"

namespace muir::vts {

// Refuses a ring of lon, lat, lon, lat... that
// - has a position that is not on the earth;
// - crosses the antimeridian, or goes around a pole: read in the plane, as RFC 7946 (3.1.9) has it, it would be the
//   rest of the earth. Its author is told how to cut it. Edges along a pole, and those from border to border of a ring
//   around the earth, are none that cross;
// - encloses nothing: all its positions lie on one line.
// The first and the last position may be the same. The direction of the ring does not matter.
Status check_ring(const std::vector<double>& ring);

// Whether the ring encloses the point, in the plane of longitude and latitude, by the even-odd rule: an edge from
// (x1, y1) up to (x2, y2) counts when y1 <= lat < y2 and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1. So a point on
// an edge that two rings share, whichever way they go along it, is in exactly one of them.
bool encloses(const std::vector<double>& ring, double lon, double lat);

}  // namespace muir::vts

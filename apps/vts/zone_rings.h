// How the rings of one polygon must lie to each other.
#pragma once

#include <vector>

#include "base/status.h"

namespace muir::vts {

// Rings are lon, lat, lon, lat...; the first is the polygon's border, the others bound its holes (RFC 7946, 3.1.6).
// Refuses, with ring and position,
// - a ring of which edges lie on each other: one that goes round twice encloses nothing, by the even-odd rule;
// - a hole that reaches beyond the border or covers all of it, and rings whose edges cross;
// - holes that share area, be it all of it: it would be inside again. A ring wholly within a hole is an island.
// Rings may touch. Of polygons of very many positions not all are looked at.
Status check_polygon(const std::vector<std::vector<double>>& rings);

}  // namespace muir::vts

// How the rings of one polygon must lie to each other.
#pragma once

#include <vector>

#include "base/status.h"

namespace muir::vts {

// Rings are lon, lat, lon, lat...; the first is the polygon's border, the others bound its holes (RFC 7946, 3.1.6).
// Refuses, with ring and position,
// - a ring that crosses itself, through an edge or a position: it is not simple (OGC 06-103r4, 6.1.11), and what its
//   author meant by inside is open;
// - a ring of which edges lie on each other: one that goes round twice encloses nothing, by the even-odd rule;
// - a hole that reaches beyond the border or covers all of it, and rings whose edges cross;
// - holes that share area, be it all of it: it would be inside again. A ring wholly within a hole is an island.
// Rings may touch themselves and others. All edges are compared; those of more than 10,000 positions that lie so that
// it would take seconds are refused.
Status check_polygon(const std::vector<std::vector<double>>& rings);

}  // namespace muir::vts

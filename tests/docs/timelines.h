// The topologies behind the timelines of docs/streams/semantics.md, by the name that each block has there.
#pragma once

#include <map>
#include <string>

#include "streams/dsl.h"

namespace muir::streams {

using Text = std::string;
using Timelines = std::map<std::string, Result<Topology>>;

// Each reads "in", or the topics that its rows name, and writes to "out".
void add_windows(Timelines& out);
void add_joins(Timelines& out);

inline Text plus(const Text& all, const Text& more) { return all + more; }

}  // namespace muir::streams

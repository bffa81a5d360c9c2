#include "registry/given_ids.h"

#include <climits>
#include <iterator>

namespace muir::registry {

void GivenIds::add(int id) {
  if (id < 1) return;
  const auto after = runs_.upper_bound(id);
  auto before = after == runs_.begin() ? runs_.end() : std::prev(after);
  if (before != runs_.end() && before->second >= id) return;
  if (before != runs_.end() && before->second == id - 1) {
    before->second = id;
  } else {
    before = runs_.emplace_hint(after, id, id);
  }
  if (after == runs_.end() || after->first - 1 != id) return;
  before->second = after->second;
  runs_.erase(after);
}

std::optional<int> GivenIds::next() const {
  if (runs_.empty()) return 1;
  const auto last = std::prev(runs_.end());
  if (last->second < INT_MAX) return last->second + 1;
  if (last != runs_.begin()) return std::prev(last)->second + 1;
  return last->first > 1 ? std::optional(1) : std::nullopt;
}

}  // namespace muir::registry

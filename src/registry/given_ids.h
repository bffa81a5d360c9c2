// GivenIds: the ids that schemas have, or have had since the log was read, and the one for the next schema.
#pragma once

#include <map>
#include <optional>

namespace muir::registry {

class GivenIds {
 public:
  // Of imports and other registries it may be any number; those below 1 are never given.
  void add(int id);
  // The one after the largest. When an import has taken the last one there is, the one after the largest that has a
  // free one behind it: what was given and deleted lies, as a rule, below that. Nothing when there is none.
  [[nodiscard]] std::optional<int> next() const;

 private:
  std::map<int, int> runs_;  // of consecutive ids: the first and the last
};

}  // namespace muir::registry

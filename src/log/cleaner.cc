#include "log/cleaner.h"

namespace muir::log {
Result<bool> Cleaner::clean(Partition& partition) {
  (void)partition;
  return false;
}
}  // namespace muir::log

// Reading what nobody reads, to know whether it is still what was written.
#include "log/partition.h"

namespace muir::storage {

Result<bool> Partition::verify(const std::function<bool(size_t bytes)>& goes_on) {
  const auto sealed_from = [this](Offset base) -> SegmentPtr {
    const std::lock_guard guard(mutex_);
    const auto it = segments_.lower_bound(base);
    const bool sealed = it != segments_.end() && std::next(it) != segments_.end();
    return sealed && !closed_ && !deleted_ ? it->second : nullptr;
  };
  for (SegmentPtr segment = sealed_from({}); segment != nullptr; segment = sealed_from(segment->base_offset() + 1)) {
    SegmentScan scan = segment->scan();
    while (const auto batch = MUIR_TRY(scan.next())) {
      if (!goes_on(batch->view.bytes().size())) return false;
    }
    // Compaction may have put another one in its place meanwhile, and has reported what it met.
    if (sealed_from(segment->base_offset()) == segment) report_damage(*segment, scan.damaged());
  }
  return true;
}

}  // namespace muir::storage

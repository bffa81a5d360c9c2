// Transactions whose end is lost.
#include <algorithm>

#include "base/log.h"
#include "log/partition.h"

namespace muir::storage {

// Markers carry the time of this broker's clock, and are written in its order: those around the damaged place tell when
// the lost one was written.
Result<std::vector<Partition::LostEnd>> Partition::lost_ends() const {
  std::vector<LostEnd> out;
  std::vector<SegmentPtr> segments;
  {
    const std::lock_guard guard(mutex_);
    Offset oldest(INT64_MAX);
    for (const auto& [base, segment] : segments_) {
      for (const UndecidedTxn& txn : segment->undecided()) {
        out.push_back({.txn = txn, .after_ms = std::nullopt});
        oldest = std::min(oldest, txn.first_offset);
      }
    }
    for (const auto& [base, segment] : segments_) {
      if (segment->next_offset() > oldest) segments.push_back(segment);
    }
  }
  if (out.empty()) return out;
  for (const SegmentPtr& segment : segments) {
    SegmentScan scan = segment->scan();
    while (const auto batch = MUIR_TRY(scan.next())) {
      const auto& header = batch->header();
      if (!header.control()) continue;
      for (LostEnd& lost : out) {
        const bool own = header.producer_id == lost.txn.producer_id;
        if (header.base_offset < lost.txn.first_offset) {
          lost.after_ms = header.max_timestamp;
          lost.after_own = own;
        } else if (header.base_offset >= lost.txn.end_offset && lost.before_ms == INT64_MAX) {
          lost.before_ms = header.max_timestamp;
          lost.before_own = own;
        }
      }
    }
  }
  return out;
}

void Partition::decide(const UndecidedTxn& txn, bool committed) {
  const std::lock_guard guard(mutex_);
  for (const auto& [base, segment] : segments_) {
    const auto& undecided = segment->undecided();
    if (std::find(undecided.begin(), undecided.end(), txn) == undecided.end()) continue;
    segment->decide(txn, committed);
    log::info("{}: the transaction of producer {} that began at offset {} was {}, as {} says", name(), txn.producer_id,
              txn.first_offset, committed ? "committed" : "aborted", "__transaction_state");
  }
}

TxnFate Partition::fate(ProducerId producer, Offset offset) const {
  const std::lock_guard guard(mutex_);
  const auto entry = producers_.producers().find(producer);
  if (entry != producers_.producers().end() && entry->second.txn_first_offset != kNoOffset &&
      entry->second.txn_first_offset <= offset)
    return TxnFate::open;
  const auto holds = [&](const auto& txn, Offset end) {
    return txn.producer_id == producer && txn.first_offset <= offset && offset <= end;
  };
  TxnFate out = TxnFate::committed;
  for (const auto& [base, segment] : segments_) {
    for (const UndecidedTxn& txn : segment->undecided()) {
      if (holds(txn, txn.end_offset)) return TxnFate::undecided;
    }
    for (const AbortedTxn& txn : segment->aborted()) {
      if (holds(txn, txn.last_offset)) out = TxnFate::aborted;
    }
  }
  return out;
}

}  // namespace muir::storage

// Cleaner: compaction of a partition, by Apache Kafka's rules.
//
// Keeps the last record of each key at its offset, tombstones and transaction markers for delete.retention.ms after
// the first pass that saw them and while anything before them is left as it is, removes what aborted transactions
// wrote, and never touches the active segment or anything at or above the first open transaction. Owned by one thread;
// one cleaner per partition at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "log/internal/quarantine.h"
#include "log/partition.h"

namespace muir::storage {

// Limits of one pass.
struct CleanerLimits {
  // Memory for the newest offset of each key; a pass that would need more ends earlier, and the next one continues.
  size_t key_bytes_max = 128u << 20;
};

class Cleaner {
 public:
  Cleaner(Env& env, Clock& clock, CleanerLimits limits = {}) : env_(env), clock_(clock), limits_(limits) {}

  // Compacts when the uncompacted share exceeds min.cleanable.dirty.ratio, or a record of it is older than
  // max.compaction.lag.ms. Returns whether it did.
  Result<bool> clean(Partition& partition);

 private:
  using SegmentPtr = std::shared_ptr<Segment>;
  // What one pass works on.
  struct Pass {
    std::string name;  // of the partition
    std::shared_ptr<const TopicConfig> config;
    std::vector<SegmentPtr> segments;  // all that may be compacted, from the start of the log
    Offset dirty_from;                 // everything below has been compacted before
    Offset end;                        // behind the last offset that this pass compacts
    Offset log_start;
    std::vector<AbortedTxn> aborted;
    std::unordered_set<Offset> staying;                             // segments that are left as they are
    std::unordered_set<Offset> last_of_producer;                    // last offsets of the newest batch of each producer
    std::unordered_map<ProducerId, ProducerEpoch> epoch_in_marker;  // of producers that have written no data in it
    std::unordered_map<std::string, Offset> newest;
    std::unordered_set<ProducerId> producers_with_data;  // that have had records since their last marker
    bool older_left = false;       // something before the current batch is left as it is, whatever it holds
    std::set<Offset> left_whole;   // batches that are, by their base offsets
    std::set<Offset> known_whole;  // and those of the pass before
    int64_t now_ms = 0;
  };
  struct Rewritten {
    Bytes bytes;
    std::unordered_set<Offset> markers;  // offsets of those kept
    std::vector<Quarantined> aside;      // damaged, and not in the new segment
  };

  [[nodiscard]] bool plan(Partition& partition, Pass& pass) const;
  Status find_newest(Pass& pass) const;
  Status rewrite_group(Partition& partition, Pass& pass, const std::vector<SegmentPtr>& group);
  Result<bool> note_large(Pass& pass, const wire::BatchView& batch, size_t& bytes) const;
  Status rewrite_batch(Pass& pass, const wire::BatchView& batch, wire::RecordIterator& records, Rewritten& out) const;
  using Stays = std::function<bool(OptBytesView key, Offset offset, bool has_value)>;
  Status rewrite_large(Pass& pass, const wire::BatchView& batch, const Stays& stays, Rewritten& out) const;
  struct Remains {
    int32_t kept = 0;
    int32_t seen = 0;
    bool tombstones = false;  // are among those kept
  };
  static Status put_batch(const Pass& pass, const wire::BatchView& batch, const Remains& remains, Rewritten& out,
                          const std::function<Status(std::optional<int64_t> horizon)>& append);
  static Status keep_whole(Pass& pass, const wire::BatchView& batch, const Status& why, Rewritten& out);
  Status rewrite_marker(Pass& pass, const wire::BatchView& batch, wire::RecordIterator& records, Rewritten& out) const;
  Status keep_damage(Partition& partition, Segment& segment, const std::vector<DamagedRange>& found, Rewritten& out);
  Status install(Partition& partition, const std::vector<SegmentPtr>& group, SegmentPtr cleaned,
                 const std::vector<Quarantined>& aside);
  static void leave_undecided(const Partition& partition, Pass& pass);
  [[nodiscard]] static bool is_aborted(const Pass& pass, const wire::BatchHeader& header);

  Env& env_;
  Clock& clock_;
  CleanerLimits limits_;
};

}  // namespace muir::storage

// Opening a partition: finishing an interrupted compaction, recovery, producer state.
#include <algorithm>

#include "base/log.h"
#include "log/file_names.h"
#include "log/partition.h"
#include "log/quarantine.h"

namespace muir::log {

// The steps of Partition::open(), in order. Owned by the opening thread; nobody else knows the partition yet.
class PartitionOpener {
 public:
  PartitionOpener(Partition& partition, const RecoveryHint& hint)
      : p_(partition), env_(*partition.env_.env), hint_(hint) {}

  Status run() {
    MUIR_RETURN_IF_ERROR(make_folder());
    MUIR_RETURN_IF_ERROR(finish_swaps());
    MUIR_RETURN_IF_ERROR(load_segments());
    MUIR_RETURN_IF_ERROR(load_epochs());
    p_.log_start_ = std::max(hint_.log_start_offset, p_.segments_.begin()->first);
    p_.cleaned_to_ = hint_.cleaned_to;
    if (p_.log_start_ > p_.active().next_offset()) p_.log_start_ = p_.active().next_offset();
    MUIR_RETURN_IF_ERROR(load_producers());
    return make_durable();
  }

 private:
  [[nodiscard]] std::string path(const std::string& name) const { return p_.folder_ + "/" + name; }

  Status make_folder() {
    const std::string metadata = path("partition.metadata");
    if (env_.exists(metadata)) {
      const auto stored = env_.read_file(metadata);
      const auto id = stored.ok() ? decode_partition_metadata(*stored) : Result<wire::Uuid>(stored.status());
      if (id.ok() && *id == p_.topic_id_) return {};
    }
    MUIR_RETURN_IF_ERROR(env_.make_folders(p_.folder_));
    p_.folder_unsynced_ = true;
    // Without it, an old folder is one in which everything may have been on the disk.
    const std::string mark = path(std::string(kDurableMarkFile));
    if (!env_.exists(mark)) MUIR_RETURN_IF_ERROR(env_.write_file(mark, encode_durable_mark({})));
    return env_.write_file(metadata, encode_partition_metadata(p_.topic_id_));
  }

  // Compaction writes x.cleaned, renames it to x.swap when it is complete and durable, removes the segments it
  // replaces, and renames it to x.log. Any step may have been the last.
  Status finish_swaps() {
    const auto names = MUIR_TRY(env_.list(p_.folder_));
    for (const std::string& name : names) {
      if (name.ends_with(kCleanedSuffix) || name.ends_with(".tmp")) MUIR_RETURN_IF_ERROR(env_.remove(path(name)));
    }
    for (const std::string& name : names) {
      if (!name.ends_with(kSwapSuffix)) continue;
      const auto base = parse_segment_file(name.substr(0, name.size() - kSwapSuffix.size()), kLogSuffix);
      if (!base) {
        MUIR_RETURN_IF_ERROR(env_.remove(path(name)));
        continue;
      }
      MUIR_RETURN_IF_ERROR(finish_swap(name, *base, names));
    }
    return {};
  }

  Status finish_swap(const std::string& name, Offset base, const std::vector<std::string>& names) {
    const auto file = MUIR_TRY(env_.open(path(name), OpenMode::read));
    SegmentScan scan(*file, 0, MUIR_TRY(file->size()), {base, base, kNoOffset, true});
    while (MUIR_TRY(scan.next())) {
    }
    const Offset end = scan.next_offset();
    for (const std::string& other : names) {
      const auto covered = parse_segment_file(other, kLogSuffix);
      if (!covered || *covered < base || *covered >= std::max(end, base + 1)) continue;
      MUIR_RETURN_IF_ERROR(remove_segment(*covered));
    }
    // Its indexes are gone with the segments it replaces, or were those of the old one: they are built anew.
    for (const auto suffix : kSegmentSuffixes) {
      MUIR_RETURN_IF_ERROR(env_.remove(path(segment_file(base, suffix))));
    }
    MUIR_RETURN_IF_ERROR(env_.rename(path(name), path(segment_file(base, kLogSuffix))));
    return env_.sync_folder(p_.folder_);
  }

  Status remove_segment(Offset base) {
    for (const auto suffix : kSegmentSuffixes) MUIR_RETURN_IF_ERROR(env_.remove(path(segment_file(base, suffix))));
    return {};
  }

  Status load_segments() {
    std::vector<Offset> bases;
    for (const std::string& name : MUIR_TRY(env_.list(p_.folder_))) {
      if (const auto base = parse_segment_file(name, kLogSuffix)) bases.push_back(*base);
    }
    std::sort(bases.begin(), bases.end());
    MUIR_RETURN_IF_ERROR(load_durable_mark());
    if (bases.empty()) return add_segment(hint_.log_start_offset);
    for (size_t i = 0; i < bases.size(); ++i) {
      std::optional<Offset> next = i + 1 < bases.size() ? std::optional(bases[i + 1]) : std::nullopt;
      auto segment = MUIR_TRY(load_segment(bases[i], next));
      if (next && segment->next_offset() < *next && ends_unfinished(*segment, *next)) {
        MUIR_RETURN_IF_ERROR(set_aside(bases, i + 1));
        next.reset();
        segment = MUIR_TRY(recover(bases[i], next));
        recovered_.back() = segment;
      }
      if (next) segment->set_next_offset(*next);
      if (next && is_recovered(*segment)) MUIR_RETURN_IF_ERROR(segment->seal());
      p_.segments_[bases[i]] = segment;
      report(*segment);
      if (!next) break;
    }
    return continue_behind_lost_end();
  }

  Result<Partition::SegmentPtr> load_segment(Offset base, std::optional<Offset> next) {
    if (hint_.clean_shutdown || (next && *next <= hint_.recovery_point)) {
      auto opened = Segment::open(env_, p_.folder_, base, next, p_.config_->index_interval_bytes, now());
      if (opened.ok()) return opened;
    }
    recovered_.push_back(MUIR_TRY(recover(base, next)));
    return recovered_.back();
  }

  Result<Partition::SegmentPtr> recover(Offset base, std::optional<Offset> next) {
    Segment::Recovery how;
    how.next_offset = next.value_or(kNoOffset);
    how.durable_to = durable_to();
    how.index_interval_bytes = p_.config_->index_interval_bytes;
    how.now_ms = now();
    auto segment = Segment::recover(env_, p_.folder_, base, how);
    if (!segment.ok()) return segment.status().annotate(p_.name());
    if ((*segment)->cut_bytes() > 0) {
      warn("{}: an unfinished write of {} bytes behind offset {} was cut off", p_.name(), (*segment)->cut_bytes(),
           (*segment)->next_offset());
    }
    return segment;
  }

  [[nodiscard]] bool is_recovered(const Segment& segment) const {
    return std::any_of(recovered_.begin(), recovered_.end(),
                       [&](const Partition::SegmentPtr& one) { return one.get() == &segment; });
  }
  [[nodiscard]] int64_t now() const { return p_.env_.clock->now_ms(); }
  [[nodiscard]] Offset durable_to() const { return std::max(hint_.recovery_point, mark_.value_or(Offset())); }

  // Missing in folders of versions that wrote none. One that cannot be read has not reached the disk.
  Status load_durable_mark() {
    if (!env_.exists(path(std::string(kDurableMarkFile)))) return {};
    const Bytes stored = MUIR_TRY(env_.read_file(path(std::string(kDurableMarkFile))));
    mark_ = decode_durable_mark(stored).value_or(Offset());
    p_.mark_saved_ = p_.mark_wanted_ = *mark_;
    return {};
  }

  // A segment lacks its end, and the next one begins behind what is known to be on the disk: no record of that one has
  // ever been confirmed, and a producer will send both again, in order.
  [[nodiscard]] bool ends_unfinished(const Segment& segment, Offset next) const {
    return is_recovered(segment) && mark_ && next > durable_to();
  }

  Status set_aside(const std::vector<Offset>& bases, size_t from) {
    for (size_t i = from; i < bases.size(); ++i) {
      const std::string name = segment_file(bases[i], kLogSuffix);
      const auto file = MUIR_TRY(env_.open(path(name), OpenMode::read));
      const uint64_t bytes = MUIR_TRY(file->size());
      if (bytes > 0) {
        const std::string aside = free_name(env_, p_.folder_, segment_file(bases[i], ""), kQuarantineSuffix);
        warn("{}: segment {} follows an unfinished write; none of it was confirmed, and it is set aside as {}",
             p_.name(), bases[i], aside);
        MUIR_RETURN_IF_ERROR(env_.rename(path(name), path(aside)));
      }
      MUIR_RETURN_IF_ERROR(remove_segment(bases[i]));
    }
    return {};
  }

  void report(Segment& segment) {
    if (segment.damaged().empty()) return;
    const auto found = segment.damaged();
    segment.forget_damage();
    p_.report_damage(segment, found);
  }

  // The end of the log was on the disk and is damaged or gone. Its offsets are not given out again: readers and
  // committed offsets may be behind them.
  Status continue_behind_lost_end() {
    Segment& newest = p_.active();
    const Offset end = durable_to();
    const bool damaged = !newest.damaged().empty() && newest.damaged().back().end == newest.size_bytes();
    if (newest.next_offset() >= end && !damaged) return {};
    if (newest.next_offset() < end) {
      error("{}: the log ended at offset {} and now ends at {}; it goes on at the former", p_.name(), end,
            newest.next_offset());
    }
    if (!newest.empty()) {
      newest.set_next_offset(std::max(end, newest.next_offset()));
      MUIR_RETURN_IF_ERROR(newest.seal());
    } else {
      MUIR_RETURN_IF_ERROR(newest.remove());
      std::erase_if(recovered_, [&](const auto& segment) { return segment.get() == &newest; });
      p_.segments_.erase(newest.base_offset());
    }
    return add_segment(end);
  }

  Status add_segment(Offset base) {
    p_.segments_[base] = MUIR_TRY(Segment::create(env_, p_.folder_, base, now()));
    p_.folder_unsynced_ = true;
    return {};
  }

  Status load_epochs() {
    const std::string file = path("leader-epoch-checkpoint");
    if (env_.exists(file)) {
      const Bytes stored = MUIR_TRY(env_.read_file(file));
      auto epochs = decode_leader_epochs(stored);
      if (epochs.ok()) p_.epochs_ = *std::move(epochs);
    }
    const Offset end = p_.active().next_offset();
    std::erase_if(p_.epochs_, [&](const EpochEntry& entry) { return entry.start_offset > end; });
    Status status;
    if (p_.epochs_.empty()) {
      p_.epochs_ = {{LeaderEpoch(0), p_.segments_.begin()->first}};
      status = env_.write_file(file, encode_leader_epochs(p_.epochs_));
    }
    if (p_.epochs_.size() == 1) p_.only_epoch_ = p_.epochs_.front().epoch;
    return status;
  }

  // Replays the recovered segments, whose aborted transactions must be found, and then what follows the newest
  // snapshot: made by the broker as it ran, it knows also of batches and markers that are damaged now.
  Status load_producers() {
    const Offset end = p_.active().next_offset();
    std::vector<Offset> snapshots;
    for (const std::string& name : MUIR_TRY(env_.list(p_.folder_))) {
      const auto offset = parse_segment_file(name, kSnapshotSuffix);
      if (!offset) continue;
      if (*offset > end) {
        MUIR_RETURN_IF_ERROR(env_.remove(path(name)));
      } else {
        snapshots.push_back(*offset);
      }
    }
    std::sort(snapshots.rbegin(), snapshots.rend());
    const Offset newest = MUIR_TRY(load_snapshot(snapshots, end));
    if (!recovered_.empty() && recovered_.front()->base_offset() < newest) {
      const Offset from = MUIR_TRY(load_snapshot(snapshots, recovered_.front()->base_offset()));
      MUIR_RETURN_IF_ERROR(replay(from, true));
      (void)MUIR_TRY(load_snapshot(snapshots, end));
      MUIR_RETURN_IF_ERROR(replay(newest, false));
    } else {
      MUIR_RETURN_IF_ERROR(replay(newest, true));
    }
    // A snapshot of a clean shutdown is of no use once a newer one is there.
    for (size_t i = 1; i < snapshots.size(); ++i) {
      if (!p_.segments_.contains(snapshots[i]))
        MUIR_RETURN_IF_ERROR(env_.remove(path(segment_file(snapshots[i], kSnapshotSuffix))));
    }
    return {};
  }

  // The newest whole one at or below `limit`. Returns its offset; without any, the state is empty and the log's start
  // is returned.
  Result<Offset> load_snapshot(const std::vector<Offset>& newest_first, Offset limit) {
    p_.producers_.clear();
    for (const Offset offset : newest_first) {
      if (offset > limit) continue;
      const Bytes stored = MUIR_TRY(env_.read_file(path(segment_file(offset, kSnapshotSuffix))));
      auto state = ProducerState::decode_snapshot(stored);
      if (!state.ok()) continue;
      p_.producers_ = *std::move(state);
      return offset;
    }
    return p_.segments_.begin()->first;
  }

  // A marker may be among what is damaged: then nothing ends the transaction, and readers of committed records wait at
  // its first one. What a transaction became is not guessed: to show what was aborted is worse than to wait.
  void report_open_transactions(const DamagedRange& damage) const {
    for (const auto& [id, entry] : p_.producers_.producers()) {
      if (entry.txn_first_offset < Offset(0) || entry.txn_first_offset >= damage.next_offset) continue;
      error(
          "{}: the transaction that producer {} began at offset {} may have ended at one of the damaged offsets {} up "
          "to "
          "{}; committed records are readable up to its first one. When its producer does not go on, end it: "
          "kafka-transactions.sh --bootstrap-server <this broker> abort --topic {} --partition {} --start-offset {}",
          p_.name(), id, entry.txn_first_offset, damage.first_offset, damage.next_offset, p_.topic_, p_.index_,
          entry.txn_first_offset);
    }
  }

  // Of recovered segments, also the aborted transactions when `aborted`.
  Status replay(Offset from, bool aborted) {
    wire::RecordIterator records;
    std::optional<DamagedRange> damaged;
    for (const auto& [base, segment] : p_.segments_) {
      if (segment->next_offset() <= from) continue;
      const bool rebuild = aborted && is_recovered(*segment);
      const std::vector<AbortedTxn> known = segment->aborted();
      segment->clear_aborted();
      SegmentScan scan = segment->scan(MUIR_TRY(segment->floor_position(from)));
      while (const auto batch = MUIR_TRY(scan.next())) {
        const auto& header = batch->header();
        if (header.last_offset() < from || !header.has_producer_id()) continue;
        std::optional<wire::ControlRecord> marker;
        if (header.control()) {
          MUIR_RETURN_IF_ERROR(records.reset(batch->view));
          wire::Record record;
          if (records.next(record)) marker = wire::parse_control_record(record).value_or(wire::ControlRecord{});
        }
        p_.remember(header, marker, *segment);
      }
      p_.report_damage(*segment, scan.damaged());
      if (!scan.damaged().empty()) damaged = scan.damaged().back();
      // A trusted index is complete already; replay has only rebuilt a part of it.
      if (!rebuild) {
        segment->clear_aborted();
        for (const AbortedTxn& txn : known) segment->add_aborted(txn);
      } else if (segment != p_.segments_.rbegin()->second) {
        MUIR_RETURN_IF_ERROR(segment->save_aborted());  // it was sealed before they were known
      }
    }
    if (damaged) report_open_transactions(*damaged);
    return {};
  }

  // What recovery found in the page cache counts as written from now on, so it must be on the disk.
  Status make_durable() {
    const Offset end = p_.active().next_offset();
    for (const auto& segment : recovered_) MUIR_RETURN_IF_ERROR(segment->sync());
    if (!recovered_.empty()) MUIR_RETURN_IF_ERROR(env_.sync_folder(p_.folder_));
    p_.durable_ = end;
    p_.high_watermark_ = end;
    p_.producers_.on_high_watermark(end);
    return {};
  }

  Partition& p_;
  Env& env_;
  const RecoveryHint& hint_;
  std::vector<Partition::SegmentPtr> recovered_;
  std::optional<Offset> mark_;  // the sealed segments below were on the disk
};

Result<std::shared_ptr<Partition>> Partition::open(PartitionEnv env, std::string folder, std::string topic,
                                                   PartitionId index, wire::Uuid topic_id,
                                                   std::shared_ptr<const TopicConfig> config,
                                                   const RecoveryHint& hint) {
  std::shared_ptr<Partition> out(
      new Partition(std::move(env), std::move(folder), std::move(topic), index, topic_id, std::move(config)));
  const Status status = PartitionOpener(*out, hint).run();
  if (!status.ok()) return status.annotate("open " + out->name());
  return out;
}

}  // namespace muir::log

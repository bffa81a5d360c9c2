// Opening a partition: finishing an interrupted compaction, recovery, producer state.
#include <algorithm>

#include "base/log.h"
#include "log/batch_cursor.h"
#include "log/file_names.h"
#include "log/partition.h"

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
    const uint64_t file_bytes = MUIR_TRY(file->size());
    BatchCursor cursor(*file, 0, file_bytes);
    Offset end = base;
    while (const auto batch = MUIR_TRY(cursor.next())) end = batch->header().next_offset();
    for (const std::string& other : names) {
      const auto covered = parse_segment_file(other, kLogSuffix);
      if (!covered || *covered < base || *covered >= std::max(end, base + 1)) continue;
      for (const auto suffix : {kLogSuffix, kIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix}) {
        MUIR_RETURN_IF_ERROR(env_.remove(path(segment_file(*covered, suffix))));
      }
    }
    // Its indexes are gone with the segments it replaces, or were those of the old one: they are built anew.
    for (const auto suffix : {kIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix}) {
      MUIR_RETURN_IF_ERROR(env_.remove(path(segment_file(base, suffix))));
    }
    MUIR_RETURN_IF_ERROR(env_.rename(path(name), path(segment_file(base, kLogSuffix))));
    return env_.sync_folder(p_.folder_);
  }

  Status load_segments() {
    std::vector<Offset> bases;
    for (const std::string& name : MUIR_TRY(env_.list(p_.folder_))) {
      if (const auto base = parse_segment_file(name, kLogSuffix)) bases.push_back(*base);
    }
    std::sort(bases.begin(), bases.end());
    const int64_t interval = p_.config_->index_interval_bytes;
    const int64_t now = p_.env_.clock->now_ms();
    for (size_t i = 0; i < bases.size(); ++i) {
      const std::optional<Offset> next = i + 1 < bases.size() ? std::optional(bases[i + 1]) : std::nullopt;
      const bool durable = hint_.clean_shutdown || (next && *next <= hint_.recovery_point);
      auto segment = durable ? Segment::open(env_, p_.folder_, bases[i], next, interval, now)
                             : Result<Partition::SegmentPtr>(muir::error(Code::data_loss, "not closed"));
      if (!segment.ok()) {
        segment = Segment::recover(env_, p_.folder_, bases[i], interval, now);
        if (!segment.ok()) return segment.status().annotate(p_.name());
        recovered_.push_back(*segment);
        if (next) MUIR_RETURN_IF_ERROR((*segment)->seal());
      }
      p_.segments_[bases[i]] = *segment;
      const bool gap = (*segment)->cut_bytes() > 0 || (next && (*segment)->next_offset() > *next);
      if (!gap) {
        if (next) (*segment)->set_next_offset(*next);
        continue;
      }
      warn("{}: segment {} was cut by {} bytes behind offset {}", p_.name(), bases[i], (*segment)->cut_bytes(),
           (*segment)->next_offset());
      return drop_segments(std::vector<Offset>(bases.begin() + static_cast<std::ptrdiff_t>(i) + 1, bases.end()));
    }
    if (bases.empty()) {
      p_.segments_[hint_.log_start_offset] = MUIR_TRY(Segment::create(env_, p_.folder_, hint_.log_start_offset, now));
      p_.folder_unsynced_ = true;
    }
    return {};
  }

  // What lies behind a damaged segment cannot be reached without a gap: Kafka drops it too.
  Status drop_segments(const std::vector<Offset>& bases) {
    for (const Offset base : bases) {
      warn("{}: segment {} lies behind a damaged one and is removed", p_.name(), base);
      for (const auto suffix : {kLogSuffix, kIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix}) {
        MUIR_RETURN_IF_ERROR(env_.remove(path(segment_file(base, suffix))));
      }
    }
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
    if (!p_.epochs_.empty()) return {};
    p_.epochs_ = {{LeaderEpoch(0), p_.segments_.begin()->first}};
    return env_.write_file(file, encode_leader_epochs(p_.epochs_));
  }

  // Starts from the newest snapshot that is whole and old enough, and replays what follows it.
  Status load_producers() {
    const Offset end = p_.active().next_offset();
    const Offset limit = recovered_.empty() ? end : recovered_.front()->base_offset();
    std::vector<Offset> snapshots;
    for (const std::string& name : MUIR_TRY(env_.list(p_.folder_))) {
      const auto offset = parse_segment_file(name, kSnapshotSuffix);
      if (!offset) continue;
      if (*offset > limit) {
        MUIR_RETURN_IF_ERROR(env_.remove(path(name)));
      } else {
        snapshots.push_back(*offset);
      }
    }
    std::sort(snapshots.rbegin(), snapshots.rend());
    Offset from = p_.segments_.begin()->first;
    for (const Offset offset : snapshots) {
      const Bytes stored = MUIR_TRY(env_.read_file(path(segment_file(offset, kSnapshotSuffix))));
      auto state = ProducerState::decode_snapshot(stored);
      if (!state.ok()) continue;
      p_.producers_ = *std::move(state);
      from = offset;
      break;
    }
    // A snapshot of a clean shutdown is of no use once a newer one is there.
    for (size_t i = 1; i < snapshots.size(); ++i) {
      if (!p_.segments_.contains(snapshots[i]))
        MUIR_RETURN_IF_ERROR(env_.remove(path(segment_file(snapshots[i], kSnapshotSuffix))));
    }
    return replay(from);
  }

  Status replay(Offset from) {
    wire::RecordIterator records;
    for (const auto& [base, segment] : p_.segments_) {
      if (segment->next_offset() <= from) continue;
      const bool rebuild = std::find(recovered_.begin(), recovered_.end(), segment) != recovered_.end();
      const std::vector<AbortedTxn> known = segment->aborted();
      segment->clear_aborted();
      BatchCursor cursor(segment->file(), MUIR_TRY(segment->floor_position(from)), segment->size_bytes());
      while (const auto batch = MUIR_TRY(cursor.next())) {
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
      // A trusted index is complete already; replay has only rebuilt a part of it.
      if (!rebuild) {
        segment->clear_aborted();
        for (const AbortedTxn& txn : known) segment->add_aborted(txn);
      }
    }
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

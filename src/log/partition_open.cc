// Opening a partition: finishing an interrupted compaction, recovery, producer state.
#include <algorithm>
#include <set>

#include "base/log.h"
#include "log/file_names.h"
#include "log/internal/lost_marker.h"
#include "log/internal/quarantine.h"
#include "log/partition.h"

namespace muir::storage {

// The steps of Partition::open(), in order. Owned by the opening thread; nobody else knows the partition yet.
class PartitionOpener {
 public:
  PartitionOpener(Partition& partition, const RecoveryHint& hint)
      : p_(partition), env_(*partition.env_.env), hint_(hint) {}

  Status run() {
    MUIR_RETURN_IF_ERROR(make_folder());
    MUIR_RETURN_IF_ERROR(finish_swaps());
    MUIR_RETURN_IF_ERROR(load_segments());
    MUIR_RETURN_IF_ERROR(name_folder());
    p_.log_start_ = std::max(believed_log_start(), p_.segments_.begin()->first);
    MUIR_RETURN_IF_ERROR(load_epochs());
    p_.cleaned_to_ = hint_.cleaned_to;
    MUIR_RETURN_IF_ERROR(load_producers());
    MUIR_RETURN_IF_ERROR(load_quarantine());
    return make_durable();
  }

 private:
  [[nodiscard]] std::string path(const std::string& name) const { return p_.folder_ + "/" + name; }

  // No checksum covers the file it comes from, and what lies below is removed.
  [[nodiscard]] Offset believed_log_start() const {
    if (hint_.log_start_offset <= p_.active().next_offset()) return hint_.log_start_offset;
    log::error(
        "{}: log-start-offset-checkpoint says that the log begins at offset {}, and it ends at {}: the number is "
        "ignored, nothing is removed because of it. Records that had been deleted may be there again",
        p_.name(), hint_.log_start_offset, p_.active().next_offset());
    return {};
  }

  Status make_folder() {
    const std::string metadata = path(std::string(kMetadataFile));
    if (env_.exists(metadata)) {
      const auto stored = env_.read_file(metadata);
      const auto id = stored.ok() ? decode_partition_metadata(*stored) : Result<wire::Uuid>(stored.status());
      named_ = id.ok() && *id == p_.topic_id_;
      if (named_) return {};
    }
    MUIR_RETURN_IF_ERROR(env_.make_folders(p_.folder_));
    p_.folder_unsynced_ = true;
    // Without it, an old folder is one in which everything may have been on the disk.
    const std::string mark = path(std::string(kDurableMarkFile));
    return env_.exists(mark) ? Status() : env_.write_file(mark, encode_durable_mark({}));
  }

  // Not before there is a segment: a folder with an id and without one has lost it.
  Status name_folder() {
    if (named_) return {};
    return env_.write_file(path(std::string(kMetadataFile)), encode_partition_metadata(p_.topic_id_));
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
      const auto covered = segment_of(other);
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

  // The segment that a file of this name belongs to.
  static std::optional<Offset> segment_of(const std::string& name) {
    for (const auto suffix : kSegmentSuffixes) {
      if (const auto base = parse_segment_file(name, suffix)) return base;
    }
    return std::nullopt;
  }

  // The segments that are there, ascending, and those that must have been: a .log is the last of its files to go, and
  // the newest segment begins where the mark says or behind. They are made again, without records.
  Result<std::vector<Offset>> find_segments() {
    std::set<Offset> there;
    std::set<Offset> known;
    for (const std::string& name : MUIR_TRY(env_.list(p_.folder_))) {
      if (parse_segment_file(name, kLogSuffix))
        there.insert(*segment_of(name));
      else if (const auto base = segment_of(name); base && *base >= hint_.log_start_offset)
        known.insert(*base);
    }
    const Offset newest = there.empty() ? Offset() : *there.rbegin();
    if (mark_ && newest < *mark_) {
      // Where the newest segment began, there is a snapshot.
      if (env_.exists(path(segment_file(*mark_, kSnapshotSuffix)))) {
        known.insert(*mark_);
      } else {
        log::error("{}: {} says {}, where no segment has ever begun: the number is ignored", p_.name(),
                   path(std::string(kDurableMarkFile)), *mark_);
        p_.mark_saved_ = p_.mark_wanted_ = *(mark_ = newest);
      }
    }
    if (there.empty() && known.empty() && durable_to() > hint_.log_start_offset) known.insert(lost_base());
    // How far it had come, nothing says; it may have been empty.
    if (there.empty() && known.empty() && named_) known.insert(hint_.log_start_offset);
    for (const Offset base : known) {
      if (there.contains(base)) continue;
      const std::string file = path(segment_file(base, kLogSuffix));
      log::error("{}: {} is missing, with all of its records. Stop the broker and put a good copy of it in place",
                 p_.name(), file);
      MUIR_RETURN_IF_ERROR(env_.write_file(file, {}));
      there.insert(base);
      missing_.insert(base);
    }
    return std::vector<Offset>(there.begin(), there.end());
  }

  // Nothing is left of the log, and it had come to durable_to(): the newest number that a segment, which spans no more,
  // can begin with. No record contradicts the checkpoint, so that it is believed however far it says.
  [[nodiscard]] Offset lost_base() const { return std::max(hint_.log_start_offset, durable_to() - int64_t{INT32_MAX}); }

  Status load_segments() {
    MUIR_RETURN_IF_ERROR(load_durable_mark());
    const std::vector<Offset> bases = MUIR_TRY(find_segments());
    new_log_ = bases.empty();
    if (new_log_) return add_segment(hint_.log_start_offset);
    for (size_t i = 0; i < bases.size(); ++i) {
      std::optional<Offset> next = i + 1 < bases.size() ? std::optional(bases[i + 1]) : std::nullopt;
      auto segment = MUIR_TRY(load_segment(bases[i], next));
      if (next && segment->next_offset() < *next && ends_unfinished(bases, i, *segment)) {
        MUIR_RETURN_IF_ERROR(set_aside(bases, i + 1));
        next.reset();
        segment = MUIR_TRY(recover(bases[i], next));
        recovered_.back() = segment;
      }
      if (next) note_lost_records(*segment, *next);
      if (next) segment->set_next_offset(*next);
      p_.segments_[bases[i]] = segment;
      report(*segment);
      if (!next) break;
    }
    return continue_behind_lost_end();
  }

  // A log that went on behind its lost end has it in the list of the segment it went on with.
  [[nodiscard]] bool is_listed_behind(Offset begin, Offset end) const {
    const auto list = listed_lost_before(end);
    return std::find(list.begin(), list.end(), DamagedRange{0, 0, begin, end}) != list.end();
  }
  [[nodiscard]] std::vector<DamagedRange> listed_lost_before(Offset base) const {
    const auto text = env_.read_file(path(segment_file(base, kDamagedSuffix)));
    auto list = text.ok() ? decode_damage(*text) : Result<DamageList>(text.status());
    if (!list.ok()) return {};
    std::erase_if(list->ranges, [&](const DamagedRange& range) { return range.end > 0 || range.next_offset != base; });
    return std::exchange(list->ranges, {});
  }

  // A file that has become shorter, or segments behind it that are gone with all of their files, leave nothing that a
  // scan could find. Compaction leaves gaps as well: what the log once knew itself tells the two apart.
  void note_lost_records(Segment& segment, Offset next) {
    const auto& damaged = segment.damaged();
    if (!damaged.empty() && damaged.back().end == segment.size_bytes() && damaged.back().next_offset == next) return;
    const auto& seal = segment.stored_seal();
    Offset begin = segment.next_offset();
    if (!is_recovered(segment)) begin = seal ? seal->next_offset : next;
    const bool compacted = p_.config_->compact || hint_.cleaned_to > Offset();
    Offset end = next;
    // The seal may be of an earlier end, at which the log went on after a clean stop.
    if (is_recovered(segment) && seal && seal->log_bytes <= segment.size_bytes())
      begin = std::max(begin, seal->next_offset);
    if (is_recovered(segment) && !seal && compacted && !missing_.contains(segment.base_offset())) end = begin;
    if (begin >= end || is_listed_behind(begin, end)) return;
    segment.note_damage({segment.size_bytes(), segment.size_bytes(), begin, end});
    lost_from_ = std::min(lost_from_, begin);
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
      log::warn("{}: an unfinished write of {} bytes behind offset {} was cut off", p_.name(), (*segment)->cut_bytes(),
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

  // Missing in folders of versions that wrote none. An empty one has not reached the disk; one that is damaged says
  // nothing, and nothing is set aside without it.
  Status load_durable_mark() {
    const std::string file = path(std::string(kDurableMarkFile));
    if (!env_.exists(file)) return {};
    const Bytes stored = MUIR_TRY(env_.read_file(file));
    const auto mark = stored.empty() ? Result<Offset>(Offset()) : decode_durable_mark(stored);
    if (!mark.ok()) {
      log::error("{}: {} is damaged and ignored; it is written anew when the log goes on", p_.name(), file);
      p_.mark_saved_ = p_.mark_wanted_ = kNoOffset;
      return {};
    }
    mark_ = *mark;
    p_.mark_saved_ = p_.mark_wanted_ = *mark_;
    return {};
  }

  // The segment at `index` lacks its end, and the next one begins behind what is known to be on the disk: no record of
  // that one has ever been confirmed, and a producer will send both again, in order.
  [[nodiscard]] bool ends_unfinished(const std::vector<Offset>& bases, size_t index, const Segment& segment) const {
    const Offset next = bases[index + 1];
    return is_recovered(segment) && mark_ && next > durable_to() && listed_lost_before(next).empty() &&
           !was_sealed(bases, index);
  }

  // A seal was written when all records below its end were on the disk. Compaction leaves segments without records,
  // which have none.
  [[nodiscard]] bool was_sealed(const std::vector<Offset>& bases, size_t index) const {
    const Offset next = bases[index + 1];
    return std::any_of(bases.begin() + static_cast<ptrdiff_t>(index), bases.end(), [&](Offset base) {
      const auto text = env_.read_file(path(segment_file(base, kSealSuffix)));
      const auto seal = text.ok() ? decode_seal(*text) : Result<SegmentSeal>(text.status());
      return seal.ok() && seal->next_offset >= next;
    });
  }

  Status set_aside(const std::vector<Offset>& bases, size_t from) {
    for (size_t i = from; i < bases.size(); ++i) {
      const std::string name = segment_file(bases[i], kLogSuffix);
      for (const auto suffix : kSegmentSuffixes) {
        if (suffix != kLogSuffix) MUIR_RETURN_IF_ERROR(env_.remove(path(segment_file(bases[i], suffix))));
      }
      const auto file = MUIR_TRY(env_.open(path(name), OpenMode::read));
      const uint64_t bytes = MUIR_TRY(file->size());
      if (bytes > 0) {
        const std::string aside = free_name(env_, p_.folder_, segment_file(bases[i], ""), kQuarantineSuffix);
        log::warn("{}: segment {} follows an unfinished write; none of it was confirmed, and it is set aside as {}",
                  p_.name(), bases[i], aside);
        MUIR_RETURN_IF_ERROR(env_.rename(path(name), path(aside)));
      }
      MUIR_RETURN_IF_ERROR(remove_segment(bases[i]));
    }
    return {};
  }

  void report(Segment& segment) {
    for (const UndecidedTxn& txn : segment.undecided()) report_undecided(segment, txn);
    if (segment.damaged().empty()) return;
    const auto found = segment.damaged();
    segment.forget_damage();
    p_.report_damage(segment, found);
  }

  void report_undecided(const Segment& segment, const UndecidedTxn& txn) const {
    log::error(
        "{}: {}: whether the transaction of producer {} that began at offset {} was committed is not known, as its end "
        "may have been in what is damaged from offset {} on. Its records before that are not shown to consumers with "
        "isolation.level=read_committed, and are to others. To get them back, stop the broker and restore the file",
        p_.name(), segment.path(kLogSuffix), txn.producer_id, txn.first_offset, txn.end_offset);
  }

  // The end of the log was on the disk and is damaged or gone. Its offsets are not given out again: readers and
  // committed offsets may be behind them.
  Status continue_behind_lost_end() {
    const Partition::SegmentPtr newest = p_.segments_.rbegin()->second;
    Offset end = durable_to();
    if (newest->stored_seal()) end = std::max(end, newest->stored_seal()->next_offset);
    const bool damaged =
        newest->size_bytes() > 0 && !newest->damaged().empty() && newest->damaged().back().end == newest->size_bytes();
    const Offset from = newest->next_offset();
    if (end - from > INT32_MAX) {
      log::error(
          "{}: recovery-point-offset-checkpoint says that the log was on the disk up to offset {}, and it ends at {}: "
          "the number is ignored. If the end of the log was lost, stop the broker and restore {}",
          p_.name(), end, from, p_.folder_);
      end = from;
    }
    // How far it reached, nothing tells; it was made for a batch.
    if (missing_.contains(newest->base_offset())) end = std::max(end, from + 1);
    if (from >= end && !damaged) return {};
    end = std::max(end, from);
    if (from < end) {
      log::error(
          "{}: the log ended at offset {} and now ends at {}; it goes on at the former. To get the records between "
          "back, stop the broker and restore {}",
          p_.name(), end, from, newest->path(kLogSuffix));
    }
    if (!newest->empty()) {
      newest->set_next_offset(end);
      if (!is_recovered(*newest)) recovered_.push_back(newest);
    } else {
      MUIR_RETURN_IF_ERROR(newest->remove());
      std::erase(recovered_, newest);
      p_.segments_.erase(newest->base_offset());
      if (!p_.segments_.empty()) p_.segments_.rbegin()->second->set_next_offset(end);
    }
    MUIR_RETURN_IF_ERROR(add_segment(end));
    // With the first flush, which comes before anything in it is confirmed: what was lost below is no unfinished write.
    p_.mark_wanted_ = std::max(p_.mark_wanted_, end);
    if (damaged || from >= end) return {};
    Segment& fresh = p_.active();
    recovered_.push_back(p_.segments_.rbegin()->second);
    fresh.set_evidence(newest->evidence());
    p_.report_damage(fresh, {{0, 0, from, end}});
    lost_from_ = std::min(lost_from_, from);
    return {};
  }

  Status add_segment(Offset base) {
    p_.segments_[base] = MUIR_TRY(Segment::create(env_, p_.folder_, base, now()));
    p_.folder_unsynced_ = true;
    return {};
  }

  Status load_quarantine() {
    p_.note_quarantined(MUIR_TRY(find_quarantined(env_, p_.folder_)));
    for (const Quarantined& aside : p_.quarantined_) {
      log::error(
          "{}: offsets {} up to {} were damaged or missing when the log was compacted; {} keeps their {} bytes. "
          "Removing the file ends this report",
          p_.name(), aside.first_offset, aside.next_offset, aside.path, aside.bytes);
    }
    return {};
  }

  // Every start that does not follow a clean end begins a new epoch, as every start of Apache Kafka does. Consumers may
  // have seen records at the end of the log that this start no longer finds: their positions name the epoch they were
  // read in, and with the end of it OffsetForLeaderEpoch tells them where they are (KIP-320). Without it, they would
  // go on behind what is written at the same offsets now.
  Status load_epochs() {
    const std::string file = path("leader-epoch-checkpoint");
    const auto stored = env_.exists(file) ? env_.read_file(file) : Result<Bytes>(Bytes());
    auto epochs = stored.ok() ? decode_leader_epochs(*stored) : Result<EpochEntries>(stored.status());
    const bool told = epochs.ok();
    p_.epochs_ = told ? *std::move(epochs) : MUIR_TRY(epochs_of_batches());
    if (p_.epochs_.empty()) p_.epochs_ = {{LeaderEpoch(0), p_.segments_.begin()->first}};
    if (new_log_) return env_.write_file(file, encode_leader_epochs(p_.epochs_));
    const int32_t last = p_.epochs_.back().epoch.value();  // also when it began behind what is left of the log
    const Offset end = p_.active().next_offset();
    std::erase_if(p_.epochs_, [&](const EpochEntry& entry) { return entry.start_offset > end; });
    while (p_.epochs_.size() > 1 && p_.epochs_[1].start_offset <= p_.log_start_) p_.epochs_.erase(p_.epochs_.begin());
    const LeaderEpoch now(hint_.clean_shutdown || last == INT32_MAX ? last : last + 1);
    if (told && !p_.epochs_.empty() && p_.epochs_.back().epoch == now) return {};
    if (p_.epochs_.empty() || p_.epochs_.back().epoch != now) {
      if (!p_.epochs_.empty() && p_.epochs_.back().start_offset == end) p_.epochs_.pop_back();
      p_.epochs_.push_back({now, end});
    }
    // A full disk keeps nobody from reading.
    const Status saved = env_.replace_file(file, encode_leader_epochs(p_.epochs_));
    if (!saved.ok()) log::warn("{}: leader epoch {} cannot be stored: {}", p_.name(), now, saved.message());
    return {};
  }

  // What the batches say, for a file that is gone. Nobody is told an epoch lower than one he knows already.
  Result<EpochEntries> epochs_of_batches() {
    constexpr LeaderEpoch kLargest(1 << 30);  // no log has begun so often: the number is damaged
    EpochEntries out;
    for (const auto& [base, segment] : p_.segments_) {
      SegmentScan scan = segment->scan();
      while (const auto batch = MUIR_TRY(scan.next())) {
        const auto& header = batch->header();
        const LeaderEpoch known = out.empty() ? kNoLeaderEpoch : out.back().epoch;
        if (header.partition_leader_epoch > known && header.partition_leader_epoch < kLargest)
          out.push_back({header.partition_leader_epoch, header.base_offset});
      }
    }
    return out;
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
    Offset first = lost_from_;
    for (const auto& segment : recovered_) first = std::min(first, segment->base_offset());
    if (first < newest) {
      const Offset from = MUIR_TRY(load_snapshot(snapshots, first));
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

  // Of recovered segments, also the aborted transactions when `aborted`.
  Status replay(Offset from, bool aborted) {
    for (const auto& [base, segment] : p_.segments_) {
      if (segment->next_offset() > from) MUIR_RETURN_IF_ERROR(replay_segment(*segment, from, aborted));
    }
    return {};
  }

  Status replay_segment(Segment& segment, Offset from, bool aborted) {
    const bool rebuild = aborted && is_recovered(segment);
    const std::vector<AbortedTxn> known = segment.aborted();
    const TxnEvidence& evidence = segment.evidence();
    undecided_.clear();
    segment.clear_aborted();
    const std::vector<DamagedRange> listed = segment.damaged();
    for (const DamagedRange& gap : listed) {
      if (gap.end == 0) MUIR_RETURN_IF_ERROR(pass_gap(gap, segment, evidence));
    }
    wire::RecordIterator records;
    size_t passed = 0;
    SegmentScan scan = segment.scan(MUIR_TRY(segment.floor_position(from)));
    for (;;) {
      const auto batch = MUIR_TRY(scan.next());
      for (; passed < scan.damaged().size(); ++passed)
        MUIR_RETURN_IF_ERROR(pass_gap(scan.damaged()[passed], segment, evidence));
      if (!batch) break;
      const auto& header = batch->header();
      if (header.last_offset() < from || !header.has_producer_id()) continue;
      std::optional<wire::ControlRecord> marker;
      if (header.control()) {
        MUIR_RETURN_IF_ERROR(records.reset(batch->view));
        wire::Record record;
        if (records.next(record)) marker = wire::parse_control_record(record).value_or(wire::ControlRecord{});
      }
      p_.remember(header, marker, segment);
    }
    for (const DamagedRange& gap : listed) {
      if (gap.begin == gap.end && gap.end > 0) MUIR_RETURN_IF_ERROR(pass_gap(gap, segment, evidence));
    }
    p_.report_damage(segment, scan.damaged());
    if (rebuild) return {};
    // A trusted index is complete already; replay has only rebuilt a part of it.
    segment.clear_aborted();
    for (const AbortedTxn& txn : known) segment.add_aborted(txn);
    for (const AbortedTxn& txn : undecided_) {
      if (std::find(known.begin(), known.end(), txn) == known.end()) segment.add_aborted(txn);
    }
    return {};
  }

  // A place that may have held markers. Whether an open transaction was aborted or committed there, or went on, is told
  // by the marker itself, if it can be restored, by the list of aborted transactions that was written when the segment
  // was sealed, and by the snapshot behind it. When nothing tells, what came before counts as aborted, so that nothing
  // aborted is shown, and is reported. What comes behind is decided by the next marker in either case.
  Status pass_gap(const DamagedRange& gap, Segment& segment, const TxnEvidence& known) {
    const Bytes bytes = MUIR_TRY(gap_bytes(segment, gap));
    if (!may_hold_marker(bytes, gap)) return {};
    if (const auto marker = restore_marker(bytes, gap)) {
      p_.remember(marker->header, marker->record, segment);
      return {};
    }
    const std::map<Offset, ProducerId> open = p_.producers_.open_transactions();
    for (const auto& [first, producer] : open) {
      if (segment.was_committed(producer, first)) {
        p_.producers_.forget_transaction(producer);
        continue;
      }
      const auto listed = std::find_if(known.aborted.begin(), known.aborted.end(), [&](const AbortedTxn& txn) {
        return txn.producer_id == producer && txn.first_offset <= first && txn.last_offset >= gap.first_offset;
      });
      if (listed != known.aborted.end()) {
        if (listed->last_offset >= gap.next_offset) continue;  // it went on
        p_.producers_.forget_transaction(producer);
        segment.add_aborted(*listed);
        continue;
      }
      if (known.complete_to >= gap.next_offset) {
        const auto still_open = open_in_snapshot(segment.next_offset(), producer, first);
        if (still_open && *still_open) continue;
        if (still_open) {
          p_.producers_.forget_transaction(producer);  // committed
          continue;
        }
      }
      p_.producers_.forget_transaction(producer);
      const AbortedTxn hidden{producer, first, gap.first_offset,
                              p_.producers_.first_open_offset().value_or(gap.next_offset)};
      segment.add_aborted(hidden);
      undecided_.push_back(hidden);
      const UndecidedTxn txn{producer, first, gap.first_offset};
      if (segment.add_undecided(txn)) report_undecided(segment, txn);
    }
    return {};
  }

  // As many as tell what was there.
  static Result<Bytes> gap_bytes(const Segment& segment, const DamagedRange& gap) {
    constexpr uint64_t kBytes = 1024;
    return segment.file().read_exactly(gap.begin, std::min(gap.end - gap.begin, kBytes));
  }

  // Whether the snapshot at `offset` knows the transaction that began at `first` as open; nullopt without one.
  std::optional<bool> open_in_snapshot(Offset offset, ProducerId producer, Offset first) {
    const auto stored = env_.read_file(path(segment_file(offset, kSnapshotSuffix)));
    if (!stored.ok()) return std::nullopt;
    const auto state = ProducerState::decode_snapshot(*stored);
    if (!state.ok()) return std::nullopt;
    const auto it = state->producers().find(producer);
    return it != state->producers().end() && it->second.txn_first_offset >= Offset() &&
           it->second.txn_first_offset <= first;
  }

  // What recovery found in the page cache counts as written from now on, so it must be on the disk.
  Status make_durable() {
    const Offset end = p_.active().next_offset();
    for (const auto& segment : recovered_) {
      // With its aborted transactions, which only the replay has found.
      if (segment.get() != &p_.active()) MUIR_RETURN_IF_ERROR(segment->seal());
      MUIR_RETURN_IF_ERROR(segment->sync());
    }
    if (!recovered_.empty()) MUIR_RETURN_IF_ERROR(env_.sync_folder(p_.folder_));
    p_.durable_ = end;
    p_.high_watermark_ = end;
    p_.producers_.on_high_watermark(end);
    return {};
  }

  Partition& p_;
  Env& env_;
  const RecoveryHint& hint_;
  bool named_ = false;  // the folder has the topic's id
  bool new_log_ = false;
  std::vector<Partition::SegmentPtr> recovered_;
  Offset lost_from_{INT64_MAX};        // of records whose loss this start has found
  std::set<Offset> missing_;           // segments whose .log was not there
  std::vector<AbortedTxn> undecided_;  // found in the segment that is being replayed
  std::optional<Offset> mark_;         // the sealed segments below were on the disk
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

}  // namespace muir::storage

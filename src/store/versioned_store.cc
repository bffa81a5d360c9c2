#include "store/versioned_store.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/cursor.h"
#include "store/internal/time_segments.h"
#include "store/internal/value_format.h"
#include "store/internal/version_row.h"

namespace muir::store {
namespace {

using internal::TimeSegments;
using internal::Version;
using internal::VersionRow;

// Kafka's.
int64_t default_segment_interval_ms(int64_t retention_ms) {
  if (retention_ms <= 60'000) return std::max<int64_t>(retention_ms / 3, 2'000);
  if (retention_ms <= 300'000) return std::max<int64_t>(retention_ms / 5, 20'000);
  if (retention_ms <= 3'600'000) return std::max<int64_t>(retention_ms / 12, 60'000);
  return std::max<int64_t>(retention_ms / 24, 300'000);
}

VersionedStoreOptions with_defaults(VersionedStoreOptions options) {
  if (options.segment_interval_ms == 0)
    options.segment_interval_ms = default_segment_interval_ms(options.history_retention_ms);
  return options;
}

// Rows have a segment and the key as their key. That of the latest version of a key is of no segment, lies behind them
// all, and has the timestamp before the value; older versions lie in the segment in which their validity ends, as a
// VersionRow for each key. Two rows that belong together are written so that what reads them meanwhile, from the latest
// to the oldest, finds each version in one of them at least.
class SegmentedVersionedStore final : public VersionedStore {
 public:
  explicit SegmentedVersionedStore(VersionedStoreOptions options)
      : options_(with_defaults(std::move(options))),
        engine_(internal::make_rocks_engine(options_.name)),
        segments_(*engine_, StoreKind::rocksdb, options_.history_retention_ms, options_.segment_interval_ms) {}

  const std::string& name() const override { return options_.name; }
  const VersionedStoreOptions& options() const override { return options_; }
  bool persistent() const override { return true; }
  void set_changelog(ChangelogWriter* writer) override { changelog_ = writer; }
  StoreUsage usage() override { return engine_->usage(); }
  Status sync() override { return engine_->sync(); }
  Status close() override { return engine_->close(); }
  uint64_t dropped() const override { return late_puts_; }

  Status open(const std::string& folder, Env& files) override {
    MUIR_RETURN_IF_ERROR(engine_->open(folder, files));
    Bytes latest;
    internal::append_segment(kLatest, latest);
    return segments_.load({.to = std::move(latest)});
  }

  // What was too late is in the changelog, too, and is too late again.
  Status restore(std::span<const ChangelogRecord> records) override {
    for (const ChangelogRecord& record : records) {
      if (record.timestamp_ms < 0 || late(record.timestamp_ms)) continue;
      MUIR_RETURN_IF_ERROR(write(record.key, {record.timestamp_ms, record.value}).status());
    }
    return {};
  }

  Result<int64_t> put(BytesView key, OptBytesView value, int64_t timestamp_ms) override {
    if (timestamp_ms < 0)
      return error(Code::invalid_argument, "put store={}: timestamp {} is negative", name(), timestamp_ms);
    int64_t valid_to_ms = kNotPut;
    if (late(timestamp_ms)) {
      ++late_puts_;
    } else {
      valid_to_ms = MUIR_TRY(write(key, {timestamp_ms, value}));
    }
    if (changelog_ != nullptr) MUIR_RETURN_IF_ERROR(changelog_->log(key, value, timestamp_ms));
    return valid_to_ms;
  }

  Result<bool> erase(BytesView key, int64_t timestamp_ms, VersionedRecord& out) override {
    const bool found = !late(timestamp_ms) && MUIR_TRY(get(key, timestamp_ms, out));
    MUIR_RETURN_IF_ERROR(put(key, std::nullopt, timestamp_ms).status());
    return found;
  }

  Result<bool> get(BytesView key, VersionedRecord& out) override { return get(key, INT64_MAX, out); }

  Result<bool> get(BytesView key, int64_t as_of_ms, VersionedRecord& out) override {
    Bytes at = row_key(kLatest, key);
    const bool has_latest = MUIR_TRY(engine_->get(at, out.value));
    if (has_latest) {
      out.timestamp_ms = MUIR_TRY(internal::decode_row(ValueFormat::timestamped, out.value)).timestamp_ms;
      if (out.timestamp_ms <= as_of_ms) {
        out.value.erase(0, sizeof(int64_t));
        out.valid_to_ms.reset();
        return true;
      }
    }
    if (late(as_of_ms)) return false;
    const TimeSegments::Span span = segments_.between(as_of_ms, INT64_MAX);
    Bytes bytes;
    for (int64_t segment = span.last; segment >= span.first; --segment) {
      at = row_key(segment, key);
      if (!MUIR_TRY(engine_->get(at, bytes))) continue;
      const VersionRow row = MUIR_TRY(VersionRow::parse(bytes));
      if (row.to_ms() <= as_of_ms) return false;
      if (row.from_ms() > as_of_ms) continue;
      const size_t found = row.find(as_of_ms);
      return read(row, found, out);
    }
    return false;
  }

  Result<std::vector<VersionedRecord>> get(BytesView key, int64_t from_ms, int64_t to_ms, Order order) override {
    std::vector<VersionedRecord> out;
    if (from_ms > to_ms) return out;
    const auto only = [&](int64_t segment) {
      Bytes from = row_key(segment, key);
      Bytes to = from;
      to.push_back('\0');
      return internal::KeyRange{std::move(from), std::move(to)};
    };
    const auto rows = MUIR_TRY(engine_->iterate(only(kLatest), Order::ascending));
    VersionedRecord record;
    if (rows->next()) {
      const auto latest = MUIR_TRY(internal::decode_row(ValueFormat::timestamped, rows->value()));
      if (latest.timestamp_ms <= to_ms) out.push_back({Bytes(latest.value), latest.timestamp_ms, std::nullopt});
    }
    const TimeSegments::Span span = late(to_ms) ? TimeSegments::Span{} : segments_.between(from_ms, INT64_MAX);
    for (int64_t segment = span.last; segment >= span.first; --segment) {
      rows->seek(only(segment));
      if (!rows->next()) continue;
      const VersionRow row = MUIR_TRY(VersionRow::parse(rows->value()));
      for (size_t i = 0; i < row.versions().size(); ++i) {
        const bool asked = row.versions()[i].from_ms <= to_ms && row.end_of(i) > from_ms;
        if (asked && read(row, i, record)) out.push_back(record);
      }
    }
    MUIR_RETURN_IF_ERROR(rows->status());
    if (order == Order::ascending) std::reverse(out.begin(), out.end());
    return out;
  }

 private:
  static constexpr int64_t kLatest = -1;  // in the place of a segment: behind them all, as its bytes are 0xff

  [[nodiscard]] bool late(int64_t time_ms) const {
    return time_ms < segments_.observed_ms() - options_.history_retention_ms;
  }
  static Bytes row_key(int64_t segment, BytesView key) {
    Bytes out;
    out.reserve(internal::kSegmentSize + key.size());
    internal::append_segment(segment, out);
    out += key;
    return out;
  }
  // False: it is a deletion.
  static bool read(const VersionRow& row, size_t position, VersionedRecord& out) {
    const Version& version = row.versions()[position];
    if (!version.value) return false;
    out.value.assign(*version.value);
    out.timestamp_ms = version.from_ms;
    out.valid_to_ms = row.end_of(position);
    return true;
  }

  // Yields when it ends. Where a version belongs that is not the latest is found out from the newest segment to the
  // oldest: each tells a version that comes behind it, until one has what came before it.
  Result<int64_t> write(BytesView key, const Version& added) {
    MUIR_RETURN_IF_ERROR(segments_.advance(added.from_ms));
    int64_t next_ms = kStillValid;
    at_ = row_key(kLatest, key);
    if (MUIR_TRY(engine_->get(at_, latest_))) {
      const auto latest = MUIR_TRY(internal::decode_row(ValueFormat::timestamped, latest_));
      if (added.from_ms >= latest.timestamp_ms) return write_latest(key, added, {latest.timestamp_ms, latest.value});
      next_ms = latest.timestamp_ms;
    }
    const TimeSegments::Span span = segments_.between(added.from_ms, INT64_MAX);
    for (int64_t segment = span.last; segment >= span.first; --segment) {
      at_ = row_key(segment, key);
      if (!MUIR_TRY(engine_->get(at_, row_))) continue;
      VersionRow row = MUIR_TRY(VersionRow::parse(row_));
      if (row.to_ms() <= added.from_ms) break;
      if (row.from_ms() <= added.from_ms) return write_within(key, added, segment, std::move(row));
      next_ms = row.from_ms();
    }
    MUIR_RETURN_IF_ERROR(next_ms == kStillValid ? write_alone(key, added) : write_before(key, added, next_ms));
    return next_ms;
  }
  // What it takes the place of goes to the segment of its end first.
  Result<int64_t> write_latest(BytesView key, const Version& added, const Version& before) {
    if (added.from_ms > before.from_ms) MUIR_RETURN_IF_ERROR(add_newest(key, before, added.from_ms));
    MUIR_RETURN_IF_ERROR(put_latest(key, added));
    return kStillValid;
  }
  Status put_latest(BytesView key, const Version& added) {
    at_ = row_key(kLatest, key);
    if (!added.value) return engine_->erase(at_);
    internal::encode_row(ValueFormat::timestamped, *added.value, added.from_ms, encoded_);
    return engine_->put(at_, encoded_);
  }
  // Into a segment that has versions before and behind it. The one before ends earlier now, maybe in an older segment.
  Result<int64_t> write_within(BytesView key, const Version& added, int64_t segment, VersionRow row) {
    const size_t position = row.find(added.from_ms);
    const int64_t to_ms = row.end_of(position);
    const Version before = row.versions()[position];
    if (before.from_ms == added.from_ms) {
      row.replace(position, added);
    } else if (segments_.of(added.from_ms) != segment) {
      MUIR_RETURN_IF_ERROR(add_newest(key, before, added.from_ms));
      row.replace(position, added);
    } else {
      row.insert(position, added);
    }
    MUIR_RETURN_IF_ERROR(put_row(key, segment, row));
    return to_ms;
  }
  // Nothing comes behind it. A deletion is kept as the end of what is before it, or by itself.
  Status write_alone(BytesView key, const Version& added) {
    if (added.value) return put_latest(key, added);
    const int64_t segment = segments_.of(added.from_ms);
    at_ = row_key(segment, key);
    if (!MUIR_TRY(engine_->get(at_, other_))) return put_row(key, segment, VersionRow(added, added.from_ms));
    VersionRow row = MUIR_TRY(VersionRow::parse(other_));
    if (row.to_ms() == added.from_ms) return {};
    row.add_newest({row.to_ms(), std::nullopt}, added.from_ms);
    return put_row(key, segment, row);
  }
  // Before all or behind all that the segment of its end has.
  Status write_before(BytesView key, const Version& added, int64_t to_ms) {
    const int64_t segment = segments_.of(to_ms);
    at_ = row_key(segment, key);
    if (!MUIR_TRY(engine_->get(at_, other_))) return put_row(key, segment, VersionRow(added, to_ms));
    VersionRow row = MUIR_TRY(VersionRow::parse(other_));
    if (row.to_ms() <= added.from_ms) {
      row.add_newest(added, to_ms);
    } else {
      row.add_oldest(added);
    }
    return put_row(key, segment, row);
  }
  Status add_newest(BytesView key, const Version& version, int64_t to_ms) {
    const int64_t segment = segments_.of(to_ms);
    at_ = row_key(segment, key);
    if (!MUIR_TRY(engine_->get(at_, other_))) return put_row(key, segment, VersionRow(version, to_ms));
    VersionRow row = MUIR_TRY(VersionRow::parse(other_));
    row.add_newest(version, to_ms);
    return put_row(key, segment, row);
  }
  Status put_row(BytesView key, int64_t segment, const VersionRow& row) {
    at_ = row_key(segment, key);
    encoded_.clear();
    row.append_to(encoded_);
    MUIR_RETURN_IF_ERROR(engine_->put(at_, encoded_));
    segments_.wrote(segment);
    return {};
  }

  const VersionedStoreOptions options_;
  std::unique_ptr<internal::Engine> engine_;
  TimeSegments segments_;
  ChangelogWriter* changelog_ = nullptr;
  std::atomic<uint64_t> late_puts_ = 0;
  // Of the write under way: rows are views into what they were read from.
  Bytes at_;
  Bytes latest_;
  Bytes row_;
  Bytes other_;
  Bytes encoded_;
};

constexpr int64_t kSegmentsMax = 100'000;

class VersionedSupplier final : public StoreSupplier {
 public:
  explicit VersionedSupplier(VersionedStoreOptions options) : options_(std::move(options)) {}
  const std::string& name() const override { return options_.name; }
  bool provides(const StoreFacet& facet) const override { return &facet == &VersionedStore::kFacet; }
  Status check() const override {
    if (options_.history_retention_ms < 0)
      return error(Code::invalid_argument, "versioned store {}: history retention {} ms must not be negative",
                   options_.name, options_.history_retention_ms);
    if (options_.segment_interval_ms < 0)
      return error(Code::invalid_argument, "versioned store {}: segment interval {} ms must be positive", options_.name,
                   options_.segment_interval_ms);
    // Each may have to be looked into for one key.
    const int64_t segments = with_defaults(options_).history_retention_ms / with_defaults(options_).segment_interval_ms;
    if (segments > kSegmentsMax)
      return error(Code::invalid_argument,
                   "versioned store {}: a history of {} ms in segments of {} ms is {} segments of at most {}; lengthen "
                   "the segment interval",
                   options_.name, options_.history_retention_ms, options_.segment_interval_ms, segments, kSegmentsMax);
    return {};
  }
  // Compaction must leave the versions that are still part of the history.
  std::map<std::string, std::string> changelog_configs(const ChangelogSettings&) const override {
    constexpr int64_t kMoreMs = int64_t{24} * 3600 * 1000;
    const bool overflows = options_.history_retention_ms > INT64_MAX - kMoreMs;
    return {{"min.compaction.lag.ms", std::to_string(overflows ? INT64_MAX : options_.history_retention_ms + kMoreMs)}};
  }
  std::unique_ptr<StateStore> make() const override { return make_versioned_store(options_); }

 private:
  const VersionedStoreOptions options_;
};

}  // namespace

std::unique_ptr<VersionedStore> make_versioned_store(VersionedStoreOptions options) {
  return std::make_unique<SegmentedVersionedStore>(std::move(options));
}
std::shared_ptr<const StoreSupplier> versioned_supplier(VersionedStoreOptions options) {
  return std::make_shared<VersionedSupplier>(std::move(options));
}
std::optional<int64_t> history_retention_ms(const StoreSupplier& supplier) {
  if (!supplier.provides(VersionedStore::kFacet)) return std::nullopt;
  const auto made = supplier.make();
  return made->as<VersionedStore>()->options().history_retention_ms;
}

}  // namespace muir::store

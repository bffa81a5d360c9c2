// VersionRow: the versions of one key whose validity ends in one segment, as Kafka Streams stores them:
//   8 bytes when the newest of them ends, 8 bytes when the oldest begins,
//   for each, the newest first: 8 bytes when it begins, 4 bytes the value's size, -1 for a deletion;
//   the values, the oldest first.
// A row may be of one deletion that ends when it begins: nothing is known before it, and nothing comes behind.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace muir::store::internal {

struct Version {
  int64_t from_ms = 0;
  OptBytesView value{};  // absent: a deletion
};

class VersionRow {
 public:
  // Of one version.
  VersionRow(Version version, int64_t to_ms) : to_ms_(to_ms), versions_{version} {}
  // Views into `bytes`.
  static Result<VersionRow> parse(BytesView bytes);
  void append_to(Bytes& out) const;

  [[nodiscard]] int64_t from_ms() const { return versions_.back().from_ms; }
  [[nodiscard]] int64_t to_ms() const { return to_ms_; }
  // The newest first.
  [[nodiscard]] const std::vector<Version>& versions() const { return versions_; }
  // The position of the one that is valid then; from_ms() <= time_ms < to_ms().
  [[nodiscard]] size_t find(int64_t time_ms) const;
  [[nodiscard]] int64_t end_of(size_t position) const {
    return position == 0 ? to_ms_ : versions_[position - 1].from_ms;
  }

  // The newest of them. What the row has from that time on was left by a failure between two writes, and goes.
  void add_newest(Version version, int64_t to_ms);
  void add_oldest(Version version);
  void insert(size_t position, Version version);
  void replace(size_t position, Version version) { versions_[position] = version; }

 private:
  VersionRow() = default;
  [[nodiscard]] bool ends_at_once() const { return to_ms_ == from_ms(); }
  void cut_to(int64_t time_ms);

  int64_t to_ms_ = 0;
  std::vector<Version> versions_;
};

// Parses arbitrary bytes; a row must give the same bytes again. Returns 1 for a row.
int fuzz_version_row(BytesView bytes);

}  // namespace muir::store::internal

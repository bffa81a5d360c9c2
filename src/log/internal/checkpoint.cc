#include "log/internal/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "wire/crc32c.h"

namespace muir::storage {
namespace {

constexpr std::string_view kCheckpointsLine = "muir-checkpoints 1\n";
constexpr std::string_view kRecoveryPoint = "recovery-point";
constexpr std::string_view kLogStart = "log-start";
constexpr std::string_view kCleanedTo = "cleaned-to";
// How the lines of the lists of transactions begin.
constexpr std::pair<std::string_view, std::vector<UndecidedTxn> DamageList::*> kTxnLists[] = {
    {"undecided ", &DamageList::undecided},
    {"committed ", &DamageList::committed},
    {"aborted ", &DamageList::aborted},
};

// Takes the bytes up to `separator` (or all) off the front of `text`.
std::string_view take(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view out = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return out;
}

template <class Int>
std::optional<Int> number(std::string_view text) {
  Int value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Reads the version and count lines; the rest of `text` are the entries.
Result<size_t> read_header(std::string_view what, std::string_view& text) {
  const auto version = number<int32_t>(take(text, '\n'));
  if (version != 0) return muir::error(Code::data_loss, "{}: the first line is not version 0", what);
  const auto count = number<uint32_t>(take(text, '\n'));
  if (!count) return muir::error(Code::data_loss, "{}: the second line is not a count", what);
  return size_t{*count};
}

Status wrong_line(std::string_view what, std::string_view line) {
  return muir::error(Code::data_loss, "{}: malformed line \"{}\"", what, line);
}

Result<UndecidedTxn> read_txn(std::string_view what, std::string_view line) {
  std::string_view rest = line.substr(line.find(' ') + 1);
  const auto producer = number<int64_t>(take(rest, ' '));
  const auto first = number<int64_t>(take(rest, ' '));
  const auto end = number<int64_t>(rest);
  if (!producer || !first || !end || *first > *end) return wrong_line(what, line);
  return UndecidedTxn{ProducerId(*producer), Offset(*first), Offset(*end)};
}

}  // namespace

Bytes encode_offset_checkpoint(const OffsetCheckpoint& offsets) {
  Bytes out = fmt::format("0\n{}\n", offsets.size());
  for (const auto& [partition, offset] : offsets)
    out += fmt::format("{} {} {}\n", partition.first, partition.second, offset);
  return out;
}

Result<OffsetCheckpoint> decode_offset_checkpoint(BytesView text) {
  constexpr std::string_view kWhat = "offset checkpoint";
  const size_t count = MUIR_TRY(read_header(kWhat, text));
  OffsetCheckpoint out;
  while (!text.empty()) {
    const std::string_view line = take(text, '\n');
    std::string_view rest = line;
    const std::string topic(take(rest, ' '));
    const auto partition = number<int32_t>(take(rest, ' '));
    const auto offset = number<int64_t>(rest);
    if (topic.empty() || !partition || !offset) return wrong_line(kWhat, line);
    out[{topic, PartitionId(*partition)}] = Offset(*offset);
  }
  if (out.size() != count)
    return muir::error(Code::data_loss, "{}: {} entries announced, {} found", kWhat, count, out.size());
  return out;
}

Bytes encode_checkpoints(const Checkpoints& checkpoints) {
  Bytes out(kCheckpointsLine);
  const auto write = [&](std::string_view kind, const OffsetCheckpoint& offsets) {
    for (const auto& [partition, offset] : offsets)
      out += fmt::format("{} {} {} {}\n", kind, partition.first, partition.second, offset);
  };
  write(kRecoveryPoint, checkpoints.recovery_points);
  write(kLogStart, checkpoints.log_starts);
  write(kCleanedTo, checkpoints.cleaned);
  return out + fmt::format("end {:08x}\n", wire::crc32c(out));
}

Result<Checkpoints> decode_checkpoints(BytesView text) {
  constexpr std::string_view kWhat = "checkpoints";
  constexpr size_t kEndBytes = 13;  // "end 12345678\n"
  if (text.size() < kEndBytes || !text.starts_with(kCheckpointsLine) ||
      text.substr(text.size() - kEndBytes) !=
          fmt::format("end {:08x}\n", wire::crc32c(text.substr(0, text.size() - kEndBytes))))
    return muir::error(Code::data_loss, "{}: the checksum differs", kWhat);
  text.remove_suffix(kEndBytes);
  text.remove_prefix(kCheckpointsLine.size());
  Checkpoints out;
  while (!text.empty()) {
    const std::string_view line = take(text, '\n');
    std::string_view rest = line;
    const std::string_view kind = take(rest, ' ');
    const std::string topic(take(rest, ' '));
    const auto partition = number<int32_t>(take(rest, ' '));
    const auto offset = number<int64_t>(rest);
    OffsetCheckpoint* offsets = kind == kRecoveryPoint ? &out.recovery_points
                                : kind == kLogStart    ? &out.log_starts
                                : kind == kCleanedTo   ? &out.cleaned
                                                       : nullptr;
    if (offsets == nullptr || topic.empty() || !partition || !offset) return wrong_line(kWhat, line);
    (*offsets)[{topic, PartitionId(*partition)}] = Offset(*offset);
  }
  return out;
}

LeaderEpoch epoch_at(const EpochEntries& epochs, Offset offset) {
  const auto next = std::upper_bound(epochs.begin(), epochs.end(), offset,
                                     [](Offset o, const EpochEntry& entry) { return o < entry.start_offset; });
  return next == epochs.begin() ? kNoLeaderEpoch : std::prev(next)->epoch;
}

Bytes encode_leader_epochs(const EpochEntries& epochs) {
  Bytes out = fmt::format("0\n{}\n", epochs.size());
  for (const auto& entry : epochs) out += fmt::format("{} {}\n", entry.epoch, entry.start_offset);
  return out;
}

Result<EpochEntries> decode_leader_epochs(BytesView text) {
  constexpr std::string_view kWhat = "leader epoch checkpoint";
  const size_t count = MUIR_TRY(read_header(kWhat, text));
  EpochEntries out;
  while (!text.empty()) {
    const std::string_view line = take(text, '\n');
    std::string_view rest = line;
    const auto epoch = number<int32_t>(take(rest, ' '));
    const auto start = number<int64_t>(rest);
    const bool ascending =
        epoch && start &&
        (out.empty() || (out.back().epoch.value() < *epoch && out.back().start_offset.value() <= *start));
    if (!ascending) return wrong_line(kWhat, line);
    out.push_back({LeaderEpoch(*epoch), Offset(*start)});
  }
  if (out.size() != count)
    return muir::error(Code::data_loss, "{}: {} entries announced, {} found", kWhat, count, out.size());
  return out;
}

Bytes encode_durable_mark(Offset offset) {
  const Bytes body = fmt::format("1\n{}\n", offset);
  return fmt::format("{}end {:08x}\n", body, wire::crc32c(body));
}

Result<Offset> decode_durable_mark(BytesView text) {
  const BytesView whole = text;
  const auto version = number<int32_t>(take(text, '\n'));
  const bool closed = text.ends_with('\n');
  const auto offset = number<int64_t>(take(text, '\n'));
  const bool sound = version == 0 ? closed && text.empty()  // of versions that wrote no checksum
                                  : version == 1 && offset && whole == encode_durable_mark(Offset(*offset));
  if (!sound || !offset || *offset < 0) return muir::error(Code::data_loss, "durable-up-to: not what was written");
  return Offset(*offset);
}

Bytes encode_damage(const DamageList& list) {
  Bytes out = fmt::format("0\n{}\n", list.ranges.size());
  for (const auto& range : list.ranges)
    out += fmt::format("{} {} {} {}\n", range.begin, range.end, range.first_offset, range.next_offset);
  for (const auto& [word, txns] : kTxnLists) {
    for (const UndecidedTxn& txn : list.*txns)
      out += fmt::format("{}{} {} {}\n", word, txn.producer_id, txn.first_offset, txn.end_offset);
  }
  return out;
}

Result<DamageList> decode_damage(BytesView text) {
  constexpr std::string_view kWhat = "list of damaged ranges";
  const size_t count = MUIR_TRY(read_header(kWhat, text));
  DamageList out;
  while (!text.empty()) {
    const std::string_view line = take(text, '\n');
    std::string_view rest = line;
    const auto txns = std::find_if(std::begin(kTxnLists), std::end(kTxnLists),
                                   [&](const auto& one) { return line.starts_with(one.first); });
    if (txns != std::end(kTxnLists)) {
      (out.*(txns->second)).push_back(MUIR_TRY(read_txn(kWhat, line)));
      continue;
    }
    const auto begin = number<uint64_t>(take(rest, ' '));
    const auto end = number<uint64_t>(take(rest, ' '));
    const auto first = number<int64_t>(take(rest, ' '));
    const auto next = number<int64_t>(rest);
    const bool ascending = begin && end && first && next && *begin <= *end && *first <= *next &&
                           (out.ranges.empty() || out.ranges.back().end <= *begin);
    if (!ascending) return wrong_line(kWhat, line);
    out.ranges.push_back({*begin, *end, Offset(*first), Offset(*next)});
  }
  if (out.ranges.size() != count)
    return muir::error(Code::data_loss, "{}: {} entries announced, {} found", kWhat, count, out.ranges.size());
  return out;
}

Bytes encode_partition_metadata(const wire::Uuid& topic_id) {
  return fmt::format("version: 0\ntopic_id: {}\n", topic_id.to_string());
}

Result<wire::Uuid> decode_partition_metadata(BytesView text) {
  constexpr std::string_view kKey = "topic_id: ";
  while (!text.empty()) {
    const std::string_view line = take(text, '\n');
    if (!line.starts_with(kKey)) continue;
    if (const auto id = wire::Uuid::parse(line.substr(kKey.size()))) return *id;
  }
  return muir::error(Code::data_loss, "partition.metadata: no topic_id");
}

Bytes encode_meta_properties(const MetaProperties& meta) {
  return fmt::format("#\ncluster.id={}\ndirectory.id={}\nnode.id={}\nversion=1\n", meta.cluster_id, meta.directory_id,
                     meta.node_id);
}

Result<MetaProperties> decode_meta_properties(BytesView text) {
  MetaProperties out;
  while (!text.empty()) {
    std::string_view value = take(text, '\n');
    const std::string_view key = take(value, '=');
    if (key == "cluster.id") out.cluster_id = value;
    if (key == "directory.id") out.directory_id = value;
    if (key == "node.id") {
      const auto id = number<int32_t>(value);
      if (!id) return muir::error(Code::data_loss, "meta.properties: node.id \"{}\" is not a number", value);
      out.node_id = *id;
    }
  }
  if (out.cluster_id.empty()) return muir::error(Code::data_loss, "meta.properties: no cluster.id");
  return out;
}

int fuzz_checkpoints(BytesView input) {
  const auto offsets = decode_offset_checkpoint(input);
  if (offsets.ok()) {
    const auto again = decode_offset_checkpoint(encode_offset_checkpoint(*offsets));
    CHECK(again.ok() && *again == *offsets, "a checkpoint does not survive: {}", input);
  }
  // With the right checksum, so that the lines are read as well.
  const auto all = decode_checkpoints(Bytes(input) + fmt::format("end {:08x}\n", wire::crc32c(input)));
  if (all.ok()) CHECK(*decode_checkpoints(encode_checkpoints(*all)) == *all, "checkpoints do not survive: {}", input);
  const auto epochs = decode_leader_epochs(input);
  if (epochs.ok()) {
    const auto again = decode_leader_epochs(encode_leader_epochs(*epochs));
    CHECK(again.ok() && *again == *epochs, "leader epochs do not survive: {}", input);
  }
  const auto damage = decode_damage(input);
  if (damage.ok()) CHECK(*decode_damage(encode_damage(*damage)) == *damage, "a list does not survive: {}", input);
  const auto mark = decode_durable_mark(input);
  if (mark.ok()) CHECK(*decode_durable_mark(encode_durable_mark(*mark)) == *mark, "a mark does not survive: {}", input);
  const auto id = decode_partition_metadata(input);
  if (id.ok()) CHECK(*decode_partition_metadata(encode_partition_metadata(*id)) == *id, "an id does not survive");
  const auto meta = decode_meta_properties(input);
  if (meta.ok())
    CHECK(*decode_meta_properties(encode_meta_properties(*meta)) == *meta, "ids do not survive: {}", input);
  return offsets.ok() || all.ok() || epochs.ok() || damage.ok() || mark.ok() || id.ok() || meta.ok() ? 1 : 0;
}

}  // namespace muir::storage

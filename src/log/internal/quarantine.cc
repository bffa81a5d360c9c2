#include "log/internal/quarantine.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "log/file_names.h"

namespace muir::storage {
namespace {

// Durable but for the folder.
Status copy_bytes(Env& env, const std::string& path, const File& file, uint64_t begin, uint64_t end) {
  constexpr uint64_t kPieceBytes = 1 << 20;
  const auto aside = MUIR_TRY(env.open(path, OpenMode::truncate));
  for (uint64_t at = begin; at < end; at += kPieceBytes) {
    const Bytes piece = MUIR_TRY(file.read_exactly(at, std::min(kPieceBytes, end - at)));
    MUIR_RETURN_IF_ERROR(aside->write_at(at - begin, piece));
  }
  return aside->sync();
}

std::string range_stem(const DamagedRange& range) {
  return segment_file(range.first_offset, "") + "-" + segment_file(range.next_offset, "");
}

// The offsets in a name that begins with range_stem().
std::optional<Quarantined> parse_range_name(std::string_view name) {
  constexpr size_t kDigits = 20;
  if (!name.ends_with(kQuarantineSuffix) || name.size() <= 2 * kDigits + 1 || name[kDigits] != '-') return std::nullopt;
  const auto first = parse_segment_file(name.substr(0, kDigits), "");
  const auto next = parse_segment_file(name.substr(kDigits + 1, kDigits), "");
  if (!first || !next || *next < *first || name[2 * kDigits + 1] != '.') return std::nullopt;
  return Quarantined{{}, *first, *next, 0};
}

}  // namespace

std::string free_name(Env& env, const std::string& folder, const std::string& stem, std::string_view suffix) {
  std::string name = fmt::format("{}{}", stem, suffix);
  for (int i = 2; env.exists(fmt::format("{}/{}", folder, name)); ++i) name = fmt::format("{}.{}{}", stem, i, suffix);
  return name;
}

Status keep_aside(Env& env, const std::string& folder, Offset offset, const File& file, uint64_t begin, uint64_t end) {
  const std::string path = folder + "/" + free_name(env, folder, segment_file(offset, ""), kQuarantineSuffix);
  MUIR_RETURN_IF_ERROR(copy_bytes(env, path, file, begin, end));
  log::info("{} bytes that are no whole batch are kept in {}", end - begin, path);
  return env.sync_folder(folder);
}

Result<Quarantined> keep_range_aside(Env& env, const std::string& folder, const File& file, const DamagedRange& range) {
  // An interrupted compaction may have made a copy, whole or not, which is made again. What is larger, or there when
  // nothing is left to copy, is another one.
  std::string path = folder + "/" + range_stem(range) + std::string(kQuarantineSuffix);
  const uint64_t wanted = range.end - range.begin;
  if (env.exists(path)) {
    const auto there = MUIR_TRY(env.open(path, OpenMode::read));
    const uint64_t bytes = MUIR_TRY(there->size());
    if (wanted == 0) return Quarantined{path, range.first_offset, range.next_offset, bytes};
    if (bytes > wanted) path = folder + "/" + free_name(env, folder, range_stem(range), kQuarantineSuffix);
  }
  MUIR_RETURN_IF_ERROR(copy_bytes(env, path, file, range.begin, range.end));
  MUIR_RETURN_IF_ERROR(env.sync_folder(folder));
  log::info("{} bytes of offsets {} up to {} that are no whole batch are kept in {}", wanted, range.first_offset,
            range.next_offset, path);
  return Quarantined{path, range.first_offset, range.next_offset, wanted};
}

Result<std::vector<Quarantined>> find_quarantined(Env& env, const std::string& folder) {
  std::vector<Quarantined> out;
  for (const std::string& name : MUIR_TRY(env.list(folder))) {
    auto one = parse_range_name(name);
    if (!one) continue;
    one->path = fmt::format("{}/{}", folder, name);
    const auto file = env.open(one->path, OpenMode::read);
    if (file.ok()) one->bytes = (*file)->size().value_or(0);
    out.push_back(*std::move(one));
  }
  return out;
}

}  // namespace muir::storage

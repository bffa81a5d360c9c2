#include "log/quarantine.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "log/file_names.h"

namespace muir::log {

std::string free_name(Env& env, const std::string& folder, const std::string& stem, std::string_view suffix) {
  std::string name = fmt::format("{}{}", stem, suffix);
  for (int i = 2; env.exists(folder + "/" + name); ++i) name = fmt::format("{}.{}{}", stem, i, suffix);
  return name;
}

Status keep_aside(Env& env, const std::string& folder, Offset offset, const File& file, uint64_t begin, uint64_t end) {
  constexpr uint64_t kPieceBytes = 1 << 20;
  const std::string path = folder + "/" + free_name(env, folder, segment_file(offset, ""), kQuarantineSuffix);
  const auto aside = MUIR_TRY(env.open(path, OpenMode::truncate));
  for (uint64_t at = begin; at < end; at += kPieceBytes) {
    const Bytes piece = MUIR_TRY(file.read_exactly(at, std::min(kPieceBytes, end - at)));
    MUIR_RETURN_IF_ERROR(aside->write_at(at - begin, piece));
  }
  MUIR_RETURN_IF_ERROR(aside->sync());
  info("{} bytes that are no whole batch are kept in {}", end - begin, path);
  return env.sync_folder(folder);
}

}  // namespace muir::log

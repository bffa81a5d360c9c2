#include "log/internal/disk_reserve.h"

#include <algorithm>

#include "base/log.h"

namespace muir::storage {

void DiskReserve::fill(uint64_t bytes) {
  const std::lock_guard guard(mutex_);
  if (bytes_ >= bytes) return;
  const auto write = [&]() -> Status {
    const auto file = MUIR_TRY(env_.open(path_, OpenMode::read_write));
    // Written, as a file with holes takes no space.
    const Bytes piece(64 * 1024, '\0');
    for (uint64_t at = MUIR_TRY(file->size()); at < bytes; at += piece.size()) {
      MUIR_RETURN_IF_ERROR(
          file->write_at(at, BytesView(piece).substr(0, std::min<uint64_t>(piece.size(), bytes - at))));
    }
    return {};
  };
  const Status written = write();
  if (written.ok()) {
    bytes_ = bytes;
    complained_ = false;
    return;
  }
  // What there is may be what others need.
  (void)env_.remove(path_).ok();
  bytes_ = 0;
  if (!std::exchange(complained_, true)) {
    log::warn("{}: no space for the {} bytes that are kept for deleting topics and records on a full disk: {}", path_,
              bytes, written.message());
  }
}

bool DiskReserve::give_up() {
  const std::lock_guard guard(mutex_);
  if (bytes_ == 0) return false;
  bytes_ = 0;
  return env_.remove(path_).ok();
}

}  // namespace muir::storage

#include "base/file.h"

namespace muir {

Result<Bytes> File::read_exactly(uint64_t position, size_t size) const {
  Bytes out(size, '\0');
  const size_t got = MUIR_TRY(read_at(position, out.data(), size));
  if (got != size) return error(Code::data_loss, "read {} bytes at {}: the file ends after {}", size, position, got);
  return out;
}

Result<Bytes> Env::read_file(const std::string& path) {
  const auto file = MUIR_TRY(open(path, OpenMode::read));
  const uint64_t size = MUIR_TRY(file->size());
  return file->read_exactly(0, size);
}

Status Env::write_file(const std::string& path, BytesView content) {
  const auto file = MUIR_TRY(open(path, OpenMode::truncate));
  return file->write_at(0, content);
}

Status Env::replace_file(const std::string& path, BytesView content) {
  const std::string temporary = path + ".tmp";
  const auto write = [&]() -> Status {
    const auto file = MUIR_TRY(open(temporary, OpenMode::truncate));
    MUIR_RETURN_IF_ERROR(file->write_at(0, content));
    return file->sync();
  };
  if (Status written = write(); !written.ok()) {
    // On a full disk what has been written is the last space there was.
    (void)remove(temporary).ok();
    return written;
  }
  MUIR_RETURN_IF_ERROR(rename(temporary, path));
  return sync_folder(parent_folder(path));
}

std::string parent_folder(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace muir

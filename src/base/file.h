// Env and File: the file system, injected. Everything durable goes through them, so that tests can crash the disk.
//
// Paths are plain strings with '/' between their parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace muir {

// One open file. Reads are thread-safe, also beside one writer of other bytes; writers take turns among themselves.
class File {
 public:
  virtual ~File() = default;
  // Reads up to `size` bytes at `position` into `out`; fewer only at the end of the file.
  [[nodiscard]] virtual Result<size_t> read_at(uint64_t position, char* out, size_t size) const = 0;
  // Writes all of `parts`, one after the other, at `position`; the file grows as needed.
  virtual Status write_at(uint64_t position, std::span<const BytesView> parts) = 0;
  Status write_at(uint64_t position, BytesView bytes) { return write_at(position, std::span(&bytes, 1)); }
  // Returns when everything written before the call survives a loss of power.
  virtual Status sync() = 0;
  virtual Status truncate(uint64_t size) = 0;
  [[nodiscard]] virtual Result<uint64_t> size() const = 0;
  // The system's descriptor, valid as long as this; -1 for what is no file of the system's.
  [[nodiscard]] virtual int descriptor() const { return -1; }

  // Exactly `size` bytes at `position`; data_loss when the file ends before.
  [[nodiscard]] Result<Bytes> read_exactly(uint64_t position, size_t size) const;
};

enum class OpenMode : unsigned char {
  read,        // must exist; read only
  read_write,  // made when missing
  truncate,    // made when missing, emptied when there
};

// Held while the process owns a folder; released by its destructor and by the end of the process.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Thread-safe.
class Env {
 public:
  virtual ~Env() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  // Names (not paths) in a folder, sorted.
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;
  [[nodiscard]] virtual bool exists(const std::string& path) = 0;
  virtual Status make_folders(const std::string& path) = 0;
  // Replaces `to` atomically. Durable after sync_folder() of both parents.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  // Missing files are not an error.
  virtual Status remove(const std::string& path) = 0;
  virtual Status remove_all(const std::string& folder) = 0;
  // Makes the names in `folder` durable.
  virtual Status sync_folder(const std::string& folder) = 0;
  // already_exists when another holder has it.
  [[nodiscard]] virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;

  [[nodiscard]] Result<Bytes> read_file(const std::string& path);
  // Writes a file without making it durable.
  Status write_file(const std::string& path, BytesView content);
  // After return the file has the new content, whatever happens to the machine; until then, the old one.
  Status replace_file(const std::string& path, BytesView content);
};

// The machine's file system.
Env& system_env();

// "a/b/c" -> "a/b"; "." for a path without '/'.
std::string parent_folder(const std::string& path);

}  // namespace muir

#include "store/internal/rocks_files.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <cstdarg>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"

namespace muir::store::internal {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// RocksDB tells a full disk and a missing file from all else.
IOStatus io_status(const Status& status) {
  if (status.ok()) return IOStatus::OK();
  if (status.code() == Code::not_found) return IOStatus::PathNotFound(status.message());
  if (status.code() == Code::resource_exhausted) return IOStatus::NoSpace(status.message());
  return IOStatus::IOError(status.message());
}

// RocksDB's paths may have a '/' too many, within or at their end.
std::string plain(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c != '/' || !out.ends_with('/')) out.push_back(c);
  }
  if (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out;
}

IOStatus read(const File& file, uint64_t position, size_t size, Slice* out, char* scratch) {
  const Result<size_t> got = file.read_at(position, scratch, size);
  *out = Slice(scratch, got.ok() ? *got : 0);
  return io_status(got.status());
}

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  explicit SequentialFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  IOStatus Read(size_t n, const IOOptions&, Slice* result, char* scratch, IODebugContext*) override {
    const IOStatus status = read(*file_, position_, n, result, scratch);
    position_ += result->size();
    return status;
  }
  IOStatus Skip(uint64_t n) override {
    position_ += n;
    return IOStatus::OK();
  }

 private:
  const std::unique_ptr<File> file_;
  uint64_t position_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomAccessFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  IOStatus Read(uint64_t offset, size_t n, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return read(*file_, offset, n, result, scratch);
  }

 private:
  const std::unique_ptr<File> file_;
};

// RocksDB collects writes before they come here.
class WritableFile final : public rocksdb::FSWritableFile {
 public:
  explicit WritableFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    const Status written = file_->write_at(size_, BytesView(data.data(), data.size()));
    if (written.ok()) size_ += data.size();
    return io_status(written);
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    const Status truncated = file_->truncate(size);
    if (truncated.ok()) size_ = size;
    return io_status(truncated);
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return io_status(file_->sync()); }
  bool IsSyncThreadSafe() const override { return true; }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return size_; }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  const std::unique_ptr<File> file_;
  uint64_t size_ = 0;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(Env& files, std::string path) : files_(files), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return io_status(files_.sync_folder(path_)); }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  Env& files_;
  const std::string path_;
};

class Lock final : public rocksdb::FileLock {
 public:
  explicit Lock(std::unique_ptr<muir::FileLock> lock) : lock_(std::move(lock)) {}

 private:
  const std::unique_ptr<muir::FileLock> lock_;
};

// What RocksDB would say of failures is in the statuses that it answers with.
class NoLog final : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

class Files final : public rocksdb::FileSystem {
 public:
  explicit Files(Env& files) : files_(files) {}
  const char* Name() const override { return "muir Env"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* out, IODebugContext*) override {
    return open<SequentialFile>(path, OpenMode::read, out);
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* out, IODebugContext*) override {
    return open<RandomAccessFile>(path, OpenMode::read, out);
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions&, std::unique_ptr<rocksdb::FSWritableFile>* out,
                           IODebugContext*) override {
    return open<WritableFile>(path, OpenMode::truncate, out);
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&, std::unique_ptr<rocksdb::FSDirectory>* out,
                        IODebugContext*) override {
    if (!files_.exists(plain(path))) return IOStatus::PathNotFound(path);
    *out = std::make_unique<Directory>(files_, plain(path));
    return IOStatus::OK();
  }

  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    return files_.exists(plain(path)) ? IOStatus::OK() : IOStatus::NotFound(path);
  }
  IOStatus GetChildren(const std::string& folder, const IOOptions&, std::vector<std::string>* out,
                       IODebugContext*) override {
    auto names = files_.list(plain(folder));
    if (!names.ok()) {
      return names.status().code() == Code::not_found ? IOStatus::NotFound(folder) : io_status(names.status());
    }
    *out = std::move(*names);
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
    return io_status(files_.remove(plain(path)));
  }
  IOStatus CreateDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return io_status(files_.make_folders(plain(path)));
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions&, IODebugContext*) override {
    return io_status(files_.make_folders(plain(path)));
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return io_status(files_.remove_all(plain(path)));
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions&, uint64_t* out, IODebugContext*) override {
    const auto file = files_.open(plain(path), OpenMode::read);
    if (!file.ok()) return io_status(file.status());
    const Result<uint64_t> size = (*file)->size();
    if (size.ok()) *out = *size;
    return io_status(size.status());
  }
  // Files are not told apart by their age here: nothing expires by it.
  IOStatus GetFileModificationTime(const std::string&, const IOOptions&, uint64_t* out, IODebugContext*) override {
    *out = 0;
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    return io_status(files_.rename(plain(from), plain(to)));
  }
  IOStatus LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** out, IODebugContext*) override {
    auto lock = files_.lock(plain(path));
    if (!lock.ok()) return io_status(lock.status());
    *out = new Lock(std::move(*lock));
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    delete lock;
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* out, IODebugContext*) override {
    if (!files_.exists(plain(path))) return IOStatus::PathNotFound(path);
    *out = files_.list(plain(path)).ok();
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* out, IODebugContext*) override {
    *out = path;  // it only names the database to itself
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string*, IODebugContext*) override {
    return IOStatus::NotSupported("GetTestDirectory");
  }
  IOStatus NewLogger(const std::string&, const IOOptions&, std::shared_ptr<rocksdb::Logger>* out,
                     IODebugContext*) override {
    *out = std::make_shared<NoLog>();
    return IOStatus::OK();
  }

 private:
  template <class Made, class Base>
  IOStatus open(const std::string& path, OpenMode mode, std::unique_ptr<Base>* out) {
    auto file = files_.open(plain(path), mode);
    if (!file.ok()) return io_status(file.status());
    *out = std::make_unique<Made>(std::move(*file));
    return IOStatus::OK();
  }

  Env& files_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> rocks_env(Env& files) {
  if (&files == &system_env()) return nullptr;
  return rocksdb::NewCompositeEnv(std::make_shared<Files>(files));
}

}  // namespace muir::store::internal

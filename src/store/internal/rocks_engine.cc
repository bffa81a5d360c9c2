// RocksDB behind a small write-back overlay.
//
// The write-ahead log is off: the changelog topic is the log. Writes collect in the overlay, so that a key updated a
// thousand times between two batches costs RocksDB one write; reads look there first. Iterators first write the overlay
// out, and then see one snapshot.
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "store/internal/engine.h"
#include "store/internal/rocks_memory.h"

namespace muir::store::internal {
namespace {

constexpr size_t kOverlayBytesMax = 4u << 20;
constexpr size_t kEntryOverhead = 96;  // of an overlay entry, besides its bytes

rocksdb::Slice slice(BytesView bytes) { return {bytes.data(), bytes.size()}; }
BytesView view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

struct HashBytes {
  using is_transparent = void;
  size_t operator()(BytesView bytes) const { return std::hash<BytesView>()(bytes); }
};
using Overlay = std::unordered_map<Bytes, OptBytes, HashBytes, std::equal_to<>>;

class RocksIterator final : public EngineIterator {
 public:
  RocksIterator(rocksdb::DB& db, KeyRange range, Order order) : range_(std::move(range)), order_(order) {
    lower_ = slice(range_.from);
    options_.iterate_lower_bound = &lower_;
    if (range_.to) {
      upper_ = slice(*range_.to);
      options_.iterate_upper_bound = &upper_;
    }
    iterator_.reset(db.NewIterator(options_));
  }
  bool next() override {
    if (!started_) {
      started_ = true;
      order_ == Order::ascending ? iterator_->SeekToFirst() : iterator_->SeekToLast();
    } else if (iterator_->Valid()) {
      order_ == Order::ascending ? iterator_->Next() : iterator_->Prev();
    }
    return iterator_->Valid();
  }
  BytesView key() const override { return view(iterator_->key()); }
  BytesView value() const override { return view(iterator_->value()); }
  Status status() const override {
    if (iterator_->status().ok()) return {};
    return error(Code::io_error, "iterate store: {}", iterator_->status().ToString());
  }

 private:
  const KeyRange range_;  // the bounds point into it
  const Order order_;
  rocksdb::Slice lower_;
  rocksdb::Slice upper_;
  rocksdb::ReadOptions options_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
  bool started_ = false;
};

class RocksEngine final : public Engine {
 public:
  explicit RocksEngine(std::string name) : name_(std::move(name)) { write_options_.disableWAL = true; }

  Status open(const std::string& folder) override {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) return error(Code::io_error, "open store {}: folder {}: {}", name_, folder, failed.message());
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(rocks_options(), folder, &db);
    if (!status.ok()) return failure("open", status);
    db_.reset(db);
    return {};
  }

  Status put(BytesView key, BytesView value) override {
    const std::lock_guard lock(mutex_);
    auto at = overlay_.find(key);
    if (at == overlay_.end()) {
      at = overlay_.emplace(key, OptBytes()).first;
      overlay_bytes_ += key.size() + kEntryOverhead;
    } else if (at->second) {
      overlay_bytes_ -= at->second->size();
    }
    if (at->second) {
      at->second->assign(value);
    } else {
      at->second.emplace(value);
    }
    overlay_bytes_ += value.size();
    return overlay_bytes_ > kOverlayBytesMax ? write_overlay() : Status();
  }

  Status erase(BytesView key) override {
    const std::lock_guard lock(mutex_);
    auto at = overlay_.find(key);
    if (at == overlay_.end()) {
      overlay_.emplace(key, std::nullopt);
      overlay_bytes_ += key.size() + kEntryOverhead;
    } else if (at->second) {
      overlay_bytes_ -= at->second->size();
      at->second.reset();
    }
    return overlay_bytes_ > kOverlayBytesMax ? write_overlay() : Status();
  }

  Status erase_range(BytesView from, BytesView to) override {
    const std::lock_guard lock(mutex_);
    MUIR_RETURN_IF_ERROR(write_overlay());
    const rocksdb::Slice begin = slice(from);
    const rocksdb::Slice end = slice(to);
    // Whole files first, at no cost; then a tombstone over what is left in shared files and in memory.
    const auto files = rocksdb::DeleteFilesInRange(db_.get(), db_->DefaultColumnFamily(), &begin, &end, false);
    if (!files.ok()) return failure("erase range in", files);
    const auto status = db_->DeleteRange(write_options_, db_->DefaultColumnFamily(), begin, end);
    return status.ok() ? Status() : failure("erase range in", status);
  }

  Result<bool> get(BytesView key, Bytes& out) override {
    {
      const std::lock_guard lock(mutex_);
      if (const auto at = overlay_.find(key); at != overlay_.end()) {
        if (!at->second) return false;
        out = *at->second;
        return true;
      }
    }
    // A write between the two looks is seen or not; both are right for a reader of another thread.
    const auto status = db_->Get(read_options_, slice(key), &out);
    if (status.ok()) return true;
    if (status.IsNotFound()) return false;
    return failure("read", status);
  }

  Result<std::unique_ptr<EngineIterator>> iterate(KeyRange range, Order order) override {
    const std::lock_guard lock(mutex_);
    MUIR_RETURN_IF_ERROR(write_overlay());
    return std::unique_ptr<EngineIterator>(std::make_unique<RocksIterator>(*db_, std::move(range), order));
  }

  Result<uint64_t> approximate_entries() override {
    const std::lock_guard lock(mutex_);
    uint64_t count = 0;
    db_->GetIntProperty(rocksdb::DB::Properties::kEstimateNumKeys, &count);
    return count + overlay_.size();
  }

  StoreUsage usage() override {
    const std::lock_guard lock(mutex_);
    StoreUsage out;
    if (!db_) return out;
    db_->GetIntProperty(rocksdb::DB::Properties::kEstimateNumKeys, &out.entries);
    db_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &out.file_bytes);
    db_->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &out.memory_bytes);
    out.entries += overlay_.size();
    out.memory_bytes += overlay_bytes_;
    return out;
  }

  Status sync() override {
    {
      const std::lock_guard lock(mutex_);
      MUIR_RETURN_IF_ERROR(write_overlay());
    }
    const auto status = db_->Flush(rocksdb::FlushOptions());
    return status.ok() ? Status() : failure("flush", status);
  }

  Status close() override {
    const std::lock_guard lock(mutex_);
    overlay_.clear();
    overlay_bytes_ = 0;
    if (!db_) return {};
    const auto status = db_->Close();
    db_.reset();
    return status.ok() ? Status() : failure("close", status);
  }

 private:
  // Called with mutex_ held.
  Status write_overlay() {
    if (overlay_.empty()) return {};
    rocksdb::WriteBatch batch(overlay_bytes_);
    for (const auto& [key, value] : overlay_) {
      const auto status = value ? batch.Put(slice(key), slice(*value)) : batch.Delete(slice(key));
      if (!status.ok()) return failure("write", status);
    }
    const auto status = db_->Write(write_options_, &batch);
    if (!status.ok()) return failure("write", status);
    overlay_.clear();
    overlay_bytes_ = 0;
    return {};
  }
  Status failure(std::string_view what, const rocksdb::Status& status) const {
    return error(status.IsCorruption() ? Code::data_loss : Code::io_error, "{} store {}: {}", what, name_,
                 status.ToString());
  }

  const std::string name_;
  rocksdb::WriteOptions write_options_;
  const rocksdb::ReadOptions read_options_;
  std::unique_ptr<rocksdb::DB> db_;
  std::mutex mutex_;  // guards the overlay
  Overlay overlay_;
  size_t overlay_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Engine> make_rocks_engine(std::string name) { return std::make_unique<RocksEngine>(std::move(name)); }

}  // namespace muir::store::internal

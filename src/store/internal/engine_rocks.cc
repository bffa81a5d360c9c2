// RocksDB below an ordered layer of writes that it does not have yet.
//
// The write-ahead log is off: the changelog topic is the log. Writes collect in the layer, so that a key updated a
// thousand times between two batches costs RocksDB one write; reads look there first. Iterators merge the layer with
// RocksDB as both were when they began. RocksDB changes only when the layer is written to it, so that until then one
// RocksDB iterator serves one range read after the other.
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <mutex>
#include <utility>

#include "store/internal/engine.h"
#include "store/internal/rocks_files.h"
#include "store/internal/rocks_memory.h"
#include "store/internal/versioned_map.h"

namespace muir::store::internal {
namespace {

constexpr size_t kLayerBytesMax = 4u << 20;
// Of all stores of the process together: beyond it a layer that is worth a write is written before it is full.
constexpr size_t kLayersBytesMax = 64u << 20;
constexpr size_t kLayerBytesWorthAWrite = 64u << 10;

// What the layers of all stores take, to within kLayerBytesWorthAWrite for each. Its owner's, but for the sum.
class LayerShare {
 public:
  ~LayerShare() { told(0); }
  // Whether a layer of so many bytes is to be written.
  bool must_write(size_t bytes) {
    if (bytes < told_ + kLayerBytesWorthAWrite) return false;
    told(bytes);
    return bytes > kLayerBytesMax || sum > kLayersBytesMax;
  }
  void told(size_t bytes) {
    sum += bytes - told_;
    told_ = bytes;
  }

 private:
  static inline std::atomic<size_t> sum = 0;
  size_t told_ = 0;
};

rocksdb::Slice slice(BytesView bytes) { return {bytes.data(), bytes.size()}; }
BytesView view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }
Code code_of(const rocksdb::Status& failure) { return failure.IsCorruption() ? Code::data_loss : Code::io_error; }

// An iterator of RocksDB and the bounds that it looks at, which may be moved before it seeks anew.
class RocksRows {
 public:
  // With `ends`, its ranges have an end.
  RocksRows(rocksdb::DB& db, bool ends, uint64_t state) : ends_(ends), state_(state) {
    options_.iterate_lower_bound = &lower_;
    if (ends) options_.iterate_upper_bound = &upper_;
    rows_.reset(db.NewIterator(options_));
  }
  RocksRows(const RocksRows&) = delete;
  RocksRows& operator=(const RocksRows&) = delete;

  void seek(KeyRange range, Order order) {
    MUIR_CHECK(range.to.has_value() == ends_, "a range that ends, or not, as the iterator was made for");
    range_ = std::move(range);
    lower_ = slice(range_.from);
    if (ends_) upper_ = slice(*range_.to);
    order == Order::ascending ? rows_->SeekToFirst() : rows_->SeekToLast();
  }
  void step(Order order) { order == Order::ascending ? rows_->Next() : rows_->Prev(); }
  [[nodiscard]] bool valid() const { return rows_->Valid(); }
  [[nodiscard]] BytesView key() const { return view(rows_->key()); }
  [[nodiscard]] BytesView value() const { return view(rows_->value()); }
  [[nodiscard]] rocksdb::Status status() const { return rows_->status(); }
  [[nodiscard]] bool ends() const { return ends_; }
  // Which state of RocksDB it sees.
  [[nodiscard]] uint64_t state() const { return state_; }

 private:
  const bool ends_;
  const uint64_t state_;
  KeyRange range_;  // the bounds point into it
  rocksdb::Slice lower_;
  rocksdb::Slice upper_;
  rocksdb::ReadOptions options_;
  std::unique_ptr<rocksdb::Iterator> rows_;
};

class MergedIterator;
class RocksEngine;

// What an engine and its iterators share, whichever of them goes first: RocksDB cannot be closed while one of its own
// iterators is left. A list, so that an iterator comes and goes at no cost.
struct OpenIterators {
  explicit OpenIterators(std::shared_ptr<std::mutex> shared) : mutex(std::move(shared)) {}
  const std::shared_ptr<std::mutex> mutex;  // the engine's
  MergedIterator* first = nullptr;
  RocksEngine* engine = nullptr;  // null when it is gone
};

// RocksDB's rows with the layer's over them.
class MergedIterator final : public EngineIterator {
 public:
  // With the mutex of `all` held. To be sought before it is used.
  MergedIterator(std::shared_ptr<OpenIterators> all, std::unique_ptr<RocksRows> rows,
                 std::unique_ptr<VersionedMap::Walk> layer, Order order)
      : all_(std::move(all)), rows_(std::move(rows)), layer_(std::move(layer)), order_(order), after_(all_->first) {
    if (after_ != nullptr) after_->before_ = this;
    all_->first = this;
  }
  ~MergedIterator() override;
  MergedIterator(const MergedIterator&) = delete;
  MergedIterator& operator=(const MergedIterator&) = delete;

  void seek(KeyRange range) override {
    if (at_ == At::closed) return;
    if (layer_) layer_->seek(range);
    rows_->seek(std::move(range), order_);
    at_ = At::start;
  }
  bool next() override {
    if (at_ == At::start) {
      more_in_layer_ = layer_ && layer_->next();
    } else if (at_ == At::closed) {
      return false;
    } else {
      advance();
    }
    while (true) {
      at_ = choose();
      if (at_ == At::end) return false;
      if (at_ == At::rows || layer_->value()) return true;
      advance();  // erased
    }
  }
  BytesView key() const override {
    if (at_ == At::closed) return {};
    return at_ == At::rows ? rows_->key() : layer_->key();
  }
  BytesView value() const override {
    if (at_ == At::closed) return {};
    return at_ == At::rows ? rows_->value() : *layer_->value();
  }
  // The store closes, with the mutex held: RocksDB's part goes with it. The layer's is the walk's own.
  MergedIterator* end() {
    closed_ = at_ == At::end ? status() : store_was_closed();
    at_ = At::closed;
    rows_.reset();
    return after_;
  }
  Status status() const override {
    if (at_ == At::closed) return closed_;
    if (rows_->status().ok()) return {};
    return error(code_of(rows_->status()), "iterate store: {}", rows_->status().ToString());
  }

 private:
  enum class At : unsigned char { start, rows, layer, both, end, closed };

  [[nodiscard]] At choose() const {
    if (!rows_->valid()) return more_in_layer_ && rows_->status().ok() ? At::layer : At::end;
    if (!more_in_layer_) return At::rows;
    const int order = layer_->key().compare(rows_->key());
    if (order == 0) return At::both;
    return (order < 0) == (order_ == Order::ascending) ? At::layer : At::rows;
  }
  // Past the row that it stands on.
  void advance() {
    if (at_ == At::rows || at_ == At::both) rows_->step(order_);
    if (at_ == At::layer || at_ == At::both) more_in_layer_ = layer_->next();
  }

  const std::shared_ptr<OpenIterators> all_;         // shared with the engine, which may go first
  std::unique_ptr<RocksRows> rows_;                  // null: the store was closed
  const std::unique_ptr<VersionedMap::Walk> layer_;  // null: nothing in it
  const Order order_;
  At at_ = At::start;
  bool more_in_layer_ = false;
  Status closed_;
  // The neighbours in the list.
  MergedIterator* before_ = nullptr;
  MergedIterator* after_;
};

class RocksEngine final : public Engine {
 public:
  explicit RocksEngine(std::string name) : name_(std::move(name)) {
    write_options_.disableWAL = true;
    iterators_->engine = this;
  }
  ~RocksEngine() override {
    (void)close();
    const std::lock_guard lock(*mutex_);
    iterators_->engine = nullptr;
  }
  RocksEngine(const RocksEngine&) = delete;
  RocksEngine& operator=(const RocksEngine&) = delete;

  Status open(const std::string& folder, Env& files) override {
    if (const Status made = files.make_folders(folder); !made.ok()) return made.annotate("open store " + name_);
    const std::lock_guard lock(*mutex_);
    folder_ = folder;
    files_ = rocks_env(files);
    return files.exists(folder + "/CURRENT") ? open_files() : Status();
  }

  Status put(BytesView key, BytesView value) override {
    const std::lock_guard lock(*mutex_);
    layer_->put(key, value);
    return share_.must_write(layer_->bytes()) ? write_layer() : Status();
  }

  Status erase(BytesView key) override {
    const std::lock_guard lock(*mutex_);
    layer_->erase(key);
    return share_.must_write(layer_->bytes()) ? write_layer() : Status();
  }

  Status erase_range(BytesView from, BytesView to) override {
    const std::lock_guard lock(*mutex_);
    MUIR_RETURN_IF_ERROR(write_layer());
    if (!db_) return {};
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
      const std::lock_guard lock(*mutex_);
      if (const OptBytes* found = layer_->find(key); found != nullptr) {
        if (!*found) return false;
        out = **found;
        return true;
      }
    }
    // A write between the two looks is seen or not; both are right for a reader of another thread.
    rocksdb::DB* db = readable_.load(std::memory_order_acquire);
    if (db == nullptr) return false;
    const auto status = db->Get(read_options_, slice(key), &out);
    if (status.ok()) return true;
    if (status.IsNotFound()) return false;
    return failure("read", status);
  }

  Result<std::unique_ptr<EngineIterator>> iterate(KeyRange range, Order order) override {
    std::unique_ptr<MergedIterator> made;
    {
      const std::lock_guard lock(*mutex_);
      MUIR_RETURN_IF_ERROR(open_files());
      std::unique_ptr<RocksRows> rows = std::move(idle_rows_);
      if (!rows || !range.to) rows = std::make_unique<RocksRows>(*db_, range.to.has_value(), state_);
      std::unique_ptr<VersionedMap::Walk> layer;
      if (!layer_->empty()) layer = layer_->walk(range, order);
      made = std::make_unique<MergedIterator>(iterators_, std::move(rows), std::move(layer), order);
    }
    made->seek(std::move(range));
    return std::unique_ptr<EngineIterator>(std::move(made));
  }
  // Takes back what an iterator no longer needs. With the mutex held.
  void give_back(std::unique_ptr<RocksRows>& rows) {
    if (db_ && rows && rows->state() == state_ && rows->ends()) idle_rows_ = std::move(rows);
  }

  Result<uint64_t> approximate_entries() override {
    const std::lock_guard lock(*mutex_);
    uint64_t count = 0;
    if (db_) db_->GetIntProperty(rocksdb::DB::Properties::kEstimateNumKeys, &count);
    return count + layer_->size();
  }

  StoreUsage usage() override {
    const std::lock_guard lock(*mutex_);
    StoreUsage out;
    if (db_) {
      db_->GetIntProperty(rocksdb::DB::Properties::kEstimateNumKeys, &out.entries);
      db_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &out.file_bytes);
      db_->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &out.memory_bytes);
    }
    out.entries += layer_->size();
    out.memory_bytes += layer_->bytes();
    return out;
  }

  Status sync() override {
    {
      const std::lock_guard lock(*mutex_);
      MUIR_RETURN_IF_ERROR(write_layer());
    }
    if (!db_) return {};
    const auto status = db_->Flush(rocksdb::FlushOptions());
    return status.ok() ? Status() : failure("flush", status);
  }

  Status close() override {
    const std::lock_guard lock(*mutex_);
    layer_ = std::make_shared<VersionedMap>(mutex_, true);
    share_.told(0);
    forget_rows();
    folder_.clear();
    for (MergedIterator* open = iterators_->first; open != nullptr;) open = open->end();
    if (!db_) return {};
    readable_ = nullptr;
    const auto status = db_->Close();
    db_.reset();
    return status.ok() ? Status() : failure("close", status);
  }

 private:
  // The methods below are called with the mutex held.
  // A database takes several syncs of the disk to be made, and some hundred kilobytes of memory: an application of a
  // thousand tasks that begins anew has none before there is something to write to it.
  Status open_files() {
    if (db_) return {};
    if (folder_.empty()) return error(Code::failed_precondition, "store {} is closed", name_);
    rocksdb::DB* db = nullptr;
    rocksdb::Options options = rocks_options();
    if (files_) options.env = files_.get();
    const auto status = rocksdb::DB::Open(options, folder_, &db);
    if (!status.ok()) return failure("open", status);
    db_.reset(db);
    readable_.store(db, std::memory_order_release);
    return {};
  }
  Status write_layer() {
    forget_rows();
    share_.told(0);
    if (layer_->empty()) return {};
    MUIR_RETURN_IF_ERROR(open_files());
    rocksdb::WriteBatch batch(layer_->bytes());
    rocksdb::Status status;
    layer_->for_each([&](BytesView key, const OptBytes& value) {
      if (status.ok()) status = value ? batch.Put(slice(key), slice(*value)) : batch.Delete(slice(key));
    });
    if (status.ok()) status = db_->Write(write_options_, &batch);
    if (!status.ok()) return failure("write", status);
    if (layer_->walked_now()) {
      layer_ = std::make_shared<VersionedMap>(mutex_, true);  // the walks keep the old one
    } else {
      layer_->clear();
    }
    return {};
  }
  // RocksDB is about to change.
  void forget_rows() {
    ++state_;
    idle_rows_.reset();
  }
  Status failure(std::string_view what, const rocksdb::Status& status) const {
    return error(code_of(status), "{} store {}: {}", what, name_, status.ToString());
  }

  const std::string name_;
  rocksdb::WriteOptions write_options_;
  const rocksdb::ReadOptions read_options_;
  std::string folder_;
  std::unique_ptr<rocksdb::Env> files_;           // null: those of the machine
  std::unique_ptr<rocksdb::DB> db_;               // null: nothing was ever written to the files
  std::atomic<rocksdb::DB*> readable_ = nullptr;  // the same, for readers without the mutex
  const std::shared_ptr<std::mutex> mutex_ = std::make_shared<std::mutex>();  // shared with walks; guards what follows
  const std::shared_ptr<OpenIterators> iterators_ = std::make_shared<OpenIterators>(mutex_);
  std::shared_ptr<VersionedMap> layer_ = std::make_shared<VersionedMap>(mutex_, true);
  LayerShare share_;
  uint64_t state_ = 0;  // of RocksDB; another with each write
  std::unique_ptr<RocksRows> idle_rows_;
};

MergedIterator::~MergedIterator() {
  const std::lock_guard lock(*all_->mutex);
  (before_ != nullptr ? before_->after_ : all_->first) = after_;
  if (after_ != nullptr) after_->before_ = before_;
  if (all_->engine != nullptr) all_->engine->give_back(rows_);
}

}  // namespace

std::unique_ptr<Engine> make_rocks_engine(std::string name) { return std::make_unique<RocksEngine>(std::move(name)); }

}  // namespace muir::store::internal

#include "broker/api/found_records.h"

#include <algorithm>

namespace muir::broker {
namespace {

// A part of a segment's file, which stays readable when retention or compaction removes the segment.
class StoredBytes final : public net::ByteSource {
 public:
  StoredBytes(std::shared_ptr<const storage::Segment> segment, uint64_t begin, uint64_t end)
      : segment_(std::move(segment)), begin_(begin), size_(end - begin) {}

  [[nodiscard]] uint64_t size() const override { return size_; }
  [[nodiscard]] Status read(uint64_t at, std::span<char> out) const override {
    const size_t got = MUIR_TRY(segment_->file().read_at(begin_ + at, out.data(), out.size()));
    if (got == out.size()) return {};
    return error(Code::data_loss, "segment {}: {} bytes at byte {}, {} are missing", segment_->base_offset(),
                 out.size(), begin_ + at, out.size() - got);
  }
  [[nodiscard]] std::optional<InFile> in_file() const override {
    const int descriptor = segment_->file().descriptor();
    return descriptor < 0 ? std::nullopt : std::optional(InFile{descriptor, begin_});
  }

 private:
  const std::shared_ptr<const storage::Segment> segment_;
  const uint64_t begin_;
  const uint64_t size_;
};

}  // namespace

void FoundRecords::add(storage::ReadResult read, size_t& memory_bytes) {
  const size_t size = read.records.size();
  bytes_ += size;
  records_ += read.record_count;
  for (const auto& txn : read.aborted) {
    if (std::find(aborted_.begin(), aborted_.end(), txn) == aborted_.end()) aborted_.push_back(txn);
  }
  if (read.segment == nullptr || memory_bytes + size <= kMemoryBytesMax) {
    memory_bytes += size;
    segment_ = nullptr;
    pieces_.emplace_back().owned = Bytes(read.records);
    return;
  }
  if (segment_ == read.segment && end_ == read.position) {
    pieces_.pop_back();
  } else {
    segment_ = read.segment;
    begin_ = read.position;
  }
  end_ = read.position + size;
  pieces_.emplace_back().source = std::make_shared<StoredBytes>(segment_, begin_, end_);
}

}  // namespace muir::broker

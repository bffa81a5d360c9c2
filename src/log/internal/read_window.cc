#include "log/internal/read_window.h"

#include <algorithm>

#include "log/internal/segment_scan.h"
#include "wire/record_batch.h"

namespace muir::storage {
namespace {

// One walk through the batches of a piece.
class WindowCutter {
 public:
  WindowCutter(char* piece, size_t size, const WindowRequest& request)
      : piece_(piece), bytes_(piece, size), request_(request) {
    out_.expected = request.expected;
    out_.unverified = request.unverified;
  }

  ReadWindow run() {
    while (at_ + wire::kBatchHeaderBytes <= bytes_.size()) {
      const auto header = wire::parse_batch_header_only(bytes_.substr(at_));
      if (!header.ok()) return suspect();
      const Verdict verdict = judge_offsets(*header);
      if (verdict == Verdict::suspect) return suspect();
      const bool skipped = !started_ && header->last_offset() < request_.offset;
      if (verdict == Verdict::unknown && !skipped) return ask_for(header->size_bytes() + wire::kBatchHeaderBytes);
      if (skipped) {
        skip(*header);
      } else if (!take(*header)) {
        return out_;
      }
    }
    if (started_) return out_;
    out_.begin = out_.end = at_;
    const uint64_t file_at = request_.position + at_;
    // A skipped batch must lead to the end of the file or to another one.
    const bool at_end = request_.position + bytes_.size() >= request_.file_end;
    if (at_end && (file_at < request_.file_end || (out_.expected != request_.segment_end && !verify_previous())))
      return suspect();
    out_.behind = true;
    return out_;
  }

 private:
  enum class Verdict : uint8_t { good, suspect, unknown };

  ReadWindow suspect() {
    out_.suspect = verify_previous() ? request_.position + at_ : *out_.unverified;
    if (!started_) out_.begin = out_.end = at_;
    return out_;
  }

  ReadWindow ask_for(size_t batch_bytes) {
    if (started_) return out_;
    out_.begin = out_.end = at_;
    out_.first_batch_bytes = std::min<uint64_t>(batch_bytes, request_.file_end - request_.position - at_);
    return out_;
  }

  // Only the header of a batch below the wanted offset is read. Where that leads to something unexpected, its length
  // may be what is damaged: then it is looked at as a whole. False when it is not whole, or not in this piece.
  bool verify_previous() {
    if (!out_.unverified) return true;
    const uint64_t file_at = *out_.unverified;
    if (file_at != request_.approved) {
      if (file_at < request_.position) return false;
      const auto batch = wire::BatchView::parse(bytes_.substr(file_at - request_.position));
      if (!batch.ok() || !batch->check_crc().ok()) return false;
    }
    out_.unverified.reset();
    return true;
  }

  // Whether the batch here follows what is before it. `unknown` when the header behind it is needed and not here.
  Verdict judge_offsets(const wire::BatchHeader& header) {
    const uint64_t file_at = request_.position + at_;
    if (request_.approved == file_at) return Verdict::good;
    if (header.size_bytes() > request_.file_end - file_at || header.next_offset() > request_.segment_end)
      return Verdict::suspect;
    if (out_.expected == kNoOffset || header.base_offset == out_.expected) return Verdict::good;
    if (header.base_offset < out_.expected || !verify_previous()) return Verdict::suspect;
    const size_t behind = at_ + header.size_bytes();
    Offset next_base = request_.segment_end;
    if (request_.position + behind < request_.file_end) {
      if (behind + wire::kBatchHeaderBytes > bytes_.size()) return Verdict::unknown;
      const auto next = wire::parse_batch_header_only(bytes_.substr(behind));
      if (!next.ok()) return Verdict::good;  // looked at in its turn
      next_base = next->base_offset;
    }
    const bool overlaps = next_base >= out_.expected && next_base < header.next_offset();
    return overlaps || base_offset_is_wrong(header, out_.expected, next_base) ? Verdict::suspect : Verdict::good;
  }

  void skip(const wire::BatchHeader& header) {
    out_.unverified = request_.position + at_;
    out_.expected = header.next_offset();
    at_ += header.size_bytes();
  }

  // False when the window ends before this batch.
  bool take(const wire::BatchHeader& header) {
    if (header.base_offset >= request_.bound) return false;
    if (!started_) out_.begin = out_.end = at_;
    started_ = true;
    const size_t size = header.size_bytes();
    const bool first = at_ == out_.begin;
    if (at_ + size - out_.begin > request_.bytes_max && !(first && request_.at_least_one)) {
      out_.too_large = first;
      return false;
    }
    if (at_ + size > bytes_.size()) {
      if (first) out_.first_batch_bytes = size;
      return false;
    }
    const auto batch = wire::BatchView::parse(bytes_.substr(at_, size));
    if (!batch.ok() || !batch->check_crc().ok()) {
      out_.suspect = request_.position + at_;
      return false;
    }
    if (request_.epochs != nullptr) correct_epoch(header);
    // Compaction of earlier versions left the codec in the header of a batch that it had emptied.
    if (header.record_count == 0 && size == wire::kBatchHeaderBytes &&
        header.compression() != wire::Compression::none) {
      wire::clear_compression(piece_ + at_);
      out_.corrected = true;
    }
    at_ += size;
    out_.end = at_;
    out_.unverified.reset();
    out_.next_offset = out_.expected = header.next_offset();
    out_.records += static_cast<uint64_t>(std::max(header.record_count, 0));
    return true;
  }

  void correct_epoch(const wire::BatchHeader& header) {
    const LeaderEpoch epoch = epoch_at(*request_.epochs, header.base_offset);
    if (epoch == header.partition_leader_epoch || epoch == kNoLeaderEpoch) return;
    wire::set_partition_leader_epoch(piece_ + at_, epoch);
    out_.corrected = true;
  }

  char* piece_;
  const BytesView bytes_;
  const WindowRequest& request_;
  ReadWindow out_;
  size_t at_ = 0;
  bool started_ = false;
};

}  // namespace

ReadWindow cut_window(char* piece, size_t size, const WindowRequest& request) {
  return WindowCutter(piece, size, request).run();
}

}  // namespace muir::storage

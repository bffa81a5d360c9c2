// RecordStream: the records of a batch that expands to very much, one after the other, with no more than a window and
// one key of them in memory. Of a record its key is read, and the rest is skipped or copied as it is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/bytes.h"
#include "base/status.h"
#include "wire/block_stream.h"
#include "wire/record_batch.h"

namespace muir::wire {

// Owned by one thread; keep it no longer on a batch than the batch's bytes.
//   stream.reset(batch, key_bytes_max);  RecordStream::Head head;
//   while (stream.next(head)) ...;   MUIR_RETURN_IF_ERROR(stream.status());
class RecordStream {
 public:
  struct Head {
    Offset offset;
    int64_t timestamp = kNoTimestamp;
    OptBytesView key;  // until the next call
    bool has_value = false;
    size_t rest_bytes = 0;  // of the record, behind its timestamp
  };

  // A longer key is resource_exhausted.
  void reset(const BatchView& batch, size_t key_bytes_max);
  // Skips what is left of the record before. False at the end and on damage.
  bool next(Head& head);
  // Hands over the encoded record behind its timestamp, in pieces: offset delta, key, value, headers. Once for each.
  Status copy_rest(const std::function<Status(BytesView)>& to);
  // Damage found, records fewer or more than the header says, or a key that is too long.
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  bool fail(const char* why);
  bool fill(size_t bytes);
  bool read_into(Bytes& out, size_t bytes);
  bool skip(size_t bytes);
  bool varint(int32_t& value, Bytes* raw);
  bool read_head(Head& head);

  BatchHeader header_;
  size_t key_bytes_max_ = 0;
  BlockStream stream_;
  BytesView plain_;  // what is not read yet of a batch that is not compressed
  std::unique_ptr<char[]> window_;
  size_t begin_ = 0;  // of what is there in the window
  size_t end_ = 0;
  bool ended_ = true;  // nothing follows it
  int32_t left_ = 0;
  size_t body_left_ = 0;  // of the current record
  Bytes front_;           // of it, from the offset delta to the value's length
  size_t key_at_ = 0;     // in front_
  Status status_;
};

}  // namespace muir::wire

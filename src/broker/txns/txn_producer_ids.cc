#include "broker/txns/txn_producer_ids.h"

#include <charconv>

namespace muir::broker {

// The file is one line of text: the first id that has not been reserved.
Result<int64_t> ProducerIds::reserved_on_disk() {
  if (!env_.exists(path_)) return 0;
  const Bytes text = MUIR_TRY(env_.read_file(path_));
  int64_t value = -1;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || value < 0 ||
      BytesView(end, static_cast<size_t>(text.data() + text.size() - end)) != "\n") {
    return error(Code::data_loss, "{}: not a producer id: \"{}\"", path_, text);
  }
  return value;
}

Result<ProducerId> ProducerIds::next() {
  const std::lock_guard lock(mutex_);
  if (next_ == block_end_) {
    const int64_t first = MUIR_TRY(reserved_on_disk());
    MUIR_RETURN_IF_ERROR(env_.replace_file(path_, fmt::format("{}\n", first + kBlockSize)));
    next_ = first;
    block_end_ = first + kBlockSize;
  }
  return ProducerId(next_++);
}

}  // namespace muir::broker

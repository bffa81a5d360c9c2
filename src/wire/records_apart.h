// RecordsApart: encodes messages without their records, which are sent from where they are stored.
//
//   RecordsApart apart;
//   encode(response, version, writer);             // of the records, the sizes of the views are written
//   for (const auto& gap : apart.gaps()) ...;      // where each one's bytes belong
#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.h"

namespace muir::wire {

// While it lives, what its thread encodes leaves records out; their views need not have bytes. One at a time.
class RecordsApart {
 public:
  // `bytes` of records belong before byte `position` of what was written.
  struct Gap {
    size_t position;
    size_t bytes;
  };

  RecordsApart() { current() = this; }
  ~RecordsApart() { current() = nullptr; }
  RecordsApart(const RecordsApart&) = delete;
  RecordsApart& operator=(const RecordsApart&) = delete;

  // What stands for so many bytes of records in a message.
  static BytesView stand_in(size_t bytes) { return {kNothing, bytes}; }
  [[nodiscard]] const std::vector<Gap>& gaps() const { return gaps_; }
  void add(Gap gap) { gaps_.push_back(gap); }
  // That of the thread; null: none.
  static RecordsApart*& current();

 private:
  static constexpr char kNothing[1] = {};
  std::vector<Gap> gaps_;
};

}  // namespace muir::wire

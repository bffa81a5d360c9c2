// CsvText: rows of a comma-separated text with a header line (RFC 4180). Owned by one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace muir::vts {

// Takes one row off the front of `rest`; false when nothing is left. Fails when a quoted field has no end.
Result<bool> take_csv_row(std::string_view& rest, std::vector<std::string>& row);

class CsvText {
 public:
  // `text` outlives the object.
  explicit CsvText(std::string_view text) : rest_(text) {}

  Status read_header();
  // The next row that is not empty; false at the end, or after an error.
  bool next();
  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] size_t line() const { return line_; }

  [[nodiscard]] std::optional<size_t> column(std::string_view name) const;
  // The field of that column; empty when there is none.
  [[nodiscard]] std::string text(std::string_view column_name) const;
  [[nodiscard]] std::string_view field(size_t index) const {
    return index < row_.size() ? std::string_view(row_[index]) : std::string_view();
  }

 private:
  bool read_row();

  std::string_view rest_;
  std::vector<std::string> header_;
  std::vector<std::string> row_;
  size_t line_ = 0;
  Status status_;
};

}  // namespace muir::vts

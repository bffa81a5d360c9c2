#include "apps/vts/csv.h"

#include <algorithm>

#include "base/utf8.h"

namespace muir::vts {

Result<bool> take_csv_row(std::string_view& rest, std::vector<std::string>& row) {
  row.clear();
  if (rest.empty()) return false;
  std::string field;
  bool quoted = false;
  size_t i = 0;
  for (; i < rest.size(); ++i) {
    const char c = rest[i];
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < rest.size() && rest[i + 1] == '"') {
        field += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"' && field.empty()) {
      quoted = true;
    } else if (c == ',') {
      row.push_back(std::move(field));
      field.clear();
    } else if (c == '\n') {
      break;
    } else {
      field += c;
    }
  }
  if (quoted) return error(Code::invalid_argument, "a quoted field has no end");
  if (field.ends_with('\r')) field.pop_back();
  row.push_back(std::move(field));
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return true;
}

bool CsvText::read_row() {
  ++line_;
  const auto row = take_csv_row(rest_, row_);
  if (!row.ok()) status_ = row.status().annotate(fmt::format("CSV line {}", line_));
  return row.ok() && *row;
}

Status CsvText::read_header() {
  rest_ = without_byte_order_mark(rest_);
  if (!read_row()) return status_.ok() ? error(Code::invalid_argument, "CSV: no header line") : status_;
  header_ = row_;
  return {};
}

bool CsvText::next() {
  while (read_row()) {
    if (row_.size() == 1 && row_[0].empty()) continue;
    if (row_.size() <= header_.size()) return true;
    status_ = error(Code::invalid_argument, "CSV line {}: {} fields, but the header has {}", line_, row_.size(),
                    header_.size());
    return false;
  }
  return false;
}

std::optional<size_t> CsvText::column(std::string_view name) const {
  for (size_t i = 0; i < header_.size(); ++i) {
    if (header_[i] == name) return i;
  }
  return std::nullopt;
}

std::string CsvText::text(std::string_view column_name) const {
  const auto index = column(column_name);
  return index ? std::string(field(*index)) : std::string();
}

}  // namespace muir::vts

#include "schema/row_view.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "schema/decimal.h"

namespace muir::schema {
namespace {

constexpr std::array<std::string_view, 16> kStorages{"null",    "boolean", "int8", "int16", "int32", "int64",
                                                     "float32", "float64", "uuid", "text",  "bytes", "decimal",
                                                     "struct",  "array",   "map",  "union"};

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

// As Double.compare: the bits, with all NaN alike.
template <class T, class Bits>
Bits float_bits(T value) {
  return std::bit_cast<Bits>(std::isnan(value) ? std::numeric_limits<T>::quiet_NaN() : value);
}
template <class T, class Bits>
int order_floats(T a, T b) {
  if (a < b) return -1;
  if (b < a) return 1;
  return order(float_bits<T, Bits>(a), float_bits<T, Bits>(b));  // 0.0 and -0.0, or NaN
}

template <class T>
int order_as(CellView a, CellView b) {
  return order(a.get<T>(), b.get<T>());
}

int order_bytes(BytesView a, BytesView b) { return a.compare(b); }

int order_lists(ListView a, ListView b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (const int by_item = compare(a[i], b[i]); by_item != 0) return by_item;
  }
  return order(a.size(), b.size());
}

std::vector<size_t> by_key(MapView map) {
  std::vector<size_t> entries(map.size());
  std::iota(entries.begin(), entries.end(), size_t{0});
  std::stable_sort(entries.begin(), entries.end(),
                   [&](size_t a, size_t b) { return compare(map.key(a), map.key(b)) < 0; });
  return entries;
}

int order_maps(MapView a, MapView b) {
  if (a.size() != b.size()) return order(a.size(), b.size());
  const auto left = by_key(a);
  const auto right = by_key(b);
  for (size_t i = 0; i < left.size(); ++i) {
    if (const int keys = compare(a.key(left[i]), b.key(right[i])); keys != 0) return keys;
    if (const int values = compare(a.value(left[i]), b.value(right[i])); values != 0) return values;
  }
  return 0;
}

// FNV-1a's constants with a last mix: keys are short.
size_t mix(size_t state, size_t value) {
  state = (state ^ value) * 0x100000001b3U;
  return state ^ (state >> 29);
}
constexpr size_t kSeed = 0xcbf29ce484222325U;
constexpr size_t kNull = 0x9e3779b97f4a7c15U;

class TextWriter {
 public:
  std::string take() { return std::move(out_); }

  void row(RowView row) {
    out_ += '{';
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out_ += ',';
      // An entry of a map knows no more than its shape.
      append_json_string(out_, row.schema().fields()[i].name);
      out_ += ':';
      cell(row[i]);
    }
    out_ += '}';
  }

  void cell(CellView cell) {
    if (cell.is_null()) {
      out_ += "null";
      return;
    }
    switch (cell.slot().shape->storage) {
      case Storage::none: out_ += "null"; break;
      case Storage::boolean: out_ += cell.get<bool>() ? "true" : "false"; break;
      case Storage::int8: out_ += std::to_string(cell.get<int8_t>()); break;
      case Storage::int16: out_ += std::to_string(cell.get<int16_t>()); break;
      case Storage::int32: integer(cell); break;
      case Storage::int64: out_ += std::to_string(cell.get<int64_t>()); break;
      case Storage::float32: out_ += fmt::format("{}", cell.get<float>()); break;
      case Storage::float64: append_json_double(out_, cell.get<double>()); break;
      case Storage::uuid: append_json_string(out_, cell.get<Uuid>().to_string()); break;
      case Storage::text: append_json_string(out_, cell.text()); break;
      case Storage::bytes: append_json_string(out_, hex(cell.bytes())); break;
      case Storage::decimal: out_ += decimal_text(cell.decimal(), cell.schema().scale()); break;
      case Storage::structure: row(cell.row()); break;
      case Storage::array: list(cell.list()); break;
      case Storage::map: map(cell.map()); break;
      case Storage::choice: this->cell(cell.held()); break;
    }
  }

 private:
  void integer(CellView cell) {
    if (cell.schema().type() == Type::enumeration) {
      append_json_string(out_, cell.symbol());
    } else {
      out_ += std::to_string(cell.get<int32_t>());
    }
  }
  void list(ListView list) {
    out_ += '[';
    for (size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out_ += ',';
      cell(list[i]);
    }
    out_ += ']';
  }
  void map(MapView map) {
    out_ += '{';
    for (size_t i = 0; i < map.size(); ++i) {
      if (i > 0) out_ += ',';
      cell(map.key(i));
      out_ += ':';
      cell(map.value(i));
    }
    out_ += '}';
  }

  std::string out_;
};

}  // namespace

std::string_view to_string(Storage storage) { return kStorages[static_cast<size_t>(storage)]; }

int compare(CellView a, CellView b) {
  CHECK(a.slot().shape->storage == b.slot().shape->storage, "compare {} with {}", to_string(a.slot().shape->storage),
        to_string(b.slot().shape->storage));
  if (a.is_null() || b.is_null()) return order(b.is_null(), a.is_null());
  switch (a.slot().shape->storage) {
    case Storage::none: return 0;
    case Storage::boolean: return order_as<bool>(a, b);
    case Storage::int8: return order_as<int8_t>(a, b);
    case Storage::int16: return order_as<int16_t>(a, b);
    case Storage::int32: return order_as<int32_t>(a, b);
    case Storage::int64: return order_as<int64_t>(a, b);
    case Storage::float32: return order_floats<float, int32_t>(a.get<float>(), b.get<float>());
    case Storage::float64: return order_floats<double, int64_t>(a.get<double>(), b.get<double>());
    case Storage::uuid: return order_as<Uuid>(a, b);
    case Storage::text: return order_bytes(a.text(), b.text());
    case Storage::bytes: return order_bytes(a.bytes(), b.bytes());
    case Storage::decimal: return compare_decimals(a.decimal(), b.decimal());
    case Storage::structure: return compare(a.row(), b.row());
    case Storage::array: return order_lists(a.list(), b.list());
    case Storage::map: return order_maps(a.map(), b.map());
    case Storage::choice: return a.branch() != b.branch() ? order(a.branch(), b.branch()) : compare(a.held(), b.held());
  }
  return 0;
}

int compare(RowView a, RowView b) {
  CHECK(a.size() == b.size(), "compare rows of {} and {} columns", a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    if (const int by_column = compare(a[i], b[i]); by_column != 0) return by_column;
  }
  return 0;
}

size_t hash_of(CellView cell) {
  if (cell.is_null()) return kNull;
  const auto of_text = [](std::string_view text) { return std::hash<std::string_view>()(text); };
  switch (cell.slot().shape->storage) {
    case Storage::none: return kNull;
    case Storage::boolean: return mix(kSeed, cell.get<bool>() ? 1 : 0);
    case Storage::int8: return mix(kSeed, static_cast<size_t>(cell.get<int8_t>()));
    case Storage::int16: return mix(kSeed, static_cast<size_t>(cell.get<int16_t>()));
    case Storage::int32: return mix(kSeed, static_cast<size_t>(cell.get<int32_t>()));
    case Storage::int64: return mix(kSeed, static_cast<size_t>(cell.get<int64_t>()));
    case Storage::float32: return mix(kSeed, float_bits<float, uint32_t>(cell.get<float>()));
    case Storage::float64: return mix(kSeed, float_bits<double, uint64_t>(cell.get<double>()));
    case Storage::uuid: {
      const Uuid uuid = cell.get<Uuid>();
      return of_text({reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size()});
    }
    case Storage::text: return of_text(cell.text());
    case Storage::bytes: return of_text(cell.bytes());
    case Storage::decimal: return of_text(cell.decimal());
    case Storage::structure: return hash_of(cell.row());
    case Storage::array: {
      const ListView list = cell.list();
      size_t out = mix(kSeed, list.size());
      for (size_t i = 0; i < list.size(); ++i) out = mix(out, hash_of(list[i]));
      return out;
    }
    case Storage::map: {  // in any order
      const MapView map = cell.map();
      size_t out = map.size();
      for (size_t i = 0; i < map.size(); ++i) out += mix(mix(kSeed, hash_of(map.key(i))), hash_of(map.value(i)));
      return out;
    }
    case Storage::choice: return mix(mix(kSeed, static_cast<size_t>(cell.branch())), hash_of(cell.held()));
  }
  return kNull;
}

size_t hash_of(RowView row) {
  size_t out = kSeed;
  for (size_t i = 0; i < row.size(); ++i) out = mix(out, hash_of(row[i]));
  return out;
}

std::string to_string(RowView row) {
  TextWriter writer;
  writer.row(row);
  return writer.take();
}

}  // namespace muir::schema

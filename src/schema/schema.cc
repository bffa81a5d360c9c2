#include "schema/schema.h"

#include <algorithm>
#include <array>
#include <set>

namespace muir::schema {
namespace {

constexpr std::array<std::string_view, 21> kTypeNames{
    "null", "boolean", "int8",      "int16", "int32", "int64", "float32", "float64", "decimal", "string",   "bytes",
    "date", "time",    "timestamp", "uuid",  "enum",  "array", "map",     "struct",  "union",   "reference"};
constexpr std::array<std::string_view, 3> kUnits{"ms", "us", "ns"};

// Texts for messages are no longer than this, give or take a name.
constexpr size_t kTextBytesMax = 2000;

std::string_view name_of(const Field& field) { return field.name; }
std::string_view name_of(const std::string& symbol) { return symbol; }

template <class Items>
int index_of(const Items& items, const std::vector<uint32_t>& by_name, std::string_view name) {
  const auto at = std::lower_bound(by_name.begin(), by_name.end(), name, [&](uint32_t index, std::string_view wanted) {
    return name_of(items[index]) < wanted;
  });
  return at != by_name.end() && name_of(items[*at]) == name ? static_cast<int>(*at) : -1;
}

class TextWriter {
 public:
  void write(const Schema& schema) {
    if (out_.size() > kTextBytesMax) return cut();
    out_ += to_string(schema.type());
    if (!schema.name().empty()) out_ += " " + schema.name();
    write_parts(schema);
    if (schema.is_nullable()) out_ += '?';
    if (const Json* value = schema.default_value()) out_ += " = " + value->excerpt();
  }
  std::string take() { return std::move(out_); }

 private:
  void cut() {
    if (!out_.ends_with("...")) out_ += "...";
  }
  void write_parts(const Schema& schema) {
    switch (schema.type()) {
      case Type::decimal: out_ += fmt::format("({}, {})", schema.precision(), schema.scale()); break;
      case Type::time: out_ += fmt::format("({})", to_string(schema.unit())); break;
      case Type::timestamp:
        out_ += fmt::format("({}, {})", to_string(schema.unit()), schema.has_zone() ? "UTC" : "no zone");
        break;
      case Type::enumeration:
        list('(', schema.symbols(), ')', [&](const std::string& symbol) { out_ += symbol; });
        break;
      case Type::array:
        list('<', std::array{schema.element()}, '>', [&](const SchemaPtr& part) { write(*part); });
        break;
      case Type::map:
        list('<', std::array{schema.key(), schema.element()}, '>', [&](const SchemaPtr& part) { write(*part); });
        break;
      case Type::union_of: list('<', schema.branches(), '>', [&](const SchemaPtr& part) { write(*part); }); break;
      case Type::structure:
        // Once is enough, and keeps the text small where types occur again and again.
        if (!written_.insert(schema.identity()).second && !schema.name().empty()) break;
        list('<', schema.fields(), '>', [&](const Field& field) {
          out_ += field.name + " ";
          write(*field.schema);
        });
        break;
      default: break;
    }
  }
  void list(char open, const auto& items, char close, auto&& write_item) {
    out_ += open;
    for (size_t i = 0; i < items.size(); ++i) {
      if (out_.size() > kTextBytesMax) {
        cut();
        break;
      }
      if (i > 0) out_ += ", ";
      write_item(items[i]);
    }
    out_ += close;
  }

  std::string out_;
  std::set<const void*> written_;
};

class Collector {
 public:
  std::map<std::string, const Schema*, std::less<>> found;

  void walk(const Schema& schema) {
    const bool is_structure = schema.type() == Type::structure;
    if (!seen_.insert(is_structure ? schema.identity() : &schema).second) return;
    if (is_structure) {
      if (!schema.name().empty()) found.emplace(schema.name(), &schema);
      for (const auto& field : schema.fields()) walk(*field.schema);
    }
    if (schema.key() != nullptr) walk(*schema.key());
    if (schema.element() != nullptr) walk(*schema.element());
    for (const auto& branch : schema.branches()) walk(*branch);
  }

 private:
  std::set<const void*> seen_;
};

}  // namespace

std::string_view to_string(Type type) { return kTypeNames[static_cast<size_t>(type)]; }
std::string_view to_string(TimeUnit unit) { return kUnits[static_cast<size_t>(unit)]; }

// Hashes first: of schemas that differ hardly any part is looked at. Parts that are shared are not looked at at all,
// and pairs that were found alike not again, or schemas that hold a type many times over would take forever.
class SchemaComparer {
 public:
  bool same(const SchemaPtr& a, const SchemaPtr& b) { return a == b || (a != nullptr && b != nullptr && same(*a, *b)); }
  bool same(const Schema& a, const Schema& b) {
    if (&a == &b) return true;
    return a.hash_ == b.hash_ && a.type_ == b.type_ && a.nullable_ == b.nullable_ && a.has_zone_ == b.has_zone_ &&
           a.unit_ == b.unit_ && a.precision_ == b.precision_ && a.scale_ == b.scale_ && a.name_ == b.name_ &&
           a.version_ == b.version_ && a.doc_ == b.doc_ && a.parameters_ == b.parameters_ &&
           a.annotations_ == b.annotations_ && a.default_ == b.default_ && same(a.key_, b.key_) &&
           same(a.element_, b.element_) && same_bodies(a.body_.get(), b.body_.get());
  }
  bool same(const Field& a, const Field& b) {
    return a.name == b.name && a.doc == b.doc && a.annotations == b.annotations && same(a.schema, b.schema);
  }

 private:
  bool same_bodies(const Schema::Body* a, const Schema::Body* b) {
    if (a == b) return true;
    if (a == nullptr || b == nullptr || a->hash != b->hash || a->symbols != b->symbols) return false;
    if (alike_.contains({a, b})) return true;
    const auto parts = [this](const auto& x, const auto& y) { return same(x, y); };
    const bool alike =
        std::equal(a->fields.begin(), a->fields.end(), b->fields.begin(), b->fields.end(), parts) &&
        std::equal(a->branches.begin(), a->branches.end(), b->branches.begin(), b->branches.end(), parts);
    if (alike) alike_.emplace(a, b);
    return alike;
  }

  std::set<std::pair<const Schema::Body*, const Schema::Body*>> alike_;
};

bool Field::operator==(const Field& other) const { return SchemaComparer().same(*this, other); }

const std::vector<Field>& Schema::fields() const {
  static const std::vector<Field> none;
  return body_ == nullptr ? none : body_->fields;
}
const std::vector<std::string>& Schema::symbols() const {
  static const std::vector<std::string> none;
  return body_ == nullptr ? none : body_->symbols;
}
const std::vector<SchemaPtr>& Schema::branches() const {
  static const std::vector<SchemaPtr> none;
  return body_ == nullptr ? none : body_->branches;
}

int Schema::field_index(std::string_view field_name) const {
  return type_ == Type::structure ? index_of(body_->fields, body_->by_name, field_name) : -1;
}
int Schema::symbol_index(std::string_view symbol) const {
  return type_ == Type::enumeration ? index_of(body_->symbols, body_->by_name, symbol) : -1;
}

bool Schema::operator==(const Schema& other) const { return SchemaComparer().same(*this, other); }

std::string Schema::to_string() const {
  TextWriter writer;
  writer.write(*this);
  return writer.take();
}

std::map<std::string, const Schema*, std::less<>> named_structures(const Schema& schema) {
  Collector collector;
  collector.walk(schema);
  return std::move(collector.found);
}

}  // namespace muir::schema

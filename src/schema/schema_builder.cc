#include "schema/schema_builder.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "schema/internal/plain_default.h"

namespace muir::schema {
namespace {

constexpr int kDepthMax = 512;  // deeper than data may nest
// Fields, symbols and branches are walked one by one in many places, which must stay bearable.
constexpr size_t kPartsMax = 10'000;

template <class... A>
Status fail(fmt::format_string<A...> format, A&&... args) {
  return Status(Code::invalid_argument, "build schema: " + fmt::format(format, std::forward<A>(args)...));
}

class Hash {
 public:
  template <class T>
  void add(const T& value) {
    // The mix of boost::hash_combine for 64 bits.
    state_ ^= std::hash<T>()(value) + 0x9e3779b97f4a7c15U + (state_ << 12) + (state_ >> 4);
  }
  template <class T>
  void add(const std::optional<T>& value) {
    add(value.has_value());
    if (value) add(*value);
  }
  void add(const Attributes& attributes) {
    for (const auto& [key, value] : attributes) {
      add(key);
      add(value);
    }
  }
  void add(const SchemaPtr& part) { add(part == nullptr ? size_t{0} : part->hash()); }
  [[nodiscard]] size_t value() const { return state_; }

 private:
  size_t state_ = 0;
};

// The indices of all items in the order of their names; fails with the name that is empty or there twice.
template <class Items, class NameOf>
Result<std::vector<uint32_t>> index_names(const Items& items, std::string_view what, NameOf&& name_of) {
  if (items.size() > kPartsMax) return fail("{} {}s; at most {} are allowed", items.size(), what, kPartsMax);
  std::vector<uint32_t> by_name(items.size());
  std::iota(by_name.begin(), by_name.end(), 0U);
  std::sort(by_name.begin(), by_name.end(),
            [&](uint32_t a, uint32_t b) { return name_of(items[a]) < name_of(items[b]); });
  for (size_t i = 0; i < by_name.size(); ++i) {
    const std::string_view name = name_of(items[by_name[i]]);
    if (name.empty()) return fail("a {} without a name", what);
    if (i > 0 && name_of(items[by_name[i - 1]]) == name) return fail("the {} {} is there twice", what, name);
  }
  return by_name;
}

bool needs_parts(Type type) {
  switch (type) {
    case Type::decimal:
    case Type::time:
    case Type::timestamp:
    case Type::enumeration:
    case Type::array:
    case Type::map:
    case Type::structure:
    case Type::union_of:
    case Type::reference: return true;
    default: return false;
  }
}

Status check_branches(const std::vector<SchemaPtr>& branches) {
  if (branches.size() > kPartsMax) return fail("{} branches; at most {} are allowed", branches.size(), kPartsMax);
  std::map<size_t, std::vector<const Schema*>> seen;
  for (const auto& branch : branches) {
    if (branch == nullptr) return fail("a branch without a type");
    if (branch->type() == Type::union_of) return fail("a union directly within a union: list its branches");
    if (branch->type() == Type::null || branch->is_nullable())
      return fail("the branch {} is nullable: make the union nullable", branch->to_string());
    auto& alike = seen[branch->hash()];
    for (const Schema* other : alike) {
      if (*other == *branch) return fail("the branch {} is there twice", branch->to_string());
    }
    alike.push_back(branch.get());
  }
  return {};
}

}  // namespace

SchemaBuilder::SchemaBuilder(Type type) {
  made_.type_ = type;
  if (needs_parts(type)) failure_ = fail("{} needs more than its type: see schema_builder.h", to_string(type));
}

SchemaBuilder::SchemaBuilder(const Schema& schema) : made_(schema), shared_body_(schema.body_) {}

SchemaBuilder SchemaBuilder::decimal(int32_t precision, int32_t scale) {
  SchemaBuilder out(Type::bytes);
  out.made_.type_ = Type::decimal;
  out.made_.precision_ = precision;
  out.made_.scale_ = scale;
  return out;
}
SchemaBuilder SchemaBuilder::time(TimeUnit unit) {
  SchemaBuilder out(Type::int64);
  out.made_.type_ = Type::time;
  out.made_.unit_ = unit;
  return out;
}
SchemaBuilder SchemaBuilder::timestamp(TimeUnit unit, bool with_zone) {
  SchemaBuilder out = time(unit);
  out.made_.type_ = Type::timestamp;
  out.made_.has_zone_ = with_zone;
  return out;
}
SchemaBuilder SchemaBuilder::enumeration(std::string_view name, std::vector<std::string> symbols) {
  SchemaBuilder out(Type::string);
  out.made_.type_ = Type::enumeration;
  out.made_.name_ = name;
  out.body_.symbols = std::move(symbols);
  return out;
}
SchemaBuilder SchemaBuilder::array(SchemaPtr element) {
  SchemaBuilder out(Type::string);
  out.made_.type_ = Type::array;
  out.made_.element_ = std::move(element);
  return out;
}
SchemaBuilder SchemaBuilder::map(SchemaPtr key, SchemaPtr value) {
  SchemaBuilder out = array(std::move(value));
  out.made_.type_ = Type::map;
  out.made_.key_ = std::move(key);
  return out;
}
SchemaBuilder SchemaBuilder::structure(std::string_view name) {
  SchemaBuilder out(Type::string);
  out.made_.type_ = Type::structure;
  out.made_.name_ = name;
  return out;
}
SchemaBuilder SchemaBuilder::union_of(std::vector<SchemaPtr> branches) {
  SchemaBuilder out(Type::string);
  out.made_.type_ = Type::union_of;
  out.body_.branches = std::move(branches);
  return out;
}
SchemaBuilder SchemaBuilder::reference(std::string_view name) {
  SchemaBuilder out = structure(name);
  out.made_.type_ = Type::reference;
  return out;
}

SchemaBuilder& SchemaBuilder::field(std::string_view name, SchemaPtr schema, FieldAttributes attributes) {
  if (shared_body_ != nullptr) body_ = *std::exchange(shared_body_, nullptr);
  body_.fields.push_back(
      {std::string(name), std::move(schema), std::move(attributes.doc), std::move(attributes.annotations)});
  return *this;
}
SchemaBuilder& SchemaBuilder::field(std::string_view name, const SchemaBuilder& schema, FieldAttributes attributes) {
  auto built = schema.build();
  if (built.ok()) return field(name, *built, std::move(attributes));
  if (failure_.ok()) failure_ = built.status().annotate(fmt::format("field {}", name));
  return *this;
}

SchemaBuilder& SchemaBuilder::nullable(bool value) { return made_.nullable_ = value, *this; }
SchemaBuilder& SchemaBuilder::default_value(Json value) { return made_.default_ = std::move(value), *this; }
SchemaBuilder& SchemaBuilder::no_default() { return made_.default_.reset(), *this; }
SchemaBuilder& SchemaBuilder::name(std::string_view name) { return made_.name_ = name, *this; }
SchemaBuilder& SchemaBuilder::version(int32_t version) { return made_.version_ = version, *this; }
SchemaBuilder& SchemaBuilder::doc(std::string_view text) { return made_.doc_ = text, *this; }
SchemaBuilder& SchemaBuilder::parameter(std::string_view key, std::string_view value) {
  return made_.parameters_.insert_or_assign(std::string(key), value), *this;
}
SchemaBuilder& SchemaBuilder::annotation(std::string_view key, std::string_view value) {
  return made_.annotations_.insert_or_assign(std::string(key), value), *this;
}

Result<std::shared_ptr<const Schema::Body>> SchemaBuilder::made_body() const {
  if (shared_body_ != nullptr) return shared_body_;
  const Type type = made_.type_;
  if (type != Type::structure && type != Type::enumeration && type != Type::union_of)
    return std::shared_ptr<const Schema::Body>();
  auto body = std::make_shared<Schema::Body>(body_);
  for (const auto& field : body->fields) {
    if (field.schema == nullptr) return fail("the field {} has no type", field.name);
  }
  if (type == Type::structure)
    body->by_name =
        MUIR_TRY(index_names(body->fields, "field", [](const Field& f) -> std::string_view { return f.name; }));
  if (type == Type::enumeration)
    body->by_name =
        MUIR_TRY(index_names(body->symbols, "symbol", [](const std::string& s) -> std::string_view { return s; }));
  if (type == Type::union_of) MUIR_RETURN_IF_ERROR(check_branches(body->branches));

  Hash hash;
  const auto add_part = [&](const SchemaPtr& part) {
    hash.add(part);
    body->depth = std::max(body->depth, part->depth());
    body->has_references = body->has_references || part->has_references();
  };
  for (const auto& field : body->fields) {
    hash.add(field.name);
    hash.add(field.doc);
    hash.add(field.annotations);
    add_part(field.schema);
  }
  for (const auto& branch : body->branches) add_part(branch);
  for (const auto& symbol : body->symbols) hash.add(symbol);
  body->hash = hash.value();
  return std::shared_ptr<const Schema::Body>(std::move(body));
}

Result<SchemaPtr> SchemaBuilder::build() const {
  MUIR_RETURN_IF_ERROR(failure_);
  Schema made = made_;
  const Type type = made.type_;
  if (type == Type::decimal && (made.precision_ < 1 || made.scale_ < 0 || made.scale_ > made.precision_))
    return fail("decimal({}, {}): a precision of 1 or more and a scale from 0 to it", made.precision_, made.scale_);
  if (type == Type::null && made.nullable_) return fail("null is nullable already");
  if (type == Type::reference && made.name_.empty()) return fail("a reference without a name");
  if ((type == Type::array || type == Type::map) && made.element_ == nullptr)
    return fail("{} without a type of its elements", to_string(type));
  if (type == Type::map && made.key_ == nullptr) return fail("map without a type of its keys");

  made.body_ = MUIR_TRY(made_body());
  made.depth_ =
      1 + std::max({made.body_ == nullptr ? 0 : made.body_->depth, made.key_ == nullptr ? 0 : made.key_->depth(),
                    made.element_ == nullptr ? 0 : made.element_->depth()});
  if (made.depth_ > kDepthMax) return fail("types nest {} deep; at most {} are allowed", made.depth_, kDepthMax);
  made.has_references_ = type == Type::reference || (made.body_ != nullptr && made.body_->has_references) ||
                         (made.key_ != nullptr && made.key_->has_references()) ||
                         (made.element_ != nullptr && made.element_->has_references());
  made.hash_ = hash_of(made);
  if (made.default_) {
    const Status valid = internal::check_plain(made, *made.default_);
    if (!valid.ok()) return fail("the default of {}: {}", made.to_string(), valid.message());
  }
  return SchemaPtr(std::make_shared<const Schema>(std::move(made)));
}

size_t SchemaBuilder::hash_of(const Schema& made) {
  Hash hash;
  for (const int number : {static_cast<int>(made.type_), static_cast<int>(made.nullable_), static_cast<int>(made.unit_),
                           static_cast<int>(made.has_zone_), made.precision_, made.scale_})
    hash.add(number);
  hash.add(made.name_);
  hash.add(made.version_);
  hash.add(made.doc_);
  hash.add(made.parameters_);
  hash.add(made.annotations_);
  if (made.default_) hash.add(made.default_->to_string());
  hash.add(made.key_);
  hash.add(made.element_);
  if (made.body_ != nullptr) hash.add(made.body_->hash);
  return hash.value();
}

SchemaPtr basic(Type type) {
  static const auto schemas = [] {
    std::array<SchemaPtr, static_cast<size_t>(Type::reference) + 1> all;
    for (size_t i = 0; i < all.size(); ++i) {
      auto built = SchemaBuilder(static_cast<Type>(i)).build();
      if (built.ok()) all[i] = *built;
    }
    return all;
  }();
  const SchemaPtr& schema = schemas[static_cast<size_t>(type)];
  CHECK(schema != nullptr, "basic({}): the type needs more than its name", to_string(type));
  return schema;
}

}  // namespace muir::schema

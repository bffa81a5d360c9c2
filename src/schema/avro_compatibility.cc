#include "schema/avro_compatibility.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "schema/internal/avro_match.h"

namespace muir::schema::avro {
namespace {

// Pairs of recursive schemas can chain for as long as the product of their sizes.
constexpr size_t kDepthMax = 1000;
// Two unions of many records have as many pairs as the product of their sizes; real schemas have a few thousand.
constexpr size_t kPairsMax = 200'000;

std::string upper(Type type) {
  std::string name(to_string(type));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  return name;
}

using Findings = std::vector<Incompatibility>;

// A type referred to from many places repeats its findings at each: without a limit, hostile schemas double them per
// level.
constexpr size_t kFindingsMax = 1000;

void append(Findings& to, const Findings& more) {
  const size_t room = kFindingsMax - std::min(kFindingsMax, to.size());
  to.insert(to.end(), more.begin(), more.begin() + static_cast<std::ptrdiff_t>(std::min(room, more.size())));
}

class Checker {
 public:
  // The answer for a pair that is being worked on further up is "compatible": a recursive type adds nothing to itself.
  Findings check(const Schema& reader, const Schema& writer) {
    if (depth_ > kDepthMax) return {finding(IncompatibilityKind::type_mismatch, "the schemas are nested too deeply")};
    // Nodes of primitive types are shared, and their findings would be too, with the path of the first place.
    if (reader.is_primitive() || writer.is_primitive()) return calculate(reader, writer);
    const auto key = std::make_pair(&reader, &writer);
    if (const auto found = memo_.find(key); found != memo_.end()) return found->second;
    if (memo_.size() >= kPairsMax)
      return {finding(IncompatibilityKind::type_mismatch, "the schemas are too large to be compared")};
    memo_[key] = {};
    ++depth_;
    Findings findings = calculate(reader, writer);
    --depth_;
    memo_[key] = findings;
    return findings;
  }

 private:
  Findings at(std::string token, const Schema& reader, const Schema& writer) {
    path_.push_back(std::move(token));
    Findings findings = check(reader, writer);
    path_.pop_back();
    return findings;
  }

  // Branches of a reader's union are looked at on their own: their paths start anew, as in Java.
  Findings from_root(const Schema& reader, const Schema& writer) {
    std::vector<std::string> outer;
    outer.swap(path_);
    Findings findings = check(reader, writer);
    path_.swap(outer);
    return findings;
  }

  // Not inlined, as are others below that do not recur: their texts must not be in the frames of those that do, of
  // which deep schemas need thousands.
  [[nodiscard]] [[gnu::noinline]] Incompatibility finding(IncompatibilityKind kind, std::string message,
                                                          std::string_view last = {}) const {
    std::string path;
    const auto add = [&](std::string_view token) {
      path.push_back('/');
      for (const char c : token) {
        if (c == '~')
          path += "~0";
        else if (c == '/')
          path += "~1";
        else
          path.push_back(c);
      }
    };
    for (const auto& token : path_) add(token);
    if (!last.empty()) add(last);
    return {kind, path.empty() ? "/" : path, std::move(message)};
  }

  Findings calculate(const Schema& reader, const Schema& writer) {
    if (reader.type == writer.type) return calculate_same(reader, writer);
    if (writer.type == Type::union_of) {
      Findings all;
      for (size_t i = 0; i < writer.branches.size(); ++i)
        append(all, at(std::to_string(i), reader, *writer.branches[i]));
      return all;
    }
    if (reader.type == Type::union_of) {
      for (const Schema* branch : reader.branches) {
        if (is_candidate(*branch, writer) && from_root(*branch, writer).empty()) return {};
      }
      return {missing_branch(writer)};
    }
    if (internal::is_promotable(writer.type, reader.type)) return {};
    return type_mismatch(reader, writer);
  }

  [[nodiscard]] [[gnu::noinline]] Findings type_mismatch(const Schema& reader, const Schema& writer) const {
    return {finding(
        IncompatibilityKind::type_mismatch,
        fmt::format("reader type: {} not compatible with writer type: {}", upper(reader.type), upper(writer.type)))};
  }

  [[nodiscard]] [[gnu::noinline]] Incompatibility missing_branch(const Schema& writer,
                                                                 std::string_view last = {}) const {
    return finding(IncompatibilityKind::missing_union_branch, "reader union lacking writer type: " + upper(writer.type),
                   last);
  }

  Findings calculate_same(const Schema& reader, const Schema& writer) {
    switch (reader.type) {
      case Type::array: return at("items", *reader.element, *writer.element);
      case Type::map: return at("values", *reader.element, *writer.element);
      case Type::fixed: return check_fixed(reader, writer);
      case Type::enumeration: return check_symbols(reader, writer);
      case Type::record: return check_fields(reader, writer);
      case Type::union_of: return check_branches(reader, writer);
      default: return {};
    }
  }

  [[nodiscard]] [[gnu::noinline]] Findings check_fixed(const Schema& reader, const Schema& writer) const {
    Findings all = check_names(reader, writer);
    if (reader.size != writer.size) {
      all.push_back(finding(IncompatibilityKind::fixed_size_mismatch,
                            fmt::format("expected: {}, found: {}", writer.size, reader.size), "size"));
    }
    return all;
  }

  Findings check_branches(const Schema& reader, const Schema& writer) {
    Findings all;
    for (size_t i = 0; i < writer.branches.size(); ++i) {
      if (from_root(reader, *writer.branches[i]).empty()) continue;
      all.push_back(missing_branch(*writer.branches[i], std::to_string(i)));
    }
    return all;
  }

  // Whether a branch is worth a look, and a place in memo_: of a large union, few are.
  static bool is_candidate(const Schema& branch, const Schema& writer) {
    if (branch.type != writer.type) return internal::is_promotable(writer.type, branch.type);
    return !branch.is_named() || internal::names_match(writer, branch);
  }

  [[nodiscard]] [[gnu::noinline]] Findings check_names(const Schema& reader, const Schema& writer) const {
    if (internal::names_match(writer, reader)) return {};
    return {finding(IncompatibilityKind::name_mismatch, "expected: " + writer.name.full(), "name")};
  }

  [[nodiscard]] [[gnu::noinline]] Findings check_symbols(const Schema& reader, const Schema& writer) const {
    Findings all = check_names(reader, writer);
    std::set<std::string> missing;
    for (const auto& symbol : writer.symbols) {
      if (reader.symbol_index(symbol) < 0) missing.insert(symbol);
    }
    if (missing.empty() || reader.default_symbol) return all;
    std::string list;
    for (const auto& symbol : missing) list += (list.empty() ? "" : ", ") + symbol;
    all.push_back(finding(IncompatibilityKind::missing_enum_symbols, "[" + list + "]", "symbols"));
    return all;
  }

  Findings check_fields(const Schema& reader, const Schema& writer) {
    Findings all = check_names(reader, writer);
    path_.emplace_back("fields");
    for (size_t i = 0; i < reader.fields.size(); ++i) {
      path_.push_back(std::to_string(i));
      if (const Schema* written = find_written(reader.fields[i], writer, all))
        append(all, at("type", *reader.fields[i].schema, *written));
      path_.pop_back();
      if (all.size() >= kFindingsMax) break;
    }
    path_.pop_back();
    return all;
  }

  // The schema that the field is to be compared with; nullptr when there is none, with what is wrong about that in
  // `all`.
  [[gnu::noinline]] const Schema* find_written(const Field& field, const Schema& writer, Findings& all) const {
    const auto written = written_fields(field, writer);
    if (written.size() == 1) return written[0]->schema;
    if (written.size() > 1) {
      all.push_back(finding(IncompatibilityKind::name_mismatch,
                            fmt::format("reader field {} matches several fields of the writer", field.name)));
    } else if (!field.default_value) {
      // An enum's own default is for unknown symbols; it does not stand in for a field. Java has other words for it.
      if (field.schema->default_symbol) return &writer;
      all.push_back(finding(IncompatibilityKind::reader_field_missing_default_value, field.name));
    }
    return nullptr;
  }

  // By name and by aliases: Java refuses to choose when there are several.
  static std::vector<const Field*> written_fields(const Field& field, const Schema& writer) {
    std::vector<const Field*> found;
    const auto add = [&](std::string_view name) {
      const int index = writer.field_index(name);
      if (index >= 0) found.push_back(&writer.fields[static_cast<size_t>(index)]);
    };
    add(field.name);
    for (const auto& alias : field.aliases) {
      if (alias != field.name) add(alias);
    }
    return found;
  }

  std::map<std::pair<const Schema*, const Schema*>, Findings> memo_;
  std::vector<std::string> path_;
  size_t depth_ = 0;
};

}  // namespace

std::string_view to_string(IncompatibilityKind kind) {
  static constexpr std::array<std::string_view, 6> kNames{"NAME_MISMATCH",        "FIXED_SIZE_MISMATCH",
                                                          "MISSING_ENUM_SYMBOLS", "READER_FIELD_MISSING_DEFAULT_VALUE",
                                                          "TYPE_MISMATCH",        "MISSING_UNION_BRANCH"};
  return kNames[static_cast<size_t>(kind)];
}

std::vector<Incompatibility> check_readable(const Schema& reader, const Schema& writer) {
  return Checker().check(reader, writer);
}

}  // namespace muir::schema::avro

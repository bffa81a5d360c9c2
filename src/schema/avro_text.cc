#include "schema/avro_text.h"

namespace muir::schema::avro {
namespace {

using Known = std::set<std::string>;

void append_member(std::string& out, std::string_view key, std::string_view text) {
  if (out.back() != '{') out.push_back(',');
  append_json_string(out, key);
  out.push_back(':');
  append_json_string(out, text);
}

void append_key(std::string& out, std::string_view key) {
  if (out.back() != '{') out.push_back(',');
  append_json_string(out, key);
  out.push_back(':');
}

void append_properties(std::string& out, const std::vector<JsonMember>& properties) {
  for (const auto& [key, value] : properties) {
    append_key(out, key);
    value.append_to(out);
  }
}

void append_strings(std::string& out, std::string_view key, const std::vector<std::string>& strings) {
  append_key(out, key);
  out.push_back('[');
  for (size_t i = 0; i < strings.size(); ++i) {
    if (i > 0) out.push_back(',');
    append_json_string(out, strings[i]);
  }
  out.push_back(']');
}

// A name as it must be written inside `space`: short only where it cannot be taken for something else.
std::string qualified(const Name& name, const std::string& space) {
  static const std::set<std::string_view> kTypeWords{"null",   "boolean", "int",  "long",  "float", "double", "bytes",
                                                     "string", "record",  "enum", "array", "map",   "union",  "fixed"};
  const bool short_enough = !name.space.empty() && name.space == space && !kTypeWords.contains(name.simple);
  return short_enough ? name.simple : name.full();
}

// The registry's text: see to_text.
class TextWriter {
 public:
  TextWriter(std::string& out, Known known) : out_(out), known_(std::move(known)) {}

  void write(const Schema& schema, const std::string& space) {
    if (schema.is_named()) {
      write_named(schema, space);
      return;
    }
    if (schema.type == Type::union_of) {
      out_.push_back('[');
      for (size_t i = 0; i < schema.branches.size(); ++i) {
        if (i > 0) out_.push_back(',');
        write(*schema.branches[i], space);
      }
      out_.push_back(']');
      return;
    }
    if (schema.is_primitive() && schema.properties.empty()) {
      append_json_string(out_, to_string(schema.type));
      return;
    }
    out_.push_back('{');
    append_member(out_, "type", to_string(schema.type));
    if (schema.element != nullptr) {
      append_key(out_, schema.type == Type::array ? "items" : "values");
      write(*schema.element, space);
    }
    append_properties(out_, schema.properties);
    out_.push_back('}');
  }

 private:
  void write_named(const Schema& schema, const std::string& space) {
    if (!known_.insert(schema.name.full()).second) {
      append_json_string(out_, qualified(schema.name, space));
      return;
    }
    out_.push_back('{');
    append_member(out_, "type", schema.is_error ? "error" : to_string(schema.type));
    append_member(out_, "name", schema.name.simple);
    if (schema.name.space != space) append_member(out_, "namespace", schema.name.space);
    if (schema.doc) append_member(out_, "doc", *schema.doc);
    if (schema.type == Type::record) write_fields(schema);
    if (schema.type == Type::enumeration) {
      append_strings(out_, "symbols", schema.symbols);
      if (schema.default_symbol) append_member(out_, "default", *schema.default_symbol);
    }
    if (schema.type == Type::fixed) {
      append_key(out_, "size");
      out_ += std::to_string(schema.size);
    }
    append_properties(out_, schema.properties);
    if (!schema.aliases.empty()) {
      std::vector<std::string> aliases;
      for (const auto& alias : schema.aliases) aliases.push_back(qualified(alias, schema.name.space));
      append_strings(out_, "aliases", aliases);
    }
    out_.push_back('}');
  }

  void write_fields(const Schema& schema) {
    append_key(out_, "fields");
    out_.push_back('[');
    for (size_t i = 0; i < schema.fields.size(); ++i) {
      const Field& field = schema.fields[i];
      out_ += i > 0 ? ",{" : "{";
      append_member(out_, "name", field.name);
      append_key(out_, "type");
      write(*field.schema, schema.name.space);
      if (field.doc) append_member(out_, "doc", *field.doc);
      if (field.default_value) {
        append_key(out_, "default");
        field.default_value->append_to(out_);
      }
      if (field.order != FieldOrder::ascending)
        append_member(out_, "order", field.order == FieldOrder::descending ? "descending" : "ignore");
      if (!field.aliases.empty()) append_strings(out_, "aliases", field.aliases);
      append_properties(out_, field.properties);
      out_.push_back('}');
    }
    out_.push_back(']');
  }

  std::string& out_;
  Known known_;  // defined already
};

void write_canonical(const Schema& schema, std::string& out, Known& defined) {
  const auto each = [&](const auto& items, auto&& write_item) {
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out.push_back(',');
      write_item(items[i]);
    }
  };
  if (schema.is_primitive()) {
    append_json_string(out, to_string(schema.type));
    return;
  }
  if (schema.type == Type::union_of) {
    out.push_back('[');
    each(schema.branches, [&](const Schema* branch) { write_canonical(*branch, out, defined); });
    out.push_back(']');
    return;
  }
  if (schema.is_named() && !defined.insert(schema.name.full()).second) {
    append_json_string(out, schema.name.full());
    return;
  }
  // STRIP and ORDER of the specification: name, type, fields, symbols, items, values, size.
  out.push_back('{');
  if (schema.is_named()) append_member(out, "name", schema.name.full());
  append_member(out, "type", to_string(schema.type));
  if (schema.type == Type::record) {
    append_key(out, "fields");
    out.push_back('[');
    each(schema.fields, [&](const Field& field) {
      out.push_back('{');
      append_member(out, "name", field.name);
      append_key(out, "type");
      write_canonical(*field.schema, out, defined);
      out.push_back('}');
    });
    out.push_back(']');
  } else if (schema.type == Type::enumeration) {
    append_strings(out, "symbols", schema.symbols);
  } else if (schema.type == Type::fixed) {
    append_key(out, "size");
    out += std::to_string(schema.size);
  } else {
    append_key(out, schema.type == Type::array ? "items" : "values");
    write_canonical(*schema.element, out, defined);
  }
  out.push_back('}');
}

}  // namespace

std::string to_text(const Schema& schema, const std::set<std::string>& known) {
  std::string out;
  TextWriter(out, known).write(schema, "");
  return out;
}

void add_names(const Schema& schema, std::set<std::string>& names) {
  if (schema.is_named() && !names.insert(schema.name.full()).second) return;
  for (const auto& field : schema.fields) add_names(*field.schema, names);
  for (const auto* branch : schema.branches) add_names(*branch, names);
  if (schema.element != nullptr) add_names(*schema.element, names);
}

std::string canonical_form(const Schema& schema) {
  std::string out;
  Known defined;
  write_canonical(schema, out, defined);
  return out;
}

}  // namespace muir::schema::avro

#include "schema/avro_default.h"

#include <bit>
#include <cmath>
#include <limits>

#include "schema/internal/avro_wire.h"

namespace muir::schema::avro {
namespace {

constexpr int kDepthMax = 1000;  // as deep as a schema's text goes
// Trying the branches of nested unions takes exponential time on hostile schemas; real defaults need a few steps.
constexpr int kStepsMax = 100'000;

enum class Purpose : unsigned char { check, encode };

// One walk for both purposes: checking is encoding without keeping the bytes. What passes the check is what passes it
// in the Java library, where bytes, fixed types and enums take any text, and floating point numbers none inside of
// others.
class DefaultEncoder {
 public:
  DefaultEncoder(Bytes& out, Purpose purpose) : out_(out), purpose_(purpose) {}

  Status encode(const Schema& schema, const Json& value, int depth = 0) {
    if (depth > kDepthMax || ++steps_ > kStepsMax)
      return error(Code::invalid_argument, "the value is nested too deeply");
    switch (schema.type) {
      case Type::null: return value.is_null() ? Status() : mismatch(schema, value);
      case Type::boolean: {
        const bool* flag = value.as_bool();
        if (flag == nullptr) return mismatch(schema, value);
        out_.push_back(*flag ? '\1' : '\0');
        return {};
      }
      case Type::int32: {
        const auto number = value.as_int64();
        if (!number || *number < INT32_MIN || *number > INT32_MAX) return mismatch(schema, value);
        write_long(out_, *number);
        return {};
      }
      case Type::int64: {
        const auto number = value.as_int64();
        if (!number) return mismatch(schema, value);
        write_long(out_, *number);
        return {};
      }
      case Type::float32:
      case Type::float64: return encode_floating(schema, value, depth);
      case Type::string: {
        const auto* text = value.as_string();
        if (text == nullptr) return mismatch(schema, value);
        write_bytes(out_, *text);
        return {};
      }
      case Type::bytes:
      case Type::fixed: return encode_bytes(schema, value);
      case Type::enumeration: {
        const auto* symbol = value.as_string();
        if (symbol != nullptr && purpose_ == Purpose::check) return {};
        const int index = symbol == nullptr ? -1 : schema.symbol_index(*symbol);
        if (index < 0) return mismatch(schema, value);
        write_long(out_, index);
        return {};
      }
      case Type::record: return encode_record(schema, value, depth);
      case Type::array: return encode_array(schema, value, depth);
      case Type::map: return encode_map(schema, value, depth);
      case Type::union_of: return encode_union(schema, value, depth);
    }
    return mismatch(schema, value);
  }

 private:
  static Status mismatch(const Schema& schema, const Json& value) {
    return error(Code::invalid_argument, "{} is not a value of {}", value.excerpt(), schema.branch_name());
  }

  Status encode_floating(const Schema& schema, const Json& value, int depth) {
    auto number = value.as_double();
    if (const auto* text = value.as_string();
        text != nullptr && (purpose_ == Purpose::encode || depth == 0)) {  // as Java writes what JSON has no number for
      if (*text == "NaN") number = std::numeric_limits<double>::quiet_NaN();
      if (*text == "Infinity") number = std::numeric_limits<double>::infinity();
      if (*text == "-Infinity") number = -std::numeric_limits<double>::infinity();
    }
    if (!number) return mismatch(schema, value);
    if (schema.type == Type::float32) {
      write_float(out_, static_cast<float>(*number));
    } else {
      write_double(out_, *number);
    }
    return {};
  }

  Status encode_bytes(const Schema& schema, const Json& value) {
    const auto* text = value.as_string();
    if (text == nullptr) return mismatch(schema, value);
    if (purpose_ == Purpose::check) return {};
    const Bytes bytes = MUIR_TRY(bytes_from_text(*text));
    if (schema.type == Type::bytes) {
      write_bytes(out_, bytes);
      return {};
    }
    if (static_cast<int64_t>(bytes.size()) != schema.size) {
      return error(Code::invalid_argument, "{} bytes for fixed {} of {}", bytes.size(), schema.name.full(),
                   schema.size);
    }
    out_ += bytes;
    return {};
  }

  Status encode_record(const Schema& schema, const Json& value, int depth) {
    if (value.as_object() == nullptr) return mismatch(schema, value);
    for (const auto& field : schema.fields) {
      const Json* member = value.find(field.name);
      if (member == nullptr && field.default_value) {
        if (purpose_ == Purpose::check) continue;  // it is checked where it stands
        member = &*field.default_value;
      }
      if (member == nullptr)
        return error(Code::invalid_argument, "no value for field {} of {}", field.name, schema.name.full());
      MUIR_RETURN_IF_ERROR(encode(*field.schema, *member, depth + 1));
    }
    return {};
  }

  Status encode_array(const Schema& schema, const Json& value, int depth) {
    const auto* items = value.as_array();
    if (items == nullptr) return mismatch(schema, value);
    if (!items->empty()) write_long(out_, static_cast<int64_t>(items->size()));
    for (const auto& item : *items) MUIR_RETURN_IF_ERROR(encode(*schema.element, item, depth + 1));
    write_long(out_, 0);
    return {};
  }

  Status encode_map(const Schema& schema, const Json& value, int depth) {
    const auto* members = value.as_object();
    if (members == nullptr) return mismatch(schema, value);
    if (!members->empty()) write_long(out_, static_cast<int64_t>(members->size()));
    for (const auto& [key, member] : *members) {
      write_bytes(out_, key);
      MUIR_RETURN_IF_ERROR(encode(*schema.element, member, depth + 1));
    }
    write_long(out_, 0);
    return {};
  }

  Status encode_union(const Schema& schema, const Json& value, int depth) {
    for (size_t branch = 0; branch < schema.branches.size(); ++branch) {
      const size_t start = out_.size();
      write_long(out_, static_cast<int64_t>(branch));
      if (encode(*schema.branches[branch], value, depth + 1).ok()) return {};
      out_.resize(start);
    }
    return mismatch(schema, value);
  }

  Bytes& out_;
  const Purpose purpose_;
  int steps_ = 0;
};

}  // namespace

Status check_default(const Schema& schema, const Json& value) {
  Bytes scratch;
  return DefaultEncoder(scratch, Purpose::check).encode(schema, value);
}

Status encode_default(const Schema& schema, const Json& value, Bytes& out) {
  return DefaultEncoder(out, Purpose::encode).encode(schema, value);
}

Result<Bytes> bytes_from_text(std::string_view text) {
  Bytes out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      out.push_back(text[i]);
    } else if ((byte == 0xC2 || byte == 0xC3) && i + 1 < text.size()) {  // U+0080 to U+00FF in UTF-8
      const auto next = static_cast<unsigned char>(text[++i]);
      out.push_back(static_cast<char>(((byte & 0x03) << 6) | (next & 0x3F)));
    } else {
      return error(Code::invalid_argument, "a string that stands for bytes has a character above U+00FF");
    }
  }
  return out;
}

std::string text_from_bytes(BytesView bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out.push_back(c);
    } else {
      out.push_back(static_cast<char>(0xC0 | (byte >> 6)));
      out.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
    }
  }
  return out;
}

}  // namespace muir::schema::avro

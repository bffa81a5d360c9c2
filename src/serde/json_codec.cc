#include "serde/json_codec.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "schema/avro_default.h"
#include "serde/serde.h"

namespace muir {
namespace {

using schema::Json;
using schema::Layout;
using schema::LayoutKind;

template <class T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}
template <class T>
void store(char* at, T value) {
  std::memcpy(at, &value, sizeof(T));
}

void append_integer(std::string& out, int64_t value) {
  char buffer[20];
  const auto [end, ec] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out.append(buffer, end);
}

void append_float(std::string& out, float value) {
  if (!std::isfinite(value)) return schema::append_json_double(out, static_cast<double>(value));
  const size_t start = out.size();
  fmt::format_to(std::back_inserter(out), "{}", value);
  if (out.find_first_of(".e", start) == std::string::npos) out += ".0";
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  Status write(const Layout& layout, const char* at) {
    switch (layout.kind) {
      case LayoutKind::boolean: out_ += load<bool>(at) ? "true" : "false"; return {};
      case LayoutKind::int32: append_integer(out_, load<int32_t>(at)); return {};
      case LayoutKind::int64: append_integer(out_, load<int64_t>(at)); return {};
      case LayoutKind::float32: append_float(out_, load<float>(at)); return {};
      case LayoutKind::float64: schema::append_json_double(out_, load<double>(at)); return {};
      case LayoutKind::string: schema::append_json_string(out_, *reinterpret_cast<const std::string*>(at)); return {};
      case LayoutKind::bytes:
        schema::append_json_string(out_, schema::avro::text_from_bytes(*reinterpret_cast<const std::string*>(at)));
        return {};
      case LayoutKind::enumeration: return write_enum(layout, at);
      case LayoutKind::record: return write_record(layout, at);
      case LayoutKind::optional:
        if (layout.optional->has(at)) return write(*layout.element, static_cast<const char*>(layout.optional->get(at)));
        out_ += "null";
        return {};
      case LayoutKind::array: return write_array(layout, at);
      case LayoutKind::map: return write_map(layout, at);
    }
    return {};
  }

 private:
  Status write_enum(const Layout& layout, const char* at) {
    const auto found = std::find(layout.values.begin(), layout.values.end(), layout.enumeration->get(at));
    if (found == layout.values.end())
      return error(Code::invalid_argument, "write JSON: the enum {} has a value without a symbol", layout.name);
    schema::append_json_string(out_, layout.symbols[static_cast<size_t>(found - layout.values.begin())]);
    return {};
  }

  Status write_record(const Layout& layout, const char* at) {
    char separator = '{';
    for (const auto& field : layout.fields) {
      out_.push_back(separator);
      separator = ',';
      schema::append_json_string(out_, field.name);
      out_.push_back(':');
      MUIR_RETURN_IF_ERROR(write(*field.layout, at + field.offset));
    }
    out_ += layout.fields.empty() ? "{}" : "}";
    return {};
  }

  Status write_array(const Layout& layout, const char* at) {
    out_.push_back('[');
    const size_t size = layout.array->size(at);
    for (size_t i = 0; i < size; ++i) {
      if (i > 0) out_.push_back(',');
      MUIR_RETURN_IF_ERROR(write(*layout.element, static_cast<const char*>(layout.array->at(at, i))));
    }
    out_.push_back(']');
    return {};
  }

  Status write_map(const Layout& layout, const char* at) {
    struct Context {
      Writer* writer;
      const Layout* element;
      bool first = true;
      Status status{};
    } context{this, layout.element};
    out_.push_back('{');
    layout.map->for_each(at, &context, [](void* opaque, std::string_view key, const void* value) {
      auto& c = *static_cast<Context*>(opaque);
      if (!c.first) c.writer->out_.push_back(',');
      c.first = false;
      schema::append_json_string(c.writer->out_, key);
      c.writer->out_.push_back(':');
      c.status = c.writer->write(*c.element, static_cast<const char*>(value));
      return c.status.ok();
    });
    out_.push_back('}');
    return context.status;
  }

  std::string& out_;
};

class Reader {
 public:
  Status read(const Layout& layout, const Json& json, char* at) {
    switch (layout.kind) {
      case LayoutKind::boolean:
        if (const bool* flag = json.as_bool()) return store(at, *flag), Status();
        return mismatch("a boolean", json);
      case LayoutKind::int32: {
        const auto number = integer(json);
        if (!number || *number < INT32_MIN || *number > INT32_MAX) return mismatch("a 32-bit integer", json);
        return store(at, static_cast<int32_t>(*number)), Status();
      }
      case LayoutKind::int64: {
        const auto number = integer(json);
        if (!number) return mismatch("a 64-bit integer", json);
        return store(at, *number), Status();
      }
      case LayoutKind::float32: {
        const auto number = floating(json);
        if (!number) return mismatch("a number", json);
        return store(at, static_cast<float>(*number)), Status();
      }
      case LayoutKind::float64: {
        const auto number = floating(json);
        if (!number) return mismatch("a number", json);
        return store(at, *number), Status();
      }
      case LayoutKind::string:
        if (const auto* text = json.as_string()) return reinterpret_cast<std::string*>(at)->assign(*text), Status();
        return mismatch("a string", json);
      case LayoutKind::bytes: return read_bytes(json, at);
      case LayoutKind::enumeration: return read_enum(layout, json, at);
      case LayoutKind::record: return read_record(layout, json, at);
      case LayoutKind::optional:
        if (!json.is_null()) return read(*layout.element, json, static_cast<char*>(layout.optional->emplace(at)));
        return layout.optional->reset(at), Status();
      case LayoutKind::array: return read_array(layout, json, at);
      case LayoutKind::map: return read_map(layout, json, at);
    }
    return {};
  }

 private:
  Status mismatch(std::string_view expected, const Json& json) const {
    std::string text = json.to_string();
    if (text.size() > 60) text = text.substr(0, 60) + "...";
    return error(Code::invalid_argument, "read JSON at {}: {} is expected, not {}", path_.empty() ? "/" : path_,
                 expected, text);
  }

  // Integers may be written with a fraction of zero, as JavaScript may.
  static std::optional<int64_t> integer(const Json& json) {
    if (const auto exact = json.as_int64()) return exact;
    const auto number = json.as_double();
    if (!number || std::trunc(*number) != *number || std::fabs(*number) > 9e15) return std::nullopt;
    return static_cast<int64_t>(*number);
  }
  static std::optional<double> floating(const Json& json) {
    if (const auto* text = json.as_string()) {
      if (*text == "NaN") return std::numeric_limits<double>::quiet_NaN();
      if (*text == "Infinity") return std::numeric_limits<double>::infinity();
      if (*text == "-Infinity") return -std::numeric_limits<double>::infinity();
    }
    return json.as_double();
  }

  Status read_bytes(const Json& json, char* at) {
    const auto* text = json.as_string();
    if (text == nullptr) return mismatch("a string", json);
    auto bytes = schema::avro::bytes_from_text(*text);
    if (!bytes.ok()) return mismatch("a string of bytes", json);
    *reinterpret_cast<std::string*>(at) = std::move(*bytes);
    return {};
  }

  Status read_enum(const Layout& layout, const Json& json, char* at) {
    const auto* text = json.as_string();
    if (text == nullptr) return mismatch("a symbol", json);
    auto found = std::find(layout.symbols.begin(), layout.symbols.end(), *text);
    if (found == layout.symbols.end() && !layout.default_symbol.empty())
      found = std::find(layout.symbols.begin(), layout.symbols.end(), layout.default_symbol);
    if (found == layout.symbols.end()) return mismatch("a symbol of " + layout.name, json);
    layout.enumeration->set(at, layout.values[static_cast<size_t>(found - layout.symbols.begin())]);
    return {};
  }

  Status read_record(const Layout& layout, const Json& json, char* at) {
    const auto* members = json.as_object();
    if (members == nullptr) return mismatch("an object", json);
    size_t hint = 0;  // members usually come in our order
    for (const auto& field : layout.fields) {
      const Json* member = nullptr;
      if (hint < members->size() && (*members)[hint].key == field.name) {
        member = &(*members)[hint++].value;
      } else {
        member = json.find(field.name);
      }
      const size_t path_size = path_.size();
      path_ += "/" + field.name;
      MUIR_RETURN_IF_ERROR(member != nullptr ? read(*field.layout, *member, at + field.offset)
                                             : read_absent(field, at + field.offset));
      path_.resize(path_size);
    }
    return {};
  }

  Status read_absent(const schema::FieldLayout& field, char* at) {
    if (!field.default_json.empty()) {
      const Json value = MUIR_TRY(Json::parse(field.default_json));
      return read(*field.layout, value, at);
    }
    if (field.layout->kind == LayoutKind::optional) return field.layout->optional->reset(at), Status();
    return error(Code::invalid_argument, "read JSON at {}: the member is missing", path_);
  }

  Status read_array(const Layout& layout, const Json& json, char* at) {
    const auto* items = json.as_array();
    if (items == nullptr) return mismatch("an array", json);
    layout.array->clear(at);
    const size_t path_size = path_.size();
    for (size_t i = 0; i < items->size(); ++i) {
      path_ += fmt::format("/{}", i);
      MUIR_RETURN_IF_ERROR(read(*layout.element, (*items)[i], static_cast<char*>(layout.array->append(at))));
      path_.resize(path_size);
    }
    return {};
  }

  Status read_map(const Layout& layout, const Json& json, char* at) {
    const auto* members = json.as_object();
    if (members == nullptr) return mismatch("an object", json);
    layout.map->clear(at);
    const size_t path_size = path_.size();
    for (const auto& [key, value] : *members) {
      path_ += "/" + key;
      MUIR_RETURN_IF_ERROR(read(*layout.element, value, static_cast<char*>(layout.map->insert(at, key))));
      path_.resize(path_size);
    }
    return {};
  }

  std::string path_;
};

class JsonSerde final : public ErasedSerde {
 public:
  explicit JsonSerde(const Layout& layout) : layout_(layout) {}
  Status serialize(std::string_view topic, const void* value, Bytes& out) const override {
    const size_t start = out.size();
    Status status = write_json(layout_, value, out);
    if (status.ok()) return status;
    out.resize(start);
    return status.annotate(fmt::format("serialize topic={}", topic));
  }
  Status deserialize(std::string_view topic, BytesView bytes, void* out) const override {
    Status status = read_json(layout_, bytes, out);
    return status.ok() ? status : status.annotate(fmt::format("deserialize topic={}", topic));
  }

 private:
  const Layout& layout_;
};

}  // namespace

Status write_json(const Layout& layout, const void* object, std::string& out) {
  return Writer(out).write(layout, static_cast<const char*>(object));
}

Status read_json(const Layout& layout, const Json& json, void* object) {
  return Reader().read(layout, json, static_cast<char*>(object));
}

Status read_json(const Layout& layout, std::string_view text, void* object) {
  const Json json = MUIR_TRY(Json::parse(text));
  return read_json(layout, json, object);
}

std::shared_ptr<ErasedSerde> make_json_serde(const Layout& layout) { return std::make_shared<JsonSerde>(layout); }

}  // namespace muir

#include "schema/avro_rows.h"

#include "schema/avro_model.h"
#include "schema/avro_parse.h"
#include "schema/avro_text.h"
#include "schema/decimal.h"
#include "schema/internal/avro_encode_program.h"
#include "schema/internal/avro_places.h"
#include "schema/internal/avro_run.h"
#include "schema/internal/row_memory.h"

namespace muir::schema::avro {
namespace {

using internal::Convert;
using internal::EncodeNode;
using internal::Node;
using schema::internal::add_fixed;

const RowSlot& slot_of(const auto& node) { return *static_cast<const RowSlot*>(node.place); }

// The buffer grows while it is filled: places are offsets.
struct RowTarget {
  struct At {
    Bytes* data;
    size_t at;
  };
  static bool ok(At at) { return at.data != nullptr; }
  static At nowhere() { return {nullptr, 0}; }
  // 0 is no place behind the fixed part: see row_memory.h.
  static At behind(At at, size_t found) { return found == 0 ? nowhere() : At{at.data, found}; }

  static std::string refusal(const Node& node) {
    switch (node.convert) {
      case Convert::int8: return "a number outside of int8";
      case Convert::int16: return "a number outside of int16";
      case Convert::uuid: return "a uuid that is none";
      case Convert::decimal: return "a decimal without bytes";
      case Convert::none: break;
    }
    return fmt::format("a row of more than {} bytes", RowLayout::kRowBytesMax);
  }

  static void put_null(At) {}
  template <class T>
  static bool put(At at, const Node& node, T value) {
    if constexpr (std::is_same_v<T, int32_t>) {
      if (node.convert == Convert::int8) return put_narrow<int8_t>(at, value);
      if (node.convert == Convert::int16) return put_narrow<int16_t>(at, value);
    }
    schema::internal::store_raw(*at.data, at.at, value);
    return true;
  }
  template <class T>
  static bool put_narrow(At at, int32_t value) {
    if (value != static_cast<T>(value)) return false;
    schema::internal::store_raw(*at.data, at.at, static_cast<T>(value));
    return true;
  }
  static bool put_text(At at, const Node& node, BytesView text) {
    if (node.convert != Convert::uuid) return schema::internal::put_varying(*at.data, at.at, text);
    const auto uuid = Uuid::parse(text);
    if (!uuid) return false;
    schema::internal::store_raw(*at.data, at.at, *uuid);
    return true;
  }
  static bool put_blob(At at, const Node& node, BytesView bytes) {
    if (node.convert == Convert::uuid) {
      if (bytes.size() != sizeof(Uuid)) return false;
      std::memcpy(at.data->data() + at.at, bytes.data(), sizeof(Uuid));
      return true;
    }
    if (node.convert == Convert::decimal) {
      if (bytes.empty()) return false;
      bytes = shortest_decimal(bytes);
    }
    return schema::internal::put_varying(*at.data, at.at, bytes);
  }
  static void put_symbol(At at, const Node&, int64_t value) {
    schema::internal::store_raw(*at.data, at.at, static_cast<int32_t>(value));
  }
  static At begin_record(At at, const Node& node) {
    const RowSlot& slot = slot_of(node);
    return slot.boxed ? behind(at, schema::internal::open_box(*at.data, at.at, *slot.shape)) : at;
  }
  static At slot(At at, uint32_t slot) { return {at.data, at.at + slot}; }
  static void begin_array(At, const Node&) {}
  static At append(At at, const Node& node, int64_t expected) {
    return behind(at, schema::internal::add_item(*at.data, at.at, *slot_of(node).shape, static_cast<size_t>(expected)));
  }
  static void begin_map(At, const Node&) {}
  static At insert(At at, const Node& node, BytesView key, int64_t expected) {
    const At entry = append(at, node, expected);
    const auto& columns = slot_of(node).shape->slots[0].shape->slots;
    if (!ok(entry) || !schema::internal::put_varying(*at.data, entry.at + columns[0].offset, key)) return nowhere();
    return slot(entry, columns[1].offset);
  }
  static At enter_branch(At at, const Node& node) {
    if (node.to == Type::null) return at;  // rows begin with nothing there
    const RowSlot& slot = slot_of(node);
    set_presence(slot, (*at.data)[at.at], true);
    if (slot.shape->storage != Storage::choice) return at;
    return behind(at, schema::internal::open_branch(*at.data, at.at, *slot.shape, node.branch));
  }
};

struct RowSource {
  static constexpr bool kIsRow = true;
  struct At {
    const char* base;
    size_t at;
  };
  static std::string refusal(const EncodeNode& node) {
    return fmt::format("{} has a value without a symbol", slot_of(node).shape->schema->to_string());
  }
  static CellView cell(At at, const EncodeNode& node) { return {slot_of(node), at.base, at.at}; }

  template <class T>
  static T load(At at) {
    return load_raw<T>(at.base + at.at);
  }
  static BytesView bytes(At at) {
    const auto span = load<RowSpan>(at);
    return {at.base + span.offset, span.count};
  }
  static BytesView decimal(At at) {
    const BytesView unscaled = bytes(at);
    return unscaled.empty() ? BytesView("\0", 1) : unscaled;
  }
  static void write_uuid(At at, bool fixed, Bytes& out) {
    const auto uuid = load<Uuid>(at);
    if (fixed) {
      out.append(reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size());
    } else {
      char text[Uuid::kTextBytes];
      uuid.write(text);
      write_bytes(out, {text, sizeof(text)});
    }
  }
  static int64_t symbol(At at, const EncodeNode& node) {
    const auto index = load<int32_t>(at);
    return index >= 0 && static_cast<uint32_t>(index) < node.count ? index : -1;
  }
  static At enter_record(At at, const EncodeNode& node) {
    const RowSlot& slot = slot_of(node);
    if (!slot.boxed) return at;
    const auto box = load<uint32_t>(at);
    return box == 0 ? At{slot.shape->layout->zeros().data(), 0} : At{at.base, box};
  }
  static At slot(At at, uint32_t slot) { return {at.base, at.at + slot}; }
  static size_t size(At at, const EncodeNode&) { return load<RowSpan>(at).count; }
  static At item(At at, const EncodeNode& node, size_t index) {
    const RowShape& shape = *slot_of(node).shape;
    return {at.base, load<RowSpan>(at).offset + index * shape.stride + shape.slots[0].offset};
  }
  static size_t entries(At at, const EncodeNode& node) { return size(at, node); }
  template <class Visit>
  static void for_each(At at, const EncodeNode& node, Visit&& visit) {
    const auto& columns = slot_of(node).shape->slots[0].shape->slots;
    for (size_t i = 0, count = size(at, node); i < count; ++i) {
      const At entry = item(at, node, i);
      if (!visit(bytes(slot(entry, columns[0].offset)), slot(entry, columns[1].offset))) return;
    }
  }
  static bool has(At at, const EncodeNode& node) {
    const RowSlot& slot = slot_of(node);
    return (at.base[at.at - slot.presence] & static_cast<char>(slot.mask)) != 0;
  }
  static At held(At at, const EncodeNode&) { return at; }
  static int32_t branch(At at) { return load<int32_t>(at); }
  static At branch_value(At at, const EncodeNode& node) {
    const auto span = load<RowSpan>(at);  // branch, offset
    return span.count == 0 ? At{slot_of(node).shape->layout->zeros().data(), 0} : At{at.base, span.count};
  }
};

class AvroFormat final : public Format {
 public:
  [[nodiscard]] std::string_view name() const override { return "AVRO"; }
  [[nodiscard]] Result<schema::SchemaPtr> read_schema(std::string_view text) const override {
    return to_model(*MUIR_TRY(parse(text, {.strict = false})));
  }
  [[nodiscard]] Result<std::string> write_schema(const schema::Schema& schema) const override {
    return to_text(*MUIR_TRY(from_model(schema, {.strict = false})));
  }
  [[nodiscard]] Result<std::unique_ptr<const RowDecoder>> decoder(std::string_view writer,
                                                                  RowLayoutPtr layout) const override {
    const SchemaPtr schema = MUIR_TRY(parse(writer, {.strict = false}));
    return std::unique_ptr<const RowDecoder>(
        std::make_unique<AvroRowDecoder>(MUIR_TRY(AvroRowDecoder::compile(schema, std::move(layout)))));
  }
  [[nodiscard]] Result<std::unique_ptr<const RowEncoder>> encoder(RowLayoutPtr layout) const override {
    return std::unique_ptr<const RowEncoder>(
        std::make_unique<AvroRowEncoder>(MUIR_TRY(AvroRowEncoder::compile(std::move(layout)))));
  }
};

}  // namespace

Result<AvroRowDecoder> AvroRowDecoder::compile(const SchemaPtr& writer, RowLayoutPtr layout) {
  const SchemaPtr reader = MUIR_TRY(from_model(*layout->schema(), {.strict = false}));
  auto program = MUIR_TRY(internal::compile(writer, reader, internal::RowPlaces(*layout)));
  return AvroRowDecoder(std::move(layout), std::move(program));
}

Status AvroRowDecoder::decode_prefix(BytesView& bytes, Row& out) const {
  out.reset(layout_);
  return internal::decode_prefix_into<RowTarget>(*program_, bytes, {&RowAccess::data(out), 0});
}
Status AvroRowDecoder::decode(BytesView bytes, Row& out) const {
  MUIR_RETURN_IF_ERROR(decode_prefix(bytes, out));
  return internal::nothing_left(bytes);
}

Result<AvroRowEncoder> AvroRowEncoder::compile(RowLayoutPtr layout) {
  SchemaPtr schema = MUIR_TRY(from_model(*layout->schema(), {.strict = false}));
  auto program = internal::compile_encoder(*schema, internal::RowPlaces(*layout));
  return AvroRowEncoder(std::move(layout), std::move(schema), std::move(program));
}

Status AvroRowEncoder::encode(const Row& row, Bytes& out) const {
  // A layout of the same schema lays rows out the same way.
  const bool fits = !row.empty() && row.layout()->root().shape == &row.view().shape() &&
                    (row.layout() == layout_ || *row.layout()->schema() == *layout_->schema());
  if (!fits)
    return error(Code::invalid_argument, "encode Avro: the row is of another schema than {}",
                 layout_->schema()->to_string());
  const size_t start = out.size();
  internal::EncodeRun<RowSource> run(*program_, out);
  if (run.write({RowAccess::data(row).data(), 0})) return {};
  out.resize(start);
  return error(Code::invalid_argument, "encode Avro {}: {}", layout_->schema()->name(), run.why());
}

const Format& format() {
  static const AvroFormat avro;
  return avro;
}

int fuzz_avro_row(BytesView input) {
  const size_t split = input.find('\0');
  if (split == BytesView::npos) return 0;
  const auto writer = parse(input.substr(0, split), {.strict = false});
  if (!writer.ok()) return 0;
  const auto model = to_model(**writer);
  const auto layout = model.ok() ? RowLayout::make(*model) : model.status();
  if (!layout.ok()) return 0;
  const auto decoder = AvroRowDecoder::compile(*writer, *layout);
  if (!decoder.ok()) return 0;
  Row row;
  if (!decoder->decode(input.substr(split + 1), row).ok()) return 0;
  const auto encoder = AvroRowEncoder::compile(*layout);
  Bytes bytes;
  CHECK(encoder.ok() && encoder->encode(row, bytes).ok(), "a row that was read cannot be written");
  Row again;
  CHECK(decoder->decode(bytes, again).ok() && again == row && again.hash() == row.hash(),
        "a row does not survive Avro: {}", to_string(row.view()));
  return 1;
}

}  // namespace muir::schema::avro

#include "base/cursor.h"
#include "schema/avro_decode.h"
#include "schema/avro_encode.h"
#include "schema/avro_parse.h"
#include "schema/avro_text.h"
#include "serde/avro_wire_format.h"
#include "serde/internal/registered_serde.h"
#include "serde/serde.h"

namespace muir {

void append_wire_prefix(int schema_id, Bytes& out) {
  out.push_back(kWireMagic);
  ByteWriter(out).i32(schema_id);
}

Result<WireDatum> split_wire_prefix(BytesView bytes) {
  if (bytes.size() < kWirePrefixBytes)
    return error(Code::invalid_argument, "{} bytes are too few for a magic byte and a schema id", bytes.size());
  if (bytes[0] != kWireMagic)
    return error(Code::invalid_argument, "magic byte {:#04x} instead of 0x00", static_cast<unsigned char>(bytes[0]));
  ByteReader in(bytes.substr(1));
  const int schema_id = in.i32();
  return WireDatum{schema_id, in.rest()};
}

namespace {

// Objects of a described type.
class StructCodec {
 public:
  using Decoder = schema::avro::StructDecoder;

  StructCodec(const schema::Layout& layout, bool same_name)
      : layout_(&layout),
        same_name_(same_name),
        text_(schema::avro::to_text(*schema::avro::schema_of(layout))),
        encoder_(layout) {}

  [[nodiscard]] const std::string& name() const { return layout_->name; }
  [[nodiscard]] const std::string& schema_text() const { return text_; }
  [[nodiscard]] std::string hint() const {
    return fmt::format(", or name a serde that needs none in the operator's options, such as json<{}>()", name());
  }
  Status encode(const void* value, Bytes& out) const { return encoder_.encode(value, out); }
  [[nodiscard]] Result<Decoder> decoder_of(std::string_view writer) const {
    const auto schema = MUIR_TRY(schema::avro::parse(writer, {.strict = false}));
    if (same_name_ && unqualified(schema->branch_name()) != unqualified(name()))
      return error(Code::invalid_argument, "it is of '{}', not of '{}'", schema->branch_name(), name());
    return Decoder::compile(schema, *layout_);
  }
  static Status decode(const Decoder& decoder, BytesView bytes, void* out) { return decoder.decode(bytes, out); }

 private:
  static std::string_view unqualified(std::string_view name) { return name.substr(name.rfind('.') + 1); }

  const schema::Layout* layout_;  // lives as long as the program
  bool same_name_;
  std::string text_;
  schema::avro::StructEncoder encoder_;
};

}  // namespace

std::shared_ptr<ErasedSerde> make_avro_serde(const schema::Layout& layout, AvroOptions options) {
  return std::make_shared<internal::RegisteredSerde<StructCodec>>(StructCodec(layout, options.same_name),
                                                                  std::move(options));
}

}  // namespace muir

#include "serde/row_serde.h"

#include "serde/internal/registered_serde.h"

namespace muir {
namespace {

class RowCodec {
 public:
  using Decoder = std::unique_ptr<const schema::RowDecoder>;

  RowCodec(const schema::Format& format, schema::RowLayoutPtr layout, std::string text,
           std::unique_ptr<const schema::RowEncoder> encoder)
      : format_(&format), layout_(std::move(layout)), text_(std::move(text)), encoder_(std::move(encoder)) {}

  [[nodiscard]] std::string_view name() const {
    const std::string& own = layout_->schema()->name();
    return own.empty() ? std::string_view("rows") : own;
  }
  [[nodiscard]] const std::string& schema_text() const { return text_; }
  [[nodiscard]] static std::string_view hint() { return ""; }
  Status encode(const void* value, Bytes& out) const {
    return encoder_->encode(*static_cast<const schema::Row*>(value), out);
  }
  [[nodiscard]] Result<Decoder> decoder_of(std::string_view writer) const { return format_->decoder(writer, layout_); }
  static Status decode(const Decoder& decoder, BytesView bytes, void* out) {
    return decoder->decode(bytes, *static_cast<schema::Row*>(out));
  }

 private:
  const schema::Format* format_;  // lives as long as the program
  schema::RowLayoutPtr layout_;
  std::string text_;
  std::unique_ptr<const schema::RowEncoder> encoder_;
};

}  // namespace

Result<schema::RowLayoutPtr> row_layout(std::string_view schema_text, const schema::Format& format) {
  return schema::RowLayout::make(MUIR_TRY(format.read_schema(schema_text)));
}

Result<SerdeRef<schema::Row>> row_serde(schema::RowLayoutPtr layout, AvroOptions options,
                                        const schema::Format& format) {
  std::string text = MUIR_TRY(format.write_schema(*layout->schema()));
  auto encoder = MUIR_TRY(format.encoder(layout));
  return SerdeRef<schema::Row>(std::make_shared<internal::RegisteredSerde<RowCodec>>(
      RowCodec(format, std::move(layout), std::move(text), std::move(encoder)), std::move(options)));
}

}  // namespace muir

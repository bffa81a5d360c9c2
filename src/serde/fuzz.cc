// The fuzz entry points of this module: a struct with every kind of member, read from arbitrary bytes.
#include "serde/avro_wire_format.h"
#include "serde/json_codec.h"
#include "serde/registry_port.h"
#include "serde/serde.h"

namespace muir {
namespace {

struct FuzzSample {
  bool flag = false;
  int32_t small = 0;
  double wide = 0;
  std::string text;
  std::string blob;
  std::optional<int64_t> maybe;
  std::vector<FuzzSample> children;
  std::map<std::string, float> limits;
};
void describe(Fields& f, FuzzSample& s) {
  f.name("muir.FuzzSample");
  f("flag", s.flag, {.default_json = "false"})("small", s.small, {.default_json = "1"})("wide", s.wide,
                                                                                        {.default_json = "0.5"});
  f("text", s.text, {.default_json = "\"\""})("blob", s.blob, {.default_json = "\"\"", .bytes = true})("maybe",
                                                                                                       s.maybe);
  f("children", s.children, {.default_json = "[]"})("limits", s.limits, {.default_json = "{}"});
}

// Of an older version of the struct: other order, narrower numbers, a member that is gone.
constexpr std::string_view kOldSchema =
    R"({"type":"record","name":"muir.FuzzSample","fields":[{"name":"gone","type":["null",{"type":"map","values":"bytes"}]},)"
    R"({"name":"wide","type":"int"},{"name":"text","type":"bytes"},{"name":"maybe","type":["long","null"]},)"
    R"({"name":"children","type":{"type":"array","items":"muir.FuzzSample"}}]})";

// Reads what the sample's own schema wrote under id 1, and what the older one wrote under id 2.
SerdeRef<FuzzSample>& sample_serde() {
  static MemoryRegistry registry;
  static SerdeRef<FuzzSample> serde = [] {
    auto made = default_serde<FuzzSample>();
    CHECK(made.configure({&registry}, false).ok(), "a serde without a registry");
    Bytes first;
    CHECK(made.serialize("t", FuzzSample{}, first).ok(), "a sample that cannot be written");
    CHECK(registry.register_schema("t-value", kOldSchema).ok(), "the old schema is none");
    return made;
  }();
  return serde;
}

}  // namespace

int fuzz_json_object(BytesView input) {
  const auto sample = from_json_text<FuzzSample>(input);
  if (!sample.ok()) return 0;
  const auto text = to_json_text(*sample);
  const auto again = from_json_text<FuzzSample>(*text);
  CHECK(again.ok() && *to_json_text(*again) == *text, "an object does not survive JSON: {}", *text);
  return 1;
}

int fuzz_avro_serde(BytesView input) {
  const auto sample = sample_serde().deserialize("t", input);
  if (!sample.ok()) return 0;
  Bytes once;
  CHECK(sample_serde().serialize("t", *sample, once).ok(), "a struct that was read cannot be written");
  const auto again = sample_serde().deserialize("t", once);
  Bytes twice;
  CHECK(again.ok() && sample_serde().serialize("t", *again, twice).ok() && once == twice,
        "a struct does not survive Avro: {}", hex(once));
  return 1;
}

}  // namespace muir

// Our Avro beside Apache Avro's Java library on random schemas and data: the same texts, canonical forms and
// fingerprints, the same findings about compatibility, the same data after resolution.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/bytes.h"
#include "java.h"
#include "random_avro.h"
#include "schema/avro_compatibility.h"
#include "schema/avro_decode.h"
#include "schema/avro_encode.h"
#include "schema/avro_model.h"
#include "schema/avro_parse.h"
#include "schema/avro_text.h"

namespace muir::interop {
namespace {

namespace avro = schema::avro;
using schema::avro::SchemaPtr;
using schema::avro::Value;

constexpr char kEnd = '\x1f';
constexpr uint32_t kSeed = 20261121;

// MUIR_AVRO_ROUNDS asks for more than the suite takes time for.
uint32_t rounds() {
  const char* text = std::getenv("MUIR_AVRO_ROUNDS");
  return text == nullptr ? 4000 : static_cast<uint32_t>(std::atoi(text));
}

std::vector<std::string> parts_of(std::string_view line) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = line.find(kEnd);
    parts.emplace_back(line.substr(0, end));
    if (end == std::string_view::npos) return parts;
    line.remove_prefix(end + 1);
  }
}

std::string compact_hex(BytesView bytes) {
  std::string text = hex(bytes);
  std::erase(text, ' ');
  return text;
}
Bytes from_hex(std::string_view text) {
  Bytes bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return bytes;
}

class AvroBesideJava : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto started = testing::ChildProcess::start(java_program("Avro.java", {}));
    ASSERT_TRUE(started.ok()) << started.status().message();
    java_ = std::make_unique<testing::ChildProcess>(std::move(*started));
  }
  static void TearDownTestSuite() { java_.reset(); }

  // Java's answer; without its "ok", or nothing when it refused.
  static std::optional<std::vector<std::string>> ask(std::initializer_list<std::string> request) {
    std::string line;
    for (const auto& part : request) line += (line.empty() ? "" : std::string(1, kEnd)) + part;
    EXPECT_TRUE(java_->write_line(line).ok());
    const auto answer = java_->read_line();
    EXPECT_TRUE(answer.ok()) << answer.status().message();
    auto parts = parts_of(answer.ok() ? *answer : "error");
    refusal_.clear();
    if (parts[0] != "ok") {
      refusal_ = parts.size() > 1 ? parts[1] : "it does not answer";
      return std::nullopt;
    }
    parts.erase(parts.begin());
    return parts;
  }

  // Java's own limits: it cannot, for one, check the default of a type within that type.
  static bool refused_for(std::string_view reason) { return refusal_.find(reason) != std::string::npos; }

  static inline std::unique_ptr<testing::ChildProcess> java_;
  static inline std::string refusal_;
};

// The model, which knows nothing of Avro, keeps what a schema says to the letter.
TEST(AvroModelOfRandomSchemas, GoesBackToTheSameText) {
  RandomAvro random(kSeed);
  uint32_t accepted = 0;
  for (uint32_t i = 0; i < 4 * rounds(); ++i) {
    const auto schema = avro::parse_json(random.schema());
    if (!schema.ok()) continue;
    ++accepted;
    const auto model = avro::to_model(**schema);
    ASSERT_TRUE(model.ok()) << avro::to_text(**schema) << model.status().message();
    const auto again = avro::from_model(**model);
    ASSERT_TRUE(again.ok()) << avro::to_text(**schema) << again.status().message();
    EXPECT_EQ(avro::to_text(**again), avro::to_text(**schema)) << "seed " << kSeed << " round " << i;
    EXPECT_TRUE(**avro::to_model(**again) == **model) << avro::to_text(**schema);
  }
  EXPECT_GT(accepted, rounds());
}

TEST_F(AvroBesideJava, GivesSchemasTheSameTextsAndFingerprints) {
  RandomAvro random(kSeed);
  uint32_t accepted = 0;
  for (uint32_t i = 0; i < rounds(); ++i) {
    const std::string text = random.schema().to_string();
    const auto ours = avro::parse(text);
    const auto java = ask({"text", text});
    if (refused_for("fields not set yet")) continue;
    // Java does not look at the defaults of types that are referred to by name, and compares two definitions of a name
    // without their documentation and aliases.
    const std::string& why = ours.status().message();
    if (java && (why.find("invalid default") != std::string::npos || why.find("defined twice") != std::string::npos))
      continue;
    EXPECT_EQ(ours.ok(), java.has_value()) << text << "\nwe: " << ours.status().message() << "\nJava: " << refusal_;
    if (!java || !ours.ok()) continue;
    ++accepted;
    EXPECT_EQ(avro::to_text(**ours), (*java)[0]) << text;
    EXPECT_EQ(avro::canonical_form(**ours), (*java)[1]) << text;
    EXPECT_EQ(fmt::format("{:x}", avro::rabin((*java)[1])), (*java)[2]) << text;
  }
  EXPECT_GT(accepted, rounds() / 4);  // else the generator makes nothing worth comparing
}

TEST_F(AvroBesideJava, ReadsTheSameTextsThatNobodyShouldWrite) {
  const auto record = [](const std::string& members) {
    return fmt::format(R"({{"type":"record","name":"R",{}}})", members);
  };
  const auto field = [&](const std::string& type) {
    return record(fmt::format(R"("fields":[{{"name":"f","type":{}}}])", type));
  };
  for (const std::string& text : std::initializer_list<std::string>{
           R"({"type":{"type":"int"}})",
           R"({"type":["int","null"]})",
           R"({"type":{"type":"record","name":"R","fields":[]}})",
           R"({"type":null})",
           field(R"({"type":"int"})"),
           field(R"({"type":{"type":"int"}})"),
           field(R"({"type":["null","int"]})"),
           R"([{"type":["int"]}])",
           R"({"type":"array","items":{"type":{"type":"int"}}})",
           R"("int" // behind)",
           R"({"type":"int"} /* behind */)",
           R"(/* before */ "int")",
           R"({"type": /* within */ "int"})",
           R"("int"   )",
           R"("int" "int")",
           R"("int"})",
           record(R"("doc":"\ud800","fields":[])"),
           record(R"("doc":"a\udc00\ud800b","fields":[])"),
           record(R"("doc":"\ud83d\ude00","fields":[])"),
           record(R"("other":"\udc00","fields":[])"),
           record(R"("aliases":["\ud800"],"fields":[])"),
           R"({"type":"enum","name":"E","symbols":["\ud800"]})",
       }) {
    for (const char* way : {"text", "stored"}) {
      const auto ours = avro::parse(text, {.strict = std::string(way) == "text"});
      const auto java = ask({way, text});
      EXPECT_EQ(ours.ok(), java.has_value()) << text << "\nwe: " << ours.status().message() << "\nJava: " << refusal_;
      if (!java || !ours.ok()) continue;
      EXPECT_EQ(avro::to_text(**ours), (*java)[0]) << text;
    }
  }
}

// As registries that do not validate stored them.
TEST_F(AvroBesideJava, GivesSchemasWithInvalidDefaultsTheSameTexts) {
  RandomAvro random(kSeed + 3);
  uint32_t with_invalid_default = 0;
  for (uint32_t i = 0; i < rounds(); ++i) {
    const std::string text = random.schema().to_string();
    const auto ours = avro::parse(text, {.strict = false});
    const auto java = ask({"stored", text});
    if (java && ours.status().message().find("defined twice") != std::string::npos) continue;
    EXPECT_EQ(ours.ok(), java.has_value()) << text << "\nwe: " << ours.status().message() << "\nJava: " << refusal_;
    if (!java || !ours.ok()) continue;
    if (!avro::parse(text).ok()) ++with_invalid_default;
    EXPECT_EQ(avro::to_text(**ours), (*java)[0]) << text;
    EXPECT_EQ(avro::canonical_form(**ours), (*java)[1]) << text;
  }
  EXPECT_GT(with_invalid_default, rounds() / 100);
}

TEST_F(AvroBesideJava, TakesTheSameCharactersInNames) {
  const auto java = ask({"names"});
  ASSERT_TRUE(java) << refusal_;
  const std::string& units = (*java)[0];
  ASSERT_EQ(units.size(), 0x10000U);
  const auto is_name = [](const std::string& name) {
    return avro::parse(schema::Json{{"type", "fixed"}, {"name", name}, {"size", 1}}.to_string()).ok();
  };
  for (uint32_t c = 1; c < units.size(); ++c) {
    if (c == '.' || (c >= 0xD800 && c <= 0xDFFF)) continue;  // a separator, halves of characters
    std::string text;
    if (c < 0x80) {
      text = {static_cast<char>(c)};
    } else if (c < 0x800) {
      text = {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3F))};
    } else {
      text = {static_cast<char>(0xE0 | (c >> 12)), static_cast<char>(0x80 | ((c >> 6) & 0x3F)),
              static_cast<char>(0x80 | (c & 0x3F))};
    }
    const char ours = is_name(text) ? 'l' : is_name("a" + text) ? 'd' : '-';
    ASSERT_EQ(ours, units[c]) << fmt::format("U+{:04X}", c);
  }
}

TEST_F(AvroBesideJava, FindsTheSameIncompatibilities) {
  RandomAvro random(kSeed + 1);
  uint32_t compatible = 0;
  uint32_t not_compatible = 0;
  for (uint32_t i = 0; i < rounds(); ++i) {
    const auto json = random.schema();
    const auto writer = avro::parse_json(json);
    const auto reader = avro::parse_json(random.changed(json, false));
    if (!writer.ok() || !reader.ok()) continue;
    const std::string reader_text = avro::to_text(**reader);
    const std::string writer_text = avro::to_text(**writer);
    const auto java = ask({"compatible", reader_text, writer_text});
    if (refused_for("fields not set yet")) continue;
    std::vector<std::string> ours;
    for (const auto& finding : avro::check_readable(**reader, **writer)) {
      ours.emplace_back(avro::to_string(finding.kind));
      ours.push_back(finding.path);
      ours.push_back(finding.message);
    }
    ++(ours.empty() ? compatible : not_compatible);
    if (refused_for("matches multiple fields")) {  // a finding of ours, an exception there
      EXPECT_FALSE(ours.empty()) << "reader " << reader_text << "\nwriter " << writer_text;
      continue;
    }
    ASSERT_TRUE(java) << reader_text << "\n" << writer_text << "\n" << refusal_;
    if (ours.empty()) ours.emplace_back();
    EXPECT_EQ(ours, *java) << "reader " << reader_text << "\nwriter " << writer_text;
  }
  EXPECT_GT(compatible, rounds() / 20);
  EXPECT_GT(not_compatible, rounds() / 20);
}

TEST_F(AvroBesideJava, ReadsTheSameDataWithAChangedSchema) {
  RandomAvro random(kSeed + 2);
  uint32_t read = 0;
  uint32_t refused = 0;
  for (uint32_t i = 0; i < rounds(); ++i) {
    const auto json = random.schema();
    const auto writer = avro::parse_json(json);
    const auto reader = avro::parse_json(random.changed(json, true));
    if (!writer.ok() || !reader.ok()) continue;
    const auto value = random.value(**writer);
    if (!value) continue;
    Bytes bytes;
    ASSERT_TRUE(avro::encode(**writer, *value, bytes).ok());
    const std::string reader_text = avro::to_text(**reader);
    const std::string writer_text = avro::to_text(**writer);
    SCOPED_TRACE("writer " + writer_text + "\nreader " + reader_text + "\ndatum " + compact_hex(bytes));
    const auto java = ask({"resolve", writer_text, reader_text, compact_hex(bytes)});

    // Java applies all aliases before it looks at the data; we refuse only data that is concerned.
    if (refused_for("Duplicate field") || refused_for("fields not set yet") || refused_for("EOFException")) continue;

    Value ours;
    const auto decoder = avro::ValueDecoder::compile(*writer, *reader);
    const Status status = decoder.ok() ? decoder->decode(bytes, ours) : decoder.status();
    EXPECT_EQ(status.ok(), java.has_value()) << "\nwe: " << status.message() << "\nJava: " << refusal_;
    ++(status.ok() ? read : refused);
    if (!status.ok() || !java) continue;
    Bytes again;
    ASSERT_TRUE(avro::encode(**reader, ours, again).ok());
    if (compact_hex(again) == (*java)[0]) continue;
    // Java's maps come in another order: compare what the bytes say.
    Value theirs;
    const auto same = avro::ValueDecoder::compile(*reader, *reader);
    ASSERT_TRUE(same.ok() && same->decode(from_hex((*java)[0]), theirs).ok());
    EXPECT_EQ(ours, theirs) << "we: " << compact_hex(again) << "\nJava: " << (*java)[0];
  }
  EXPECT_GT(read, rounds() / 20);
  EXPECT_GT(refused, rounds() / 50);
}

}  // namespace
}  // namespace muir::interop

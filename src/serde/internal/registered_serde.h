// RegisteredSerde: a serde in Confluent's wire format, of whatever a codec reads and writes. Included by serdes'
// sources.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "serde/avro_wire_format.h"
#include "serde/serde.h"

namespace muir::internal {

// A list that grows at its head, is read without a lock, and never shrinks: a serde meets a handful of topics and
// schemas.
template <class Entry>
class GrowingList {
 public:
  struct Node {
    Entry entry;
    const Node* next;
  };
  template <class Match>
  const Entry* find(Match&& match) const {
    for (const Node* node = head_.load(std::memory_order_acquire); node != nullptr; node = node->next) {
      if (match(node->entry)) return &node->entry;
    }
    return nullptr;
  }
  // Under the owner's lock.
  const Entry& add(Entry entry) {
    nodes_.push_back({std::move(entry), head_.load(std::memory_order_relaxed)});
    head_.store(&nodes_.back(), std::memory_order_release);
    return nodes_.back().entry;
  }

 private:
  std::atomic<const Node*> head_{nullptr};
  std::deque<Node> nodes_;
};

// A codec is one type of data in one format. It has name() for messages, schema_text() that is registered, hint() for
// who has no registry, encode(value, out), a Decoder that decoder_of(text of the writer's schema) makes, and
// decode(decoder, bytes, out).
template <class Codec>
class RegisteredSerde final : public ErasedSerde {
 public:
  RegisteredSerde(Codec codec, AvroOptions options)
      : codec_(std::make_shared<const Codec>(std::move(codec))), options_(std::move(options)) {}

  Result<std::shared_ptr<ErasedSerde>> bind(const SerdeContext& context, bool is_key) const override {
    if (context.registry == nullptr) {
      return error(Code::failed_precondition,
                   "Avro of {} needs a schema registry, and there is none: give the application one "
                   "(schema.registry.url){}",
                   codec_->name(), codec_->hint());
    }
    return std::shared_ptr<ErasedSerde>(new RegisteredSerde(*this, *context.registry, is_key));
  }

  Status serialize(std::string_view topic, const void* value, Bytes& out) const override {
    const size_t start = out.size();
    append_wire_prefix(MUIR_TRY(writer_id(topic)), out);
    Status status = codec_->encode(value, out);
    if (status.ok()) return status;
    out.resize(start);
    return status.annotate(where("serialize", topic));
  }

  Status deserialize(std::string_view topic, BytesView bytes, void* out) const override {
    const auto wire = split_wire_prefix(bytes);
    if (!wire.ok()) return wire.status().annotate(where("deserialize", topic));
    const auto* reader = MUIR_TRY(reader_of(topic, wire->schema_id));
    Status status = codec_->decode(reader->decoder, wire->datum, out);
    return status.ok() ? status : status.annotate(where("deserialize", topic));
  }

 private:
  RegisteredSerde(const RegisteredSerde& description, RegistryPort& registry, bool is_key)
      : codec_(description.codec_), options_(description.options_), registry_(&registry), is_key_(is_key) {}

  struct Writer {
    std::string topic;
    int schema_id;
  };
  struct Reader {
    int schema_id;
    typename Codec::Decoder decoder;
  };

  std::string where(std::string_view what, std::string_view topic) const {
    return fmt::format("{} {} topic={} {}", what, codec_->name(), topic, is_key_ ? "key" : "value");
  }
  Status unconfigured(std::string_view what, std::string_view topic) const {
    return error(Code::failed_precondition, "{}: the serde was not configured with a registry", where(what, topic));
  }

  // TopicNameStrategy, unless a subject was chosen.
  std::string subject_of(std::string_view topic) const {
    return options_.subject.empty() ? fmt::format("{}-{}", topic, is_key_ ? "key" : "value") : options_.subject;
  }

  Result<int> writer_id(std::string_view topic) const {
    const auto matches = [&](const Writer& writer) { return writer.topic == topic; };
    if (const Writer* known = writers_.find(matches)) return known->schema_id;
    if (registry_ == nullptr) return unconfigured("serialize", topic);
    const std::lock_guard lock(mutex_);
    if (const Writer* known = writers_.find(matches)) return known->schema_id;
    const std::string subject = subject_of(topic);
    const auto id = options_.auto_register ? registry_->register_schema(subject, codec_->schema_text())
                                           : registry_->find_schema(subject, codec_->schema_text());
    if (!id.ok()) return id.status().annotate(where("serialize", topic));
    return writers_.add({std::string(topic), *id}).schema_id;
  }

  Result<const Reader*> reader_of(std::string_view topic, int schema_id) const {
    const auto matches = [&](const Reader& reader) { return reader.schema_id == schema_id; };
    if (const Reader* known = readers_.find(matches)) return known;
    if (registry_ == nullptr) return unconfigured("deserialize", topic);
    const std::lock_guard lock(mutex_);
    if (const Reader* known = readers_.find(matches)) return known;
    const auto fail = [&](const Status& status) {
      return status.annotate(fmt::format("{}: schema id={}", where("deserialize", topic), schema_id));
    };
    const auto text = registry_->schema_by_id(schema_id);
    if (!text.ok()) return fail(text.status());
    auto decoder = codec_->decoder_of(*text);
    if (!decoder.ok()) return fail(decoder.status());
    return &readers_.add({schema_id, std::move(*decoder)});
  }

  const std::shared_ptr<const Codec> codec_;  // shared by all that are bound
  const AvroOptions options_;
  RegistryPort* const registry_ = nullptr;  // null: a description
  const bool is_key_ = false;

  mutable std::mutex mutex_;  // held while the registry answers, so that it is asked once
  mutable GrowingList<Writer> writers_;
  mutable GrowingList<Reader> readers_;
};

}  // namespace muir::internal

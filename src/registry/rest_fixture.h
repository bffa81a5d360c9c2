// A registry whose log is in memory, asked without sockets, for the tests of the REST interface.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "registry/rest_api.h"
#include "schema/json.h"

namespace muir::registry {

// A log in memory that several services can be started on, one after another.
struct Records {
  std::vector<std::pair<Bytes, OptBytes>> all;
};

class MemoryLog final : public SchemaLog {
 public:
  explicit MemoryLog(Records& records, std::function<void()>* before_append = nullptr)
      : records_(records), before_append_(before_append) {}
  Status start(Apply apply) override {
    apply_ = std::move(apply);
    return catch_up();
  }
  Status catch_up() override {
    for (; applied_ < records_.all.size(); ++applied_)
      apply_(records_.all[applied_].first, to_view(records_.all[applied_].second));
    return {};
  }
  Status append(BytesView key, OptBytesView value) override {
    if (before_append_ != nullptr && *before_append_) std::exchange(*before_append_, nullptr)();
    records_.all.emplace_back(key, to_owned(value));
    return catch_up();
  }
  void stop() override {}

 private:
  Records& records_;
  std::function<void()>* before_append_;  // called once
  Apply apply_;
  size_t applied_ = 0;
};

class RestApi : public ::testing::Test {
 protected:
  RestApi() { restart(); }

  // The service that a new process would have: nothing but the log survives.
  void restart() {
    rest_.reset();
    service_.reset();
    auto service = RegistryService::start(std::make_unique<MemoryLog>(records_, &before_append_), options_);
    ASSERT_TRUE(service.ok());
    service_ = std::move(*service);
    rest_ = std::make_unique<net::Rest>(rest_routes(*service_), rest_options());
  }

  // "200 body"
  std::string ask(std::string_view method, std::string_view target, std::string body = {}) {
    const size_t question = std::min(target.find('?'), target.size());
    const auto response = rest_->answer({.method = std::string(method),
                                         .query = std::string(target.substr(std::min(question + 1, target.size()))),
                                         .body = std::move(body),
                                         .raw_path = std::string(target.substr(0, question))});
    return fmt::format("{} {}", response.status, response.body);
  }

  std::string add(std::string_view subject, std::string_view schema) {
    return ask("POST", fmt::format("/subjects/{}/versions", subject), body_of(schema));
  }
  static std::string body_of(std::string_view schema) { return schema::Json{{"schema", schema}}.to_string(); }

  static std::string record(std::string_view fields, std::string_view name = "R") {
    return fmt::format(R"({{"type":"record","name":"{}","fields":[{}]}})", name, fields);
  }
  static int code_of(const std::string& answer) {
    const auto json = schema::Json::parse(answer.substr(4));
    const auto* code = json.ok() ? json->find("error_code") : nullptr;
    return code == nullptr ? 0 : static_cast<int>(*code->as_int64());
  }

  // The newest value of a key in the log: what compaction leaves of it.
  std::string newest(std::string_view key) const {
    std::string value = "none";
    for (const auto& [record_key, record_value] : records_.all) {
      if (record_key == key) value = record_value.value_or("null");
    }
    return value;
  }
  // Another registry on the same log registers this when our service is about to write its next record.
  void someone_registers_first(const std::string& subject, const std::string& schema) {
    before_append_ = [this, subject, schema] {
      auto other = RegistryService::start(std::make_unique<MemoryLog>(records_));
      ASSERT_TRUE(other.ok());
      ASSERT_TRUE((*other)->register_schema(subject, {.schema = schema}).ok());
    };
  }

  // What compaction leaves once it has dropped deletions too.
  void compact() {
    std::map<Bytes, size_t> newest;
    for (size_t i = 0; i < records_.all.size(); ++i) newest[records_.all[i].first] = i;
    Records left;
    for (size_t i = 0; i < records_.all.size(); ++i) {
      const auto& [key, value] = records_.all[i];
      if (newest[key] == i && value) left.all.emplace_back(key, value);
    }
    records_ = std::move(left);
  }

  Records records_;
  RegistryServiceOptions options_;
  std::function<void()> before_append_;
  std::unique_ptr<RegistryService> service_;
  std::unique_ptr<net::Rest> rest_;
};

}  // namespace muir::registry

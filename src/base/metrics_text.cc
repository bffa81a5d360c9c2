#include "base/metrics_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/check.h"
#include "base/utf8.h"

namespace muir {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Backslash and line feed everywhere; quotes in labels' values, and in OpenMetrics in help texts too.
std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) {
      out += kReplacement;
      text.remove_prefix(1);
      continue;
    }
    if (text[0] == '\\' || (quotes && text[0] == '"')) out += '\\';
    if (text[0] == '\n') {
      out += "\\n";
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
      out += text[i] == 'n' ? '\n' : text[i];
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
  if (value == std::floor(value) && std::fabs(value) < 1e15) return fmt::format("{:.0f}", value);
  return fmt::format("{}", value);
}

std::string label_text(const Labels& labels, std::string_view bound = {}) {
  std::string out;
  for (const auto& [name, value] : labels)
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "{" : ",", name, escaped(value, true));
  if (!bound.empty()) out += fmt::format("{}le=\"{}\"", out.empty() ? "{" : ",", bound);
  return out.empty() ? out : out + "}";
}

class Writer {
 public:
  explicit Writer(MetricsFormat format) : open_(format == MetricsFormat::openmetrics) {}

  void family(std::string_view name, const MetricFamily& family) {
    const std::string_view type = family.kind == MetricKind::counter ? "counter"
                                  : family.kind == MetricKind::gauge ? "gauge"
                                                                     : "histogram";
    const std::string_view total = family.kind == MetricKind::counter ? "_total" : "";
    // The text format has a counter's family under the name of its series.
    const std::string described = fmt::format("{}{}", name, open_ ? "" : total);
    add("# TYPE {} {}\n", described, type);
    const std::string_view unit = unit_of(name);
    if (open_ && !unit.empty()) add("# UNIT {} {}\n", described, unit);
    add("# HELP {} {}\n", described, escaped(family.help, open_));
    for (const auto& [labels, value] : family.values)
      add("{}{}{} {}\n", name, total, label_text(labels), number(value));
    for (const auto& [labels, counts] : family.histograms) histogram(name, labels, counts);
  }

  std::string take() {
    if (open_) out_ += "# EOF\n";
    return std::move(out_);
  }

 private:
  template <class... A>
  void add(fmt::format_string<A...> format, A&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<A>(args)...);
  }

  static std::string_view unit_of(std::string_view name) {
    for (const std::string_view unit : {"seconds", "bytes", "ratio"}) {
      if (name.ends_with(unit) && name.size() > unit.size() && name[name.size() - unit.size() - 1] == '_') return unit;
    }
    return {};
  }

  // OpenMetrics writes every bound as a fraction.
  [[nodiscard]] std::string bound(double value) const {
    std::string out = number(value);
    if (open_ && out.find_first_of(".eN") == std::string::npos) out += ".0";
    return out;
  }

  void histogram(std::string_view name, const Labels& labels, const HistogramCounts& counts) {
    uint64_t below = 0;
    for (size_t i = 0; i < counts.bounds.size(); ++i) {
      below += counts.buckets[i];
      add("{}_bucket{} {}\n", name, label_text(labels, bound(counts.bounds[i])), below);
    }
    below += counts.buckets.back();
    const std::string text = label_text(labels);
    add("{}_bucket{} {}\n", name, label_text(labels, "+Inf"), below);
    add("{}_sum{} {}\n{}_count{} {}\n", name, text, number(counts.sum), name, text, below);
  }

  const bool open_;
  std::string out_;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// Cuts the part before `mark` off `text`.
std::string_view cut(std::string_view& text, char mark) {
  const size_t end = std::min(text.find(mark), text.size());
  const std::string_view out = trimmed(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return out;
}

struct MediaRange {
  std::string type;
  std::string version;
  double weight = 1;
};

MediaRange media_range(std::string_view text) {
  MediaRange out{.type = lower(cut(text, ';'))};
  while (!text.empty()) {
    std::string_view value = cut(text, ';');
    const std::string name = lower(cut(value, '='));
    value = trimmed(value);
    if (value.size() > 1 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (name == "version") out.version = value;
    if (name != "q") continue;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), out.weight);
    if (failure != std::errc() || !(out.weight >= 0 && out.weight <= 1)) out.weight = 0;
  }
  return out;
}

}  // namespace

MetricsFormat metrics_format(std::string_view accept) {
  double open = 0;
  double text = 0;
  while (!accept.empty()) {
    const MediaRange one = media_range(cut(accept, ','));
    if (one.type == "application/openmetrics-text" && (one.version.empty() || one.version == "1.0.0"))
      open = std::max(open, one.weight);
    if (one.type == "text/plain") text = std::max(text, one.weight);
  }
  return open > 0 && open >= text ? MetricsFormat::openmetrics : MetricsFormat::prometheus;
}

std::string_view metrics_content_type(MetricsFormat format) {
  return format == MetricsFormat::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                              : "text/plain; version=0.0.4; charset=utf-8";
}

std::string metrics_text(const MetricFamilies& families, MetricsFormat format) {
  Writer writer(format);
  for (const auto& [name, family] : families) writer.family(name, family);
  return writer.take();
}

int fuzz_metrics_text(BytesView input) {
  const std::string value(input);
  for (const auto format : {MetricsFormat::prometheus, MetricsFormat::openmetrics}) {
    MetricSink sink;
    sink.gauge("a", value, {{"b", value}}, 1);
    const std::string whole = metrics_text(sink.take(), format);
    std::string_view text = whole;
    MUIR_CHECK(is_utf8(text), "the text is not UTF-8");
    std::vector<std::string_view> lines;
    while (!text.empty()) {
      const size_t end = text.find('\n');
      MUIR_CHECK(end != std::string_view::npos, "the last line has no end");
      lines.push_back(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
    const bool open = format == MetricsFormat::openmetrics;
    MUIR_CHECK(lines.size() == (open ? 4U : 3U), "{} lines", lines.size());
    MUIR_CHECK(lines[0] == "# TYPE a gauge" && lines[1].starts_with("# HELP a "), "a head is missing");
    constexpr std::string_view kBefore = "a{b=\"";
    constexpr std::string_view kAfter = "\"} 1";
    MUIR_CHECK(lines[2].starts_with(kBefore) && lines[2].ends_with(kAfter), "the series is cut");
    const std::string_view written = lines[2].substr(kBefore.size(), lines[2].size() - kBefore.size() - kAfter.size());
    for (size_t i = 0; i < written.size(); ++i) {
      if (written[i] == '\\') {
        ++i;
        MUIR_CHECK(i < written.size() && std::string_view("\\\"n").find(written[i]) != std::string_view::npos,
                   "an escape that there is not");
      } else {
        MUIR_CHECK(written[i] != '"', "a quote ends the value");
      }
    }
    if (is_utf8(input)) {
      MUIR_CHECK(unescaped(written) == value, "the value reads differently");
      MUIR_CHECK(unescaped(lines[1].substr(9)) == value, "the help text reads differently");
    }
  }
  return 1;
}

}  // namespace muir

#include <gtest/gtest.h>

#include "net/internal/http_parser.h"
#include "net/internal/router.h"
#include "net/internal/websocket_codec.h"
#include "net/url.h"
#include "testing/mutations.h"

namespace muir::net {
namespace {

TEST(PercentDecoding, FollowsRfc3986) {
  struct Row {
    const char* text;
    std::optional<std::string> path;
    std::optional<std::string> query;
  };
  for (const Row& row : std::initializer_list<Row>{{"", "", ""},
                                                   {"abc", "abc", "abc"},
                                                   {"a+b", "a+b", "a b"},
                                                   {"%41%7a", "Az", "Az"},
                                                   {"%2F", "/", "/"},
                                                   {"%", std::nullopt, std::nullopt},
                                                   {"%4", std::nullopt, std::nullopt},
                                                   {"%4g", std::nullopt, std::nullopt},
                                                   {"%25", "%", "%"}}) {
    EXPECT_EQ(percent_decode(row.text), row.path) << row.text;
    EXPECT_EQ(percent_decode(row.text, true), row.query) << row.text;
  }
  EXPECT_EQ(percent_encode("a b/\xC5\x81~"), "a%20b%2F%C5%81~");
}

TEST(QueryParameters, AreFoundByDecodedName) {
  EXPECT_EQ(find_query_param("a=1&b=2&a=3", "a"), "1");
  EXPECT_EQ(find_query_param("a=1&b%5B%5D=x", "b[]"), "x");
  EXPECT_EQ(find_query_param("flag&b", "flag"), "");
  EXPECT_EQ(find_query_param("a=1", "b"), std::nullopt);
  EXPECT_EQ(find_query_param("a==", "a"), "=");
}

TEST(Url, IsSplitIntoHostPortAndTarget) {
  struct Row {
    const char* url;
    const char* expected;
  };
  for (const Row& row : std::initializer_list<Row>{{"http://a", "a 80 /"},
                                                   {"http://a:81/x?y=1", "a 81 /x?y=1"},
                                                   {"http://[::1]:9/", "::1 9 /"},
                                                   {"http://:9/", "invalid"},
                                                   {"http://a:0", "invalid"},
                                                   {"http://a:99999", "invalid"},
                                                   {"http://a:x", "invalid"},
                                                   {"https://a", "invalid"}}) {
    const auto url = parse_url(row.url, "http://", 80);
    EXPECT_EQ(url.ok() ? fmt::format("{} {} {}", url->host, url->port, url->target) : "invalid", row.expected)
        << row.url;
  }
}

TEST(RouteTable, PrefersFixedSegmentsAndFallsBackToPlaceholders) {
  RouteTable<int> routes;
  routes.add("GET", "/a/{x}/c", 1);
  routes.add("GET", "/a/b/d", 2);
  routes.add("POST", "/a/b/d", 3);
  routes.add("GET", "/", 4);
  using Kind = RouteTable<int>::Match::Kind;
  EXPECT_EQ(*routes.find("GET", "/a/b/d").handler, 2);
  EXPECT_EQ(*routes.find("POST", "/a/b/d").handler, 3);
  EXPECT_EQ(*routes.find("GET", "/a/b/c").handler, 1);  // the fixed way ends, the placeholder goes on
  EXPECT_EQ(routes.find("GET", "/a/b/c").params, std::vector<std::string>{"b"});
  EXPECT_EQ(*routes.find("HEAD", "/").handler, 4);
  EXPECT_EQ(routes.find("GET", "/a/b").kind, Kind::none);
  EXPECT_EQ(routes.find("PUT", "/a/b/d").kind, Kind::wrong_method);
  EXPECT_EQ(routes.find("PUT", "/a/b/d").allow, "GET, HEAD, POST");
}

TEST(RouteTable, PassesOverEmptySegmentsWhenAsked) {
  struct Row {
    const char* path;
    int merged;  // 0: not found
    int apart;
  };
  RouteTable<int> merged(true);
  RouteTable<int> apart;
  for (auto* routes : {&merged, &apart}) {
    routes->add("GET", "/a/{x}/c", 1);
    routes->add("GET", "/a/{x}", 2);
    routes->add("GET", "/", 3);
  }
  for (const Row& row : std::initializer_list<Row>{
           {"/a/b/c", 1, 1},
           {"/a/b/c/", 1, 0},
           {"//a//b///c//", 1, 0},
           {"/a/b/", 2, 0},
           {"/a//b", 2, 0},
           {"/a/%2F/", 2, 0},  // an encoded slash is part of a value
           {"/a//", 0, 0},
           {"//", 3, 0},
           {"", 3, 3},
       }) {
    const auto value = [&](const RouteTable<int>& routes) {
      const auto match = routes.find("GET", row.path);
      return match.handler == nullptr ? 0 : *match.handler;
    };
    EXPECT_EQ(value(merged), row.merged) << row.path;
    EXPECT_EQ(value(apart), row.apart) << row.path;
  }
}

TEST(WebSocketCodec, AcceptsTheKeyOfTheRfc) {
  EXPECT_EQ(ws_accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocketCodec, JoinsFragmentsAndLetsControlFramesBetweenThem) {
  Bytes stream("\x01\x03Hel\x89\x00\x80\x02lo", 11);
  for (size_t step = 1; step <= stream.size(); ++step) {
    WsDecoder decoder(false, 100);
    std::string seen;
    for (size_t at = 0; at < stream.size(); at += step) {
      ASSERT_EQ(decoder.feed(BytesView(stream).substr(at, step),
                             [&](WsOpcode opcode, std::string_view payload) {
                               seen += opcode == WsOpcode::ping ? "[ping]" : std::string(payload);
                             }),
                0);
    }
    EXPECT_EQ(seen, "[ping]Hello");
  }
}

TEST(WebSocketCodec, NamesTheViolation) {
  struct Row {
    const char* what;
    Bytes bytes;
    uint16_t code;
  };
  for (const Row& row :
       std::initializer_list<Row>{{"reserved bit", {"\xc1\x00", 2}, kWsProtocolError},
                                  {"unknown opcode", {"\x83\x00", 2}, kWsProtocolError},
                                  {"masked from a server", {"\x81\x80\0\0\0\0", 6}, kWsProtocolError},
                                  {"fragmented ping", {"\x09\x00", 2}, kWsProtocolError},
                                  {"long ping", {"\x89\x7e\x00\x7e", 4}, kWsProtocolError},
                                  {"continuation of nothing", {"\x80\x00", 2}, kWsProtocolError},
                                  {"text within a message", {"\x01\x00\x81\x00", 4}, kWsProtocolError},
                                  {"binary", {"\x82\x00", 2}, kWsUnsupportedData},
                                  {"invalid UTF-8", {"\x81\x01\xff", 3}, kWsInvalidText},
                                  {"a surrogate", {"\x81\x03\xed\xa0\x80", 5}, kWsInvalidText},
                                  {"too big", {"\x81\x7e\x00\xff", 4}, kWsTooBig},
                                  {"far too big", {"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10}, kWsTooBig}}) {
    WsDecoder decoder(false, 200);
    EXPECT_EQ(decoder.feed(row.bytes, [](WsOpcode, std::string_view) {}), row.code) << row.what;
  }
}

TEST(FuzzHttp, SurvivesMutations) {
  testing::survive_mutations("net_http", fuzz_http,
                             {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 304 Not Modified\r\n\r\n",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                              "HTTP/1.0 200 OK\r\n\r\nuntil the end"},
                             {.alphabet = "\r\n:; /0123456789"});
}

TEST(FuzzWebsocket, SurvivesMutations) {
  std::vector<Bytes> valid;
  valid.emplace_back("\x01\x03Hel\x89\x00\x80\x02lo", 11);
  valid.emplace_back("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
  valid.emplace_back("\x81\x7e\x00\x80", 4);
  valid.back().append(128, 'x');
  valid.emplace_back("\x88\x82\0\0\0\0\x03\xe8", 8);
  valid.emplace_back("\x8a\x81\x01\x02\x03\x04\x05\x81\x82\0\0\0\0\xc3\xa9", 15);
  testing::survive_mutations("net_websocket", fuzz_websocket, valid);
}

TEST(FuzzUrl, SurvivesMutations) {
  testing::survive_mutations("net_url", fuzz_url,
                             {"http://host:8080/a%20b?c=d+e", "http://[::1]:80/x", "a=1&b=%C3%A9&a=2", "%zz&a=1"},
                             {.alphabet = "%:/[]&=+"});
}

TEST(FuzzRouter, SurvivesMutations) {
  testing::survive_mutations("net_router", fuzz_router, {"/a/b/c", "/a/b/y", "/a/x/c", "/"}, {.alphabet = "/abcx"});
}

}  // namespace
}  // namespace muir::net

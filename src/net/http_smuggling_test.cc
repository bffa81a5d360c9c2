// What two readers could take for two different requests is refused, and what only looks odd is taken: over raw
// sockets, for the bytes matter. RFC 9112 (HTTP/1.1), RFC 9110 (fields).
#include <unistd.h>

#include "net/http_server.h"
#include "net/internal/blocking_socket.h"
#include "net/internal/host_check.h"
#include "net/internal/http_request_parser.h"
#include "testing/deflated.h"
#include "testing/eventually.h"
#include "testing/mutations.h"

namespace muir::net {
namespace {

constexpr int64_t kWaitMs = muir::testing::kPatienceMs;
constexpr size_t kBodyMax = 100'000;

class Smuggling : public ::testing::Test {
 protected:
  Smuggling() {
    // What the handler got, so that a test sees what was taken for the request.
    const auto tell = [](const HttpRequest& request, const std::shared_ptr<HttpResponder>& responder) {
      responder->respond({.content_type = "text/plain",
                          .body = fmt::format("<{} {}{}{} {}>", request.method, request.path,
                                              request.query.empty() ? "" : "?", request.query, request.body)});
    };
    for (const char* method : {"GET", "POST"}) server_->route(method, "/told", tell);
    EXPECT_TRUE(server_->start().ok());
  }
  ~Smuggling() override { server_->stop(); }

  // Everything the server says, after one more request that shows whether the connection goes on.
  [[nodiscard]] std::string conversation(const std::string& sent) const {
    const auto socket = std::move(*BlockingSocket::connect("127.0.0.1", server_->port(), kWaitMs));
    const std::string all = sent + "GET /told?last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const BytesView view = all;
    EXPECT_TRUE(socket->write_all(std::span(&view, 1), INT64_MAX).ok());
    std::string out;
    char buffer[4096];
    for (auto n = socket->read_some(buffer, INT64_MAX); n.ok(); n = socket->read_some(buffer, INT64_MAX))
      out.append(buffer, *n);
    return out;
  }

  EventLoop loop_{"http", 1};
  std::unique_ptr<HttpServer> server_ =
      HttpServer::create(loop_, {.body_bytes_max = kBodyMax, .header_bytes_max = 2000});
};

using testing::gzipped;

std::string post(const std::string& headers, const std::string& body) {
  return "POST /told HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + body;
}
std::string chunked(const std::string& chunks) { return post("Transfer-Encoding: chunked\r\n", chunks); }

std::string empty_lines(int n) {
  std::string lines;
  for (int i = 0; i < n; ++i) lines += "\r\n";
  return lines;
}

TEST_F(Smuggling, IsRefusedAndTheConnectionEndsWithIt) {
  struct Row {
    const char* what;
    std::string sent;
    const char* status;
  };
  const std::string te = "Transfer-Encoding: ";
  const std::string host = "Host: localhost\r\n";
  for (const Row& row : std::initializer_list<Row>{
           // Where the body ends.
           {"TE and CL", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "400"},
           {"CL and TE", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), "400"},
           {"TE gzip alone", post(te + "gzip\r\n", "0\r\n\r\n"), "400"},
           {"TE identity", post(te + "identity\r\n", ""), "400"},
           {"TE empty", post(te + "\r\n", "0\r\n\r\n"), "400"},
           {"TE chunked, gzip", post(te + "chunked, gzip\r\n", "0\r\n\r\n"), "400"},
           {"TE gzip, chunked", post(te + "gzip, chunked\r\n", "0\r\n\r\n"), "501"},
           {"TE chunked, chunked", post(te + "chunked, chunked\r\n", "0\r\n\r\n"), "400"},
           {"TE twice", post(te + "chunked\r\n" + te + "chunked\r\n", "0\r\n\r\n"), "400"},
           {"TE twice, one odd", post(te + "chunked\r\n" + te + "x\r\n", "0\r\n\r\n"), "400"},
           {"TE xchunked", post(te + "xchunked\r\n", "0\r\n\r\n"), "400"},
           {"TE with a parameter", post(te + "chunked;q=1\r\n", "0\r\n\r\n"), "400"},
           {"TE quoted", post(te + "\"chunked\"\r\n", "0\r\n\r\n"), "400"},
           {"TE after a vertical tab", post(te + "\x0b" + "chunked\r\n", "0\r\n\r\n"), "400"},
           {"TE of HTTP/1.0", "POST /told HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
           {"CL twice, different", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), "400"},
           {"CL twice, equal", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), "400"},
           {"CL as a list", post("Content-Length: 3, 3\r\n", "abc"), "400"},
           {"CL +3", post("Content-Length: +3\r\n", "abc"), "400"},
           {"CL -3", post("Content-Length: -3\r\n", "abc"), "400"},
           {"CL -0", post("Content-Length: -0\r\n", ""), "400"},
           {"CL 0x3", post("Content-Length: 0x3\r\n", "abc"), "400"},
           {"CL 3.0", post("Content-Length: 3.0\r\n", "abc"), "400"},
           {"CL 1 2", post("Content-Length: 1 2\r\n", "abc"), "400"},
           {"CL empty", post("Content-Length:\r\n", ""), "400"},
           {"CL 2^64", post("Content-Length: 18446744073709551616\r\n", ""), "413"},
           {"CL 2^64 + 3", post("Content-Length: 18446744073709551619\r\n", "abc"), "413"},
           {"CL beyond the limit", post("Content-Length: 100001\r\n", ""), "413"},
           // Lines.
           {"bare LF ends the request line", "GET /told HTTP/1.1\n" + host + "\r\n", "400"},
           {"bare LF ends a header", "GET /told HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n", "400"},
           {"bare LF ends the head", "GET /told HTTP/1.1\r\n" + host + "\n", "400"},
           {"bare CR in a header", "GET /told HTTP/1.1\r\n" + host + "X: a\rY: b\r\n\r\n", "400"},
           {"CR CR LF", "GET /told HTTP/1.1\r\n" + host + "X: a\r\r\n\r\n", "400"},
           {"a folded header", "GET /told HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", "400"},
           {"a folded header, by a tab", "GET /told HTTP/1.1\r\n" + host + "X: a\r\n\tb\r\n\r\n", "400"},
           {"a space before the first header", "GET /told HTTP/1.1\r\n " + host + "\r\n", "400"},
           {"a space before the colon", post("Content-Length : 3\r\n", "abc"), "400"},
           {"a tab before the colon", post("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n"), "400"},
           {"no name", "GET /told HTTP/1.1\r\n" + host + ": x\r\n\r\n", "400"},
           {"no colon", "GET /told HTTP/1.1\r\n" + host + "Transfer-Encoding\r\n\r\n", "400"},
           {"a NUL in a header", "GET /told HTTP/1.1\r\n" + host + "X: a" + std::string(1, '\0') + "\r\n\r\n", "400"},
           {"a control character", "GET /told HTTP/1.1\r\n" + host + "X: a\x01\r\n\r\n", "400"},
           {"a name beyond ASCII", "GET /told HTTP/1.1\r\n" + host + "X\xc3\xa9: a\r\n\r\n", "400"},
           {"too many headers",
            "GET /told HTTP/1.1\r\n" +
                [] {
                  std::string many;
                  for (int i = 0; i < 200; ++i) many += "a:\r\n";
                  return many;
                }() +
                "\r\n",
            "431"},
           {"a long header without an end", "GET /told HTTP/1.1\r\n" + host + "X: " + std::string(3000, 'x'), "431"},
           // The request line.
           {"two spaces", "GET  /told HTTP/1.1\r\n" + host + "\r\n", "400"},
           {"a tab", "GET\t/told HTTP/1.1\r\n" + host + "\r\n", "400"},
           {"a space at the end", "GET /told HTTP/1.1 \r\n" + host + "\r\n", "400"},
           {"a space in the target", "GET /told /x HTTP/1.1\r\n" + host + "\r\n", "400"},
           {"a method that is no token", "G(T /told HTTP/1.1\r\n" + host + "\r\n", "400"},
           {"HTTP/0.9", "GET /told\r\n\r\n", "400"},
           {"HTTP/2.0", "GET /told HTTP/2.0\r\n" + host + "\r\n", "505"},
           {"http/1.1", "GET /told http/1.1\r\n" + host + "\r\n", "400"},
           {"HTTP/1.1x", "GET /told HTTP/1.1x\r\n" + host + "\r\n", "400"},
           {"HTTP/01.1", "GET /told HTTP/01.1\r\n" + host + "\r\n", "400"},
           {"33 empty lines first", empty_lines(33) + "GET /told HTTP/1.1\r\n" + host + "\r\n", "400"},
           {"empty lines without an end", empty_lines(100'000), "400"},
           {"an empty line that ends with LF", "\nGET /told HTTP/1.1\r\n" + host + "\r\n", "400"},
           {"an empty line that ends with CR", "\rGET /told HTTP/1.1\r\n" + host + "\r\n", "400"},
           {"a line with a space first", " \r\nGET /told HTTP/1.1\r\n" + host + "\r\n", "400"},
           {"an empty line after the request line", "GET /told HTTP/1.1\r\n\r\n" + host + "\r\n", "400"},
           // Where the request goes.
           {"no Host", "GET /told HTTP/1.1\r\n\r\n", "400"},
           {"an empty Host", "GET /told HTTP/1.1\r\nHost:\r\n\r\n", "400"},
           {"Host twice", "GET /told HTTP/1.1\r\n" + host + host + "\r\n", "400"},
           {"Host twice, of HTTP/1.0", "GET /told HTTP/1.0\r\n" + host + "Host: evil\r\n\r\n", "400"},
           {"Host with a list", "GET /told HTTP/1.1\r\nHost: localhost, evil\r\n\r\n", "400"},
           {"Host with a user", "GET /told HTTP/1.1\r\nHost: evil@localhost\r\n\r\n", "400"},
           {"Host with a path", "GET /told HTTP/1.1\r\nHost: localhost/x\r\n\r\n", "400"},
           {"Host with no port", "GET /told HTTP/1.1\r\nHost: localhost:\r\n\r\n", "400"},
           {"Host with a bad port", "GET /told HTTP/1.1\r\nHost: localhost:80x\r\n\r\n", "400"},
           {"Host with a port too high", "GET /told HTTP/1.1\r\nHost: localhost:65536\r\n\r\n", "400"},
           {"Host with half a bracket", "GET /told HTTP/1.1\r\nHost: [::1\r\n\r\n", "400"},
           {"Host with a name in brackets", "GET /told HTTP/1.1\r\nHost: [localhost]\r\n\r\n", "400"},
           {"Host with something behind a bracket", "GET /told HTTP/1.1\r\nHost: [::1]x80\r\n\r\n", "400"},
           {"an absolute target of another host", "GET http://evil.example/told HTTP/1.1\r\n" + host + "\r\n", "400"},
           {"an absolute target of another port", "GET http://localhost:1/told HTTP/1.1\r\n" + host + "\r\n", "400"},
           {"an absolute target with a user", "GET http://a@localhost/told HTTP/1.1\r\n" + host + "\r\n", "400"},
           {"an absolute target of another scheme", "GET ftp://localhost/told HTTP/1.1\r\n" + host + "\r\n", "400"},
           {"an authority as target", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n", "400"},
           {"a path without a slash", "GET told HTTP/1.1\r\n" + host + "\r\n", "400"},
           {"* with GET", "GET * HTTP/1.1\r\n" + host + "\r\n", "400"},
           {"a fragment", "GET /told#x HTTP/1.1\r\n" + host + "\r\n", "400"},
           // Chunks.
           {"no size", chunked("\r\nabc\r\n0\r\n\r\n"), "400"},
           {"a size of +3", chunked("+3\r\nabc\r\n0\r\n\r\n"), "400"},
           {"a size of -1", chunked("-1\r\nabc\r\n0\r\n\r\n"), "400"},
           {"a size of 0x3", chunked("0x3\r\nabc\r\n0\r\n\r\n"), "400"},
           {"a size of 3h", chunked("3h\r\nabc\r\n0\r\n\r\n"), "400"},
           {"a space before the size", chunked(" 3\r\nabc\r\n0\r\n\r\n"), "400"},
           {"a space after the size", chunked("3 \r\nabc\r\n0\r\n\r\n"), "400"},
           {"a size of 2^64 + 3", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n"), "400"},
           {"a size of 2^64 - 1", chunked("ffffffffffffffff\r\nabc\r\n0\r\n\r\n"), "413"},
           {"a size beyond the limit", chunked("186a1\r\n"), "413"},
           {"sizes that add up beyond the limit", chunked("3\r\nabc\r\n1869e\r\n"), "413"},
           {"bare LF after the size", chunked("3\nabc\r\n0\r\n\r\n"), "400"},
           {"bare LF after the data", chunked("3\r\nabc\n0\r\n\r\n"), "400"},
           {"bare LF at the end", chunked("0\r\n\n"), "400"},
           {"more data than the size", chunked("3\r\nabcd\r\n0\r\n\r\n"), "400"},
           {"less data than the size", chunked("5\r\nabc\r\n0\r\n\r\n0\r\n\r\n"), "400"},
           {"bare CR in an extension", chunked("3;a\rb\r\nabc\r\n0\r\n\r\n"), "400"},
           {"bare LF in an extension", chunked("3;a\nb\r\nabc\r\n0\r\n\r\n"), "400"},
           {"extensions without an end", chunked("3;" + std::string(3000, 'x')), "400"},
           {"extensions of many chunks", chunked([] {
              std::string many;
              for (int i = 0; i < 30; ++i) many += "1;" + std::string(90, 'x') + "\r\na\r\n";
              return many;
            }()),
            "400"},
           // Trailers.
           {"a trailer of no form", chunked("0\r\nnonsense\r\n\r\n"), "400"},
           {"a folded trailer", chunked("0\r\nX: a\r\n b\r\n\r\n"), "400"},
           {"a trailer with a space before the colon", chunked("0\r\nX : a\r\n\r\n"), "400"},
           {"Content-Length as a trailer", chunked("0\r\nContent-Length: 5\r\n\r\n"), "400"},
           {"Transfer-Encoding as a trailer", chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n"), "400"},
           {"Host as a trailer", chunked("0\r\nHost: evil\r\n\r\n"), "400"},
           {"trailers without an end", chunked("0\r\nX: " + std::string(3000, 'x')), "400"},
           // Others.
           {"an expectation", post("Expect: 200-ok\r\nContent-Length: 3\r\n", "abc"), "417"},
       }) {
    const std::string answer = conversation(row.sent);
    EXPECT_EQ(answer.substr(9, 3), row.status) << row.what << ":\n" << answer;
    EXPECT_NE(answer.find("\r\nConnection: close\r\n"), std::string::npos) << row.what;
    EXPECT_EQ(answer.find("?last"), std::string::npos) << row.what << ": the connection went on:\n" << answer;
  }
}

TEST_F(Smuggling, IsNotSeenInWhatIsOnlyRare) {
  struct Row {
    const char* what;
    std::string sent;
    const char* told;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"an empty line first", "\r\nGET /told HTTP/1.1\r\nHost: localhost\r\n\r\n", "<GET /told >"},
           {"two empty lines first", empty_lines(2) + "GET /told HTTP/1.1\r\nHost: localhost\r\n\r\n", "<GET /told >"},
           {"32 empty lines first", empty_lines(32) + "GET /told HTTP/1.1\r\nHost: localhost\r\n\r\n", "<GET /told >"},
           {"empty lines after a body", post("Content-Length: 3\r\n", "abc") + empty_lines(3), "<POST /told abc>"},
           {"empty lines after chunks", chunked("3\r\nabc\r\n0\r\n\r\n") + empty_lines(3), "<POST /told abc>"},
           {"spaces around a value", "GET /told HTTP/1.1\r\nHost: \t localhost \t\r\n\r\n", "<GET /told >"},
           {"no space before a value", "GET /told HTTP/1.1\r\nHost:localhost\r\n\r\n", "<GET /told >"},
           {"names in any case", "GET /told HTTP/1.1\r\nhOST: LOCALHOST\r\n\r\n", "<GET /told >"},
           {"bytes beyond ASCII in a value", "GET /told HTTP/1.1\r\nHost: localhost\r\nX: \xc3\xa9\r\n\r\n",
            "<GET /told >"},
           {"an absolute target", "GET http://LocalHost:80/told?a HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "<GET /told?a >"},
           {"a length with zeros", post("Content-Length: 003\r\n", "abc"), "<POST /told abc>"},
           {"a length of 0", post("Content-Length: 0\r\n", ""), "<POST /told >"},
           {"no body of a POST", post("", ""), "<POST /told >"},
           {"a body of a GET", "GET /told HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
            "<GET /told abc>"},
           {"chunks", chunked("3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\n"), "<POST /told abc0123456789>"},
           {"Chunked", post("Transfer-Encoding: Chunked\r\n", "0\r\n\r\n"), "<POST /told >"},
           {"chunk extensions", chunked("3;a=b;c=\"d\"\r\nabc\r\n0;e\r\n\r\n"), "<POST /told abc>"},
           {"trailers", chunked("3\r\nabc\r\n0\r\nX-Checksum: 1\r\nY: 2\r\n\r\n"), "<POST /told abc>"},
           {"identity", post("Content-Encoding: identity\r\nContent-Length: 3\r\n", "abc"), "<POST /told abc>"},
           {"an encoding of no body", "GET /told HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\n\r\n",
            "<GET /told >"},
       }) {
    const std::string answer = conversation(row.sent);
    EXPECT_EQ(answer.substr(9, 3), "200") << row.what << ":\n" << answer;
    EXPECT_NE(answer.find(row.told), std::string::npos) << row.what << ":\n" << answer;
    EXPECT_TRUE(answer.ends_with("<GET /told?last >")) << row.what << ":\n" << answer;
  }
}

TEST_F(Smuggling, ABodyIsDecodedUnderABound) {
  const std::string text = "[{\"vehicleId\":\"V1\"}]";
  const std::string told = "<POST /told " + text + ">";
  const auto sent = [](const std::string& encoding, const std::string& body) {
    return post(fmt::format("Content-Encoding: {}\r\nContent-Length: {}\r\n", encoding, body.size()), body);
  };
  const std::string zipped = gzipped(text);
  std::string wrong_sum = zipped;
  wrong_sum[wrong_sum.size() - 8] ^= 1;
  struct Row {
    const char* what;
    std::string sent;
    const char* status;
    std::string told;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"gzip", sent("gzip", zipped), "200", told},
           {"x-gzip", sent("x-gzip", zipped), "200", told},
           {"GZip", sent("GZip", zipped), "200", told},
           {"deflate", sent("deflate", testing::deflated(text, 15)), "200", told},
           {"deflate without zlib's header", sent("deflate", testing::deflated(text, -15)), "200", told},
           {"two members", sent("gzip", gzipped(text.substr(0, 5)) + gzipped(text.substr(5))), "200", told},
           {"gzip in chunks",
            post("Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
                 fmt::format("1\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", zipped[0], zipped.size() - 1, zipped.substr(1))),
            "200", told},
           {"deflate in chunks",
            post("Content-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n",
                 fmt::format("1\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", testing::deflated(text, 15)[0],
                             testing::deflated(text, 15).size() - 1, testing::deflated(text, 15).substr(1))),
            "200", told},
           {"as much as is allowed", sent("gzip", gzipped(std::string(kBodyMax, 'z'))), "200", ""},
           {"one byte more", sent("gzip", gzipped(std::string(kBodyMax + 1, 'z'))), "413", ""},
           {"a bomb", sent("gzip", gzipped(std::string(50'000'000, '\0'))), "413", ""},
           {"a bomb of deflate", sent("deflate", testing::deflated(std::string(50'000'000, '\0'), 15)), "413", ""},
           {"a bomb of many members",
            sent("gzip",
                 [] {
                   const std::string one = gzipped(std::string(10'000, '\0'));
                   std::string many;
                   for (int i = 0; i < 11; ++i) many += one;
                   return many;
                 }()),
            "413", ""},
           {"no gzip", sent("gzip", text), "400", ""},
           {"half of it", sent("gzip", zipped.substr(0, zipped.size() - 1)), "400", ""},
           {"something behind it", sent("gzip", zipped + "x"), "400", ""},
           {"something behind deflate", sent("deflate", testing::deflated(text, 15) + "x"), "400", ""},
           {"a wrong checksum", sent("gzip", wrong_sum), "400", ""},
           {"one byte of deflate", sent("deflate", "x"), "400", ""},
           {"br", sent("br", text), "415", ""},
           {"zstd", sent("zstd", text), "415", ""},
           {"twice", sent("gzip, gzip", gzipped(zipped)), "415", ""},
           {"nothing named", sent("*", zipped), "415", ""},
       }) {
    const std::string answer = conversation(row.sent);
    EXPECT_EQ(answer.substr(9, 3), row.status) << row.what << ":\n" << answer.substr(0, 1000);
    EXPECT_NE(answer.find(row.told), std::string::npos) << row.what << ":\n" << answer.substr(0, 1000);
    EXPECT_EQ(answer.find("\r\nAccept-Encoding: gzip, deflate\r\n") != std::string::npos,
              row.status == std::string("415"))
        << row.what;
  }
}

TEST(HostCheck, KnowsTheServersNamesFromThoseOfAPageThatWasMadeToLeadHere) {
  char machine[256] = {};
  ASSERT_EQ(::gethostname(machine, sizeof machine - 1), 0);
  struct Row {
    const char* bound;
    std::vector<std::string> allowed;
    std::string host;
    bool good;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"127.0.0.1", {}, "localhost", true},
           {"127.0.0.1", {}, "localhost:8080", true},
           {"127.0.0.1", {}, "LocalHost.", true},
           {"127.0.0.1", {}, "map.localhost", true},
           {"127.0.0.1", {}, "127.0.0.1:8080", true},
           {"127.0.0.1", {}, "127.1.2.3", true},
           {"127.0.0.1", {}, "[::1]:8080", true},
           {"127.0.0.1", {}, "[0:0:0:0:0:0:0:1]", true},
           {"127.0.0.1", {}, "[::ffff:127.0.0.1]", true},
           {"127.0.0.1", {}, machine, true},
           {"127.0.0.1", {}, "evil.example", false},
           {"127.0.0.1", {}, "evil.example:8080", false},
           {"127.0.0.1", {}, "localhost.evil.example", false},
           {"127.0.0.1", {}, "notlocalhost", false},
           {"127.0.0.1", {}, "127.0.0.1.evil.example", false},
           {"127.0.0.1", {}, "10.0.0.5", false},
           {"127.0.0.1", {}, "[2001:db8::1]", false},
           {"127.0.0.1", {}, "2130706433", false},
           {"127.0.0.1", {}, "0.0.0.0", false},
           {"10.0.0.5", {}, "10.0.0.5:8080", true},
           {"10.0.0.5", {}, "10.0.0.6", false},
           {"fleet-1", {}, "FLEET-1:80", true},
           {"2001:db8::1", {}, "[2001:DB8:0::1]:80", true},
           {"0.0.0.0", {}, "10.0.0.5", true},
           {"0.0.0.0", {}, "[2001:db8::1]", true},
           {"0.0.0.0", {}, "evil.example", false},
           {"::", {}, "10.0.0.5", true},
           {"127.0.0.1", {"fleet.example.com"}, "Fleet.example.com:443", true},
           {"127.0.0.1", {"fleet.example.com"}, "a.fleet.example.com", false},
           {"127.0.0.1", {".example.com"}, "a.b.example.com", true},
           {"127.0.0.1", {".example.com"}, "badexample.com", false},
           {"127.0.0.1", {"10.0.0.5"}, "10.0.0.5", true},
           {"127.0.0.1", {"*"}, "evil.example", true},
       }) {
    const auto host = parse_authority(row.host);
    ASSERT_TRUE(host) << row.host;
    EXPECT_EQ(HostCheck(row.bound, row.allowed).allows(*host), row.good) << row.bound << ' ' << row.host;
  }
}

TEST_F(Smuggling, APageOfAnotherNameIsTold421) {
  const std::string answer = conversation("GET /told HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(answer.substr(9, 3), "421");
  EXPECT_NE(
      answer.find(R"({"error":{"code":"host_not_allowed","message":"'evil.example' is not a name of this server"}})"),
      std::string::npos)
      << answer;
  EXPECT_EQ(conversation("GET http://evil.example/told HTTP/1.1\r\nHost: evil.example\r\n\r\n").substr(9, 3), "421");
  EXPECT_EQ(conversation("GET http://evil.example/told HTTP/1.0\r\n\r\n").substr(9, 3), "421");
  EXPECT_EQ(conversation("GET /told HTTP/1.0\r\n\r\n").substr(9, 3), "200");
}

TEST(FuzzHttpRequest, SurvivesMutations) {
  testing::survive_mutations(
      "net_http_request", fuzz_http_request,
      {"GET /a/b/c?x=%41 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
       "POST / HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n",
       "PUT /z HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
       "GET http://h:1/p?q HTTP/1.1\r\nhost: h:1\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
       post(fmt::format("Content-Encoding: gzip\r\nContent-Length: {}\r\n", gzipped("abc").size()), gzipped("abc")),
       "POST /p HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n1"},
      {.alphabet = "\r\n:; /0123456789"});
}

TEST(FuzzContentDecoder, SurvivesMutations) {
  testing::survive_mutations(
      "net_content_decoder", fuzz_content_decoder,
      {"\x02" + gzipped("abcabcabcabc"), "\x02" + gzipped("a") + gzipped(""),
       "\x01" + testing::deflated("abcabcabcabc", 15), "\x01" + testing::deflated("abcabcabcabc", -15)});
}

}  // namespace
}  // namespace muir::net

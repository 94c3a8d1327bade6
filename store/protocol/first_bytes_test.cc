#include "store/protocol/first_bytes.h"

#include <string>

#include "gtest/gtest.h"
#include "store/protocol/dialect.h"

namespace rollcall::protocol {
namespace {

TEST(FirstBytes, NameTheStranger) {
  EXPECT_EQ(ForeignProtocol("GET / HTTP/1.1\r\n"), "an HTTP request");
  EXPECT_EQ(ForeignProtocol("PRI * HTTP/2.0\r\n\r\nSM"), "an HTTP/2 client");
  EXPECT_EQ(ForeignProtocol("\x16\x03\x01\x02"), "a TLS handshake");
  EXPECT_EQ(ForeignProtocol("SSH-2.0-OpenSSH_9.2"), "an SSH client");
  EXPECT_EQ(ForeignProtocol("PROXY TCP4 1.2.3.4"), "a PROXY protocol header");
}

TEST(FirstBytes, OfTheUnknownNothingIsSaid) {
  EXPECT_EQ(ForeignProtocol(""), "");
  EXPECT_EQ(ForeignProtocol("G"), "");
  EXPECT_EQ(ForeignProtocol("hello"), "");
}

TEST(FirstBytes, OfAStoreClientAreNeverTakenForAnother) {
  for (int first = 0; first < 256; ++first) {
    const uint8_t byte = static_cast<uint8_t>(first);
    if (!OperationOf(Dialect::kLegacy, byte).has_value() &&
        !OperationOf(Dialect::kTorch21, byte).has_value()) {
      continue;
    }
    EXPECT_EQ(ForeignProtocol(std::string(1, static_cast<char>(first)) + std::string(20, '\0')),
              "");
  }
}

}  // namespace
}  // namespace rollcall::protocol

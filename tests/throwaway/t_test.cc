#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <asio.hpp>
#include <asio/ssl.hpp>
#include <spdlog/spdlog.h>
#include <hiredis/hiredis.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <prometheus/counter.h>
#include <lz4.h>
#include <zstd.h>
#include <thread>
#include <mutex>
#include "absl/time/time.h"
#include "absl/strings/cord.h"
#include "absl/types/span.h"
#include "absl/synchronization/mutex.h"
#include "tests/throwaway/lib.h"
#include "tests/throwaway/t.pb.h"
namespace norn {
TEST(T, Proto) {
  v1::Thing t; t.set_name("x"); t.add_value(4); (*t.mutable_m())["a"] = 1;
  v1::Thing u; ASSERT_TRUE(u.ParseFromString(t.SerializeAsString()));
  EXPECT_EQ(u.name(), "x"); EXPECT_THAT(u.value(), testing::ElementsAre(4));
}
TEST(T, Hash) { EXPECT_TRUE(HashOf("a").ok()); EXPECT_FALSE(HashOf("").ok()); }
RC_GTEST_PROP(T, Prop, (const std::string& s)) { RC_ASSERT(HashOf(s).ok() == !s.empty()); }
TEST(T, Asio) {
  asio::io_context io; int n = 0;
  asio::ssl::context ctx(asio::ssl::context::tls_server);
  std::thread th([&] { asio::post(io, [&] { ++n; }); }); th.join();
  io.run(); EXPECT_EQ(n, 1);
  spdlog::info("hello {}", 5);
}
TEST(T, Others) {
  EXPECT_GT(LZ4_compressBound(100), 0); EXPECT_GT(ZSTD_compressBound(100), 0u);
  prometheus::Registry r; prometheus::BuildCounter().Name("c").Register(r).Add({}).Increment();
  EXPECT_FALSE(prometheus::TextSerializer().Serialize(r.Collect()).empty());
  redisReader* rd = redisReaderCreate(); redisReaderFree(rd);
  absl::Cord c("abc"); EXPECT_EQ(c.size(), 3u); EXPECT_EQ(absl::ToInt64Seconds(absl::Seconds(3)), 3);
  std::mutex mu; int k = 0;
  std::thread a([&] { std::lock_guard l(mu); ++k; }), b([&] { std::lock_guard l(mu); ++k; });
  a.join(); b.join(); EXPECT_EQ(k, 2);
  absl::Status s = absl::InternalError("long message so that it is allocated"); 
  std::thread d([s] { (void)s.message(); }), e([s] { absl::Status q = s; (void)q; }); s = absl::OkStatus(); d.join(); e.join();
}
}

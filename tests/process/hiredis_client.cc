// A client on hiredis: what a C or C++ program would do. Usage: hiredis_client PORT...

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "hiredis/hiredis.h"

namespace {

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};
struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Context = std::unique_ptr<redisContext, FreeContext>;
using Reply = std::unique_ptr<redisReply, FreeReply>;

void Expect(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "hiredis: %s\n", what);
  std::exit(1);
}

Context Connect(const char* port) {
  Context context(redisConnect("127.0.0.1", std::atoi(port)));
  Expect(context != nullptr && context->err == 0, "cannot connect");
  return context;
}

Reply Next(redisContext* context) {
  void* reply = nullptr;
  Expect(redisGetReply(context, &reply) == REDIS_OK, "no reply");
  return Reply(static_cast<redisReply*>(reply));
}

bool IsString(const Reply& reply, int type, const std::string& text) {
  return reply->type == type && std::string(reply->str, static_cast<size_t>(reply->len)) == text;
}

void WriteAll(redisContext* context) {
  for (int i = 0; i < 1000; ++i) {
    redisAppendCommand(context, "SET hi:%d %b", i, "a\0b", size_t{3});
  }
  for (int i = 0; i < 1000; ++i) {
    Expect(IsString(Next(context), REDIS_REPLY_STATUS, "OK"), "SET did not answer OK");
  }
}

void ReadAll(redisContext* context) {
  for (int i = 0; i < 1000; ++i) redisAppendCommand(context, "GET hi:%d", i);
  for (int i = 0; i < 1000; ++i) {
    Expect(IsString(Next(context), REDIS_REPLY_STRING, std::string("a\0b", 3)), "GET is wrong");
  }
  redisAppendCommand(context, "KV.GET hi:1");
  const Reply versions = Next(context);
  Expect(versions->type == REDIS_REPLY_ARRAY && versions->elements == 5, "KV.GET has five parts");
  Expect(versions->element[1]->type == REDIS_REPLY_ARRAY && versions->element[1]->elements == 1,
         "KV.GET has one value");
  redisAppendCommand(context, "GET no-such-key");
  Expect(Next(context)->type == REDIS_REPLY_NIL, "GET of nothing is nil");
  redisAppendCommand(context, "LPUSH hi:1 x");
  Expect(Next(context)->type == REDIS_REPLY_ERROR, "LPUSH is an error");
}

}  // namespace

int main(int argc, char** argv) {
  Expect(argc > 1, "usage: hiredis_client PORT...");
  WriteAll(Connect(argv[1]).get());
  for (int i = 1; i < argc; ++i) ReadAll(Connect(argv[i]).get());
  std::puts("hiredis: all well");
  return 0;
}

// Everything that core/ must not do, so that check_symbols.py can show that it notices.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <mutex>
#include <random>
#include <string>
#include <thread>

namespace norn {

long ReadClocks() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_nsec + time(nullptr) + std::chrono::system_clock::now().time_since_epoch().count() +
         std::chrono::steady_clock::now().time_since_epoch().count();
}

unsigned Gamble() { return std::random_device()() + static_cast<unsigned>(std::rand()); }

void Share() {
  std::mutex mutex;
  std::thread thread([&] { std::lock_guard lock(mutex); });
  thread.join();
}

bool Touch(const char* path) {
  std::ofstream stream(path);
  std::FILE* file = std::fopen(path, "r");
  return stream.good() && file != nullptr && open(path, O_RDONLY) >= 0 &&
         socket(AF_INET, SOCK_STREAM, 0) >= 0 && getenv(path) != nullptr;
}

}  // namespace norn

// What wall clocks show at a moment of virtual time, as long as nothing is wrong with them.

#ifndef NORN_SIM_WALL_TIME_H_
#define NORN_SIM_WALL_TIME_H_

#include <cstdint>

namespace norn::sim {

inline constexpr int64_t kWallOriginUs = 1'700'000'000'000'000;  // some day in 2023
inline int64_t WallOf(int64_t time_us) { return kWallOriginUs + time_us; }

}  // namespace norn::sim

#endif  // NORN_SIM_WALL_TIME_H_

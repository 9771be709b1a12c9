// What `nornd --version` and INFO say.

#ifndef NORN_NODE_VERSION_H_
#define NORN_NODE_VERSION_H_

namespace norn::node {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace norn::node

#endif  // NORN_NODE_VERSION_H_

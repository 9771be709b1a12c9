// The field tables of the handshake, like those of net/message_fields.h.

#ifndef NORN_NET_HANDSHAKE_FIELDS_H_
#define NORN_NET_HANDSHAKE_FIELDS_H_

#include "net/handshake.h"
#include "net/proto_writer.h"

namespace norn::net {

template <typename V, Is<Hello> M>
void Fields(V& v, M& m) {
  auto& [version_min, version_max, cluster, node, to, generation, instance, fingerprint] = m;
  v.Int(1, "version_min", version_min);
  v.Int(2, "version_max", version_max);
  v.Bytes(3, "cluster", cluster);
  v.Node(4, "node", node);
  v.Node(5, "to", to);
  v.Int(6, "generation", generation);
  v.Fixed64(7, "instance", instance);
  v.Fixed64(8, "fingerprint", fingerprint);
}

template <typename V, Is<HelloReply> M>
void Fields(V& v, M& m) {
  auto& [verdict, text, version, cluster, node, generation, fingerprint] = m;
  v.Enum(1, "verdict", verdict, Verdict::kMalformed);
  v.Bytes(2, "text", text);
  v.Int(3, "version", version);
  v.Bytes(4, "cluster", cluster);
  v.Node(5, "node", node);
  v.Int(6, "generation", generation);
  v.Fixed64(7, "fingerprint", fingerprint);
}

}  // namespace norn::net

#endif  // NORN_NET_HANDSHAKE_FIELDS_H_

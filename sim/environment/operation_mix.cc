#include "sim/environment/operation_mix.h"

#include "absl/strings/str_cat.h"

namespace norn::sim {

namespace {

using Kind = ClientRequest::Kind;

Kind DrawKind(Random& random, const OperationMix& mix) {
  const uint64_t die = random.Below(mix.gets + mix.puts + mix.deletes);
  if (die < mix.gets) return Kind::kGet;
  return die < mix.gets + mix.puts ? Kind::kPut : Kind::kDelete;
}

}  // namespace

std::string KeyOfMix(const OperationMix& mix, uint64_t index) {
  const uint64_t share = mix.last_writer_per_mille;
  const bool last = (index + 1) * share / 1000 != index * share / 1000;
  return absl::StrCat(last ? "l" : "k", index);
}

MixedOperation DrawOperation(Random& random, const OperationMix& mix) {
  MixedOperation operation;
  operation.kind = DrawKind(random, mix);
  operation.key = KeyOfMix(mix, mix.keys.Draw(random));
  const bool get = operation.kind == Kind::kGet;
  const std::vector<LevelChoice>& levels = get ? mix.reads : mix.writes;
  const auto weight_of = [](const auto& choice) { return choice.weight; };
  const LevelChoice& level = levels[DrawByWeight(random, levels, weight_of)];
  operation.level = level.level;
  operation.quorum = level.quorum;
  if (get) return operation;
  const uint64_t base = random.Below(1000);
  if (base < mix.context_per_mille) {
    operation.base = ClientRequest::Base::kToken;
  } else if (base < mix.context_per_mille + mix.blind_per_mille) {
    operation.base = ClientRequest::Base::kNothing;
  }
  if (operation.kind != Kind::kPut) return operation;
  const SizeRange& size = mix.sizes[DrawByWeight(random, mix.sizes, weight_of)];
  operation.value_bytes = size.min_bytes + random.Below(size.max_bytes - size.min_bytes + 1);
  if (random.Chance(mix.expiring_per_mille, 1000)) {
    operation.ttl_us = random.Between(mix.ttl_min_us, mix.ttl_max_us);
  }
  return operation;
}

}  // namespace norn::sim

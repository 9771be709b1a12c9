#include "sim/properties/generators.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/random.h"
#include "sim/case.h"
#include "sim/properties/draw_case.h"
#include "sim/properties/smaller_cases.h"

namespace norn::v1 {

void showValue(const Case& written, std::ostream& out) { out << "\n" << sim::FormatCase(written); }

}  // namespace norn::v1

namespace norn::sim {

namespace {

// What a case can shrink to, wherever it came from.
struct Origin {
  std::shared_ptr<const CaseShape> shape;
  Kept kept;
};

rc::Shrinkable<v1::Case> Shrinking(std::shared_ptr<const v1::Case> written, const Origin& origin,
                                   const SmallerCases::Place& start);

class Shrinks {
 public:
  explicit Shrinks(SmallerCases smaller, Origin origin)
      : smaller_(std::move(smaller)), origin_(std::move(origin)) {}

  rc::Maybe<rc::Shrinkable<v1::Case>> operator()() {
    auto candidate = smaller_.Next();
    if (!candidate.has_value()) return rc::Nothing;
    auto written = std::make_shared<const v1::Case>(std::move(candidate->written));
    return Shrinking(std::move(written), origin_, candidate->next);
  }

 private:
  SmallerCases smaller_;
  Origin origin_;
};

rc::Shrinkable<v1::Case> Shrinking(std::shared_ptr<const v1::Case> written, const Origin& origin,
                                   const SmallerCases::Place& start) {
  return rc::shrinkable::lambda([written] { return *written; },
                                [written, origin, start] {
                                  return rc::makeSeq<Shrinks>(
                                      SmallerCases(written, origin.shape, origin.kept, start),
                                      origin);
                                });
}

using Draw = std::function<v1::Case(Random& random, int size)>;

rc::Gen<v1::Case> Drawn(Draw draw, Origin origin) {
  return [draw = std::move(draw), origin = std::move(origin)](const rc::Random& seed, int size) {
    if (std::string wrong = FindContradiction(*origin.shape); !wrong.empty()) {
      throw std::invalid_argument(wrong);  // RapidCheck reports it
    }
    Random random(rc::Random(seed).next());
    auto written = std::make_shared<const v1::Case>(draw(random, std::clamp(size, 0, kSizeMost)));
    return Shrinking(std::move(written), origin, {});
  };
}

// What a case that somebody else wrote fits.
CaseShape Wide() {
  CaseShape shape;
  shape.topology.nodes = shape.topology.zones = Range(1, 9);
  shape.topology.n = shape.topology.r = shape.topology.w = Range(1, 9);
  shape.topology.sloppy = StandIns::kEither;
  shape.workload.clients = Range(1, 100);
  shape.workload.keys = Range(1, 1'000);
  shape.workload.operations = Range(0, 10'000);
  return shape;
}

}  // namespace

rc::Gen<v1::Case> Cases(const CaseShape& shape) {
  const auto shared = std::make_shared<const CaseShape>(shape);
  return Drawn([shared](Random& random, int size) { return DrawCase(random, *shared, size); },
               {shared, {}});
}

rc::Gen<v1::Case> CasesWithFaults(const v1::Case& base, const FaultShape& faults) {
  CaseShape shape = Wide();
  shape.faults = faults;
  return Drawn(
      [base, faults](Random& random, int size) { return DrawFaults(random, base, faults, size); },
      {std::make_shared<const CaseShape>(std::move(shape)), {true, true, false}});
}

rc::Gen<v1::Case> CasesWithWorkload(const v1::Case& base, const WorkloadShape& workload) {
  CaseShape shape = Wide();
  shape.workload = workload;
  shape.faults.count = Range(0, 100);
  return Drawn([base, workload](Random& random,
                                int size) { return DrawWorkload(random, base, workload, size); },
               {std::make_shared<const CaseShape>(std::move(shape)), {true, false, true}});
}

}  // namespace norn::sim

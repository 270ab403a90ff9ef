#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/bytes.h"
#include "dubbo/result.h"

namespace skiff::dubbo {

// A hessian2 value as a tree, for the few answers that we read as a whole; requests on their way
// are only skipped over (hessian2_reader.h).
struct Hessian2Value {
  enum class Type {
    kNull,
    kNumber,  // an int
    kText,
    kList,
    kMap,        // `children`: key, value, key, value...
    kObject,     // as a map, with the fields' names as keys; `text` is the class
    kReference,  // to the list, map or object `number`, counted from 0 in the order of beginning
    kOther       // a boolean, long, double, date or binary: left out
  };

  Type type = Type::kNull;
  std::int64_t number = 0;  // of kList, kMap and kObject: their own number
  std::string text;
  std::vector<Hessian2Value> children;

  // The value of a text key of a map or object; null where there is none.
  const Hessian2Value* find(std::string_view key) const;
};

// Reads values of a body one after another. Bounded: kMaxDepth, kMaxValues in all.
class Hessian2ValueReader {
 public:
  static constexpr std::size_t kMaxDepth = 32;
  static constexpr std::size_t kMaxValues = 400'000;

  explicit Hessian2ValueReader(Bytes body);
  ~Hessian2ValueReader();
  Hessian2ValueReader(const Hessian2ValueReader&) = delete;
  Hessian2ValueReader& operator=(const Hessian2ValueReader&) = delete;

  // Fails with kMalformed, or with kTooLarge over a limit; then nothing more can be read.
  Result<Hessian2Value> read();

 private:
  class Reading;
  std::unique_ptr<Reading> reading_;
};

// The lists, maps and objects within a value, by their number: what references refer to. Not to
// outlive the value.
class Hessian2References {
 public:
  explicit Hessian2References(const Hessian2Value& root) { add(root); }

  // `value`, or what it refers to; null where there is no such thing.
  const Hessian2Value* resolve(const Hessian2Value* value) const;

 private:
  void add(const Hessian2Value& value);

  std::vector<const Hessian2Value*> containers_;
  std::int64_t first_ = 0;
};

}  // namespace skiff::dubbo

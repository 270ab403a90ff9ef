#include "dubbo/hessian2_value.h"

#include <utility>

#include "dubbo/hessian2_reader.h"
#include "dubbo/text.h"

namespace skiff::dubbo {

using Type = Hessian2Value::Type;

// The containers are read here; texts and what is left out, by the reader that skips. A function
// that returns false has set error_.
class Hessian2ValueReader::Reading {
 public:
  explicit Reading(Bytes body) : body_(body) { reader_.reset(body, 0); }

  Result<Hessian2Value> read() {
    Hessian2Value value;
    if (!read(value, 0)) return tl::unexpected<Error>(error_);
    return value;
  }

 private:
  struct Class {
    std::string name;
    std::vector<std::string> fields;
  };
  static constexpr std::size_t kToEnd = SIZE_MAX;  // children up to a 'Z'

  bool refuse(ErrorCode code, std::string why) {
    error_ = {code, std::move(why)};
    return false;
  }
  bool malformed() { return refuse(ErrorCode::kMalformed, reader_.problem()); }
  bool malformed(const char* why) {
    return refuse(ErrorCode::kMalformed, std::string("hessian2: ") + why + ", at offset " +
                                             std::to_string(reader_.offset()));
  }

  bool count_value() {
    return ++values_ <= kMaxValues ||
           refuse(ErrorCode::kTooLarge,
                  "hessian2: more than " + std::to_string(kMaxValues) + " values");
  }

  bool read(Hessian2Value& value, std::size_t depth) {
    if (depth > kMaxDepth) return refuse(ErrorCode::kTooLarge, "hessian2: nested too deeply");
    if (!count_value()) return false;
    const int tag = reader_.peek();
    if (reader_.next_is_string()) return read_text(value);
    if (is_int(tag)) {
      value.type = Type::kNumber;
      return read_int(value.number);
    }
    if (reader_.take('N')) return true;
    if (reader_.take('C')) return define_class() && read(value, depth + 1);
    if (reader_.take('H')) return read_map(value, depth);
    if (reader_.take('M')) return skip_type() && read_map(value, depth);
    if (tag >= 0x60 && tag <= 0x6f) {
      reader_.take(static_cast<std::uint8_t>(tag));
      return read_object(value, tag - 0x60, depth);
    }
    if (reader_.take('O')) {
      std::int64_t number = 0;
      return read_int(number) && read_object(value, number, depth);
    }
    if (reader_.take(0x51)) {
      value.type = Type::kReference;
      return read_int(value.number);
    }
    if ((tag >= 0x55 && tag <= 0x58) || (tag >= 0x70 && tag <= 0x7f)) {
      return read_list(value, static_cast<std::uint8_t>(tag), depth);
    }
    value.type = Type::kOther;  // or no value at all, which the reader finds
    return reader_.skip_value() || malformed();
  }

  bool read_text(Hessian2Value& value) {
    value.type = Type::kText;
    return read_text(value.text);
  }

  bool read_text(std::string& text) {
    std::string_view view;
    if (!reader_.read_text(view, arena_)) return malformed();
    text = view;
    arena_.clear();
    return true;
  }

  bool skip_type() { return reader_.skip_type() || malformed(); }

  static bool is_int(int tag) { return tag == 'I' || (tag >= 0x80 && tag <= 0xd7); }

  bool read_int(std::int64_t& number) {
    const std::size_t from = reader_.offset();
    if (!is_int(reader_.peek())) return malformed("expected an int");
    if (!reader_.skip_value()) return malformed();
    const auto byte = [&](std::size_t i) { return std::to_integer<int>(body_[from + i]); };
    const int tag = byte(0);
    if (tag == 'I') {
      number = static_cast<std::int32_t>(
          static_cast<std::uint32_t>(byte(1)) << 24U | static_cast<std::uint32_t>(byte(2)) << 16U |
          static_cast<std::uint32_t>(byte(3)) << 8U | static_cast<std::uint32_t>(byte(4)));
    } else if (tag <= 0xbf) {
      number = tag - 0x90;
    } else if (tag <= 0xcf) {
      number = (tag - 0xc8) * 0x100 + byte(1);
    } else {
      number = (tag - 0xd4) * 0x10000 + byte(1) * 0x100 + byte(2);
    }
    return true;
  }

  bool define_class() {
    Class defined;
    std::int64_t fields = 0;
    if (!read_text(defined.name) || !read_int(fields)) return false;
    if (fields < 0 || static_cast<std::size_t>(fields) > reader_.remaining()) {
      return malformed("class with more fields than the body has bytes");
    }
    for (std::int64_t i = 0; i < fields; ++i) {
      if (!count_value() || !read_text(defined.fields.emplace_back())) return false;
    }
    classes_.push_back(std::move(defined));
    const int tag = reader_.peek();
    return tag == 'O' || (tag >= 0x60 && tag <= 0x6f) ||
           malformed("expected an object after its class definition");
  }

  bool read_object(Hessian2Value& value, std::int64_t number, std::size_t depth) {
    if (number < 0 || static_cast<std::size_t>(number) >= classes_.size()) {
      return malformed("object of a class that is not defined");
    }
    begin_container(value, Type::kObject);
    // By number: a definition within the object may move the others.
    const auto index = static_cast<std::size_t>(number);
    value.text = classes_[index].name;
    const std::size_t fields = classes_[index].fields.size();
    for (std::size_t i = 0; i < fields; ++i) {
      if (!count_value()) return false;
      Hessian2Value& key = value.children.emplace_back();
      key.type = Type::kText;
      key.text = classes_[index].fields[i];
      if (!read(value.children.emplace_back(), depth + 1)) return false;
    }
    return true;
  }

  bool read_map(Hessian2Value& value, std::size_t depth) {
    begin_container(value, Type::kMap);
    while (!reader_.take('Z')) {
      if (!read(value.children.emplace_back(), depth + 1)) return false;
      if (!read(value.children.emplace_back(), depth + 1)) return false;
    }
    return true;
  }

  bool read_list(Hessian2Value& value, std::uint8_t tag, std::size_t depth) {
    reader_.take(tag);
    begin_container(value, Type::kList);
    const bool has_type = tag == 0x55 || tag == 0x56 || (tag >= 0x70 && tag <= 0x77);
    if (has_type && !skip_type()) return false;
    if (tag == 0x55 || tag == 0x57) return read_elements(value, kToEnd, depth);
    std::int64_t count = tag & 0x07;
    if (tag < 0x70 && !read_int(count)) return false;
    if (count < 0) return malformed("negative count");
    return read_elements(value, static_cast<std::size_t>(count), depth);
  }

  bool read_elements(Hessian2Value& value, std::size_t count, std::size_t depth) {
    for (std::size_t i = 0; i < count; ++i) {
      if (count == kToEnd && reader_.take('Z')) return true;
      if (!read(value.children.emplace_back(), depth + 1)) return false;
    }
    return true;
  }

  void begin_container(Hessian2Value& value, Type type) {
    value.type = type;
    value.number = containers_++;
  }

  const Bytes body_;
  Hessian2Reader reader_;
  TextArena arena_;
  std::vector<Class> classes_;
  std::size_t values_ = 0;
  std::int64_t containers_ = 0;
  Error error_;
};

Hessian2ValueReader::Hessian2ValueReader(Bytes body) : reading_(std::make_unique<Reading>(body)) {}
Hessian2ValueReader::~Hessian2ValueReader() = default;

Result<Hessian2Value> Hessian2ValueReader::read() { return reading_->read(); }

const Hessian2Value* Hessian2Value::find(std::string_view key) const {
  if (type != Type::kMap && type != Type::kObject) return nullptr;
  for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
    if (children[i].type == Type::kText && children[i].text == key) return &children[i + 1];
  }
  return nullptr;
}

void Hessian2References::add(const Hessian2Value& value) {
  const bool is_container =
      value.type == Type::kList || value.type == Type::kMap || value.type == Type::kObject;
  if (!is_container) return;
  if (containers_.empty()) first_ = value.number;
  containers_.push_back(&value);  // in the order of their numbers
  for (const Hessian2Value& child : value.children) add(child);
}

const Hessian2Value* Hessian2References::resolve(const Hessian2Value* value) const {
  if (value == nullptr || value->type != Type::kReference) return value;
  const auto index = static_cast<std::size_t>(value->number - first_);
  return value->number >= first_ && index < containers_.size() ? containers_[index] : nullptr;
}

}  // namespace skiff::dubbo

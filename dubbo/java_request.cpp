#include <algorithm>

#include "dubbo/frame.h"
#include "dubbo/request_formats.h"

namespace skiff::dubbo {
namespace {

constexpr std::size_t kStreamHeaderSize = 4;
constexpr std::uint32_t kStreamHeader = 0xaced0005;
constexpr std::byte kBlockData{0x77};
constexpr std::byte kBlockDataLong{0x7a};
constexpr std::byte kString{0x74};

// The primitive values at the front of a Java object stream: they stand in blocks of data (77 and
// a 1-byte size, 7a and a 4-byte size), and a value may begin in one block and end in the next.
class JavaDataReader {
 public:
  explicit JavaDataReader(Bytes stream) : rest_(stream) {}

  bool read_stream_header() {
    if (rest_.size() < kStreamHeaderSize || wire::load_u32(rest_.data()) != kStreamHeader) {
      return false;
    }
    rest_ = rest_.subspan(kStreamHeaderSize);
    return true;
  }

  // `size` bytes as they stand in one block, or put together in `arena`.
  bool read(std::size_t size, Bytes& bytes, TextArena& arena) {
    if (block_left_ == 0 && size > 0 && !begin_block()) return false;
    if (size <= block_left_) {
      bytes = rest_.first(size);
      advance(size);
      return true;
    }
    std::string& joined = arena.next();
    while (joined.size() < size) {
      if (block_left_ == 0 && !begin_block()) return false;
      const std::size_t part = std::min(size - joined.size(), block_left_);
      joined += as_text(rest_.first(part));
      advance(part);
    }
    bytes = as_bytes(joined);
    return true;
  }

  bool read_u16(std::size_t& value, TextArena& arena) {
    Bytes bytes;
    if (!read(2, bytes, arena)) return false;
    value = std::to_integer<std::size_t>(bytes[0]) << 8U | std::to_integer<std::size_t>(bytes[1]);
    return true;
  }

  bool read_u32(std::uint32_t& value, TextArena& arena) {
    Bytes bytes;
    if (!read(4, bytes, arena)) return false;
    value = wire::load_u32(bytes.data());
    return true;
  }

  std::size_t block_left() const { return block_left_; }
  Bytes rest() const { return rest_; }

 private:
  // Empty blocks are passed over.
  bool begin_block() {
    while (block_left_ == 0) {
      if (rest_.size() >= 2 && rest_[0] == kBlockData) {
        block_left_ = std::to_integer<std::size_t>(rest_[1]);
        rest_ = rest_.subspan(2);
      } else if (rest_.size() >= 5 && rest_[0] == kBlockDataLong) {
        block_left_ = wire::load_u32(rest_.data() + 1);
        rest_ = rest_.subspan(5);
      } else {
        return false;
      }
      if (block_left_ > rest_.size()) return false;
    }
    return true;
  }

  void advance(std::size_t size) {
    rest_ = rest_.subspan(size);
    block_left_ -= size;
  }

  Bytes rest_;
  std::size_t block_left_ = 0;
};

// A string of Dubbo's: "length" is Java's count of chars (-1 for null), then DataOutput.writeUTF().
bool read_text(Serialization serialization, JavaDataReader& reader, TextArena& arena,
               std::string_view& text, bool& is_null) {
  is_null = false;
  if (serialization != Serialization::kNativeJava) {
    std::uint32_t length = 0;
    if (!reader.read_u32(length, arena)) return false;
    is_null = length == 0xffffffff;
    if (is_null) return true;
    if (length > 0xffff) return false;
  }
  std::size_t size = 0;
  Bytes bytes;
  if (!reader.read_u16(size, arena) || !reader.read(size, bytes, arena)) return false;
  text = to_utf8(as_text(bytes), arena);
  return true;
}

std::optional<RequestHead> read_head(Serialization serialization, JavaDataReader& reader,
                                     TextArena& arena) {
  RequestHead head;
  for (std::string_view* text :
       {&head.protocol_version, &head.path, &head.version, &head.method, &head.parameter_types}) {
    bool is_null = false;
    if (!read_text(serialization, reader, arena, *text, is_null)) return std::nullopt;
    if (is_null && text != &head.version) return std::nullopt;
  }
  return head;
}

}  // namespace

Result<RequestHead> read_java_head(Serialization serialization, Bytes body, TextArena& arena) {
  const auto malformed = [serialization](std::string_view why) {
    return fail(ErrorCode::kMalformed,
                std::string(name_of(serialization)) + ": " + std::string(why));
  };
  JavaDataReader reader(body);
  if (!reader.read_stream_header()) return malformed("no Java object stream");
  auto head = read_head(serialization, reader, arena);
  if (!head) return malformed("request head cannot be read");
  head->arguments_offset = body.size() - reader.rest().size();
  const auto arguments = count_parameter_types(head->parameter_types);
  if (!arguments) return malformed("broken parameter types descriptor");
  head->argument_count = *arguments;
  return *head;
}

// The head is read again: where a block of data ends is not in RequestHead.
std::optional<std::string_view> java_first_argument(Serialization serialization, Bytes body,
                                                    TextArena& arena) {
  JavaDataReader reader(body);
  if (!reader.read_stream_header() || !read_head(serialization, reader, arena)) return std::nullopt;
  if (serialization != Serialization::kNativeJava) {
    Bytes flag;  // 1: an object follows, 0: null
    if (!reader.read(1, flag, arena) || flag[0] != std::byte{1}) return std::nullopt;
  }
  if (reader.block_left() != 0) return std::nullopt;
  const Bytes object = reader.rest();
  if (object.size() >= 3 && object[0] == kString) {
    const std::size_t size =
        std::to_integer<std::size_t>(object[1]) << 8U | std::to_integer<std::size_t>(object[2]);
    if (size <= object.size() - 3) return to_utf8(as_text(object.subspan(3, size)), arena);
  }
  return std::nullopt;
}

}  // namespace skiff::dubbo

#include "dubbo/serialization.h"

namespace skiff::dubbo {

std::string_view name_of(Serialization serialization) {
  switch (serialization) {
    case Serialization::kHessian2:
      return "hessian2";
    case Serialization::kJava:
      return "java";
    case Serialization::kCompactedJava:
      return "compactedjava";
    case Serialization::kFastjson:
      return "fastjson";
    case Serialization::kNativeJava:
      return "nativejava";
    case Serialization::kKryo:
      return "kryo";
    case Serialization::kFst:
      return "fst";
    case Serialization::kNativeHessian:
      return "native-hessian";
    case Serialization::kAvro:
      return "avro";
    case Serialization::kProtostuff:
      return "protostuff";
    case Serialization::kGson:
      return "gson";
    case Serialization::kProtobufJson:
      return "protobuf-json";
    case Serialization::kProtobuf:
      return "protobuf";
    case Serialization::kFastjson2:
      return "fastjson2";
    case Serialization::kKryo2:
      return "kryo2";
    case Serialization::kMsgpack:
      return "msgpack";
    case Serialization::kFury:
      return "fury";
  }
  return "unknown";
}

bool has_readable_head(Serialization serialization) {
  switch (serialization) {
    case Serialization::kHessian2:
    case Serialization::kFastjson2:
    case Serialization::kFastjson:
    case Serialization::kJava:
    case Serialization::kCompactedJava:
    case Serialization::kNativeJava:
      return true;
    default:
      return false;
  }
}

bool has_readable_attachments(Serialization serialization) {
  switch (serialization) {
    case Serialization::kHessian2:
    case Serialization::kFastjson2:
    case Serialization::kFastjson:
      return true;
    default:
      return false;
  }
}

}  // namespace skiff::dubbo

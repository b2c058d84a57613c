// The bytes of a value, however a pickle spells them.
#pragma once

#include <optional>

#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/text_encoding.h"

namespace ckptbridge::torch_file {

// Returns the content of bytes, a bytearray or an io.BytesIO; nullopt for all else.
inline std::optional<Bytes> byte_content(const Values& values, ValueId id) {
  // io.BytesIO has its bytes first in its state, bytearray in its arguments.
  if (is_object_of(values, id, "_io", "BytesIO")) {
    const Object& object = values.object(id);
    if (object.edits.empty()) return Bytes{};
    if (object.edits.size() != 1 || object.edits[0].op != Edit::Op::kState) return std::nullopt;
    const ValueId state = object.edits[0].value;
    if (values.kind(state) != Kind::kTuple || values.elements(state).empty()) return std::nullopt;
    id = values.elements(state)[0];
  } else if (is_object_of(values, id, "builtins", "bytearray")) {
    const ValueId args = values.object(id).args;
    if (values.kind(args) != Kind::kTuple) return std::nullopt;
    const auto elements = values.elements(args);
    if (elements.empty()) return Bytes{};
    if (elements.size() == 2 && values.as_string(elements[1]) == "latin-1") {
      if (const auto text = values.as_string(elements[0])) return from_latin1_text(*text);
    }
    id = elements[0];
  }
  const auto data = values.as_bytes(id);
  if (!data) return std::nullopt;
  return Bytes(data->begin(), data->end());
}

}  // namespace ckptbridge::torch_file

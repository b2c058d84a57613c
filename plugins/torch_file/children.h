// The values that a value holds, in the order in which a pickle of it has them.
#pragma once

#include "plugins/torch_file/value.h"

namespace ckptbridge::torch_file {

template <class Visit>
void for_each_child(const Values& values, ValueId id, const Visit& visit) {
  switch (values.kind(id)) {
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kSet:
    case Kind::kFrozenSet:
      for (const ValueId element : values.elements(id)) visit(element);
      break;
    case Kind::kDict:
      for (const Item& item : values.items(id)) {
        visit(item.key);
        visit(item.value);
      }
      break;
    case Kind::kObject: {
      const Object& object = values.object(id);
      visit(object.callable);
      visit(object.args);
      if (object.kwargs != Values::none()) visit(object.kwargs);
      for (const Edit& edit : object.edits) {
        if (edit.op == Edit::Op::kSetItem) visit(edit.key);
        visit(edit.value);
      }
      break;
    }
    case Kind::kPersistentId:
      visit(values.persistent_id_of(id));
      break;
    default:
      break;
  }
}

}  // namespace ckptbridge::torch_file

// The build's own: write_profile_schema FIELDS.json SCHEMA.json
#include <cstdio>
#include <exception>
#include <fstream>

#include "plugins/evo2/profile_schema.h"

int main(int count, char** words) {
  try {
    if (count != 3) return 2;
    std::ofstream out(words[2]);
    out << ckptbridge::evo2::profile_schema(ckptbridge::evo2::FieldTable(words[1])).dump(1) << '\n';
    out.close();
    return out ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

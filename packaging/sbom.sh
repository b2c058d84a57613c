#!/usr/bin/env bash
# Prints the bill of materials of the packages in FOLDER, in SPDX 2.3's tag:value form.
# usage: sbom.sh VERSION FOLDER (with SOURCE_DATE_EPOCH)
set -euo pipefail

version=$1 folder=$2
digest=$(cd "$folder" && sha256sum ./*.deb ./*.rpm ./*.tar.gz | sha256sum | cut -d ' ' -f 1)
cat <<END
SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0
SPDXID: SPDXRef-DOCUMENT
DocumentName: ckptbridge-$version
DocumentNamespace: urn:ckptbridge:sbom:$version:$digest
Creator: Tool: packaging/sbom.sh
Created: $(date --utc --date="@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
END

# NAME VERSION LICENCE CHECKSUM-LINE
package() {
  cat <<END

PackageName: $1
SPDXID: SPDXRef-$(tr -c 'A-Za-z0-9.\n' - <<<"$1")
PackageVersion: $2
PackageDownloadLocation: NOASSERTION
FilesAnalyzed: false
${4:+PackageChecksum: SHA256: $4
}PackageLicenseConcluded: $3
PackageLicenseDeclared: $3
PackageCopyrightText: NOASSERTION
END
}

installed() { dpkg-query --show --showformat='${source:Version}' "$1"; }

(cd "$folder" && sha256sum ./*.deb ./*.rpm ./*.tar.gz) | while read -r sum file; do
  package "${file#./}" "$version" Apache-2.0 "$sum"
  echo "Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-$(tr -c 'A-Za-z0-9.\n' - <<<"${file#./}")"
done
# What is compiled or linked into the programs and plugins, by the version of Debian's package.
while read -r name debian licence relation; do
  package "$name" "$(installed "$debian")" "$licence"
  for file in "$folder"/*.{deb,rpm,tar.gz}; do
    echo "Relationship: SPDXRef-$(tr -c 'A-Za-z0-9.\n' - <<<"$(basename "$file")") $relation SPDXRef-$name"
  done
done <<'END'
Boost libboost-filesystem-dev BSL-1.0 STATIC_LINK
fmt libfmt-dev MIT STATIC_LINK
isa-l libisal-dev BSD-3-Clause STATIC_LINK
zlib zlib1g-dev Zlib STATIC_LINK
CLI11 libcli11-dev BSD-3-Clause CONTAINS
nlohmann-json nlohmann-json3-dev MIT CONTAINS
END

#!/bin/sh
# page_in_chromium.sh CKPTBRIDGE FOLDER: makes the pages of some plans, opens them in headless Chromium,
# in light and in dark, and checks that what is there is what was meant: all layers, no script, nothing
# loaded, no word on the console. The pictures are left in FOLDER to look at. Needs the package chromium,
# which is 0.4 GB; ctest does not run this.
set -eu
program=$(realpath "$1") golden=$(realpath "$(dirname "$0")/../golden")
mkdir -p "$2"
cd "$2"
browser() {
  chromium --headless --no-sandbox --disable-gpu --virtual-time-budget=2000 --user-data-dir="$PWD/profile" \
    --enable-logging=stderr --v=0 "$@" 2>log
}
check() { # NAME WORD...: the page NAME.html
  name=$1; shift
  browser --dump-dom "file://$PWD/$name.html" > "$name.dom"
  for word in "$@"; do
    grep -qF -- "$word" "$name.dom" || { echo "$name.html: no \"$word\" in Chromium"; exit 1; }
  done
  ! grep -q CONSOLE log || { grep CONSOLE log; echo "$name.html: words on the console"; exit 1; }
  ! grep -qi "<script" "$name.dom" || { echo "$name.html: has a script"; exit 1; }
  browser --window-size=1200,1400 --screenshot="$PWD/$name.light.png" "file://$PWD/$name.html" > /dev/null
  browser --window-size=1200,1400 --blink-settings=preferredColorScheme=0 \
    --screenshot="$PWD/$name.dark.png" "file://$PWD/$name.html" > /dev/null
  browser --window-size=420,1400 --screenshot="$PWD/$name.narrow.png" "file://$PWD/$name.html" > /dev/null
  echo "$name.html: $(wc -c < "$name.html") bytes, fine in Chromium"
}
plan() { # NAME ARGUMENTS...
  name=$1; shift
  "$program" plan "$@" --html "$name.html" --overwrite > /dev/null
}
plan nemo "$golden/nemo2/input_tiny.pt" out --to nemo2-torch_dist --profile "$golden/nemo2/tiny_profile.json"
check nemo '<svg' 'evo2-mapper' 'rounded' 'module.decoder.layers.6' 'linear_fc1'
plan reshard "$golden/zero1/z1_mp8" out --to zero1 --mp-size 2
check reshard 'mp-resharder' 'compared only' 'sequential.7'
plan zero3 "$golden/zero3/ds_z3_w4_mp2" out --to zero1
check zero3 'zero3-reader' 'left out'
python3 - <<'END'
import json, struct
names = ["</code><script>document.title='x'</script>", "<img src=x onerror=alert(1)>.0", "&lt;\"'\u202egnp"]
header = json.dumps({n: {"dtype": "U8", "shape": [1], "data_offsets": [i, i + 1]} for i, n in enumerate(names)}).encode()
open("hostile.safetensors", "wb").write(struct.pack("<Q", len(header)) + header + b"abc")
END
plan hostile hostile.safetensors out.pt --to pt
check hostile '&lt;/code&gt;&lt;script&gt;' '&lt;img src=x onerror=alert(1)&gt;'

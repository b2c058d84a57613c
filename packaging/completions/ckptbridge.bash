# Completion of ckptbridge in bash. The command itself says what there is: third-party plugins and their
# options are completed, too.
_ckptbridge() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
  local name value words=()
  if ((COMP_CWORD == 1)); then
    while IFS=$'\t' read -r name _; do words+=("$name"); done < <(ckptbridge --help=words 2>/dev/null)
    mapfile -t COMPREPLY < <(compgen -W "${words[*]}" -- "$current")
    return
  fi
  while IFS=$'\t' read -r name value _; do
    if [[ $name == "$previous" && $value != - ]]; then
      if [[ $value == *'|'* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${value//|/ }" -- "$current")
      else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
      fi
      return
    fi
    words+=("$name")
  done < <(ckptbridge "$verb" --help=words 2>/dev/null)
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "${words[*]}" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}
complete -o filenames -F _ckptbridge ckptbridge

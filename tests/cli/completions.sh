#!/bin/sh
# completions.sh SHELL PROGRAM SCRIPT: what SHELL offers after some words, by the script that packages
# install. fish is asked as a user's; bash and zsh run the script's function with the words set.
set -eu
shell=$1 script=$3
command -v "$shell" > /dev/null || exit 77  # skipped
PATH=$(dirname "$2"):$PATH
export PATH script

# offered WORD...: what is offered for the last word, one a line.
offered() {
  case $shell in
    bash) bash -c '. "$script"
      COMP_WORDS=(ckptbridge "$@") COMP_CWORD=$#
      _ckptbridge
      printf "%s\n" "${COMPREPLY[@]}"' bash "$@" ;;
    zsh) zsh -f -c '
      _describe() { print -rl -- "${(@)${(P@)@[-1]}%%:*}" }
      compadd() { shift; print -rl -- "$@" }
      _files() { print -rl -- *(N) }
      complete() { words=(ckptbridge "$@") CURRENT=$(($# + 1)) PREFIX="${@[-1]}"; source $script }
      complete "$@"' zsh "$@" ;;
    fish) fish --no-config -c 'source $script
      set -l words (string escape -- $argv)
      complete -C "ckptbridge $words"' -- "$@" | cut -f 1 ;;
  esac
}

# offers WANTED WORD...
offers() {
  wanted=$1
  shift
  offered "$@" | grep -qx -e "$wanted" || {
    echo "$shell: after 'ckptbridge $*' there is no $wanted but:" >&2
    offered "$@" >&2
    exit 1
  }
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
: > some_checkpoint.pt
offers convert con
offers verify ver
offers --model-size convert --mod
offers --ckpt-format convert_to_nemo --ckpt
offers zarr convert_to_nemo --ckpt-format z
offers some_checkpoint.pt inspect some

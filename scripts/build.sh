#!/usr/bin/env bash
# Leaves out/flotta, out/flotta-agent and out/flotta-fleet. Builds only what is older than its sources; build.sh --force builds all the same.
# build.sh --arm64 leaves out/arm64/flotta-agent instead, for 64-bit ARM devices, wherever it is built.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
case $(uname -m) in
  x86_64) rid=linux-x64 ;;
  aarch64) rid=linux-arm64 ;;
  *) echo "build.sh: no .NET runtime for $(uname -m); 64-bit x86 and ARM are built." >&2; exit 1 ;;
esac
mkdir -p out
into=out cross=()

fresh() { # program, folders it is made from
  local program=$1 newer
  shift
  [[ -x $program && ${force:-0} == 0 ]] || return 1
  newer=$(find "$@" global.json Directory.Build.props Directory.Packages.props \( -name bin -o -name obj \) -prune -o -type f -newer "$program" -print -quit)
  [[ -z $newer ]]
}

publish() { # project, program, folders it is made from
  local project=$1 program=$2 log
  shift 2
  if fresh "$into/$program" "$@"; then return; fi
  echo "Building $into/$program (the first time takes a few minutes) ..."
  log=$(mktemp)
  local started=$SECONDS now
  now=$(date +%s)
  if ! dotnet publish "src/$project" -c Release -r "$rid" -o "out/.$program" -v quiet -p:UseSharedCompilation=false "${cross[@]}" >"$log" 2>&1; then
    grep -E 'error|warn' "$log" | sort -u | head -n 40 >&2 || tail -n 40 "$log" >&2
    rm -f "$log"
    echo "Building $program failed; what the compiler said is above." >&2
    exit 1
  fi
  rm -f "$log" "out/.$program"/*.pdb "out/.$program"/*.xml "out/.$program"/*.json "out/.$program"/*.dbg
  # Each file is replaced in one step, so that a program that runs keeps its own.
  local file
  for file in "out/.$program"/*; do mv -f "$file" "$into/"; done
  rm -rf "out/.$program"
  # As old as the sources that it was made from: what was saved during the build is built next time.
  touch -d "@$now" "$into/$program"
  echo "Built $into/$program in $((SECONDS - started)) s."
}

[[ ${1:-} == --force ]] && force=1
if [[ ${1:-} == --arm64 ]]; then
  into=out/arm64
  mkdir -p "$into"
  # A machine of another kind links with the cross compiler's libraries.
  if [[ $rid != linux-arm64 ]]; then
    rid=linux-arm64
    cross=(-p:CppCompilerAndLinker=clang -p:LinkerFlavor=bfd -p:SysRoot=/ -p:ObjCopyName=aarch64-linux-gnu-objcopy)
  fi
  publish Flotta.Agent flotta-agent src/Flotta.Agent src/Flotta.Yggdrasil src/Flotta.Wire
  exit 0
fi
publish Flotta.Cli flotta src/Flotta.Cli src/Flotta.ApiServer src/Flotta.Operator src/Flotta.EdgeApi src/Flotta.Kube src/Flotta.Resources src/Flotta.Wire
publish Flotta.Agent flotta-agent src/Flotta.Agent src/Flotta.Yggdrasil src/Flotta.Wire
publish Flotta.Fleet flotta-fleet src/Flotta.Fleet src/Flotta.Yggdrasil src/Flotta.Wire

#!/bin/sh
# Builds the block engine.
#
#   build.sh OUTPUT_FOLDER          library and thaw-guard into OUTPUT_FOLDER/linux-ARCH/; where something is missing,
#                                   one line says what, nothing is written, and the exit is 0: the Java kernel serves
#   build.sh --test OUTPUT_FOLDER   builds library and tests with the address and undefined-behaviour sanitizers,
#                                   warnings as errors, and runs them; exit 1 when one fails. Not again while nothing
#                                   has changed
#   build.sh --fuzz OUTPUT_FOLDER   the libFuzzer target (needs clang); then: OUTPUT_FOLDER/linux-ARCH/fuzz_blocks
#
# CC chooses the compiler. TIDEMARK_NATIVE_SKIP=true builds nothing and removes what an earlier run built.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mode=release
case "${1:-}" in
    --fuzz) mode=fuzz; shift ;;
    --test) mode=test; shift ;;
esac
[ $# -eq 1 ] || { echo "usage: build.sh [--test|--fuzz] OUTPUT_FOLDER" >&2; exit 64; }

arch=$(uname -m)
case "$arch" in
    amd64) arch=x86_64 ;;
    arm64) arch=aarch64 ;;
esac
out=$1/linux-$arch
cc=${CC:-gcc}
warnings="-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion"
language="-std=c11 -pthread -I$here/include -I$here/src"
guard_sources="$here/src/thaw_guard.c $here/src/guard_prepare.c $here/src/guard_board.c $here/src/guard_sentinel.c"
hardening="-fstack-protector-strong -D_FORTIFY_SOURCE=2"
link="-Wl,-z,relro,-z,now"

without() {
    if [ "$mode" != release ]; then
        echo "tidemark native: $1; the C part was NOT built or tested with sanitizers"
        exit 0
    fi
    rm -f "$out/libtidemark_block.so" "$out/thaw-guard"
    echo "tidemark native: $1; building without the native block engine, the Java kernel serves"
    exit 0
}

# Objects of the library into folder $1 with flags $2; the XXH3 file once for each instruction set.
objects() {
    for source in blocks hash sha256 work run scan compare mapping direct ring host btrfs; do
        "$cc" $language $warnings $2 $variants -c "$here/src/$source.c" -o "$1/$source.o"
    done
    "$cc" $language $warnings $2 -DTIDEMARK_XXH3_NAME=tidemark_xxh3_baseline -c "$here/src/xxh3.c" -o "$1/xxh3.o"
    if [ -n "$variants" ]; then
        "$cc" $language $warnings $2 -mavx2 -DTIDEMARK_XXH3_X86_VARIANTS -DTIDEMARK_XXH3_NAME=tidemark_xxh3_avx2 \
            -c "$here/src/xxh3.c" -o "$1/xxh3-avx2.o"
        "$cc" $language $warnings $2 -mavx512f -DTIDEMARK_XXH3_X86_VARIANTS -DTIDEMARK_XXH3_NAME=tidemark_xxh3_avx512 \
            -c "$here/src/xxh3.c" -o "$1/xxh3-avx512.o"
    fi
}

newest_source_is_built() {
    [ -f "$out/libtidemark_block.so" ] && [ -x "$out/thaw-guard" ] \
        && [ -z "$(find "$here/src" "$here/include" "$here/build.sh" -newer "$out/thaw-guard" -type f)" ]
}

[ "${TIDEMARK_NATIVE_SKIP:-false}" = false ] || without "skipped as asked (tidemark.native.skip)"
[ "$(uname -s)" = Linux ] || without "$(uname -s) is not Linux"
if [ "$mode" = fuzz ]; then
    cc=${CC:-clang}
fi
command -v "$cc" > /dev/null 2>&1 || without "no C compiler '$cc' (Debian: apt-get install gcc libc6-dev)"
echo '#include <stdio.h>' | "$cc" -E -x c - > /dev/null 2>&1 \
    || without "no C library headers (Debian: apt-get install libc6-dev)"
printf '#include <linux/btrfs.h>\n#include <linux/fiemap.h>\n#include <linux/io_uring.h>\n' | "$cc" -E -x c - > /dev/null 2>&1 \
    || without "no kernel headers (Debian: apt-get install linux-libc-dev)"
echo '#include <xxhash.h>' | "$cc" -E -x c - > /dev/null 2>&1 \
    || without "no xxhash.h (Debian: apt-get install libxxhash-dev)"

variants=
[ "$arch" != x86_64 ] || variants=-DTIDEMARK_XXH3_X86_VARIANTS

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

if [ "$mode" = fuzz ]; then
    objects "$work" "-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"
    "$cc" $language $warnings -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
        "$here/test/fuzz_blocks.c" "$work"/*.o -o "$out/fuzz_blocks"
    echo "tidemark native: built $out/fuzz_blocks"
    exit 0
fi

if [ "$mode" = test ]; then
    stamp=$out/c-tests-passed
    if [ -f "$stamp" ] && [ -z "$(find "$here" -newer "$stamp" -type f)" ]; then
        echo "tidemark native: C tests passed before, nothing has changed since"
        exit 0
    fi
    rm -f "$stamp"
    sanitize="-O1 -g -Werror -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
    echo 'int main(void) { return 0; }' > "$work/probe.c"
    { "$cc" $sanitize "$work/probe.c" -o "$work/probe" && "$work/probe"; } > /dev/null 2>&1 \
        || without "$cc cannot build with sanitizers (Debian: apt-get install libgcc-12-dev, or libclang-rt-14-dev)"
    objects "$work" "$sanitize"
    for test in blocks_test scan_test host_test; do
        "$cc" $language $warnings $sanitize $variants "$here/test/$test.c" "$work"/*.o -o "$work/$test"
        "$work/$test" || { echo "tidemark native: C test $test FAILED"; exit 1; }
    done
    "$cc" $language $warnings $sanitize -pthread $guard_sources -o "$work/thaw-guard"
    # Never freezes here: words it does not know, an overlong one, a last line without its end.
    { printf 'ask\nmelt\n'; head -c 100000 /dev/urandom; printf '\nask'; } \
        | "$work/thaw-guard" 1000 / > "$work/answers" || [ "$(cut -d' ' -f1 "$work/answers")" = refused ]
    touch "$stamp"
    echo "tidemark native: C tests passed under address and undefined-behaviour sanitizers"
    exit 0
fi

newest_source_is_built && exit 0
objects "$work" "-O3 -fPIC -fvisibility=hidden $hardening"
"$cc" -shared -pthread $link -Wl,-z,nodelete -Wl,-soname,libtidemark_block.so "$work"/*.o -o "$work/libtidemark_block.so"
# Static, so that nothing is loaded from a file system that may be frozen; where there is no libc.a, mlockall and
# immediate binding keep what was loaded at the start.
guard="$language $warnings -O2 $hardening $link -pthread $guard_sources -o $work/thaw-guard"
"$cc" -static $guard > "$work/static.log" 2>&1 || "$cc" $guard
mv -f "$work/libtidemark_block.so" "$work/thaw-guard" "$out/"
echo "tidemark native: built libtidemark_block.so and thaw-guard for linux-$arch"

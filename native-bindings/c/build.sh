#!/bin/sh
# Builds the block engine.
#
#   build.sh OUTPUT_FOLDER           library and thaw-guard into OUTPUT_FOLDER/linux-ARCH/; where something is missing,
#                                    one line says what, nothing is written, and the exit is 0: the Java kernel serves
#   build.sh --test OUTPUT_FOLDER    builds library and tests with the address and undefined-behaviour sanitizers,
#                                    warnings as errors, and runs them, the fuzz targets over seeds; exit 1 when one
#                                    fails. Not again while nothing has changed
#   build.sh --aarch64 OUTPUT_FOLDER the same for aarch64 on another machine: built by a cross compiler, run by
#                                    qemu-aarch64, with the undefined-behaviour sanitizer alone; the library as shipped
#                                    is linked too, into OUTPUT_FOLDER/linux-aarch64/. Exit 0 and one line where a tool
#                                    is missing
#   build.sh --fuzz OUTPUT_FOLDER    the libFuzzer targets (needs clang), fuzz_blocks and fuzz_files, into
#                                    OUTPUT_FOLDER/linux-ARCH/
#
# CC chooses the compiler. TIDEMARK_NATIVE_SKIP=true builds nothing and removes what an earlier run built.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mode=release
case "${1:-}" in
    --fuzz) mode=fuzz; shift ;;
    --test) mode=test; shift ;;
    --aarch64) mode=aarch64; shift ;;
esac
[ $# -eq 1 ] || { echo "usage: build.sh [--test|--aarch64|--fuzz] OUTPUT_FOLDER" >&2; exit 64; }

arch=$(uname -m)
case "$arch" in
    amd64) arch=x86_64 ;;
    arm64) arch=aarch64 ;;
esac
machine=$arch
case "$mode" in
    aarch64) arch=aarch64; cc=aarch64-linux-gnu-gcc ;;
    fuzz) cc=${CC:-clang} ;;
    *) cc=${CC:-gcc} ;;
esac
out=$1/linux-$arch
warnings="-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion"
language="-std=c11 -pthread -I$here/include -I$here/src"
# xxhash.h is the same for every architecture, and no cross compiler brings it.
[ "$mode" != aarch64 ] || language="$language -idirafter /usr/include"
guard_sources="$here/src/thaw_guard.c $here/src/guard_prepare.c $here/src/guard_board.c $here/src/guard_sentinel.c"
hardening="-fstack-protector-strong -D_FORTIFY_SOURCE=2"
link="-Wl,-z,relro,-z,now"
release="-O3 -fPIC -fvisibility=hidden $hardening"
fuzz_targets="fuzz_blocks fuzz_files"

without() {
    case "$mode" in
        release) ;;
        aarch64) echo "tidemark native: $1; the C part was NOT built or tested for aarch64"; exit 0 ;;
        *) echo "tidemark native: $1; the C part was NOT built or tested with sanitizers"; exit 0 ;;
    esac
    rm -f "$out/libtidemark_block.so" "$out/thaw-guard"
    echo "tidemark native: $1; building without the native block engine, the Java kernel serves"
    exit 0
}

# Objects of the library into folder $1 with flags $2; the XXH3 file once for each instruction set.
objects() {
    mkdir -p "$1"
    for source in blocks hash sha256 work run scan compare mapping direct ring host btrfs cut_window cut_sentinel thin_cut classic_cut; do
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

# Library and guard as shipped, into folder $1.
link_release() {
    objects "$work/release" "$release"
    "$cc" -shared -pthread $link -Wl,-z,nodelete -Wl,-soname,libtidemark_block.so "$work"/release/*.o \
        -o "$work/libtidemark_block.so"
    # Static, so that nothing is loaded from a file system that may be frozen; where there is no libc.a, mlockall and
    # immediate binding keep what was loaded at the start.
    guard="$language $warnings -O2 $hardening $link -pthread $guard_sources -o $work/thaw-guard"
    "$cc" -static $guard > "$work/static.log" 2>&1 || "$cc" $guard
    mv -f "$work/libtidemark_block.so" "$work/thaw-guard" "$1/"
}

compile_test() { # flags, program, sources...
    flags=$1
    program=$2
    shift 2
    "$cc" $language $warnings $flags $variants "$@" "$work"/test/*.o -o "$work/$program"
}

# Builds the tests with flags $1 and runs each, by $2 before its name. How many seeds: $3 of scans of two files, $4 of
# the fuzz target over memory, $5 of the one over files.
run_tests() {
    objects "$work/test" "$1"
    for test in blocks_test scan_test host_test thin_cut_test classic_cut_test; do
        compile_test "$1" "$test" "$here/test/$test.c"
    done
    for test in $fuzz_targets; do
        compile_test "$1" "$test" "$here/test/$test.c" "$here/test/seeds_main.c"
    done
    for test in blocks_test "scan_test $3" host_test thin_cut_test classic_cut_test "fuzz_blocks 1 $4" "fuzz_files 1 $5"; do
        $2 "$work"/$test || { echo "tidemark native: C test $test FAILED ($arch)"; exit 1; }
    done
    "$cc" $language $warnings $1 -pthread $guard_sources -o "$work/thaw-guard"
    # Never freezes here: words it does not know, an overlong one, a last line without its end.
    { printf 'ask\nmelt\n'; head -c 100000 /dev/urandom; printf '\nask'; } \
        | $2 "$work/thaw-guard" 1000 "$work/probe.c" / > "$work/answers" || [ "$(cut -d' ' -f1 "$work/answers")" = refused ]
}

# Ends the script where the tests of this mode have passed and nothing has changed since.
stamp=$out/c-tests-passed
unless_passed_before() {
    if [ -f "$stamp" ] && [ -z "$(find "$here" -newer "$stamp" -type f)" ]; then
        echo "tidemark native: C tests passed before ($arch), nothing has changed since"
        exit 0
    fi
    rm -f "$stamp"
}

# Whether a program built with flags $1 runs, by $2 before its name.
runs() {
    echo 'int main(void) { return 0; }' > "$work/probe.c"
    { "$cc" $1 "$work/probe.c" -o "$work/probe" && $2 "$work/probe"; } > /dev/null 2>&1
}

[ "${TIDEMARK_NATIVE_SKIP:-false}" = false ] || without "skipped as asked (tidemark.native.skip)"
[ "$(uname -s)" = Linux ] || without "$(uname -s) is not Linux"
if [ "$mode" = aarch64 ]; then
    [ "$machine" != aarch64 ] || { echo "tidemark native: this machine is aarch64 itself: --test tests it"; exit 0; }
    debian=gcc-aarch64-linux-gnu
    libc=libc6-dev-arm64-cross
    headers=linux-libc-dev-arm64-cross
else
    debian="gcc libc6-dev"
    libc=libc6-dev
    headers=linux-libc-dev
fi
[ "$mode" != fuzz ] || debian=clang
command -v "$cc" > /dev/null 2>&1 || without "no C compiler '$cc' (Debian: apt-get install $debian)"
echo '#include <stdio.h>' | "$cc" $language -E -x c - > /dev/null 2>&1 \
    || without "no C library headers (Debian: apt-get install $libc)"
printf '#include <linux/btrfs.h>\n#include <linux/dm-ioctl.h>\n#include <linux/fiemap.h>\n#include <linux/io_uring.h>\n' \
    | "$cc" $language -E -x c - > /dev/null 2>&1 || without "no kernel headers (Debian: apt-get install $headers)"
echo '#include <xxhash.h>' | "$cc" $language -E -x c - > /dev/null 2>&1 \
    || without "no xxhash.h (Debian: apt-get install libxxhash-dev)"

variants=
[ "$arch" != x86_64 ] || variants=-DTIDEMARK_XXH3_X86_VARIANTS

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
undefined="-O1 -g -Werror -fsanitize=undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"

case "$mode" in
    fuzz)
        runs "-fsanitize=fuzzer-no-link,address,undefined" "" \
            || without "$cc cannot build with sanitizers (Debian: apt-get install libclang-rt-14-dev)"
        sanitize="-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"
        objects "$work/test" "$sanitize"
        for target in $fuzz_targets; do
            compile_test "$sanitize -fsanitize=fuzzer" "$target" "$here/test/$target.c"
            mv -f "$work/$target" "$out/"
        done
        echo "tidemark native: built $fuzz_targets in $out" ;;
    test)
        unless_passed_before
        sanitize="$undefined -fsanitize=address"
        runs "$sanitize" "" \
            || without "$cc cannot build with sanitizers (Debian: apt-get install libgcc-12-dev, or libclang-rt-14-dev)"
        run_tests "$sanitize" "" 60 20000 400
        touch "$stamp"
        echo "tidemark native: C tests passed under address and undefined-behaviour sanitizers" ;;
    aarch64)
        unless_passed_before
        emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64) \
            || without "no qemu-aarch64 (Debian: apt-get install qemu-user-static)"
        emulator="$emulator -L /usr/aarch64-linux-gnu"
        runs "$undefined" "$emulator" || without "'$emulator' does not run what '$cc' builds"
        link_release "$out"
        run_tests "$undefined -DTIDEMARK_EMULATED" "$emulator" 8 2000 60
        touch "$stamp"
        echo "tidemark native: C tests passed for aarch64, emulated, under the undefined-behaviour sanitizer" ;;
    release)
        newest_source_is_built && exit 0
        link_release "$out"
        echo "tidemark native: built libtidemark_block.so and thaw-guard for linux-$arch" ;;
esac

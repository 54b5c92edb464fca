# Cleans up after a quickstart, whatever ended it. Standard input: the demo folder's path on the first line; then
# nothing until end of file, which also comes when the quickstart is killed. A line "keep" before it: leave all as it is.
# Needs no memory of what was done: processes carry the folder in their environment; mounts and loop devices lie in it.
# Exit: 0 when nothing is left.
trap '' INT HUP TERM QUIT PIPE
LC_ALL=C
export LC_ALL

read -r folder || exit 0
case $folder in
  /*/tidemark-quickstart-*) ;;
  *) echo "tidemark: not a quickstart's folder: $folder" >&2; exit 2 ;;
esac
kept=
while read -r line; do
  [ "$line" = keep ] && kept=yes
done
[ -n "$kept" ] && exit 0

# Processes that were started with the folder in their environment, and what they started.
started() {
  printf 'TIDEMARK_QUICKSTART_FOLDER=%s' "$folder" | grep -lFf - /proc/[0-9]*/environ 2>/dev/null |
    while IFS=/ read -r _ _ process _; do
      [ -d "/proc/$process" ] && echo "$process"
    done
}

signal_all() { # signals, then wait up to $2 tenths of a second until all are gone
  for process in $(started); do
    for signal in $1; do
      kill "-$signal" "$process" 2>/dev/null
    done
  done
  waited=0
  while [ "$waited" -lt "$2" ] && [ -n "$(started)" ]; do
    sleep 0.1
    waited=$((waited + 1))
  done
}

# TERM stops a site gracefully; TERM and then INT stop a database without waiting for its clients; QUIT at once.
stop_processes() {
  [ -n "$(started)" ] && signal_all 'TERM INT' 80
  [ -n "$(started)" ] && signal_all QUIT 10
  [ -n "$(started)" ] && signal_all KILL 20
}

mounts_inside() { # newest first
  awk -v inside="$folder/" 'index($2, inside) == 1 { lines[++n] = $2 } END { while (n) print lines[n--] }' /proc/self/mounts
}

loops_inside() {
  for backing in /sys/block/loop*/loop/backing_file; do
    [ -r "$backing" ] || continue
    case $(cat "$backing" 2>/dev/null) in
      "$folder"/*) backing=${backing#/sys/block/}; echo "/dev/${backing%%/*}" ;;
    esac
  done
}

release_storage() {
  round=0
  while [ "$round" -lt 25 ]; do
    for mounted in $(mounts_inside); do
      # Sites thaw by themselves and their guards when they are killed; this is for a guard that was killed too.
      fsfreeze -u "$mounted" 2>/dev/null
      umount "$mounted" 2>/dev/null
    done
    for device in $(loops_inside); do
      losetup -d "$device" 2>/dev/null
    done
    [ -z "$(mounts_inside)" ] && [ -z "$(loops_inside)" ] && return 0
    sleep 0.2
    round=$((round + 1))
  done
}

stop_processes
release_storage
# A mount that was under way when its parent died may have come since.
[ -n "$(started)" ] && stop_processes
[ -n "$(mounts_inside)$(loops_inside)" ] && release_storage
if [ -n "$(mounts_inside)$(loops_inside)$(started)" ]; then
  echo "tidemark: could not undo: $(mounts_inside) $(loops_inside) $(started)" >&2
  exit 1
fi
if [ -f "$folder/.tidemark-quickstart" ]; then
  rm -rf --one-file-system "$folder"
fi
[ ! -e "$folder" ]

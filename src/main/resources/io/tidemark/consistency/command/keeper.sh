# Runs one freeze program and, whatever happens, its thaw program: at the service's word, at the end of the service,
# at the limit, or when the freeze failed. Never both at once, so that a thaw cannot come before the freeze it ends.
#
# Arguments: limits in seconds of the freeze, of the time frozen and of one thaw; attempts to thaw; the journal's file;
# the number of words of the freeze program; these words; the words of the thaw program.
# Standard input: the line "thaw". Standard output: "froze STATUS", "thawing REASON", "thawed ATTEMPTS STATUS".
# Standard error: what the programs say.

# What the shell itself has to say, of programs that were killed, is nobody's word.
exec 3>&2 2>/dev/null

# Who stops the service by its group or session must not stop this; who no longer listens must not either.
trap '' HUP INT TERM PIPE

freeze_limit=$1 frozen_limit=$2 thaw_limit=$3 attempts=$4 journal=$5 words=$6
shift 6

# Locked while this lives, or one of its programs does: a service that is started again waits for it, so that a thaw of its
# own comes neither before the freeze is over nor beside another. Where the file is gone, that service has taken over.
exec 4<"$journal" || exit
flock -n 4 || exit
freeze=("${@:1:words}")
thaw=("${@:words+1}")

# What the programs say goes to 3, the service, or to 2, nobody. timeout(1) makes a process group of the program and
# kills all of it.
run() {
  local step=$1 to=$2 limit=$3
  shift 3
  (
    trap - HUP INT TERM
    export TIDEMARK_STEP=$step
    exec timeout -s KILL "$limit" "$@"
  ) </dev/null >&"$to" 2>&"$to" 3>&-
}

run freeze 3 "$freeze_limit" "${freeze[@]}"
status=$?
echo "froze $status"

reason=asked
if ((status != 0)); then
  reason=failed
else
  read -r -t "$frozen_limit" word
  answer=$?
  if ((answer > 128)); then
    reason=limit
  elif [[ $word != thaw ]]; then
    reason=gone
  fi
fi
echo "thawing $reason"

attempt=0
status=1
while ((status != 0 && attempt < attempts)); do
  ((attempt == 0)) || sleep 1
  attempt=$((attempt + 1))
  if [[ $reason == asked || $reason == failed ]] && ((attempt < attempts)); then
    run thaw 3 "$thaw_limit" "${thaw[@]}"
  else
    # Nobody may be reading: a full pipe would hold the thaw up.
    run thaw 2 "$thaw_limit" "${thaw[@]}"
  fi
  status=$?
done
((status != 0)) || rm -f -- "$journal"
echo "thawed $attempt $status"

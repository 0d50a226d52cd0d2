# SPDX-License-Identifier: Apache-2.0
# Brings one published archive into the data folder. Read by the scripts of single tasks, which set:
#
#   task     the task, which is also the name of its folder
#   wanted   the folder in the archive that the program reads
#   proofs   what must be in that folder, or else all of other_proofs, if these are set
#   other_archive  the name of the archive with other_proofs, if it is another one
#   archive  the name of the archive
#   address  where it is published, empty when the program can do without
#   size     its bytes, empty if they are not known
#   sum      its SHA-256, empty if it is not known
#   members  what to unpack of a larger archive, a pattern of tar, if it is set
#   skipped  what need not be unpacked, a pattern of tar
#
# It is quick and silent when the data are there. LRA_DATA is the data folder, data by default; FROM
# is an archive or an unpacked folder to take; LRA_OFFLINE=1 keeps it off the network. Everything
# gets its name when it is complete, so a run that was killed leaves nothing that looks like data.

say() { printf '%s\n' "$*" >&2; }

fail() {
  status=$1
  shift
  say "error: $task: $*"
  exit "$status"
}

absolute() {
  case $1 in
    '' | /*) printf '%s' "$1" ;;
    *) printf '%s/%s' "$PWD" "$1" ;;
  esac
}

# Whether a folder holds what the program reads.
complete() {
  holds "$1" "$proofs" || { [ -n "${other_proofs:-}" ] && holds "$1" "$other_proofs"; }
}

holds() {
  for proof in $2; do [ -e "$1/$proof" ] || return 1; done
}

# The complete folder among those under $1, at most one level down, or two under its usual name. The
# archive of the Long Range Arena has some folders twice, the one in a further lra_release counts.
locate() {
  for candidate in "$1"/*/lra_release/"$wanted" "$1/lra_release/$wanted" "$1/$wanted" "$1" \
    "$1"/*/"$wanted" "$1"/* "$1"/*/*/"$wanted"; do
    if complete "$candidate"; then
      printf '%s' "$candidate"
      return 0
    fi
  done
  return 1
}

checksum() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum "$1" | cut -d ' ' -f 1
  else
    shasum -a 256 "$1" | cut -d ' ' -f 1
  fi
}

# Whether a file is the published one, as far as that is known.
is_published() {
  [ -z "$sum" ] || [ "$(checksum "$1")" = "$sum" ]
}

# One run at a time, where the system has locks for that.
lock() {
  exec 9>"$folder/.fetch.lock"
  if command -v flock >/dev/null 2>&1 && ! flock -n 9; then
    say "$task: waiting for another run in $folder"
    flock 9
  fi
}

# Ends, saying what the nearest of the folders under $2 lacks, or else what there is.
wrong_content() {
  for candidate in "$2/$wanted" "$2" "$2"/* "$2"/*/"$wanted" "$2"/*/*; do
    for list in "$proofs" "${other_proofs:-}"; do
      found= lacking=
      for proof in $list; do
        if [ -e "$candidate/$proof" ]; then found=$proof; else lacking="$lacking $proof"; fi
      done
      [ -z "$found" ] ||
        fail 65 "$1 holds no complete $wanted: ${candidate#"$2/"} has $found but lacks$lacking"
    done
  done
  holding=$(ls "$2" | head -n 4 | tr '\n' ' ')
  fail 65 "$1 holds no complete $wanted, none of $(echo $proofs), only: ${holding:-nothing};" \
    "give $archive, or what it unpacks to"
}

# Takes from what was unpacked what a data folder never has, and rights that it needs not: an archive
# that is unpacked as root may make devices and programs that run as root.
tame() {
  find "$1" ! -type f ! -type d ! -type l -exec rm -f {} +
  chmod -R u+rwX,go-w,a-s,-t "$1"
}

unpack() {
  say "$task: unpacking $1"
  space=$folder/.unpacking-$$
  trap 'rm -rf "$space"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  mkdir "$space"
  # An archive of the folder's content alone has no members of that name.
  extract="tar --no-same-owner --no-same-permissions -xf"
  { [ -n "${members:-}" ] && $extract "$1" -C "$space" --wildcards "$members" 2>/dev/null; } ||
    $extract "$1" -C "$space" ${skipped:+"--exclude=$skipped"} ||
    fail 65 "$1 cannot be unpacked (damaged, no tar archive, or no space left); give $archive"
  tame "$space"
  found=$(locate "$space") || wrong_content "$1" "$space"
  mv "$found" "$folder/$wanted"
}

# Takes what the user has.
take() {
  if [ -f "$1" ]; then
    is_published "$1" ||
      say "$task: $1 is not the published $archive, bit for bit; its files are checked when read"
    unpack "$1"
  elif [ -d "$1" ]; then
    if found=$(locate "$1"); then
      ln -s "$(cd "$found" && pwd -P)" "$folder/$wanted"
      say "$task: $folder/$wanted is now a link to $found"
      return
    fi
    for candidate in "$1/$archive" "$1/${archive%.gz}.xz" "$1/${other_archive:-$archive}"; do
      if [ -f "$candidate" ]; then
        take "$candidate"
        return
      fi
    done
    wrong_content "$1" "$1"
  else
    fail 66 "FROM=$1: there is no such file or folder"
  fi
}

missing() {
  fail 66 "$archive is missing and $1; put it into $folder," \
    "or set FROM to the path of that archive or of the folder $wanted it unpacks to"
}

transfer() {
  if command -v curl >/dev/null 2>&1; then
    quiet=--progress-bar
    [ -t 2 ] || quiet=--silent
    curl "$quiet" --fail --location --proto =https --proto-redir =https --connect-timeout 20 \
      --continue-at - --output "$1" "$address" || {
      # 33: the server cannot go on in the middle, so from the start.
      [ $? -eq 33 ] && rm "$1" && transfer "$1"
    }
  elif command -v wget >/dev/null 2>&1; then
    quiet=--quiet
    [ -t 2 ] && quiet=--progress=bar
    # It cannot be told to follow to https alone, so it follows nowhere.
    wget "$quiet" --max-redirect=0 --tries=1 --timeout=20 --continue \
      --output-document="$1" "$address"
  else
    missing "there is neither curl nor wget to fetch it"
  fi
}

# Whether a part has all bytes of the archive.
is_whole() {
  [ -n "$size" ] && [ -f "$1" ] && [ "$(wc -c <"$1")" -ge "$size" ]
}

download() {
  part=$folder/$archive.part
  # A part that is as long as the whole, but is not it, must not be gone on with.
  if is_whole "$part" && ! is_published "$part"; then rm "$part"; fi
  if ! is_whole "$part"; then
    [ -z "${LRA_OFFLINE:-}" ] || missing "LRA_OFFLINE is set"
    say "$task: fetching $address"
    transfer "$part" || missing "could not be fetched from $address (run again to go on with it)"
  fi
  if ! is_published "$part"; then
    rm "$part"
    missing "what $address gave is something else (its SHA-256 differs)"
  fi
  [ -n "$sum" ] || say "$task: nobody has published the SHA-256 of $archive; this one has" \
    "$(checksum "$part")"
  mv "$part" "$folder/$archive"
}

fetch() {
  FROM=$(absolute "${FROM:-}")
  LRA_DATA=$(absolute "${LRA_DATA:-}")
  cd "$(dirname "$0")/.."
  folder=${LRA_DATA:-data}/$task
  if complete "$folder/$wanted" || complete "$folder"; then
    [ -z "$FROM" ] || say "$task: the data in $folder stay; remove $wanted there to take $FROM"
    return
  fi
  # The program generates what is not there.
  if [ -z "$address" ] && [ -z "$FROM" ] && [ ! -f "$folder/$archive" ]; then return; fi
  mkdir -p "$folder" 2>/dev/null && [ -w "$folder" ] ||
    fail 73 "cannot write to $folder; check the permissions, or set LRA_DATA to another folder"
  lock
  rm -rf "$folder"/.unpacking-*
  if complete "$folder/$wanted"; then return; fi
  if [ -e "$folder/$wanted" ] || [ -L "$folder/$wanted" ]; then
    fail 65 "$folder/$wanted is not complete (with $proofs); remove it and start again"
  fi
  if [ -n "$FROM" ]; then
    take "$FROM"
    return
  fi
  for candidate in "$folder/$archive" "$folder/${archive%.gz}.xz" "${LRA_DATA:-data}/$archive" \
    "$folder/${other_archive:-$archive}"; do
    if [ -f "$candidate" ]; then
      take "$candidate"
      return
    fi
  done
  download
  unpack "$folder/$archive"
  rm "$folder/$archive"
}

/**
 * The shell text that follows spools. It is written to the one command that is ever given to ssh, and
 * told on standard input what to follow; the end of that input ends it.
 *
 * @module
 */

/** Bytes told at once. */
const MOST = 1_048_576;

/** Seconds after which it says that it is alive: a program whose reader is gone finds out by writing. */
const ALIVE = 10;

/**
 * Shell text that understands `follow ID NUMBER AT FOLDER`, `forget ID` and `sync ID`, and prints
 * `data ID NUMBER AT BASE64`, `next ID NUMBER` and `synced ID`.
 *
 * Each look opens the files anew, because a network file system checks only then what others wrote; all
 * are looked at by one `wc`.
 *
 * @param mark A word that nobody else knows; it tells what follows from what a login prints.
 * @param every Milliseconds between two looks while something comes.
 * @returns The text.
 */
export function watchText(mark: string, every: number): string {
  const quick = (every / 1_000).toFixed(3);
  const slow = (every / 200).toFixed(3);
  return `sr_main() {
local -a folder=() number=() at=() sync=() ids=() files=()
local line= part= pause=${quick} still=0 said=0 id name size rest busy i
while :; do
  if IFS= read -r -t "$pause" part; then
    line+=$part; rest=\${line#* }; id=\${rest%% *}; rest=\${rest#* }
    case $line in
      follow\\ *) number[id]=\${rest%% *}; rest=\${rest#* }; at[id]=\${rest%% *}; folder[id]=\${rest#* } ;;
      forget\\ *) unset "folder[$id]" "sync[$id]" ;;
      sync\\ *) sync[id]=1 ;;
    esac
    line=; pause=0.001; still=0
    continue
  elif [ $? -gt 128 ]; then line+=$part; else exit 0; fi
  busy=; ids=("\${!folder[@]}"); files=(); i=0
  for id in "\${ids[@]}"; do files+=("\${folder[id]}/\${number[id]}.spool"); done
  if [ "\${#files[@]}" -gt 0 ]; then
    while read -r size name; do
      while [ $i -lt "\${#files[@]}" ] && [ "\${files[i]}" != "$name" ]; do sr_synced; i=$((i + 1)); done
      [ $i -lt "\${#files[@]}" ] || break
      id=\${ids[i]}
      if [ "$size" -lt "\${at[id]}" ]; then
        busy=1; at[id]=$size; echo "data $id \${number[id]} $size "
      elif [ "$size" -gt "\${at[id]}" ]; then
        busy=1; size=$((size - at[id])); [ "$size" -lt ${MOST} ] || size=${MOST}
        printf 'data %s %s %s ' "$id" "\${number[id]}" "\${at[id]}"
        tail -c "+$((at[id] + 1))" -- "$name" | head -c "$size" | base64 | tr -d '\\n'
        echo
        at[id]=$((at[id] + size))
      elif [ -e "\${folder[id]}/$((number[id] + 1)).spool" ]; then
        busy=1; number[id]=$((number[id] + 1)); at[id]=0; echo "next $id \${number[id]}"
      else sr_synced; fi
      i=$((i + 1))
    done < <(wc -c -- "\${files[@]}" 2>/dev/null)
    while [ $i -lt "\${#files[@]}" ]; do sr_synced; i=$((i + 1)); done
  fi
  if [ -n "$busy" ]; then still=0; else still=$((still + 1)); fi
  pause=${quick}; if [ $still -gt 25 ]; then pause=${slow}; fi
  if [ $((SECONDS - said)) -ge ${ALIVE} ]; then echo alive; said=$SECONDS; fi
done
}
sr_synced() { if [ -n "\${sync[\${ids[i]}]-}" ]; then unset "sync[\${ids[i]}]"; echo "synced \${ids[i]}"; fi; }
echo ${mark} start; sr_main 2>/dev/null
`;
}

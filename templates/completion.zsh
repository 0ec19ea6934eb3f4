#compdef xy
# Completion of xy for zsh. What can follow is asked of xy itself, at each press of Tab.

_xy() {
  local -a typed lines found
  local kind line
  (( CURRENT > 2 )) && typed=("${(@Q)words[2,CURRENT-1]}")
  lines=("${(@f)$(command xy __complete zsh "${typed[@]}" "${(Q)PREFIX}" 2>/dev/null)}")
  kind=$lines[1]
  shift lines
  case $kind in
    :files | :folders)
      [[ $PREFIX == --*=* ]] && compset -P '*='
      if [[ $kind == :folders ]]; then _files -/; else _files; fi
      ;;
    :program)
      local -i at=$words[(i)--]
      words=("${(@)words[at+1,-1]}")
      (( CURRENT -= at ))
      _normal
      ;;
    :names)
      for line in $lines; do
        found+=("${${line%%$'\t'*}//:/\\:}${${line#*$'\t'}:+:${line#*$'\t'}}")
      done
      (( $#found )) && _describe -V xy found
      ;;
  esac
}

if [[ $funcstack[1] == _xy ]]; then
  _xy "$@"
elif (( $+functions[compdef] )); then
  compdef _xy xy
else
  print -u2 'xy: cannot complete yet: put `autoload -Uz compinit && compinit` before this in ~/.zshrc'
fi

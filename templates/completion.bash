# Completion of xy for bash. What can follow is asked of xy itself, at each press of Tab.

_xy() {
  COMPREPLY=()
  local rest=$COMP_LINE words=() word own trimmed before i
  # Readline takes : and = for the end of a word; xy does not.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    trimmed=${rest#"${rest%%[![:space:]]*}"}
    own=$word
    if ((i == COMP_CWORD && ${#word} > 0)); then
      own=${COMP_LINE:0:COMP_POINT}
      own=${own:${#COMP_LINE}-${#trimmed}}
    fi
    if ((i > 1)) && [[ $trimmed == "$rest" && ( $word == [:=]* || ${COMP_WORDS[i-1]} == *[:=] ) ]]; then
      words[${#words[@]} - 1]+=$own
    else
      words+=("$own")
    fi
    rest=${trimmed:${#word}}
  done
  [[ ${COMP_WORDS[COMP_CWORD]} == [:=]* ]] && own=
  word=${words[${#words[@]} - 1]}
  before=${word%"$own"}
  for i in "${!words[@]}"; do words[i]=${words[i]//[\"\'\\]/}; done

  local kind= line
  if ((COMP_CWORD > 1)) && [[ ${COMP_WORDS[COMP_CWORD - 1]} == *[\<\>]* ]]; then
    kind=:files
  else
    while IFS= read -r line; do
      if [[ -z $kind ]]; then
        kind=$line
      else
        line=${line%%$'\t'*}
        COMPREPLY+=("${line#"$before"}")
      fi
    done < <(command xy __complete bash "${words[@]:1}" 2>/dev/null)
  fi
  case $kind in
    :files) compopt -o default 2>/dev/null || _xy_words -f "$own" ;;
    :folders) compopt -o dirnames 2>/dev/null || _xy_words -d "$own" ;;
    :program)
      if [[ ${COMP_WORDS[COMP_CWORD - 1]} == -- ]]; then _xy_words -c "$own"; else compopt -o default 2>/dev/null; fi
      ;;
  esac
}

# What bash itself finds, one a line.
_xy_words() {
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$1" -- "$2")
}

complete -o nosort -F _xy xy 2>/dev/null || complete -F _xy xy

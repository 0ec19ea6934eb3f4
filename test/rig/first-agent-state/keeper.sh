_xy_dir=$1 _xy_mask=$2 _xy_files=$3 _xy_got=; shift 3
for _xy_s in HUP INT QUIT TERM USR1 USR2; do trap _xy_got=1 $_xy_s; done
exec 3<>"$_xy_dir/out" 4<>"$_xy_dir/err" 5<>"$_xy_dir/alive" 6<>"$_xy_dir/release" || exit 70
echo $$ >"$_xy_dir/keeper" || exit 70
_xy_code=143
if [ -z "$_xy_got" ]; then
  /bin/sh -c 'exec >&3 2>&4 3>&- 4>&-; umask "$2"; ulimit -S -n "$3" || exit 126
    echo $$ >"$1/pid"; echo "pid $$" >&5; shift 3
    unset PWD OLDPWD SHLVL; exec "$@" 5>&- 6>&-
  ' sh "$_xy_dir" "$_xy_mask" "$_xy_files" "$@"
  _xy_code=$?
fi
echo $_xy_code >"$_xy_dir/status"
echo "exit $_xy_code" >&5
exec 5>&-
until read -r _xy_s <&6; do :; done

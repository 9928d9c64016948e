# All five providers with nothing but curl: the commands that the program printed.
set -eu
json='content-type: application/json'
curl() { command curl --silent --show-error --max-time 10 --noproxy '*' "$@"; }
count=0
while read -r provider line; do
    curl "$CONTROL/faults" -H "$json" \
        -d "{\"provider\":\"$provider\",\"fault\":{\"kind\":\"status\",\"status\":503}}" >/dev/null
    failed=$(eval "$line -o /dev/null -w '%{http_code}'")
    [ "$failed" = 503 ] || { echo "$provider: $failed under a fault"; exit 1; }
    curl -X DELETE "$CONTROL/faults?provider=$provider" >/dev/null
    case $(eval "$line") in *ey*) ;; *) echo "$provider: no token"; exit 1 ;; esac
    case $(curl "$CONTROL/journal?limit=1") in
        *'"verdict":"granted"'*) ;;
        *) echo "$provider: not in the journal"; exit 1 ;;
    esac
    count=$((count + 1))
done <<LINES
$TRIES
LINES
[ "$count" = 5 ] && echo "five of five"

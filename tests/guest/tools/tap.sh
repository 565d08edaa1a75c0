# SPDX-License-Identifier: GPL-2.0-or-later
#
# TAP for the guest's shell (BusyBox sh): sourced, not run. A script calls these
# and ends with `finish`.

tap_count=0
tap_failed=0
echo "TAP version 13"

# count USUAL FULL: the one that `scripts/dxg test` or its --long asks for
count() {
    if [ "$DXG_LONG" = 1 ]; then
        echo "$2"
    else
        echo "$1"
    fi
}

# result CODE TEXT: one check, good if CODE is 0
result() {
    tap_count=$((tap_count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $tap_count - $2"
    else
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_count - $2"
    fi
}

# equal GOT WANTED TEXT
equal() {
    if [ "$1" = "$2" ]; then
        result 0 "$3"
    else
        result 1 "$3"
        echo "# got:    $1"
        echo "# wanted: $2"
    fi
}

# contains TEXT PART NAME
contains() {
    case $1 in
    *"$2"*) result 0 "$3" ;;
    *)  result 1 "$3"
        echo "$1" | sed 's/^/# got: /'
        echo "# wanted in it: $2" ;;
    esac
}

finish() {
    echo "1..$tap_count"
    [ "$tap_failed" = 0 ]
    exit
}
